"""The words of a fault script, and what is wrong with them."""

import pytest

from tests.simulation.faults import (
    Broken,
    CutByLimit,
    ErrorEvent,
    Hang,
    Ok,
    Pings,
    Stall,
    Status,
    Step,
    Timeline,
    TooLong,
    parse,
)
from tests.simulation.faults.script import NAMES

READ = {
    "429:1": Step((Status(429, 1.0),)),
    "529x3": Step((Status(529),), 3),
    "529 x3": Step((Status(529),), 3),
    "529x*": Step((Status(529),), None),
    "529 for 2.5s": Step((Status(529),), None, 2.5),
    "503:2": Step((Status(503, 2.0),)),
    "502": Step((Status(502, is_html=True),)),
    "400:9000": Step((TooLong(9000),)),
    "hang200": Step((Hang(after_headers=True),)),
    "cut": Step((Broken(1, "complete"),)),
    "close:3:word": Step((Broken(3, "close", "word"),)),
    "reset:0:event": Step((Broken(0, "reset", "event"),)),
    "error:2:api_error": Step((ErrorEvent(2, "api_error"),)),
    "stall:1.5:4": Step((Stall(1.5, 4),)),
    "max_tokens:7x2": Step((CutByLimit(7),), 2),
    "stall:1+pings:9": Step((Stall(1.0), Pings(9))),
}


@pytest.mark.parametrize(("script", "step"), READ.items(), ids=READ.keys())
def test_a_step_is_read(script: str, step: Step) -> None:
    """A fault test is only as good as its script is understood."""
    assert parse(script) == [step]


@pytest.mark.parametrize("name", sorted(NAMES.keys() - {"stall"}))
def test_every_name_can_stand_alone(name: str) -> None:
    """Arguments have defaults; only a stall needs its seconds."""
    assert len(parse(name)) == 1


@pytest.mark.parametrize(
    ("script", "words"),
    [("529, brunch", '"brunch" is unknown; known: 400, '), ("429 1", "is no step"), ("cut:1:verse", "verse")],
)
def test_a_mistake_in_a_script_is_named(script: str, words: str) -> None:
    """A misspelt fault must not silently test nothing."""
    with pytest.raises((ValueError, KeyError), match=words):
        parse(script)


def test_a_timeline_ends_in_good_answers() -> None:
    """After the last step everything is well again."""
    timeline = Timeline("529x2, hang")

    assert [timeline.next(0) for _ in range(5)] == [(Status(529),), (Status(529),), (Hang(),), (), ()]


def test_a_time_begins_with_its_first_use() -> None:
    """Not with the writing of the script."""
    timeline = Timeline([Step((Status(529),), None, 10.0), Ok()])

    assert timeline.next(100) == (Status(529),)
    assert timeline.next(109) == (Status(529),)
    assert isinstance(timeline.next(110)[0], Ok)
    assert timeline.next(111) == ()
