"""Cut a folded message into words, signs, blanked spans and numbers with their units.

Why: "12.500 km", "40k" and "34 yrs" are numbers in many spellings. From here on there are whole numbers only: miles for
kilometers, 40000 for 40k.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

# Written over what is read already, and over what means something else.
VALUE, FOREIGN = "\x01", "\x02"

LIKELY_AGES = range(16, 111)
_AGES = range(1, 131)
_MILEAGES, _LIKELY_MILEAGES = range(2_000_001), range(1_000, 400_001)
_POSSIBLE: Mapping[str, range] = {"driver_age": _AGES, "mileage": _MILEAGES}
_LIKELY: Mapping[str, range] = {"driver_age": LIKELY_AGES, "mileage": _LIKELY_MILEAGES}
_YEARS = range(1900, 2101)
_YEAR_DIGITS, _SHORT_YEAR_DIGITS = 4, 2
_MILES_PER_KM = 0.621371
_THOUSAND = 1000
_MOST = 9_999_999

# "12,000 miles a year", "20 miles away": not what the odometer shows.
_RATE = re.compile(
    r"\s{0,3}(?:(?:/|(?:an?|per|each|every|al|por|cada|par|pro|all')\s)\s?(?:year|yr|annum|month|week|day|hour|ano|mes|semana"
    r"|dia|an|mois|jahr|monat|anno|mese)\b|yearly|annually|monthly|daily|anuales|mensuales|diarios|away|range|de autonomia"
    r"|to (?:work|school)|from (?:home|work|here))"
)
_TOKEN = re.compile(
    r"(?P<value>\x01+)|(?P<foreign>\x02+)"
    r"|(?P<short>')?(?P<figure>\d{1,3}(?:(?P<mark>[., '])\d{3}(?:(?P=mark)\d{3})*)(?!\d)|\d{1,3}[.,]\d{1,2}(?!\d)|\d+)"
    r"(?:[ -]?(?P<scale>k|thousand|thou|mil|mille|mila|tausend|tsd)(?![^\W_]))?"
    r"(?:[ -]?(?:(?P<km>kms?|kilomet\w+|chilometri|quilomet\w+)|(?P<miles>miles?|millas?|milhas|meilen|miglia|milles"
    r"|mi(?!\s+(?:coche|carro|auto|moto|edad|vehiculo|camioneta|modelo)))"
    r"|(?P<years>years?|yrs?|anos?|ans|anni|jahren?|anys|jaar|lata?|anitos|y\.?/?o))(?![^\W_]))?"
    r"|(?P<word>[^\W\d_]+(?:'[^\W\d_]+)*)|(?P<sign>[^\s\w]|_)"
)


@dataclass(frozen=True, slots=True)
class Token:
    """One piece of a message.

    Attributes:
        kind: "word", "sign", "number", "value" (read already) or "foreign" (means something else).
        text: As it stands in the folded message.
        value: The number, kilometers turned into miles; 0 for any other kind.
        unit: "km", "miles", "years", "thousand" or "".
        is_year: Four digits that can be a model year.
        is_short_year: Two digits behind an apostrophe.
        is_rate: "a year", "away" or the like follows.
    """

    kind: str
    text: str
    value: int = 0
    unit: str = ""
    is_year: bool = False
    is_short_year: bool = False
    is_rate: bool = False

    @property
    def has_two_digits(self) -> bool:
        """Whether it is written with two digits and nothing else."""
        return self.text.isdigit() and len(self.text) == _SHORT_YEAR_DIGITS

    def is_possible(self, slot: str) -> bool:
        """Whether a driver may be so old, or an odometer show so much."""
        return self.value in _POSSIBLE[slot]

    def is_likely(self, slot: str) -> bool:
        """Whether a driver is usually so old, or an odometer shows so much."""
        return self.value in _LIKELY[slot]


def tokens_of(text: str) -> list[Token]:
    """Words, signs, blanked spans and numbers of a folded text."""
    return [_token(text, found) for found in _TOKEN.finditer(text)]


def _token(text: str, found: re.Match[str]) -> Token:
    kind = str(found.lastgroup) if found["figure"] is None else "number"
    if kind != "number":
        return Token(kind, found.group())
    figure, mark = found["figure"], found["mark"]
    amount = Decimal(figure.replace(mark, "") if mark else figure.replace(",", "."))
    amount *= _THOUSAND if found["scale"] else 1
    is_attached = text[found.end() : found.end() + 1].isalnum() or text[: found.start()][-1:] in {"#", "_"}
    if is_attached or amount != int(amount) or amount > _MOST:
        return Token("foreign", found.group())
    unit = _unit(found)
    value = round(int(amount) * _MILES_PER_KM) if unit == "km" else int(amount)
    has_four_digits = figure.isdigit() and len(figure) == _YEAR_DIGITS
    return Token(
        kind,
        found.group(),
        value,
        unit,
        is_year=has_four_digits and value in _YEARS and unit in {"", "years"},
        is_short_year=len(figure) == _SHORT_YEAR_DIGITS and bool(found["short"]) and not unit,
        is_rate=_RATE.match(text, found.end()) is not None,
    )


def _unit(found: re.Match[str]) -> str:
    named = next((unit for unit in ("km", "miles", "years") if found[unit]), None)
    return named or ("thousand" if found["scale"] else "")
