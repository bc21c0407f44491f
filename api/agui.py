"""Turn events into AG-UI 1.0 frames for the wire. One event gives one frame or none, so a frame's id is an event's.

Source: the AG-UI protocol, version 1.0, and contract.md for names and order.
"""

from collections.abc import Sequence

from ag_ui.core.events import (
    BaseEvent,
    CustomEvent,
    RunErrorEvent,
    RunFinishedEvent,
    RunStartedEvent,
    SubagentFinishedEvent,
    SubagentStartedEvent,
    TextMessageContentEvent,
    TextMessageEndEvent,
    TextMessageStartEvent,
    ToolCallEndEvent,
    ToolCallStartEvent,
)
from fastapi.sse import format_sse_event

from events import (
    ActionChanged,
    Event,
    HandoffRequested,
    QuoteGiven,
    Recorded,
    RouteDecided,
    SpecialistFinished,
    SpecialistStarted,
    TextDelta,
    TextEnded,
    TextStarted,
    ToolCalled,
    ToolReturned,
    TurnAccepted,
    TurnFailed,
    TurnFinished,
    TurnRef,
)
from readers.reply import ActionShown, fold_reply

KEEP_ALIVE = b": keep-alive\n\n"
PROTOCOL = "1.0"


def frame(
    turn: TurnRef, recorded: Recorded, so_far: Sequence[Event], visitor_token: str | None = None
) -> bytes | None:
    """The SSE frame of this event, or None when customers do not see it.

    Args:
        so_far: The turn's events up to and including this one; the last frame carries the whole reply.
    """
    wire = _wire(turn, recorded.event, so_far, visitor_token)
    if wire is None:
        return None
    wire.timestamp = round(recorded.at.timestamp() * 1000)
    return format_sse_event(data_str=wire.model_dump_json(by_alias=True), id=f"{turn.turn_id}:{recorded.seq}")


def error_frame(code: str, message: str, event_id: str | None = None) -> bytes:
    """The frame that ends a stream whose turn has not ended."""
    wire = RunErrorEvent(message=message, code=code)
    return format_sse_event(data_str=wire.model_dump_json(by_alias=True), id=event_id)


def _wire(
    turn: TurnRef, event: Event, so_far: Sequence[Event], visitor_token: str | None
) -> BaseEvent | None:
    match event:
        case TurnAccepted():
            return RunStartedEvent(
                thread_id=turn.conversation_id, run_id=turn.message_id, protocol_version=PROTOCOL
            )
        case TurnFinished():
            reply = fold_reply(turn, so_far, visitor_token).shown()
            return RunFinishedEvent(thread_id=turn.conversation_id, run_id=turn.message_id, result=reply)
        case TurnFailed():
            return RunErrorEvent(message=event.message, code=event.code)
        case TextStarted() | TextDelta() | TextEnded():
            return _text(event)
        case ToolCalled():
            return ToolCallStartEvent(tool_call_id=event.call_id, tool_call_name=event.name)
        case ToolReturned():
            return ToolCallEndEvent(tool_call_id=event.call_id)
        case _:
            return _custom(turn, event, so_far)


def _text(event: TextStarted | TextDelta | TextEnded) -> BaseEvent:
    match event:
        case TextStarted():
            return TextMessageStartEvent(message_id=event.message_id, role="assistant")
        case TextDelta():
            return TextMessageContentEvent(message_id=event.message_id, delta=event.text)
        case TextEnded():
            metadata = {"citations": [citation.model_dump() for citation in event.citations]}
            return TextMessageEndEvent(message_id=event.message_id, metadata=metadata)


def _custom(turn: TurnRef, event: Event, so_far: Sequence[Event]) -> BaseEvent | None:
    match event:
        case RouteDecided():
            value = {"intent": event.intent, "confidence": event.confidence, "decided_by": event.decided_by}
            return CustomEvent(name="frontdesk.route", value=value)
        case SpecialistStarted():
            return SubagentStartedEvent(subagent_run_id=event.run_id, name=event.intent)
        case SpecialistFinished():
            return SubagentFinishedEvent(subagent_run_id=event.run_id)
        case QuoteGiven():
            quote = fold_reply(turn, so_far).quote
            return CustomEvent(name="frontdesk.quote", value=quote.model_dump() if quote else None)
        case HandoffRequested():
            return CustomEvent(
                name="frontdesk.handoff", value={"ticket_id": event.ticket_id, "state": event.state}
            )
        case ActionChanged():
            shown = ActionShown.of(event.action)
            return CustomEvent(name="frontdesk.action", value=shown.model_dump(mode="json"))
        case _:
            return None
