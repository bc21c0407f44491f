"""What a conversation is like before a turn begins: a fold over its earlier turns."""

from collections.abc import Sequence
from dataclasses import dataclass

from engine.base import Said
from events import (
    AnswerCorrected,
    EngineCalled,
    Event,
    FaultSeen,
    Flow,
    FlowChanged,
    HandoffRequested,
    Quote,
    Recorded,
    RouteDecided,
    ToolReturned,
    TurnAccepted,
    TurnFailed,
    TurnRef,
)
from knowledge.invisible import readable
from readers.reply import fold_text
from router.opencall import OpenCall, fold_open_call

WITHHELD = "(This message is withheld: it tries to change how the assistant works, or to get at what is not the customer's.)"
"""What models read where a message was screened out. It leaves such a message no way into a later turn either."""
TURNS_REMEMBERED = 24
_STEP = 8
MOST_CHARACTERS = 60_000
_KEPT_CHARACTERS = 30_000
_MENTIONS = 6
_ASIDE = frozenset({"classifier", "second_look"})  # who else asks a model in a turn, beside who answers


@dataclass(frozen=True, slots=True)
class Clarification:
    """The last turn asked back: which intents were offered, about which question."""

    intents: tuple[str, ...]
    about: str


@dataclass(frozen=True, slots=True)
class ConversationState:
    """History and open matters, as the next turn needs them.

    `mentions` are the customer's last messages since a form was last dropped: what was meant for that one is over.
    `handed_over`: the last answer handed the conversation over to a person.
    `open_call`: what the last answer asked the customer for, on behalf of a tool.
    """

    history: tuple[Said, ...] = ()
    flow: Flow | None = None
    mentions: tuple[str, ...] = ()
    clarification: Clarification | None = None
    open_call: OpenCall | None = None
    person_offered: bool = False
    handed_over: bool = False
    quotes: tuple[Quote, ...] = ()
    language: str | None = None
    degraded_before: bool = False
    failures_in_row: int = 0


def turns_to_read(ordinal: int) -> int:
    """How many earlier turns the turn of this ordinal looks at: 24 to 31.

    The start of the window moves only every eighth turn, so that requests in between share their cached prefix.
    """
    before = ordinal - 1
    if before <= TURNS_REMEMBERED:
        return before
    return TURNS_REMEMBERED + (before - TURNS_REMEMBERED) % _STEP


def fold_state(
    turns: Sequence[tuple[TurnRef, list[Recorded]]], quotes: tuple[Quote, ...] = ()
) -> ConversationState:
    """The state after these turns, oldest first."""
    known = [[item.event for item in recorded] for _, recorded in turns]
    last = known[-1] if known else []
    changes = [event for events in known for event in events if isinstance(event, FlowChanged)]
    routes = [event for events in known for event in events if isinstance(event, RouteDecided)]
    return ConversationState(
        history=_bounded([said for events in known for said in _said(events)]),
        flow=changes[-1].flow if changes else None,
        mentions=_mentions(known),
        clarification=_clarification(last),
        open_call=fold_open_call(turns[-1][1]) if turns else None,
        person_offered=_offers_person(last),
        handed_over=any(isinstance(event, HandoffRequested) for event in last),
        quotes=quotes,
        language=routes[-1].language if routes else None,
        degraded_before=_is_by_local_engine(last),
        failures_in_row=_failures_in_row(known),
    )


def _said(events: Sequence[Event]) -> list[Said]:
    """What the turn adds to the history; nothing when Claude refused it, because it would refuse it again."""
    faults = [event for event in events if isinstance(event, FaultSeen)]
    if any(fault.code == "stop_refusal" and fault.where not in _ASIDE for fault in faults):
        return []
    asked = [Said("customer", _read(event, events)) for event in events if isinstance(event, TurnAccepted)]
    text = fold_text(events).strip()
    return [*asked, Said("assistant", text)] if text else asked


def _read(accepted: TurnAccepted, events: Sequence[Event]) -> str:
    """The customer's message as models may read it."""
    is_withheld = any(isinstance(event, RouteDecided) and event.withheld for event in events)
    return WITHHELD if is_withheld else readable(accepted.text)


def _bounded(history: list[Said]) -> tuple[Said, ...]:
    """The newest messages that fit, beginning with one of the customer's.

    When they no longer fit, half of them go at once, so that the requests in between share their cached prefix.
    """
    start, total = 0, 0
    for end, said in enumerate(history):
        total += len(said.text)
        most = _KEPT_CHARACTERS if total > MOST_CHARACTERS else total
        while total > most and start < end:
            total -= len(history[start].text)
            start += 1
    while start < len(history) and history[start].role != "customer":
        start += 1
    return tuple(history[start:])


def _mentions(turns: Sequence[Sequence[Event]]) -> tuple[str, ...]:
    said: list[str] = []
    for events in turns:
        said += [_read(event, events) for event in events if isinstance(event, TurnAccepted)]
        if any(isinstance(event, FlowChanged) and event.flow is None for event in events):
            said.clear()
    return tuple(said[-_MENTIONS:])


def _clarification(last: Sequence[Event]) -> Clarification | None:
    route = next((event for event in last if isinstance(event, RouteDecided)), None)
    if route is None or not route.clarify:
        return None
    return Clarification(route.clarify, next(_read(e, last) for e in last if isinstance(e, TurnAccepted)))


def _offers_person(last: Sequence[Event]) -> bool:
    """Whether the answer offered a person: as decided, or because nothing was found, a tool said no, or it was corrected."""
    return any(
        (isinstance(event, RouteDecided) and event.offer_person)
        or (isinstance(event, ToolReturned) and (event.empty or not (event.ok or event.asks)))
        or isinstance(event, TurnFailed | AnswerCorrected)
        for event in last
    )


def _is_by_local_engine(last: Sequence[Event]) -> bool:
    """Whether the local engine gave the last answer, so that basic mode has been explained already."""
    calls = [e for e in last if isinstance(e, EngineCalled) and e.purpose == "answer" and not e.discarded]
    return bool(calls) and calls[-1].engine == "local"


def _failures_in_row(turns: Sequence[Sequence[Event]]) -> int:
    failed = [any(isinstance(event, TurnFailed) for event in events) for events in turns]
    return next((count for count, is_failed in enumerate(reversed(failed)) if not is_failed), len(failed))
