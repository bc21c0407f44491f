"""Misspelt words find the words that were meant, and nonsense finds nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.spelling import Spelling, distance

KNOWN = (
    "bateria",
    "claim",
    "claims",
    "coverage",
    "deductible",
    "descuento",
    "horario",
    "plug",
    "robo",
    "vida",
    "x1y2",
)
SPELLING = Spelling(KNOWN)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("vateria", "bateria"),
        ("batria", "bateria"),
        ("batteria", "bateria"),
        ("claym", "claim"),
        ("calim", "claim"),
        ("orario", "horario"),
        ("bida", "vida"),
        ("deductable", "deductible"),
        ("deduktibel", "deductible"),
        ("descuentoz", "descuento"),
    ],
)
def test_a_slip_of_a_letter_or_two_finds_the_word(written: str, meant: str) -> None:
    """A customer on a phone would be told that nothing was found."""
    assert SPELLING.nearest(written, 3)[0] == meant


@pytest.mark.parametrize("written", ["xyzzy", "pug", "rob", "motorcycle", "x1y3", "", "clxyz"])
def test_what_is_too_far_or_too_short_finds_nothing(written: str) -> None:
    """Nonsense would be answered with an article."""
    assert SPELLING.nearest(written, 3) == ()


def test_the_nearest_comes_first() -> None:
    """The wrong one of two words would be looked up."""
    assert SPELLING.nearest("claimz", 3) == ("claim", "claims")
    assert SPELLING.nearest("claimz", 1) == ("claim",)


@pytest.mark.parametrize(
    ("left", "right", "steps"),
    [("abcd", "abcd", 0), ("abcd", "abdc", 1), ("abcd", "acbd", 1), ("abcd", "abd", 1), ("abcd", "abxd", 1)],
)
def test_each_slip_counts_once(left: str, right: str, steps: int) -> None:
    """Two swapped letters, the commonest slip, would count as two."""
    assert distance(left, right, 2) == distance(right, left, 2) == steps


@given(st.text("abc", max_size=8), st.text("abc", max_size=8))
def test_distance_is_the_same_both_ways(left: str, right: str) -> None:
    """Whether a word is found would depend on which side it stands."""
    assert distance(left, right, 2) == distance(right, left, 2)
    assert (distance(left, right, 2) == 0) == (left == right)
