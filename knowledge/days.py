"""Find the day that a customer's message names: "the 31st", "el 31 de diciembre", "end of next month", "in two weeks".

Why: without Claude somebody has to know which day "a fin de mes" is. What is named without a year is the next such day; a day
that does not exist is none. English and Spanish are known, the languages of most customers.
"""

import re
from calendar import monthrange
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

_MONTHS: Mapping[str, int] = {
    name: number
    for names in (
        "january february march april may june july august september october november december",
        "jan feb mar apr may jun jul aug sep oct nov dec",
        "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
        "ene feb mar abr may jun jul ago sep oct nov dic",
    )
    for number, name in enumerate(names.split(), start=1)
} | {"sept": 9, "setiembre": 9}
_WEEKDAYS: Mapping[str, int] = {
    name: number
    for names in (
        "monday tuesday wednesday thursday friday saturday sunday",
        "lunes martes miercoles jueves viernes sabado domingo",
    )
    for number, name in enumerate(names.split())
}
_WEEK, _YEAR_MONTHS, _CENTURY = 7, 12, 2000
_SHORT_YEAR = 100

_MONTH = rf"(?P<month>{'|'.join(sorted(_MONTHS, key=len, reverse=True))})\b\.?"
_DAY = r"(?P<day>\d{1,2}|first|primero)(?:st|nd|rd|th|ro|o)?\b"
_YEAR = r"(?:,?\s(?:of\s|de\s|del\s)?(?P<year>\d{4})\b)?"
_NEXT = r"(?P<next>next|coming|proximo|que viene|siguiente)"


@dataclass(frozen=True, slots=True)
class NamedDay:
    """A day, and where in the text it stands."""

    day: date
    start: int
    end: int


def find_day(folded: str, today: date, language: str) -> NamedDay | None:
    """The first day that the text names, or None.

    Args:
        folded: Folded text (knowledge/lexicon.py), numbers in words as digits.
        language: ISO 639-1 code; it tells whether "4/5" is in April (English) or in May.
    """
    for pattern, read in _PATTERNS:
        found = pattern.search(folded)
        if found is not None:
            try:
                return NamedDay(read(found, today, language), found.start(), found.end())
            except ValueError:  # the 31st of February
                return None
    return None


def _in_full(found: re.Match[str], _today: date, _language: str) -> date:
    return date(int(found["year"]), int(found["month"]), int(found["day"]))


def _in_figures(found: re.Match[str], today: date, language: str) -> date:
    first, second, written = (
        int(found["first"]),
        int(found["second"] or found["second_"]),
        found["year"] or found["year_"],
    )
    is_month_first = second > _YEAR_MONTHS or (language == "en" and first <= _YEAR_MONTHS)
    month, day = (first, second) if is_month_first else (second, first)
    if written is None:
        return _coming(today, month, day)
    year = int(written)
    return date(year + _CENTURY if year < _SHORT_YEAR else year, month, day)


def _with_month(found: re.Match[str], today: date, _language: str) -> date:
    day = 1 if found["day"] in {"first", "primero"} else int(found["day"])
    month = _MONTHS[found["month"]]
    return _coming(today, month, day) if found["year"] is None else date(int(found["year"]), month, day)


def _end_of(found: re.Match[str], today: date, _language: str) -> date:
    ahead = 1 if found["next"] or found["later"] else 0
    if found["whole"] in {"year", "ano"}:
        return date(today.year + ahead, _YEAR_MONTHS, 31)
    if found["month"]:
        month = _MONTHS[found["month"]]
        return _last_of(today.year + (month < today.month), month)
    return _last_of(*_month_ahead(today, ahead))


def _from_now(found: re.Match[str], today: date, _language: str) -> date:
    count = 1 if found["count"] in {"a", "one", "un", "una"} else int(found["count"])
    if found["unit"].startswith("m"):
        year, month = _month_ahead(today, count)
        return date(year, month, min(today.day, monthrange(year, month)[1]))
    return today + timedelta(count * (_WEEK if found["unit"][0] in "ws" else 1))


def _weekday(found: re.Match[str], today: date, _language: str) -> date:
    ahead = (_WEEKDAYS[found["weekday"]] - today.weekday() - 1) % _WEEK + 1
    return today + timedelta(ahead)


def _of_the_month(found: re.Match[str], today: date, _language: str) -> date:
    day = int(found["day"] or found["nth"])
    for ahead in range(3):
        year, month = _month_ahead(today, ahead)
        if day <= monthrange(year, month)[1] and date(year, month, day) >= today:
            return date(year, month, day)
    raise ValueError(f"no month has a day {day}")


def _coming(today: date, month: int, day: int) -> date:
    """The next such day, today included."""
    this = date(today.year, month, day)
    return this if this >= today else date(today.year + 1, month, day)


def _month_ahead(today: date, months: int) -> tuple[int, int]:
    """Year and month, so many months after today's."""
    years, month = divmod(today.month - 1 + months, _YEAR_MONTHS)
    return today.year + years, month + 1


def _last_of(year: int, month: int) -> date:
    return date(year, month, monthrange(year, month)[1])


_Read = Callable[[re.Match[str], date, str], date]
# The more a pattern says, the earlier it is tried.
_PATTERNS: tuple[tuple[re.Pattern[str], _Read], ...] = (
    (re.compile(r"(?<![\w-])(?P<year>\d{4})-(?P<month>\d{1,2})-(?P<day>\d{1,2})(?![\w-])"), _in_full),
    (
        re.compile(
            r"(?<![\w/.-])(?P<first>\d{1,2})(?:[/-](?P<second>\d{1,2})(?:[/-](?P<year>\d{4}|\d{2}))?"
            r"|\.(?P<second_>\d{1,2})\.(?P<year_>\d{4}))(?![\w/-]|\.\d)"
        ),
        _in_figures,
    ),
    (re.compile(rf"(?:\b(?:the|el|dia)\s)?\b{_DAY}\s?(?:of\s|de\s)?{_MONTH}{_YEAR}"), _with_month),
    (re.compile(rf"\b{_MONTH}\s(?:the\s)?{_DAY}{_YEAR}"), _with_month),
    (
        re.compile(
            r"\b(?:end|last day|final(?:es)?|fin(?:es)?|ultimo dia)(?:\s(?:of|de|del))?"
            rf"(?:\s(?:the|el|this|este|that))?(?:\s{_NEXT})?\s(?:(?P<whole>month|mes|year|ano)\b|{_MONTH})"
            r"(?:\s(?P<later>que viene|proximo|siguiente))?"
        ),
        _end_of,
    ),
    (
        re.compile(
            r"\b(?:in|within|dentro de|en)\s(?P<count>\d{1,3}|an?|one|una?)\s"
            r"(?P<unit>days?|weeks?|months?|dias?|semanas?|mes(?:es)?)\b"
        ),
        _from_now,
    ),
    (
        re.compile(r"\b(?:day after tomorrow|pasado manana)\b"),
        lambda _found, today, _language: today + timedelta(2),
    ),
    (
        re.compile(r"(?<!la )\b(?:tomorrow|manana)\b"),
        lambda _found, today, _language: today + timedelta(1),
    ),
    (
        re.compile(
            r"\b(?:today|right now|right away|immediately|straight away|as of now|effective now|asap|as soon as possible|hoy(?: mismo)?"
            r"|ahora mismo|ya mismo|de inmediato|inmediatamente|cuanto antes|lo antes posible)\b"
        ),
        lambda _found, today, _language: today,
    ),
    (
        re.compile(rf"\b(?:(?:on|this|el|este)\s)?(?:{_NEXT}\s)?(?P<weekday>{'|'.join(_WEEKDAYS)})\b"),
        _weekday,
    ),
    (
        re.compile(
            r"\b(?:(?:the|el|dia|day)\s)+(?P<day>\d{1,2})(?:st|nd|rd|th|o)?\b(?!\s?%)|\b(?P<nth>\d{1,2})(?:st|nd|rd|th)\b"
        ),
        _of_the_month,
    ),
)
