"""The history of a conversation as a customer may read it: a fold over its turns."""

from collections.abc import Iterable
from datetime import datetime
from typing import Literal

from events import (
    Citation,
    Frozen,
    HandoffRequested,
    Recorded,
    RouteDecided,
    TextDelta,
    TextEnded,
    TurnAccepted,
    TurnRef,
)


class Message(Frozen):
    """One message. `text` of an answer is the fold of its deltas."""

    role: Literal["customer", "assistant", "agent"]
    text: str
    at: datetime
    turn_id: str
    intent: str | None = None
    citations: tuple[Citation, ...] = ()


class History(Frozen):
    """What `GET /chat/{conversation_id}` answers."""

    conversation_id: str
    state: Literal["open", "waiting_for_person"]
    messages: tuple[Message, ...]


def fold_history(conversation_id: str, turns: Iterable[tuple[TurnRef, list[Recorded]]]) -> History:
    """The messages of these turns in order."""
    messages: list[Message] = []
    waiting = False
    for turn, recorded in turns:
        messages += fold_messages(turn, recorded)
        waiting = waiting or any(isinstance(item.event, HandoffRequested) for item in recorded)
    state: Literal["open", "waiting_for_person"] = "waiting_for_person" if waiting else "open"
    return History(conversation_id=conversation_id, state=state, messages=tuple(messages))


def fold_messages(turn: TurnRef, recorded: Iterable[Recorded]) -> list[Message]:
    """The customer's message and, once it has begun, the answer."""
    messages: list[Message] = []
    intent: str | None = None
    text, began = "", None
    citations: tuple[Citation, ...] = ()
    for item in recorded:
        match item.event:
            case TurnAccepted():
                messages.append(
                    Message(role="customer", text=item.event.text, at=item.at, turn_id=turn.turn_id)
                )
            case RouteDecided():
                intent = item.event.intent
            case TextDelta():
                began = began or item.at
                text += item.event.text
            case TextEnded():
                citations = item.event.citations
            case _:
                pass
    if began is not None:
        answer = Message(
            role="assistant", text=text, at=began, turn_id=turn.turn_id, intent=intent, citations=citations
        )
        messages.append(answer)
    return messages
