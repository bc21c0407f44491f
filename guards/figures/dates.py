"""Read a date or a time of day where it stands, in digits or with the name of a month.

Why: "2026-12-22", "12/22/2026", "December 22" and "22 de diciembre de 2026" are one day. What can be read in two ways
("05/06/2026", "at 5:30") has both readings, and is right when one of them is. All texts are folded.
"""

import re
from typing import NamedTuple

from guards.figures.words import BLANK, ORDINALS, WORDS, alternatives, named

_NUMERIC = re.compile(
    r"(\d{4})([-/.])(\d{1,2})\2(\d{1,2})(?![\d/-])|(\d{1,2})([-/.])(\d{1,2})\6((?:19|20)\d\d|[2-3]\d)(?![\d/-])"
)
_EASTERN = re.compile(r"(?:(\d{4}) ?[年년] ?)?(\d{1,2}) ?[月월] ?(\d{1,2}) ?[日号일]")
_SHORT = re.compile(r"(\d{1,2})/(\d{1,2})(?![\d/])")
BEFORE_DAY = re.compile(
    rf"\b(?:on|by|until|till|before|after|from|due|hasta|antes{BLANK}del?|para|vence|el)(?:{BLANK}(?:the|el))?{BLANK}$"
)
"""What comes before the day of a date that is not said in full: "until 12/31", "on the 15th"."""
_DAY_OR_YEAR = re.compile(r"\d{1,4} ?[-/.年년月월]")
_YEAR = rf"(?:{BLANK}(?:,|del?\b|of\b)?{BLANK}((?:19|20)\d\d)(?!\d))"
_MONTH = rf"({alternatives(named('month'))})(?![^\W_])(?:\.(?={BLANK},?{BLANK}\d))?"
_MONTH_BEHIND = re.compile(
    rf"(?:st\b|nd\b|rd\b|th\b|er\b|\.?[ºª°]|\.)?{BLANK}(?:day\b{BLANK})?(?:of\b|del?\b)?{BLANK}{_MONTH}{_YEAR}?"
)
_DAY_BEHIND = re.compile(
    rf"{_MONTH}{BLANK}(?:the{BLANK})?(?:(\d{{1,2}})(?:st\b|nd\b|rd\b|th\b)?(?![\d:%]|[.,]\d)|([a-z]+)(?:{BLANK}-?{BLANK}([a-z]+))?)"
)
_ORDINAL_DAY = re.compile(rf"(?:(twenty|thirty){BLANK}-?{BLANK})?([a-z]+)")
_YEAR_BEHIND = re.compile(_YEAR)
_MONTH_AND_YEAR = re.compile(_MONTH + _YEAR)
_HOUR = re.compile(r"(\d{1,2})(?:([:h.])(\d\d))?(?![\d:])")
_HALF = re.compile(
    rf"{BLANK}(?:([ap])(?:\.{BLANK}m\.|{BLANK}m\b)|(o'?clock|uhr)\b"
    rf"|(?:de{BLANK}la|por{BLANK}la|in{BLANK}the|at){BLANK}(manana|morning|tarde|noche|afternoon|evening|night)\b)"
)
_MORNING = frozenset({"a", "manana", "morning"})
_TENS = {"twenty": 20, "thirty": 30}
_HALF_DAY_MINUTES, _HOURS, _MINUTES = 720, 24, 60
_NEAR = 24  # characters before a date that tell that it is one
_MONTHS, _DAYS, _CENTURY = 12, 31, 100


class Day(NamedTuple):
    """A date as far as it is said."""

    year: int | None
    month: int | None
    day: int | None


class Moment(NamedTuple):
    """A date or a time of day that ends at `end`: the days, or the minutes after midnight, that it may mean."""

    end: int
    days: frozenset[Day] = frozenset()
    minutes: frozenset[int] = frozenset()


def read_date(text: str, at: int) -> Moment | None:
    """The date in digits that begins here."""
    sign = _DAY_OR_YEAR.match(text, at)
    if sign is None:
        return None
    if (found := _NUMERIC.match(text, at)) is not None:
        year, _, month, day, first, _, second, short = found.groups()
        if year:
            return _dated(found.end(), (int(year), int(month), int(day)))
        full = int(short) + (2000 if int(short) < _CENTURY else 0)
        return _dated(found.end(), (full, int(first), int(second)), (full, int(second), int(first)))
    found = _SHORT.match(text, at)
    if found is not None and BEFORE_DAY.search(text, max(0, at - _NEAR), at) is not None:
        return _dated(found.end(), (None, int(found[1]), int(found[2])), (None, int(found[2]), int(found[1])))
    if (found := _EASTERN.match(text, at)) is not None:
        return _dated(found.end(), (int(found[1]) if found[1] else None, int(found[2]), int(found[3])))
    return None


def read_day_and_month(text: str, at: int, day: int) -> Moment | None:
    """The date whose day has been read, with its month behind it: "22 de diciembre de 2026", "22nd of December"."""
    found = _MONTH_BEHIND.match(text, at)
    if found is None:
        return None
    return _dated(found.end(), (int(found[2]) if found[2] else None, _month(found[1]), day))


def read_ordinal_day(text: str, at: int) -> Moment | None:
    """The date that begins with its day in words, as English has it: "first of December", "twenty-second of May"."""
    found = _ORDINAL_DAY.match(text, at)
    day = 0 if found is None else _TENS.get(found[1], 0) + ORDINALS.get(found[2], 0)
    return None if found is None or not day else read_day_and_month(text, found.end(), day)


def read_month_and_day(text: str, at: int) -> Moment | None:
    """The date that begins with the name of its month: "December 22, 2026", "December twenty-second", "May 2026"."""
    found = _MONTH_AND_YEAR.match(text, at)
    if found is not None:
        return _dated(found.end(), (int(found[2]), _month(found[1]), None))
    found = _DAY_BEHIND.match(text, at)
    if found is None:
        return None
    day, end = (int(found[2]), found.end()) if found[2] else _day_in_words(found)
    if not day or (found[1] == "may" and not found[2]):  # "you may first want to ..."
        return None
    year = _YEAR_BEHIND.match(text, end)
    return _dated(year.end() if year else end, (int(year[1]) if year else None, _month(found[1]), day))


def read_clock(text: str, at: int) -> Moment | None:
    """The time of day in digits that begins here: "9 AM", "17:00", "5:30 de la tarde"."""
    found = _HOUR.match(text, at)
    if found is None:
        return None
    hour, sign, minute = int(found[1]), found[2], int(found[3] or 0)
    half = read_half(text, found.end(), hour, minute)
    if half is not None or sign in {None, "."}:
        return half
    return _timed(found.end(), hour, minute)


def read_half(text: str, at: int, hour: int, minute: int = 0) -> Moment | None:
    """The time of day whose hour has been read, with its half of the day behind it: "nine AM", "cinco de la tarde"."""
    found = _HALF.match(text, at)
    if found is None:
        return None
    if found[2]:
        return _timed(found.end(), hour, minute)
    return _timed(found.end(), hour, minute, later=(found[1] or found[3]) not in _MORNING)


def any_half(hour: int) -> frozenset[int]:
    """Both times of day that an hour alone may mean, in minutes."""
    moment = _timed(0, hour, 0)
    return moment.minutes if moment is not None else frozenset()


def _day_in_words(found: re.Match[str]) -> tuple[int, int]:
    """Day of the month, and where its words end; day 0 when they say none."""
    first, second = found[3], found[4]
    if first in _TENS and second in ORDINALS:
        return _TENS[first] + ORDINALS[second], found.end()
    return ORDINALS.get(first, 0), found.end(3)


def _month(word: str) -> int:
    return int(WORDS[word].name)


def _dated(end: int, *days: tuple[int | None, int | None, int | None]) -> Moment | None:
    possible = frozenset(
        Day(year, month, day)
        for year, month, day in days
        if (month is None or 0 < month <= _MONTHS) and (day is None or 0 < day <= _DAYS)
    )
    return Moment(end, days=possible) if possible else None


def _timed(end: int, hour: int, minute: int, *, later: bool | None = None) -> Moment | None:
    """The time of day; without a half of the day, both halves of a twelve-hour clock and the hour as it is."""
    if hour > _HOURS or minute >= _MINUTES or (later is not None and not 0 < hour <= _HOURS):
        return None
    twelfth = hour % 12 * _MINUTES + minute
    if hour > _HOURS // 2:
        return Moment(end, minutes=frozenset({hour % _HOURS * _MINUTES + minute}))
    halves = {
        None: {twelfth, twelfth + _HALF_DAY_MINUTES},
        False: {twelfth},
        True: {twelfth + _HALF_DAY_MINUTES},
    }
    return Moment(end, minutes=frozenset(halves[later]))
