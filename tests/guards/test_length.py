"""An answer that runs away ends at a sentence."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guards.length import LIMIT_CHARACTERS, SLACK_CHARACTERS, length_guard
from guards.stream import Scene


def _through(text: str, limit: int, slack: int = 40) -> tuple[str, bool]:
    step = length_guard(limit, slack).make(Scene())
    segments = [*step.push(text), *step.end()]
    return "".join(segment.text for segment in segments), any(segment.fired for segment in segments)


@pytest.mark.parametrize(
    ("text", "limit", "shown"),
    [
        ("One. Two. Three.", 99, "One. Two. Three."),
        ("One. Two. Three.", 16, "One. Two. Three."),
        ("One. Two. Three.", 4, "One."),
        ("One. Two. Three.", 5, "One. Two."),
        ("One two three? Four.", 6, "One two three?"),
        ('He said "no." Then.', 10, 'He said "no."'),
        ("It is **84.50 dollars.** Next.", 8, "It is **84.50 dollars.**"),
        ("It costs 84.50 a month. Next.", 11, "It costs 84.50 a month."),
        ("- one\n- two\n- three", 8, "- one\n- two"),
        ("第一句。第二句。第三句。", 5, "第一句。第二句。"),
        ("「第一句。」第二句。", 2, "「第一句。」"),
    ],
)
def test_an_answer_ends_at_the_first_sentence_end_after_the_limit(text: str, limit: int, shown: str) -> None:
    """A customer would read half a sentence about their cover."""
    assert _through(text, limit) == (shown, shown != text)


def test_without_a_sentence_end_it_ends_after_the_slack() -> None:
    """An endless word would never stop."""
    assert _through("x" * 100, 10, slack=5) == ("x" * 15 + "…", True)


def test_what_comes_after_the_end_is_not_shown() -> None:
    """A shortened answer would go on with its next piece."""
    step = length_guard(3, 10).make(Scene())

    shown = [segment.text for piece in ("One.", " Two.", " Three.") for segment in step.push(piece)]

    assert "".join(shown) == "One."


@given(st.text(max_size=300), st.integers(0, 50), st.integers(0, 30))
def test_what_is_shown_is_the_beginning_of_what_was_said(text: str, limit: int, slack: int) -> None:
    """A guard that shortens must not invent."""
    shown, fired = _through(text, limit, slack)

    assert text.startswith(shown.removesuffix("…") if fired else shown)
    assert len(shown) <= limit + slack + 1
    assert fired or shown == text


def test_the_shipped_limit_leaves_good_answers_alone() -> None:
    """A full answer of a thousand words is still an answer."""
    answer = "Twelve words make up this sentence, which is about as long as most. " * 80

    assert len(answer) < LIMIT_CHARACTERS
    assert _through(answer, LIMIT_CHARACTERS, SLACK_CHARACTERS) == (answer, False)
    assert "6,000" in length_guard().purpose
