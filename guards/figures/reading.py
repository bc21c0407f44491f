"""Read the figures that begin at a place of a text: one, or several that belong together.

Why: "$80 to 90", "250, 500 or 1,000 dollars" and "9 to 5 PM" share what is said once. Answers and what they lean on are
read by the same reader, so that they can be compared.
"""

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import NamedTuple

from guards.figures import dates, figure, phones
from guards.figures.counting import LAST_DAY, LAST_HOUR, NEAR, SYMBOLS, amount, counted
from guards.figures.figure import Figure
from guards.figures.numbers import LIKE_ARTICLES, Number, read_number, spelled_digits
from guards.figures.words import BEGINNINGS, BLANK, ORDINALS, WORDS, fold, named, says
from guards.spot import opening
from knowledge.slots.numbers import NUMBER_WORDS

UNDER_WAY = r"[\d().,:/ '‐-―-]{0,20}"
"""What may follow the first digit of a number before it is a number."""
OPENS = opening(
    r"\d$＄€£¥₹(+（＋", [*(NUMBER_WORDS.keys() - (LIKE_ARTICLES - {"once"})), *BEGINNINGS], UNDER_WAY
)
"""Where a figure may begin."""
_FIRST_WORDS = frozenset({*NUMBER_WORDS, *(fold(word).split()[0] for word in BEGINNINGS)})
_ARTICLES = frozenset({"a", "an"}) | (LIKE_ARTICLES - {"once"})
_MONTHS = frozenset(fold(word) for word in named("month"))
_BEFORE_MONTH, _BEHIND_MONTH = (
    frozenset({"of", "de", "del", "day"}),
    frozenset({"of", "de", "del", "the", "twenty", "thirty"}),
)
_PREFIX = re.compile(rf"(?:(?:us)?([$€£¥₹])|(usd|eur|gbp|mxn|mx)(?:\$|\b)){BLANK}")
_CODES = {"mx": "MXN"}
_ARTICLE = re.compile(rf"an?(?={BLANK}[^\W\d_])")
_WORD = re.compile(rf"{BLANK}[^\W\d_]")
_NEXT_WORD = re.compile(rf"{BLANK}([^\W\d_]+)")
_JOIN = re.compile(
    rf"{BLANK}(?:,{BLANK})?(?:(?:and|or|to|through|until|till|y|o|u|a|hasta|e|et|ou|und|oder|bis)\b|[‐-―~/&-])"
    rf"{BLANK}(?:(?:the|el|las?|los)\b{BLANK})?|{BLANK},{BLANK}"
)
_CHOICES = frozenset({"and", "or", "y", "o", "u", ","})
_BETWEEN = re.compile(rf"(?:between|entre)\b{BLANK}(?:(?:the|el|las?|los)\b{BLANK})?")
_NAME = re.compile(r"[^\W_]*(?:[-/_.:#][^\W_]+)*")
_TO_BLANK = re.compile(r"[^\s)]*")
_IN_ADDRESS = ("://", "www.", "](", "@")
_CALLED, _HOURS = says("calls"), says("hours")
_RANGES = [[word] for word in ("to", "-", "–", "—", "a", "until", "till", "through", "hasta")]
MOST_IN_GROUP = 6
"""How many figures are read as belonging together at most."""
_SPELLED_FROM = 7  # number words in a row that are a phone number and no figure


class Group(NamedTuple):
    """Figures that belong together, from `start` (perhaps with a word like "between") to `end`, where reading goes on."""

    start: int
    end: int
    figures: tuple[Figure, ...] = ()


def read_figures(text: str) -> Iterator[tuple[str, Figure]]:
    """All figures of a text, each with the folded text that it stands in."""
    folded = fold(text)
    at = 0
    while (found := OPENS.search(folded, at)) is not None:
        group = read_group(folded, found.start())
        for item in group.figures:
            yield folded, item
        at = group.end


def may_begin(word: str) -> bool:
    """Whether a figure may begin with this word: a number, a month, "between" ..."""
    return fold(word) in _FIRST_WORDS


def begins(word: str, following: str) -> bool:
    """Whether a figure may begin with the first of these words, as guards/ordinary.py asks."""
    head, then = (fold(said).partition("'")[0] for said in (word, following))
    if head not in _FIRST_WORDS or not following:
        return head in _FIRST_WORDS
    if head in _ARTICLES:
        return OPENS.match(f"{head} {then} ") is not None
    if head in ORDINALS:
        return then in _MONTHS or then in _BEFORE_MONTH
    return head not in _MONTHS or then in ORDINALS or then in _BEHIND_MONTH


def read_group(text: str, at: int) -> Group:
    """The figures that begin at this place of a folded text."""
    if (end := _end_of_name(text, at)) > at:
        return Group(at, end)
    between = _BETWEEN.match(text, at)
    place = at if between is None else between.end()
    figures: list[Figure] = []
    joins: list[str] = []
    while (read := _figure(text, place)) is not None:
        figures.append(read)
        join = _JOIN.match(text, read.end)
        if join is None or len(figures) == MOST_IN_GROUP:
            break
        joins.append(join.group().strip(" *_`"))
        place = join.end()
    if not figures:
        return Group(at, max(place, _end(_NAME, text, at), at + 1))
    shared = _spelled(figures)
    if not shared:
        shared = (
            figures
            if len(figures) == 1
            else _opening_hours(text, figures, joins) or _share(text, figures, joins)
        )
    return Group(at, shared[-1].end, tuple(shared))


def _end_of_name(text: str, at: int) -> int:
    """Where the name or address ends that this place is inside of: RAV4, e-208, a link; `at` when it is in none."""
    if at == 0 or text[at - 1].isspace() or text[at - 1] in "*$":
        return at
    token = text[max(0, at - NEAR) : at].rsplit(None, 1)[-1]
    if any(mark in token for mark in _IN_ADDRESS):
        return _end(_TO_BLANK, text, at)
    is_inside = token[-1].isalnum() or token[-1] == "#" or (token[-1] in "-/_.:" and token[-2:-1].isalnum())
    return _end(_NAME, text, at) if is_inside and text[at].isdecimal() else at


def _end(pattern: re.Pattern[str], text: str, at: int) -> int:
    found = pattern.match(text, at)
    return at if found is None else found.end()


def _figure(text: str, at: int) -> Figure | None:
    """The figure that begins here."""
    first = text[at : at + 1]
    if first.isdecimal() or first in {"+", "("}:
        read = _of_digits(text, at)
        if read is not None:
            return read
    elif first.isalpha() and (day := dates.read_month_and_day(text, at) or dates.read_ordinal_day(text, at)):
        return figure.moment(at, day)
    prefix = None if first.isdecimal() else _PREFIX.match(text, at)
    number = read_number(text, at if prefix is None else prefix.end())
    if prefix is not None:
        currency = SYMBOLS[prefix[1]] if prefix[1] else _CODES.get(prefix[2], prefix[2].upper())
        return None if number is None else amount(text, number, currency, at, number.end)
    article = _ARTICLE.match(text, at) if number is None else None
    if article is not None:
        number = Number(at, article.end(), (Decimal(1),), ("a",))
    return None if number is None else counted(text, number)


def _of_digits(text: str, at: int) -> Figure | None:
    """A date, a phone number or a time of day in digits."""
    if (day := dates.read_date(text, at)) is not None:
        return figure.moment(at, day)
    phone = phones.read_phone(text, at)
    if phone is not None and (phone.is_certain or _CALLED.search(text, max(0, at - NEAR), at)):
        return Figure(at, phone.end, "phone", frozenset({("phone", phone.digits)}))
    time = dates.read_clock(text, at)
    return None if time is None else figure.moment(at, time)


def _spelled(figures: list[Figure]) -> list[Figure]:
    """The phone number that somebody spells out in number words; empty when it is none."""
    numbers = [item.number for item in figures]
    words = [word for number in numbers if number is not None for word in number.words]
    if len(words) < _SPELLED_FROM or None in numbers or any(item.unit for item in figures):
        return []
    digits = phones.plain(spelled_digits(tuple(words)))
    whole = Figure(figures[0].start, figures[-1].end, "phone", frozenset({("phone", digits)}))
    return [whole] if digits else []


def _opening_hours(text: str, figures: list[Figure], joins: list[str]) -> list[Figure]:
    """Two bare numbers that are times of day: "open 9 to 5"; empty when they are not."""
    numbers = [item.number for item in figures if item.kind == "number" and item.number is not None]
    if len(numbers) != len(figures) or joins[: len(numbers) - 1] not in _RANGES:
        return []
    start, behind = figures[0].start, _NEXT_WORD.match(text, figures[-1].end)
    is_counted = behind is not None and behind[1] in WORDS  # "call 2 to 3 times"
    if (
        is_counted
        or max(n.value for n in numbers) > LAST_HOUR
        or not _HOURS.search(text, max(0, start - NEAR), start)
    ):
        return []
    return [figure.at_time(n.start, n.end, dates.any_half(int(n.value)), n) for n in numbers]


def _share(text: str, figures: list[Figure], joins: list[str]) -> list[Figure]:
    """Numbers of a list or a range take the unit that is said once, behind the last or before the first."""
    found = list(figures)
    last = joins[len(figures) - 2] if len(figures) > 1 else ""
    if last != ",":
        for at in range(len(found) - 2, -1, -1):
            found[at] = _like(found[at], found[at + 1]) or found[at]
    for at in range(1, len(found)):
        before = found[at - 1].unit
        is_alone = joins[at - 1] not in _CHOICES or _WORD.match(text, found[at].end) is None
        if is_alone and before is not None and before.does == "currency":
            found[at] = _like(found[at], found[at - 1]) or found[at]
    if any(item.per_from for item in found):  # "between $80 and $90 a month"
        found = [_per(item) for item in found]
    return found


def _per(item: Figure) -> Figure:
    is_alone = item.kind == "amount" and item.per_from is None
    return item._replace(per_from=item.end) if is_alone else item


def _like(item: Figure, other: Figure) -> Figure | None:
    """A bare number read as what stands beside it; None when it is no bare number, or cannot be that."""
    number = item.number
    if item.kind != "number" or number is None or figure.in_years(number):
        return None
    if other.unit is not None:
        return figure.united(number, other.unit, item.end)
    if other.kind == "amount":
        return figure.as_amount(item)
    if other.kind == "time" and number.value <= LAST_HOUR:
        return figure.at_time(item.start, item.end, dates.any_half(int(number.value)))
    if other.kind == "date" and number.value <= LAST_DAY:
        days = frozenset((*key[:-1], int(number.value)) for key in other.keys if key[-1] is not None)
        return Figure(item.start, item.end, "date", days) if days else None
    return None
