"""Find the five details of a quote in what a customer wrote, well enough for a demonstration."""

import re
from collections.abc import Iterable

from tests.simulation.content import JsonObject
from tests.simulation.demo_words import folded

NAMES = ("make", "model", "year", "mileage", "driver_age")
_MAKES = (
    *(
        "audi",
        "bmw",
        "chevrolet",
        "dodge",
        "fiat",
        "ford",
        "honda",
        "hyundai",
        "jeep",
        "kia",
        "mazda",
        "nissan",
    ),
    *("renault", "rivian", "seat", "subaru", "tesla", "toyota", "vespa", "volkswagen", "volvo", "yamaha"),
)
_VEHICLE = re.compile(rf"\b({'|'.join(_MAKES)})\s+(model [3sxy]|[a-z0-9-]+)")
_YEAR = re.compile(r"\b(19[89]\d|20[0-3]\d)\b(?!\s*(?:k|mil|km|mi|miles)\b)")
_MILEAGE = re.compile(
    r"\b(\d{1,3}(?: \d{3})+|\d+)\s*(k|mil|thousand)?\s*(?:miles|mi|millas|km|kilometers|kilometros)\b"
)
_THOUSANDS = re.compile(r"\b(\d{1,3})\s*(?:k|mil|thousand)\b")
_AGE = re.compile(
    r"\b(?:aged?|tengo|i am|i m|edad|driver is|conductor)\D{0,12}(\d{2})\b|\b(\d{2})\s*(?:years? old|year old|anos)"
)
_DIGITS = re.compile(r"\d[\d ]*")
_THOUSAND = 1_000
_OLDEST = 100


def details_in(texts: Iterable[str]) -> JsonObject:
    """The details known so far; what is said later counts."""
    details: JsonObject = {}
    for text in texts:
        details.update(_one(folded(text)))
    return details


def _one(text: str) -> JsonObject:
    found: JsonObject = {}
    if vehicle := _VEHICLE.search(text):
        found["make"], found["model"] = vehicle[1].title(), vehicle[2].title()
    if year := _YEAR.search(text):
        found["year"] = int(year[1])
    if mileage := _MILEAGE.search(text):
        found["mileage"] = int(mileage[1].replace(" ", "")) * (_THOUSAND if mileage[2] else 1)
    elif thousands := _THOUSANDS.search(text):
        found["mileage"] = int(thousands[1]) * _THOUSAND
    if age := _AGE.search(text):
        found["driver_age"] = int(age[1] or age[2])
    return found or _bare(text)


def _bare(text: str) -> JsonObject:
    """A message that is nothing but a number: an age when it is small, a mileage when it is large."""
    if not _DIGITS.fullmatch(text):
        return {}
    number = int(text.replace(" ", ""))
    return {"driver_age": number} if number < _OLDEST else {"mileage": number}
