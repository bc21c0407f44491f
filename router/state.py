"""What a conversation is like before a turn begins: a fold over its earlier turns."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from engine.base import Said
from events import (
    Event,
    Flow,
    FlowChanged,
    Quote,
    Recorded,
    RouteDecided,
    ToolReturned,
    TurnAccepted,
    TurnFailed,
    TurnFinished,
    TurnRef,
)
from readers.reply import fold_text

TURNS_REMEMBERED = 24
_STEP = 8
_CHARACTERS_REMEMBERED = 60_000


@dataclass(frozen=True, slots=True)
class Clarification:
    """The last turn asked back: which intents were offered, about which question."""

    intents: tuple[str, ...]
    about: str


@dataclass(frozen=True, slots=True)
class ConversationState:
    """History and open matters, as the next turn needs them."""

    history: tuple[Said, ...] = ()
    flow: Flow | None = None
    clarification: Clarification | None = None
    person_offered: bool = False
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
    history: list[Said] = []
    flow: Flow | None = None
    language: str | None = None
    failures = 0
    for _, recorded in turns:
        events = [item.event for item in recorded]
        history += _said(events)
        for event in events:
            match event:
                case FlowChanged():
                    flow = event.flow
                case RouteDecided():
                    language = event.language
                case TurnFailed():
                    failures += 1
                case TurnFinished():
                    failures = 0
                case _:
                    pass
    last = [item.event for item in turns[-1][1]] if turns else []
    return ConversationState(
        history=_bounded(history),
        flow=flow,
        clarification=_clarification(last),
        person_offered=_offers_person(last),
        quotes=quotes,
        language=language,
        degraded_before=any(isinstance(e, TurnFinished) and e.outcome == "answered_degraded" for e in last),
        failures_in_row=failures,
    )


def _said(events: Iterable[Event]) -> list[Said]:
    known = list(events)
    asked = [Said("customer", event.text) for event in known if isinstance(event, TurnAccepted)]
    text = fold_text(known).strip()
    return [*asked, Said("assistant", text)] if text else asked


def _bounded(history: list[Said]) -> tuple[Said, ...]:
    """The newest messages that fit, beginning with one of the customer's."""
    total, start = 0, len(history)
    while start > 0 and total + len(history[start - 1].text) <= _CHARACTERS_REMEMBERED:
        start -= 1
        total += len(history[start].text)
    while start < len(history) and history[start].role != "customer":
        start += 1
    return tuple(history[start:])


def _clarification(last: Sequence[Event]) -> Clarification | None:
    route = next((event for event in last if isinstance(event, RouteDecided)), None)
    if route is None or not route.clarify:
        return None
    return Clarification(route.clarify, next(e.text for e in last if isinstance(e, TurnAccepted)))


def _offers_person(last: Sequence[Event]) -> bool:
    return any(
        (isinstance(event, RouteDecided) and event.offer_person)
        or (isinstance(event, ToolReturned) and event.empty)
        for event in last
    )
