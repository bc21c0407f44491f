"""Texts cut into pieces, and what comes of them behind guards. Law: the cuts make no difference.

For the tests of a guard: `@given(cut(texts_like("$84.50", "a month", "."))) ` draws a text and its pieces,
`assert_same_however_cut(step_of, pieces)` compares.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise

from hypothesis import strategies as st

from guards.stream import Step


def texts_like(*words: str, most: int = 12) -> st.SearchStrategy[str]:
    """Texts of these words, in any order, with and without blanks between them."""
    return st.lists(st.sampled_from([*words, " ", " "]), max_size=most).map("".join)


@st.composite
def cut(draw: st.DrawFn, texts: st.SearchStrategy[str]) -> list[str]:
    """A text in pieces; some of them may be empty."""
    text = draw(texts)
    cuts = sorted(draw(st.lists(st.integers(0, len(text)), max_size=12)))
    return [text[start:end] for start, end in pairwise([0, *cuts, len(text)])]


def through(step: Step, pieces: Sequence[str]) -> tuple[str, list[str]]:
    """What one answer looks like behind the step, and what fired."""
    segments = [segment for piece in pieces if piece for segment in step.push(piece)] + step.end()
    return "".join(segment.text for segment in segments), [item.fired for item in segments if item.fired]


def assert_same_however_cut(make: Callable[[], Step], pieces: Sequence[str]) -> None:
    """The same text and the same events for the pieces, for the whole, and for letter after letter."""
    text = "".join(pieces)
    whole = through(make(), [text])
    assert through(make(), pieces) == whole
    assert through(make(), list(text)) == whole
