"""Patterns followed word by word: what has matched, how far back it began, and a memory that stays small."""

import pytest

from guards.screen_rules import Step
from guards.wordpaths import Leads, Match, Path, WordPaths, plain


def _step(word: str, gap: int = 0, *, is_first: bool = False) -> Step:
    return Step(frozenset({word}), gap, is_first)


def _matches(paths: WordPaths, text: str) -> list[Match]:
    state, found = paths.start, list[Match]()
    for word in text.split():
        state, matches = paths.follow(state, word)
        found += matches
    return found


PATHS = WordPaths(
    [
        Path((_step("we"), _step("pay", 2)), frozenset({"not"})),
        Path((_step("aproved", is_first=True),)),
    ],
    Leads(frozenset({"yes"}), frozenset({"and"})),
)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("we pay", [Match(0, 2, 0)]),
        ("We really do pay", [Match(0, 4, 0)]),
        ("we really really do pay", []),
        ("we do not pay", []),
        ("yes and we pay", [Match(0, 2, 2)]),
        ("well yes we pay", [Match(0, 2, 0)]),
        ("we we pay", [Match(0, 3, 0), Match(0, 2, 0)]),
        ("Approved", [Match(1, 1, 0)]),
        ("yes approved", [Match(1, 1, 1)]),
        ("is approved", []),
        ("and " * 9 + "we pay", [Match(0, 2, 0)]),
    ],
)
def test_what_matches_and_what_leads_to_it(text: str, found: list[Match]) -> None:
    """A guard would hold or cut at the wrong word."""
    assert _matches(PATHS, text) == found


def test_nothing_is_open_when_nothing_may_come() -> None:
    """Every word would be held back."""
    state, _ = PATHS.follow(PATHS.middle, "we")
    assert state.open == 1
    for word in ("really", "really", "really"):
        state, _ = PATHS.follow(state, word)
    assert state.open == 0


def test_words_are_forgotten_and_learned_anew() -> None:
    """The words of all answers would stay in memory for good."""
    paths = WordPaths([Path((_step("we"), _step("pay")))], Leads(), remembers=3)
    before = paths.start
    _matches(paths, "one two we pay")
    paths.forget()

    assert paths.start is not before
    assert _matches(paths, "we pay") == [Match(0, 2, 0)]
    paths.forget()
    assert paths.start.following


def test_yes_in_spanish_is_not_if() -> None:
    """The answer "Sí, tu reclamo se pagará" would be taken for a condition."""
    assert (plain("Sí"), plain("si"), plain("We'll"), plain("Aprobación")) == (
        "yes",
        "si",
        "wel",
        "aprobacion",
    )
