"""What the desk says by itself, and how a turn is closed."""

import pytest

from agents.loop import Run
from events import Event, TurnFailed, TurnFinished, TurnRef
from router.closing import close, fail
from tests.router.room import desk

REF = TurnRef(conversation_id="c", turn_id="t", ordinal=1, message_id="m")


@pytest.mark.parametrize(
    ("run", "outcome"),
    [
        (Run(said=True), "answered"),
        (Run(said=True, degraded=True), "answered_degraded"),
        (Run(said=True, handed_over=True), "escalated"),
        (Run(said=True, handed_over=True, degraded=True), "escalated"),
    ],
)
def test_the_end_says_how_it_went(run: Run, outcome: str) -> None:
    """The scorecard counts these."""
    events: list[Event] = []
    close(events.append, REF, desk(), "en", run)

    assert events == [TurnFinished.model_validate({"outcome": outcome})]


def test_a_notice_below_words_that_were_shown() -> None:
    """What the customer has read stays; the notice follows it and the answer is closed."""
    events: list[Event] = []
    fail(events.append, REF, desk(), "es", "interrupted", notice="interrupted", said=True)

    assert [event.type for event in events] == ["text.delta", "text.ended", "turn.failed"]
    assert "puede estar incompleta" in str(events[0])


def test_a_language_without_texts_gets_english() -> None:
    """Better a foreign sentence than none."""
    events: list[Event] = []
    fail(events.append, REF, desk(), "xx", "internal_error")
    end = events[-1]

    assert isinstance(end, TurnFailed)
    assert end.message.startswith("I'm sorry")
    assert end.code == "internal_error"
