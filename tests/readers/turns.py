"""Turns made by hand, for tests of the readers."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from events import (
    Citation,
    EngineCalled,
    Event,
    HandoffRequested,
    Label,
    LabelGiven,
    Quote,
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
    TurnFinished,
    TurnRef,
    Usage,
)

START = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
TURN = TurnRef(conversation_id="c1", turn_id="t1", ordinal=1, message_id="m1")
SOURCE = Citation(title="Collision", url="https://example.com/collision", quote="hail is not covered")
QUOTE = Quote(
    quote_id="Q-1",
    make="Nissan",
    model="Leaf",
    year=2022,
    mileage=30_000,
    driver_age=40,
    monthly_premium_usd=Decimal("97.80"),
    valid_until=date(2026, 12, 22),
)
ACCEPTED = TurnAccepted(message_id="m1", text="How much for a Leaf?")
ROUTE = RouteDecided(
    intent="quote", confidence=0.98765, decided_by="haiku", language="en", speculated="right"
)
LABELS = (
    LabelGiven(source="local", label=Label(intent="quote", confidence=0.91234), took_ms=0),
    LabelGiven(source="haiku", label=Label(intent="quote", confidence=0.98765), took_ms=310),
)


def called(purpose: str = "answer", *, engine: str = "claude", discarded: bool = False) -> EngineCalled:
    """A model call of 100 tokens in, 20 out."""
    usage = Usage(
        input_tokens=100, output_tokens=20, cache_read_tokens=7, cache_write_tokens=3, cost_usd=0.001
    )
    return EngineCalled.model_validate(
        {
            "purpose": purpose,
            "engine": engine,
            "model": f"{engine}-model",
            "usage": usage,
            "stop_reason": "end_turn",
            "took_ms": 800,
            "discarded": discarded,
        }
    )


WHOLE: tuple[Event, ...] = (
    ACCEPTED,
    *LABELS,
    called("label"),
    ROUTE,
    SpecialistStarted(run_id="r", intent="quote", prompt_version="v1"),
    ToolCalled(call_id="k", name="get_quote", arguments={"make": "Nissan"}),
    ToolReturned(call_id="k", name="get_quote", ok=True, result="97.80", took_ms=3),
    QuoteGiven(quote=QUOTE),
    TextStarted(message_id="a"),
    TextDelta(message_id="a", text="It costs "),
    TextDelta(message_id="a", text="$97.80."),
    TextEnded(message_id="a", citations=(SOURCE,)),
    called(),
    HandoffRequested(ticket_id="T-1", reason="other"),
    SpecialistFinished(run_id="r"),
    TurnFinished(outcome="escalated"),
)


def recorded(events: Sequence[Event], step_ms: int = 100) -> list[Recorded]:
    """These events, one every `step_ms` milliseconds."""
    return [
        Recorded(seq=number + 1, at=START + timedelta(milliseconds=step_ms * number), event=event)
        for number, event in enumerate(events)
    ]
