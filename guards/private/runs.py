"""Read digits that belong together where they stand: in groups, spaced, or spelled as words.

Why: cards, accounts and phone numbers are written in many ways, and what they are is told by their digits and groups.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

WORDS = {
    "zero": "0", "oh": "0", "one": "1", "two": "2", "three": "3", "four": "4", "five": "5", "six": "6", "seven": "7",
    "eight": "8", "nine": "9", "hundred": "00",
    "cero": "0", "uno": "1", "dos": "2", "tres": "3", "cuatro": "4", "cinco": "5", "seis": "6", "siete": "7",
    "ocho": "8", "nueve": "9",
}  # fmt: skip
GAP = r"[\s.\-‐-―−·|/,()_]"
MOST = 48
_GROUP = re.compile(rf"(?P<gap>{GAP}{{0,6}})(?:\d+|(?:{'|'.join(WORDS)})(?![^\W_]))", re.IGNORECASE)
_HEAD = re.compile(r"[+(\s]{0,3}")
_ONLY_GAP = re.compile(rf"{GAP}{{0,6}}\Z")


class DigitGroup(NamedTuple):
    """Digits with nothing between them, from `start` to `end`; `gap` is what stands between them and those before.

    `is_spoken`: one digit alone, or a word.
    """

    digits: str
    start: int
    end: int
    gap: str
    is_spoken: bool


class Run(NamedTuple):
    """Groups of digits that end at `end`; `has_plus`: behind the sign that begins a country's code."""

    groups: tuple[DigitGroup, ...]
    end: int
    has_plus: bool

    @property
    def digits(self) -> str:
        """All of them."""
        return "".join(group.digits for group in self.groups)


def read_run(text: str) -> Run | None:
    """The digits at the beginning of a text, perhaps behind "+" or "("; None when it begins otherwise."""
    head = _HEAD.match(text)
    at = head.end() if head is not None else 0
    groups = tuple(_groups(text, at))
    return Run(groups, groups[-1].end, "+" in text[:at]) if groups else None


def _groups(text: str, at: int) -> Iterator[DigitGroup]:
    count = 0
    while count < MOST and (found := _GROUP.match(text, at)) is not None:
        gap = found["gap"]
        written = found.group()[len(gap) :]
        if count and not gap and not written.isdigit():
            return  # "5one" is no number
        if not count and gap:
            return
        digits = WORDS.get(written.lower(), written)
        is_spoken = len(written) == 1 or not written.isdigit()
        yield DigitGroup(digits, found.end() - len(written), found.end(), gap, is_spoken)
        count, at = count + len(digits), found.end()


def may_go_on(text: str, run: Run) -> bool:
    """Whether the next word may belong to the digits, or tell what they are."""
    return _ONLY_GAP.match(text, run.end) is not None
