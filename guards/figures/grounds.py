"""All figures that an answer may lean on, and who said each.

Why: every figure an answer shows is traced (design.md, law 8). What tools return while the answer is under way counts
from then on, so the grounds are read as they grow.
Made by the guard, one for each answer; what the company publishes is read once and remembered.
"""

import re
from collections.abc import Iterator
from decimal import Decimal
from functools import lru_cache

from guards.figures.figure import Figure, Key, as_amount, in_years
from guards.figures.numbers import Number
from guards.figures.phones import plain
from guards.figures.prices import is_amount, role_of
from guards.figures.reading import read_figures
from guards.figures.words import bare
from guards.stream import GroundKind, Scene

Source = GroundKind | str
PRICED = "priced"
"""Said of an amount that stands as a price in an article or an earlier answer."""
_NAME_PRICES = frozenset({"passage", "answer"})
_PUBLIC = frozenset({"company", "passage"})
_REMEMBERED = 1_024
_FIELD = re.compile(rf"(?:{bare('price')})[a-z_]*[\"':=\s]{{1,6}}$")  # "monthly_premium": 84
_OF_ANY_CURRENCY, _UNKNOWN_CURRENCY, _ANY_YEAR = None, "?", "any"


class Grounds:
    """What has been said so far in one conversation, figure by figure."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._read = 0
        self._sources: dict[Key, set[Source]] = {}

    def sources(self, figure: Figure) -> set[Source]:
        """Who said this figure; nobody: it is invented."""
        self._catch_up()
        keys = {wanted for key in figure.keys for wanted in _wanted(key)}
        found = [self._sources[key] for key in keys if key in self._sources]
        return set().union(*found)

    def is_age(self, figure: Figure) -> bool:
        """Whether it is the number of years since one that the company names: "for 41 years", since 1985."""
        today = self._scene.today
        years = [int(key[1]) for key in figure.keys if key[0] == "years" and isinstance(key[1], Decimal)]
        if today is None:
            return False
        self._catch_up()
        return any(
            ("since", today.year - years_ago - past) in self._sources
            for years_ago in years
            for past in (0, 1)
        )

    def _catch_up(self) -> None:
        grounds = self._scene.grounds
        while self._read < len(grounds):
            ground = grounds[self._read]
            self._read += 1
            read = _remembered if ground.kind in _PUBLIC else _read
            for key, source in read(ground.kind, ground.text):
                self._sources.setdefault(key, set()).add(source)


@lru_cache(maxsize=_REMEMBERED)
def _remembered(kind: GroundKind, text: str) -> tuple[tuple[Key, Source], ...]:
    """As `_read`, for texts that are the same for every customer."""
    return _read(kind, text)


def _read(kind: GroundKind, text: str) -> tuple[tuple[Key, Source], ...]:
    """The keys of all figures of a text, each with who says it."""
    return tuple(pair for folded, figure in read_figures(text) for pair in _said(kind, folded, figure))


def _said(kind: GroundKind, text: str, figure: Figure) -> Iterator[tuple[Key, Source]]:
    if is_amount(text, figure):
        figure = as_amount(figure)
    number = figure.number
    if number is not None and (figure.kind == "number" or (figure.kind == "amount" and kind == "customer")):
        yield from _said_by_number(kind, text, number)
    if figure.kind == "number":
        return
    is_priced = (
        figure.kind == "amount" and kind in _NAME_PRICES and role_of(text, figure, is_over=True) == "price"
    )
    for key in figure.keys:
        for stored in _stored(key):
            yield stored, kind
            if is_priced:
                yield stored, PRICED
        if kind == "customer" and key[:2] == ("date", None):
            yield ("date", _ANY_YEAR, *key[2:]), kind


def _said_by_number(kind: GroundKind, text: str, number: Number) -> Iterator[tuple[Key, Source]]:
    """What a number may mean besides: an age, a year, an amount or a phone number that a customer typed."""
    if kind in _PUBLIC:
        if in_years(number):
            yield ("since", int(number.value)), kind
        return
    is_amount_too = (
        kind == "customer" or number.has_cents or (kind == "price" and _FIELD.search(text[: number.start]))
    )
    for value in number.values:
        yield ("years", value), kind
        if is_amount_too:
            yield ("amount", value, _UNKNOWN_CURRENCY), kind
            yield ("amount", value, _OF_ANY_CURRENCY), kind
    if kind == "customer":
        yield ("phone", plain(text[number.start : number.end])), kind


def _stored(key: Key) -> Iterator[Key]:
    """The keys under which a figure of the grounds is found; a date also by its parts."""
    match key:
        case ("amount", value, ""):
            yield from (("amount", value, _UNKNOWN_CURRENCY), ("amount", value, _OF_ANY_CURRENCY))
        case ("amount", value, _):
            yield from (key, ("amount", value, _OF_ANY_CURRENCY))
        case ("date", year, month, day):
            yield from (
                key,
                ("date", None, month, day),
                ("date", year, month, None),
                ("date", None, None, day),
            )
        case _:
            yield key


def _wanted(key: Key) -> Iterator[Key]:
    """The keys that make a figure of an answer right."""
    match key:
        case ("amount", value, ""):
            yield ("amount", value, _OF_ANY_CURRENCY)
        case ("amount", value, _):
            yield from (key, ("amount", value, _UNKNOWN_CURRENCY))
        case ("date", _, month, day) if month is not None and day is not None:
            yield from (key, ("date", _ANY_YEAR, month, day))
        case _:
            yield key
