"""A figure as it is read: where it stands, and what it means in a form that can be compared.

Why: "a year" and "12 months", or "$84.5" and "84.50 dollars", are the same; so a figure has keys, one for each thing it
may mean, and two figures are the same when they share one.
"""

from collections.abc import Iterable
from typing import Literal, NamedTuple

from guards.figures.dates import Moment, any_half
from guards.figures.numbers import Number
from guards.figures.words import Word

Kind = Literal["amount", "percentage", "date", "time", "duration", "phone", "number"]
"""A number without a unit (the year of a model, miles, seats) is no figure to trace, but may be said of one."""
Key = tuple[object, ...]
_SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86_400, "week": 604_800, "fortnight": 1_209_600}
_MONTHS = {"month": 1, "year": 12}
_YEARS = range(1900, 2100)
_DIGITS_OF_YEAR = 4


class Figure(NamedTuple):
    """A figure from `start` to `end`.

    Attributes:
        keys: What it may mean; two figures are the same when they share one.
        number: The number in it, if it is one.
        unit: What the number counts; numbers beside it that lack one share it.
        per_from: Where "a month" or "al año" begins behind an amount; the figure ends with it. At the end of a
            figure to which it belongs as well, but is said behind another one.
    """

    start: int
    end: int
    kind: Kind
    keys: frozenset[Key]
    number: Number | None = None
    unit: Word | None = None
    per_from: int | None = None


def in_years(number: Number) -> bool:
    """Whether the number is written as a year is: 2022, not 2,022 or "two thousand"."""
    return number.end - number.start == _DIGITS_OF_YEAR and number.value in _YEARS


def bare(number: Number, end: int | None = None) -> Figure:
    """The number as no more than a number."""
    keys = frozenset(("number", value) for value in number.values)
    return Figure(number.start, number.end if end is None else end, "number", keys, number)


def amount(number: Number, currency: str, start: int, end: int) -> Figure:
    """An amount; currency "" is not said. Three digits behind a sign are thousands."""
    values = number.values if number.words else number.values[:1]
    unit = Word("currency", currency) if currency else None
    return Figure(
        start, end, "amount", frozenset(("amount", value, currency) for value in values), number, unit
    )


def united(number: Number, unit: Word, end: int) -> Figure:
    """The number with a unit: of time, percent, or a currency."""
    if unit.does == "currency":
        return amount(number, unit.name, number.start, end)
    if unit.does == "percent":
        keys = frozenset(("percentage", value) for value in number.values)
        return Figure(number.start, end, "percentage", keys, number, unit)
    return Figure(number.start, end, "duration", frozenset(_duration(number, unit)), number, unit)


def moment(start: int, read: Moment, number: Number | None = None) -> Figure:
    """A date or a time of day."""
    if read.days:
        return Figure(start, read.end, "date", frozenset(("date", *day) for day in read.days), number)
    return at_time(start, read.end, read.minutes, number)


def at_time(start: int, end: int, minutes: Iterable[int], number: Number | None = None) -> Figure:
    """A time of day that may be any of these minutes after midnight."""
    return Figure(start, end, "time", frozenset(("time", minute) for minute in minutes), number)


def as_amount(figure: Figure) -> Figure:
    """A bare number that is an amount after all."""
    number = figure.number
    return figure if number is None else amount(number, "", figure.start, figure.end)


def hours(number: Number) -> frozenset[Key]:
    """The keys of a number as an hour of the day."""
    return frozenset(("time", minute) for minute in any_half(int(number.value)))


def _duration(number: Number, unit: Word) -> Iterable[Key]:
    for value in number.values:
        if unit.does == "business":
            yield ("duration", "business days", value)
        elif unit.name in _MONTHS:
            yield ("duration", "months", value * _MONTHS[unit.name])
            if unit.name == "year":
                yield ("years", value)
        else:
            yield ("duration", "seconds", value * _SECONDS[unit.name])
