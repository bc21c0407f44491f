"""Figures for Prometheus: every turn is counted once, by names from our own lists, and nobody's words are in them."""

from collections.abc import Sequence

import pytest

from events import Event, FaultSeen, GuardFired, TurnAccepted, TurnFailed
from readers.metrics import Metrics, Readings
from readers.routing_line import fold_routing_line
from tests.readers.turns import TURN, WHOLE, called, recorded


def _figures(*turns: Sequence[Event], readings: Readings | None = None) -> dict[str, float]:
    """Name and labels -> value, after these turns."""
    metrics = Metrics()
    for events in turns:
        written = recorded(events)
        metrics.note(fold_routing_line(TURN, written), written)
    lines = metrics.text(readings or {}).decode().splitlines()
    return {
        name: float(value)
        for name, _, value in (line.rpartition(" ") for line in lines if not line.startswith("#"))
    }


def test_turns_are_counted_by_intent_outcome_and_engine() -> None:
    """Ops see at a glance what is asked, how it ends, and who answers."""
    figures = _figures(WHOLE, WHOLE)

    assert figures['frontdesk_turns_total{engine="claude",intent="quote",outcome="escalated"}'] == 2
    assert figures['frontdesk_routes_total{decided_by="haiku",speculated="right"}'] == 2
    assert figures['frontdesk_tool_calls_total{tool="get_quote"}'] == 2


def test_times_are_histograms_in_seconds() -> None:
    """Percentiles over all servers can be worked out of buckets only."""
    figures = _figures(WHOLE)

    assert figures['frontdesk_first_text_seconds_sum{engine="claude"}'] == pytest.approx(0.9)
    assert figures['frontdesk_first_text_seconds_bucket{engine="claude",le="1.0"}'] == 1
    assert figures['frontdesk_first_text_seconds_bucket{engine="claude",le="0.5"}'] == 0
    assert figures['frontdesk_turn_seconds_count{engine="claude"}'] == 1
    assert figures["frontdesk_label_seconds_sum"] == pytest.approx(0.31)


def test_tokens_and_money_are_counted_for_each_model() -> None:
    """The bill of a discarded guess is on the bill of the month too."""
    figures = _figures([*WHOLE[:-1], called(discarded=True), WHOLE[-1]])

    assert figures['frontdesk_tokens_total{kind="input",model="claude-model"}'] == 300
    assert figures['frontdesk_tokens_total{kind="cache_read",model="claude-model"}'] == 21
    assert figures['frontdesk_cost_usd_total{model="claude-model"}'] == pytest.approx(0.003)
    label = 'frontdesk_model_calls_total{model="claude-model",purpose="label",stop_reason="end_turn"}'
    assert figures[label] == 1


def test_what_went_wrong_is_counted_by_its_code() -> None:
    """An alarm can be set on one code; a turn without route or words is counted all the same."""
    trouble: list[Event] = [
        TurnAccepted(message_id="m", text="my secret number is 4711"),
        FaultSeen(code="upstream_529", where="claude-model", retried=True),
        GuardFired(guard="figures", what="price"),
        TurnFailed(code="nothing_to_say", message="Sorry."),
    ]
    figures = _figures(trouble)

    assert figures['frontdesk_faults_total{code="upstream_529"}'] == 1
    assert figures['frontdesk_faults_total{code="nothing_to_say"}'] == 1
    assert figures['frontdesk_guards_fired_total{guard="figures"}'] == 1
    assert figures["frontdesk_retries_total"] == 1
    assert figures['frontdesk_turns_total{engine="none",intent="none",outcome="failed_with_notice"}'] == 1
    assert not any("4711" in name for name in figures)


def test_readings_of_the_moment_stand_beside_what_was_counted() -> None:
    """How full the desk is now, and which models are away."""
    figures = _figures(readings={"turns_limit": ("How many", 64), "breaker_open": ("Away", {"sonnet": 1.0})})

    assert figures["frontdesk_turns_limit"] == 64
    assert figures['frontdesk_breaker_open{name="sonnet"}'] == 1
    assert figures["process_open_fds"] > 0
