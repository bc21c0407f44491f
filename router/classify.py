"""Ask Haiku for the label: one structured call with a deadline.

Called by turn.py beside the local classifier. In: the message, the last turns, the open form, similar training
lines. Out: a Label whose intent is in the catalogue. Everything the customer said goes in as JSON data in the user
message, so it cannot pass for an instruction. Raises EngineError; the turn then goes by the local label.
"""

import asyncio
import json
import time
from collections.abc import Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace

from agents.specialist import Catalogue
from engine.base import Done, Engine, EngineRequest, Metered, Piece, Said, StopReason, Text, Trouble
from errors import EngineDown
from events import EngineCalled, Event, FaultSeen, Flow, JsonObject, Label, Usage
from router.local import Example
from router.readlabel import read_label

_SAID_SHOWN = 6
_CHARACTERS_SHOWN = 600
_SLACK_S = 0.3  # between the first piece of a label and its end


@dataclass(frozen=True, slots=True)
class Question:
    """What the classifier sees. `language` is the conversation's so far, as an ISO 639-1 code."""

    message: str
    history: tuple[Said, ...]
    flow: Flow | None
    person_offered: bool
    similar: Sequence[Example]
    customer_hash: str
    language: str = "en"


async def ask_haiku(
    engine: Engine, catalogue: Catalogue, question: Question, emit: Callable[[Event], None]
) -> Label:
    """Haiku's label.

    Raises:
        EngineError: No answer within the deadline, no answer at all, or one that is not a known intent.
    """
    deadline_s = catalogue.classifier.settings.deadline_s
    request = replace(label_request(catalogue, question), first_piece_by=time.monotonic() + deadline_s)
    hearing = _Hearing(request.model, emit)
    try:
        async with (
            asyncio.timeout(deadline_s + _SLACK_S),
            aclosing(engine.stream(request)) as pieces,
        ):
            async for piece in pieces:
                hearing.take(piece)
    except TimeoutError as exc:
        raise EngineDown(f"no label within {deadline_s} s", fault="label_timeout") from exc
    finally:
        hearing.end()
    if hearing.stop_reason == "refusal":
        raise EngineDown("the label was refused", fault="stop_refusal")
    return read_label(hearing.text, catalogue, question.language)


class _Hearing:
    """What the engine says about one label, and what it costs."""

    def __init__(self, model: str, emit: Callable[[Event], None]) -> None:
        self.text = ""
        self.stop_reason: StopReason | None = None
        self._model = model
        self._emit = emit
        self._began = time.monotonic()
        self._untold: Metered | None = None

    def take(self, piece: Piece) -> None:
        """Note one piece."""
        match piece:
            case Text():
                self.text += piece.text
            case Metered():
                self._untold = piece
            case Trouble():
                self._emit(
                    FaultSeen(
                        code=piece.code,
                        where="classifier",
                        retried=piece.retried,
                        waited_ms=piece.waited_ms,
                        request_id=piece.request_id,
                    )
                )
            case Done():
                self.stop_reason, self._untold = piece.stop_reason, None
                self._emit(_called(piece))
            case _:
                pass

    def end(self) -> None:
        """Tell what a call has cost that was cut short."""
        if self._untold is not None and self._untold.usage != Usage():
            took_ms = round((time.monotonic() - self._began) * 1000)
            cut = Done("cut", "claude", self._model, took_ms, self._untold.usage, self._untold.request_id)
            self._emit(_called(cut))


def label_request(catalogue: Catalogue, question: Question) -> EngineRequest:
    """The classifier's request: the cached prompt, then one user message of JSON data."""
    settings = catalogue.classifier.settings
    return EngineRequest(
        purpose="label",
        model=settings.model,
        max_tokens=settings.max_tokens,
        effort=settings.effort,
        thinking=settings.thinking,
        system=(catalogue.classifier.system,),
        message=json.dumps(_data(question), ensure_ascii=False),
        schema=label_schema(catalogue.intents),
        customer_hash=question.customer_hash,
    )


def label_schema(intents: Sequence[str]) -> JsonObject:
    """The structured output: one enum first, everything required, no bounds (the API takes none)."""
    choice = {"type": "string", "enum": list(intents)}
    return {
        "type": "object",
        "properties": {
            "intent": choice,
            "confidence": {"type": "number", "description": "0 to 1"},
            "also": {"type": "array", "items": choice},
            "language": {"type": "string", "description": "ISO 639-1 code"},
            "sentiment": {"type": "number", "description": "-1 to 1"},
            "abuse": {"type": "boolean"},
        },
        "required": ["intent", "confidence", "also", "language", "sentiment", "abuse"],
        "additionalProperties": False,
    }


def _data(question: Question) -> JsonObject:
    flow = question.flow
    return {
        "conversation": [
            {"from": said.role, "text": said.text[-_CHARACTERS_SHOWN:]}
            for said in question.history[-_SAID_SHOWN:]
        ],
        "language_of_the_conversation": question.language,
        "open_quote": None if flow is None else {"known": flow.slots, "asked_for": flow.awaiting},
        "a_person_was_just_offered": question.person_offered,
        "similar_messages": [
            {"text": example.text, "intent": example.intent} for example in question.similar
        ],
        "message": question.message,
    }


def _called(done: Done) -> EngineCalled:
    return EngineCalled(
        purpose="label",
        engine=done.engine,
        model=done.model,
        usage=done.usage,
        stop_reason=done.stop_reason,
        took_ms=done.took_ms,
        request_id=done.request_id,
    )
