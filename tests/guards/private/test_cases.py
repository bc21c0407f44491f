"""Every answer of the test sets goes through the whole shipped chain of guards: whole, and cut at random."""

import random
import unicodedata
from itertools import pairwise

import pytest

from guards.stream import Ground
from tests.guards.private.answers import Bad, Benign, bad, benign, chain, shown

_WINDOW = 5  # so many digits of a number in a row give it away


def _cuts(text: str, seed: int) -> list[list[str]]:
    """The text whole, by single letters, and three times in random pieces."""
    chance = random.Random(seed)
    cut = [
        sorted(chance.sample(range(len(text) + 1), min(len(text), chance.randint(1, 12)))) for _ in range(3)
    ]
    random_pieces = [[text[start:end] for start, end in pairwise([0, *at, len(text)])] for at in cut]
    return [[text], list(text), *random_pieces]


def _leaks(case: Bad, said: str) -> list[str]:
    """What of the planted data can be read, whatever stands between its digits."""
    digits = "".join(str(unicodedata.decimal(sign)) for sign in said if sign.isdecimal())
    windows = [case.digits[at : at + _WINDOW] for at in range(max(0, len(case.digits) - _WINDOW + 1))]
    return [piece for piece in case.must_not_appear if piece.lower() in said.lower()] + [
        window for window in windows if window in digits
    ]


@pytest.mark.parametrize("case", bad(), ids=lambda case: case.text[:40])
def test_personal_data_reaches_no_customer_however_the_answer_is_cut(case: Bad) -> None:
    """A customer would read somebody else's address, number, card or document."""
    answers = [shown(chain(case.language), pieces) for pieces in _cuts(case.text, len(case.text))]

    assert [_leaks(case, said) for said, _ in answers] == [[]] * len(answers)
    assert {said for said, _ in answers} == {answers[0][0]}
    assert case.class_ in {item.what for item in answers[0][1] if item.guard == "private"}


@pytest.mark.parametrize("case", benign(), ids=lambda case: case.text[:40])
def test_what_only_looks_like_personal_data_or_may_be_said_passes(case: Benign) -> None:
    """Honest answers would be full of holes: no policy number, no phone of the company, not one's own address."""
    grounds = [
        *(Ground("customer", text) for text in case.customer),
        *(Ground("price", text, is_own=True) for text in case.own),
        Ground("price", case.text),  # so that the figures are said, too
        Ground("passage", case.text),
    ]

    for pieces in _cuts(case.text, len(case.text)):
        assert shown(chain(case.language, case.intent, grounds), pieces) == (case.text, [])


def test_the_sets_are_large_and_of_every_kind() -> None:
    """A set that shrinks would go on being green."""
    assert (len(bad()) >= 160, len(benign()) >= 130) == (True, True)
    assert {case.class_ for case in bad()} == {"email", "phone", "card", "account", "document"}
