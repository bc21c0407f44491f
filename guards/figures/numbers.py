"""Read a number where it stands: digits of any script with their separators, or English and Spanish words.

Why: "1,014.00", "1.014,00", "one thousand and fourteen" and "mil catorce" are the same figure; a guard that compares
letters would let wrong ones pass and stop right ones.
"""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import NamedTuple

from guards.figures.words import BLANK, SCALES, WORDS
from knowledge.slots.numbers import NUMBER_WORDS, numbers_said

_DIGITS = re.compile(
    r"\d{1,3}(?:[,.'’]\d{3})+(?:[.,]\d{1,2})?(?!\d)"
    r"|\d{1,3}(?:[ \u00a0\u2009\u202f]\d{3})+(?:[.,]\d{1,2})?(?!\d)"
    r"|\d+(?:[.,]\d+)?"
)
_SIGN = re.compile(r"[^\d]")
_WORD = re.compile(r"[^\W\d_]+")
_NEXT_WORD = re.compile(rf"(?:{BLANK}-?{BLANK})([^\W\d_]+)")
_HALF = re.compile(rf"{BLANK}(?:and{BLANK}a{BLANK}half|y{BLANK}medi[oa])(?![^\W_])")
_ARTICLES = frozenset({"a", "an", "un", "una"})
_BIG: Mapping[str, int] = {"hundred": 100, "thousand": 1000, "grand": 1000} | dict.fromkeys(
    ("million", "millon", "millones"), 1_000_000
)
_NUMBERS: Mapping[str, int] = {**NUMBER_WORDS, **_BIG}
_JOINS = {"and": 100, "y": 10}  # what follows is smaller than that, what comes before is not
_LEFT_OUT = _JOINS.keys() | {"a", "an"}
_LONGEST_RUN = 16
_TEN, _HUNDRED = 10, 100
_DIGITS_OF_THOUSANDS, _DIGITS_OF_CENTS = 3, 2
LIKE_ARTICLES = frozenset({"one", "un", "una", "uno", "once"})
"""Number words that mostly mean something else."""


class Number(NamedTuple):
    """A number from `start` to `end`.

    Attributes:
        values: What it may mean, likeliest first: "1.250" is 1250, or 1.25.
        words: The folded words that it is written with; none for digits.
        has_cents: Written with two digits behind a sign, as amounts are.
    """

    start: int
    end: int
    values: tuple[Decimal, ...]
    words: tuple[str, ...] = ()
    has_cents: bool = False

    @property
    def value(self) -> Decimal:
        """The likeliest meaning."""
        return self.values[0]


def read_number(text: str, at: int) -> Number | None:
    """The number that begins at this place, if there is one."""
    digits = _DIGITS.match(text, at)
    number = _in_words(text, at) if digits is None else _in_digits(digits)
    return None if number is None else _scaled(text, number)


def spelled_digits(words: tuple[str, ...]) -> str:
    """The digits that somebody reads out: "one eight hundred one two" is 180012; "" for a number of millions."""
    pieces: list[str] = []
    for word in words:
        value = NUMBER_WORDS.get(word)
        if value is None:
            return ""
        if word == "hundred" and pieces:
            pieces[-1] += "00"
        elif pieces and 0 < value < _TEN and re.fullmatch("[2-9]0", pieces[-1]):
            pieces[-1] = pieces[-1][0] + str(value)
        else:
            pieces.append(str(value))
    return "".join(pieces)


def _in_digits(found: re.Match[str]) -> Number:
    written = found.group()
    if written.isdecimal():
        return Number(found.start(), found.end(), (Decimal(written),))
    *groups, last = _SIGN.split(written)
    signs = _SIGN.findall(written)
    whole, decimal = Decimal("".join((*groups, last))), Decimal("".join(groups) + "." + last)
    is_thousands = len(last) == _DIGITS_OF_THOUSANDS and len(groups[0]) <= _DIGITS_OF_THOUSANDS
    if len(signs) > 1 and signs[0] == signs[-1]:
        values: tuple[Decimal, ...] = (whole,)
    elif len(signs) > 1 or not is_thousands or groups[0].startswith("0"):
        values = (decimal,)
    else:
        values = (whole, decimal)
    return Number(found.start(), found.end(), values, has_cents=len(last) == _DIGITS_OF_CENTS)


def _scaled(text: str, number: Number) -> Number:
    """The number with what multiplies it: "1.5k", "84 mil", "2 million", "two and a half"."""
    found = _NEXT_WORD.match(text, number.end)
    word = WORDS.get(found[1]) if found is not None else None
    if found is not None and word is not None and word.does == "scale":
        factor = SCALES[word.name]
        return number._replace(end=found.end(), values=(number.values[-1] * factor,), has_cents=False)
    half = _HALF.match(text, number.end) if found is not None and found[1] in _JOINS else None
    if half is not None:
        return number._replace(end=half.end(), values=(number.value + Decimal("0.5"),))
    return number


def _in_words(text: str, at: int) -> Number | None:
    """A run of number words; "and" and "y" belong to it inside a number only."""
    first = _WORD.match(text, at)
    if first is None:
        return None
    run = [(first.group(), first.end())]
    if run[0][0] not in _NUMBERS and run[0][0] not in _ARTICLES:
        return None
    while len(run) < _LONGEST_RUN and (more := _more(text, run)):
        run += more
    if run[0][0] not in _NUMBERS and len(run) == 1:
        return None
    words = tuple(word for word, _ in run if word not in _LEFT_OUT)
    return Number(at, run[-1][1], _meant(words), words)


def _more(text: str, run: list[tuple[str, int]]) -> list[tuple[str, int]]:
    """The next number word, with the "and" before it."""
    last, end = run[-1]
    after = _NEXT_WORD.match(text, end)
    word = after.group(1) if after is not None else ""
    if after is None or (last in _ARTICLES and word not in _BIG):
        return []
    if word in _NUMBERS:
        return [(word, after.end())] if word not in _ARTICLES or _NUMBERS[last] >= _HUNDRED else []
    behind = _NEXT_WORD.match(text, after.end()) if word in _JOINS else None
    if behind is None:
        return []
    third = _NEXT_WORD.match(text, behind.end())
    if third is not None and third.group(1) == "hundred":  # "two hundred and three hundred" are two
        return []
    before, added = _NUMBERS.get(last, 0), _NUMBERS.get(behind.group(1), 0)
    is_open = before % _JOINS[word] == 0 and (word == "and" or before < _HUNDRED)
    if is_open and 0 < added < _JOINS[word] <= before:
        return [(word, after.end()), (behind.group(1), behind.end())]
    return []


def _meant(words: tuple[str, ...]) -> tuple[Decimal, ...]:
    """What a run of number words means; "eighty four fifty" is 84.50 or 8450."""
    total, part = 0, list[str]()
    for word in words:
        if word in NUMBER_WORDS:
            part.append(word)
        else:
            total, part = total + (numbers_said(part)[-1] if part else 1) * _BIG[word], []
    said = numbers_said(part) if part else [0]
    if total or len(said) == 1 or not _TEN <= said[-1] < _HUNDRED:
        return (Decimal(total + said[-1]),)
    return Decimal(f"{said[-2]}.{said[-1]}"), Decimal(said[-2] * _HUNDRED + said[-1])
