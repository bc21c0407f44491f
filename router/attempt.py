"""One attempt at a turn: go on where an earlier attempt stopped, answer, and close it honestly whatever happens.

Called by router/runner.py. Law: a turn has exactly one end, and what a customer has read stays as it is.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal

import structlog
from structlog.contextvars import bound_contextvars

from errors import RowUnreadable
from events import (
    ActionChanged,
    Deed,
    Event,
    FaultSeen,
    HandoffRequested,
    Outcome,
    QuoteGiven,
    Recorded,
    RouteDecided,
    SpecialistFinished,
    SpecialistStarted,
    TextEnded,
    TextStarted,
    ToolCalled,
    ToolReturned,
    TurnAccepted,
    TurnFailed,
    TurnFinished,
    TurnRecovered,
    TurnRef,
    is_end,
)
from knowledge.details import read_details
from knowledge.language import detect_language
from readers.routing_line import RoutingLine, fold_routing_line
from router.closing import notice_text, show_notice
from router.contain import contained
from router.desk import Desk
from router.known import Incoming, word_of
from router.state import ConversationState, fold_state, turns_to_read
from router.turn import run_turn
from router.unsettled import settle
from store.log import EventLog
from store.turnlog import TurnLog

log = structlog.get_logger()
Tell = Callable[[RoutingLine, Sequence[Recorded]], None]
CUSTOMER = "customer:"
RECOVERIES_AT_MOST = 6  # a turn that fails again and again is closed honestly instead of paid for without end
_DOUBLE_CLICK = timedelta(seconds=2)
_NO_STATE = ConversationState()


@dataclass(slots=True)
class _Told:
    """What the turn has said so far. Nothing is said after its end."""

    pass_on: Callable[[Event], None]
    text: Literal["none", "open", "complete"] = "none"
    has_ended: bool = False
    handed_over: bool = False
    route: RouteDecided | None = None
    open_tools: dict[str, ToolCalled] = field(default_factory=dict)
    interrupted: list[ToolCalled] = field(default_factory=list)
    open_runs: list[str] = field(default_factory=list)
    deeds: list[Deed] = field(default_factory=list)

    def emit(self, event: Event) -> None:
        """Say it."""
        if self.has_ended:
            log.warning("event.late", type=event.type)
            return
        self.note(event)
        self.pass_on(event)
        if isinstance(event, ToolCalled) and any(_is_same(event, before) for before in self.interrupted):
            self.pass_on(FaultSeen(code="tool_retry_same_key", where=event.name, retried=True))

    def note(self, event: Event) -> None:
        """Keep in mind what it means for the rest of the turn."""
        match event:
            case TextStarted():
                self.text = "open"
            case TextEnded():
                self.text = "complete"
            case RouteDecided():
                self.route = event
            case ToolCalled():
                self.open_tools[event.call_id] = event
            case ToolReturned():
                self.open_tools.pop(event.call_id, None)
                self.deeds += [deed for deed in event.deeds if deed not in self.deeds]
            case SpecialistStarted():
                self.open_runs.append(event.run_id)
            case SpecialistFinished():
                self.open_runs = [run_id for run_id in self.open_runs if run_id != event.run_id]
            case HandoffRequested() | QuoteGiven() | ActionChanged():
                self.deeds = [deed for deed in self.deeds if deed != event]
                self.handed_over = self.handed_over or isinstance(event, HandoffRequested)
            case _:
                self.has_ended = self.has_ended or is_end(event)


@dataclass(frozen=True, slots=True)
class _Found:
    """What the log holds when the attempt begins. `trouble`: something of it cannot be read.

    `is_double`: the message before it says the same, and came a moment before.
    """

    earlier: list[Recorded]
    last_seq: int
    state: ConversationState = _NO_STATE
    is_double: bool = False
    trouble: RowUnreadable | None = None


async def attempt(
    event_log: EventLog,
    desk: Desk,
    turn: TurnRef,
    owner: str,
    server_id: str,
    tell: Tell,
    *,
    first: Recorded | None = None,
    taken_over: bool = False,
) -> None:
    """Bring the turn to its end; returns when that is on disk and the routing line is written.

    Args:
        tell: Hears the routing line too.
        first: All that the log holds of a turn that was accepted here just now; else that is read.
        taken_over: It was another server's, or an earlier life's of this one, whether that has left a trace of it or not.

    Raises:
        Unavailable: The log cannot be read now; nothing was said.
        LeaseLost: The turn is another server's now.
    """
    found = await _look(event_log, desk, turn, first)
    if any(is_end(item.event) for item in found.earlier):
        return
    turn_log = event_log.turn_log(turn, found.last_seq)
    turn_log.written.extend(found.earlier)
    told = _Told(turn_log.emit)
    for item in found.earlier:
        told.note(item.event)
    try:
        async with asyncio.TaskGroup() as group:
            writer = group.create_task(turn_log.run())
            with bound_contextvars(turn_id=turn.turn_id, conversation_id=turn.conversation_id):
                if taken_over or len(found.earlier) > 1:
                    told.emit(TurnRecovered(server=server_id))
                await _answer(desk, turn, owner, found, told)
                await turn_log.flush()
            writer.cancel()
    finally:  # also when the server stops in this very moment
        if turn_log.written and is_end(turn_log.written[-1].event):
            _write_line(turn, turn_log, tell)


async def _look(event_log: EventLog, desk: Desk, turn: TurnRef, first: Recorded | None) -> _Found:
    try:
        earlier = [first] if first is not None else await event_log.read_turn(turn)
    except RowUnreadable as exc:
        return _Found([], await event_log.last_seq(turn), trouble=exc)
    last_seq = earlier[-1].seq
    if turn.ordinal == 1 and last_seq == 1:  # nothing can have come before the first message
        return _Found(earlier, last_seq)
    try:
        turns = await event_log.read_turns(
            turn.conversation_id, turns_to_read(turn.ordinal), before=turn.ordinal
        )
        quotes = await desk.records.quotes_of(turn.conversation_id)
    except RowUnreadable as exc:
        return _Found(earlier, last_seq, trouble=exc)
    is_double = bool(turns) and _is_double(earlier[0], turns[-1][1][0])
    return _Found(earlier, last_seq, fold_state(turns, quotes), is_double)


def _is_double(accepted: Recorded, before: Recorded) -> bool:
    """Whether these messages say the same within a moment, as after a double click; both are answered."""
    match accepted.event, before.event:
        case TurnAccepted() as mine, TurnAccepted() as other:
            return mine.text == other.text and abs(accepted.at - before.at) < _DOUBLE_CLICK
        case _:
            return False


async def _answer(desk: Desk, turn: TurnRef, owner: str, found: _Found, told: _Told) -> None:
    """Answer, or say why not."""
    accepted = next((item for item in found.earlier if isinstance(item.event, TurnAccepted)), None)
    customer_id = owner.removeprefix(CUSTOMER) if owner.startswith(CUSTOMER) else None
    incoming = _incoming(turn, owner, customer_id, accepted)
    if len(found.earlier) > 1:
        gives_up = sum(isinstance(item.event, TurnRecovered) for item in found.earlier) >= RECOVERIES_AT_MOST
        if told.text != "none" or gives_up:
            await _settle(desk, incoming, found.state, told)
            _close(desk, turn, _language(incoming, found, told), told, "interrupted")
            return
        _tidy(told)
    elif found.is_double:
        told.emit(FaultSeen(code="possible_duplicate", where="message"))
    with contained("turn.failed") as caught:
        if found.trouble is not None:
            raise found.trouble
        await run_turn(desk, incoming, found.state, told.emit, routed=told.route)
    if not told.has_ended:
        code = caught.code if caught.error is not None else "no_end"
        await _settle(desk, incoming, found.state, told)
        _close(desk, turn, _language(incoming, found, told), told, code)


def _language(incoming: Incoming, found: _Found, told: _Told) -> str:
    """In which language to say that something went wrong."""
    if told.route is not None:
        return told.route.language
    return detect_language(incoming.text, hint=found.state.language or incoming.locale)


def _incoming(turn: TurnRef, owner: str, customer_id: str | None, accepted: Recorded | None) -> Incoming:
    if accepted is None or not isinstance(accepted.event, TurnAccepted):
        return Incoming(turn, "", owner, customer_id=customer_id)
    event = accepted.event
    return Incoming(turn, event.text, owner, event.locale, customer_id, accepted.at)


async def _settle(desk: Desk, incoming: Incoming, state: ConversationState, told: _Told) -> None:
    """A turn that ends badly may have begun something."""
    details = read_details(incoming.text, desk.utcnow().date(), state.language or "en")
    told.deeds += await settle(desk, incoming, word_of(desk, incoming, state, details))


def _is_same(call: ToolCalled, before: ToolCalled) -> bool:
    """Whether this is the call whose end nobody saw; it has the same key then, and one effect."""
    return (call.name, call.arguments) == (before.name, before.arguments)


def _tidy(told: _Told) -> None:
    """Close what an earlier attempt had begun: readers of the stream pair every start with an end."""
    for call_id, call in tuple(told.open_tools.items()):
        told.emit(ToolReturned(call_id=call_id, name=call.name, ok=False, result="interrupted", took_ms=0))
        told.interrupted.append(call)
    for run_id in tuple(told.open_runs):
        told.emit(SpecialistFinished(run_id=run_id))


def _wind_up(told: _Told) -> None:
    """Before the end: tell what was done and not told yet, and close what had begun."""
    for deed in tuple(told.deeds):
        told.emit(deed)
    _tidy(told)


def _close(desk: Desk, turn: TurnRef, language: str, told: _Told, code: str) -> None:
    """End a turn that something went wrong with; an answer that was complete stays an answer."""
    if told.text == "complete":
        told.emit(FaultSeen(code=code, where="turn"))
        _wind_up(told)
        outcome: Outcome = "escalated" if told.handed_over else "answered_degraded"
        told.emit(TurnFinished(outcome=outcome))
        return
    is_open = told.text == "open"
    notice = "interrupted" if is_open else "failed"
    show_notice(told.emit, turn, desk, language, notice=notice, said=is_open)
    _wind_up(told)
    told.emit(TurnFailed(code=code, message=notice_text(desk, language, notice)))


def _write_line(turn: TurnRef, turn_log: TurnLog, tell: Tell) -> None:
    """The routing line: exactly one per finished turn."""
    line = fold_routing_line(turn, turn_log.written)
    log.info("turn.routed", **line.model_dump(mode="json"))
    tell(line, turn_log.written)
