"""Tell what an amount is said to be: a price of insurance, something else, or a figure that the customer brought.

Why: an article may hold "$250" as a deductible; as a price it would be invented all the same. The nearest word that says
what an amount is decides, before it in the sentence or within eight words behind it.
All texts are folded.
"""

import re
from typing import Literal

from guards.figures.figure import Figure, in_years
from guards.figures.words import bare, roles

Role = Literal["price", "other", "theirs"]
_SENTENCE_LONGEST = 240
_SENTENCE = re.compile(r"[.!?…。！？][*_)\"”»]*\s|\n")
_CLAUSE = re.compile(
    r";|\b(?:but|so|then|therefore|pero|asi que|entonces|por lo que|our|nuestr[oa]s?|with us|con nosotros)\b"
)
_PAUSE = re.compile("[,:]")
_SAYS = roles("price", "other", "theirs", "refused", "contrast")
_WORDS_BETWEEN = {
    "refused": 5,
    "contrast": 1,
}  # so many at most, and no pause, and the figure is the customer's
_NEAR = re.compile(r"(?:[ \u00a0*_'-]{1,4}[^\W\d_]+){0,8}[ \u00a0]?")
_NEAR_WORDS = 8
_PRICED = re.compile(
    rf"(?<![^\W_])(?:{bare('price')})(?![^\W_])(?:\W{{1,4}}(?:{bare('links')})(?![^\W_])){{0,5}}[\s:=*_]{{0,6}}$"
)
_FOLLOWED = re.compile(rf"[*_`]*(?:$|[^\w\s%]|\s{{1,4}}(?:$|[^\w\s]|(?:{bare('followers')})(?![^\W_])))")


def role_of(text: str, figure: Figure, *, is_over: bool, may_be_theirs: bool = True) -> Role | None:
    """What the amount is; None when more words are needed to tell.

    Args:
        is_over: Nothing follows the text.
        may_be_theirs: Whether the customer has named it; else it is a price or something else.
    """
    before = _sentence_before(text, figure.start)
    said = list(_SAYS.finditer(before))
    if may_be_theirs and any(_is_theirs(found, before) for found in said):
        return "theirs"
    if figure.per_from is not None and not may_be_theirs:
        return "price"
    distance = _words(before[said[-1].end() :]) if said else _NEAR_WORDS
    near = text[figure.end : _end(_NEAR, text, figure.end)]
    wanted = _NEAR_WORDS if may_be_theirs else min(distance + 1, _NEAR_WORDS)
    if not is_over and len(near.split()) < wanted and figure.end + len(near) == len(text):
        return None
    close = _SAYS.search(near)
    if may_be_theirs and close is not None and close.lastgroup == "theirs":
        return "theirs"
    if figure.per_from is not None:
        return "price"
    if said and (close is None or distance < _words(near[: close.start()])):
        close = said[-1]
    return "price" if close is not None and close.lastgroup == "price" else "other"


def is_amount(text: str, figure: Figure) -> bool:
    """Whether a number without a unit is an amount: "your premium would be 84.50"; its next word must be there."""
    number = figure.number
    if figure.kind != "number" or number is None or _FOLLOWED.match(text, figure.end) is None:
        return False
    if number.has_cents and role_of(text, figure, is_over=True) == "price":
        return True
    return not in_years(number) and _PRICED.search(_sentence_before(text, figure.start)) is not None


def _sentence_before(text: str, at: int) -> str:
    """The sentence up to this place."""
    before = text[max(0, at - _SENTENCE_LONGEST) : at]
    return before[max((found.end() for found in _SENTENCE.finditer(before)), default=0) :]


def _is_theirs(found: re.Match[str], before: str) -> bool:
    """Whether these words, in the clause of the figure, say that it is the customer's, or refuse what was asked for."""
    between = before[found.end() :]
    if _CLAUSE.search(between) is not None:
        return False
    most = _WORDS_BETWEEN.get(found.lastgroup or "", -1)
    return found.lastgroup == "theirs" or (_words(between) <= most and _PAUSE.search(between) is None)


def _end(pattern: re.Pattern[str], text: str, at: int) -> int:
    found = pattern.match(text, at)
    return at if found is None else found.end()


def _words(text: str) -> int:
    return len(text.split())
