"""One line tells ops who was sent where, why, how fast, at what cost; and never what was said."""

import json
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from events import (
    Event,
    FaultSeen,
    GuardFired,
    Recorded,
    TextDelta,
    TextEnded,
    ToolCalled,
    ToolReturned,
    TurnAccepted,
    TurnFailed,
    TurnRecovered,
)
from readers.routing_line import RoutingLine, fold_routing_line
from tests.readers.turns import ACCEPTED, LABELS, ROUTE, START, TURN, WHOLE, called, recorded

CONTRACT = [
    "turn_id",
    "conversation_id",
    "at",
    "intent",
    "confidence",
    "decided_by",
    "local_intent",
    "local_confidence",
    "haiku_intent",
    "agreed",
    "speculated",
    "queued_ms",
    "label_ms",
    "first_text_ms",
    "total_ms",
    "engine",
    "model",
    "prompt_version",
    "tools",
    "guards",
    "input_tokens",
    "output_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "cost_usd",
    "retries",
    "faults",
    "outcome",
    "language",
]


def test_the_line_has_exactly_the_fields_of_the_contract() -> None:
    """Dashboards are built on these names."""
    assert list(RoutingLine.model_fields) == CONTRACT


def test_the_line_adds_up_the_turn() -> None:
    """Ops read one line and know the turn."""
    line = fold_routing_line(TURN, recorded(WHOLE))

    assert line.model_dump() == {
        "turn_id": "t1",
        "conversation_id": "c1",
        "at": START,
        "intent": "quote",
        "confidence": 0.988,
        "decided_by": "haiku",
        "local_intent": "quote",
        "local_confidence": 0.912,
        "haiku_intent": "quote",
        "agreed": True,
        "speculated": "right",
        "queued_ms": 100,
        "label_ms": 310,
        "first_text_ms": 900,
        "total_ms": 1600,
        "engine": "claude",
        "model": "claude-model",
        "prompt_version": "v1",
        "tools": ("get_quote",),
        "guards": (),
        "input_tokens": 200,
        "output_tokens": 40,
        "cache_read_tokens": 14,
        "cache_write_tokens": 6,
        "cost_usd": 0.002,
        "retries": 0,
        "faults": (),
        "outcome": "escalated",
        "language": "en",
    }


def test_what_went_wrong_is_named() -> None:
    """Somebody on call sees the codes without opening the trace."""
    events: list[Event] = [
        ACCEPTED,
        TurnRecovered(server="s"),
        FaultSeen(code="upstream_429", where="model", retried=True, waited_ms=1000),
        FaultSeen(code="classifier_fallback", where="classifier"),
        GuardFired(guard="length", what="too_long"),
        TurnFailed(code="internal_error", message="Sorry."),
    ]
    line = fold_routing_line(TURN, recorded(events))

    assert line.faults == ("turn_recovered", "upstream_429", "classifier_fallback", "internal_error")
    assert (line.retries, line.guards, line.outcome) == (1, ("length",), "failed_with_notice")
    assert (line.agreed, line.first_text_ms) == (None, None)


def test_a_discarded_guess_costs_but_does_not_answer() -> None:
    """The price of guessing is in the line; the model of the guess is not."""
    events: list[Event] = [ACCEPTED, *LABELS, called(discarded=True), ROUTE, called(engine="local")]
    line = fold_routing_line(TURN, recorded(events))

    assert (line.engine, line.model, line.cost_usd) == ("local", "local-model", 0.002)


def test_an_open_turn_has_no_outcome_yet() -> None:
    """Ops may look at a turn while it runs."""
    line = fold_routing_line(TURN, recorded(WHOLE[:5]))

    assert (line.outcome, line.total_ms, line.intent) == (None, None, "quote")


def test_a_clock_that_went_back_gives_no_negative_times() -> None:
    """A correction of the clock does not break the statistics."""
    items = [
        Recorded(seq=item.seq, at=START - timedelta(seconds=item.seq), event=item.event)
        for item in recorded(WHOLE)
    ]
    line = fold_routing_line(TURN, items)

    assert (line.first_text_ms, line.total_ms) == (0, 0)


@given(st.text(st.characters(codec="utf-8"), min_size=4).map(lambda text: f"canary-{text}"))
def test_no_words_of_the_customer_or_the_model_are_in_the_line(secret: str) -> None:
    """Logs are kept for years and read by many; whatever a turn holds, its line holds none of it."""
    events: list[Event] = [
        TurnAccepted(message_id="m1", text=secret),
        *LABELS,
        ROUTE,
        ToolCalled(call_id="k", name=secret, arguments={secret: secret}),
        FaultSeen(code="tool_unknown", where=secret),
        ToolReturned(call_id="k", name=secret, ok=False, result=secret, took_ms=1),
        TextDelta(message_id="a", text=secret),
        TextEnded(message_id="a"),
        TurnFailed(code="internal_error", message=secret),
    ]
    line = fold_routing_line(TURN, recorded(events))

    assert "canary" not in line.model_dump_json()
    assert "canary" not in json.dumps(line.model_dump(mode="json"), ensure_ascii=False)
    assert line.tools == ("unknown",)
