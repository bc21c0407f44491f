"""A range of miles or kilometers is read as its middle; other ranges are left alone."""

from datetime import date
from pathlib import Path

import pytest

from knowledge.slots import Reading, read_slots
from knowledge.vehicles import Vehicles

VEHICLES = Vehicles.load(Path(__file__).parents[2] / "knowledge" / "vehicles.toml")
TODAY = date(2026, 3, 1)


def read(text: str, awaiting: str | None = None) -> Reading:
    """The message read with a make known."""
    return read_slots(text, VEHICLES, awaiting, {"make": "Nissan"}, TODAY)


@pytest.mark.parametrize(
    ("text", "miles"),
    [
        ("between 50 and 60 thousand", 55_000),
        ("somewhere between 50 and 60k", 55_000),
        ("between fifty and sixty thousand", 55_000),
        ("50-60k", 55_000),
        ("10-12k", 11_000),
        ("40–45k", 42_500),
        ("maybe 50 or 60 thousand", 55_000),
        ("50k to 60k miles", 55_000),
        ("between 50,000 and 60,000 miles", 55_000),
        ("entre 40 y 50 mil km", 27_962),
        ("entre 40.000 y 50.000 km", 27_962),
        ("cuarenta o cincuenta mil", 45_000),
        ("zwischen 40 und 50 tausend km", 27_962),
        ("entre 40 et 50 mille km", 27_962),
        ("tra 40 e 50 mila km", 27_962),
    ],
)
@pytest.mark.parametrize("awaiting", [None, "mileage"])
def test_a_range_of_a_mileage_is_its_middle(text: str, awaiting: str | None, miles: int) -> None:
    """Who knows their mileage only roughly is not asked again."""
    assert read(text, awaiting) == Reading({"mileage": miles}, whole=True)


def test_a_range_without_a_unit_answers_the_mileage_only() -> None:
    """Figures alone could be a price."""
    assert read("50000-60000", "mileage").values == {"mileage": 55_000}
    assert read("50000-60000").values == {}


@pytest.mark.parametrize(
    "text",
    [
        "between 50 and 60 thousand dollars",
        "$50-60k",
        "between 2015 and 2019",
        "between 18 and 25 years",
        "5-10 miles a day",
        "between 10 and 12 thousand miles a year",
        "786-555-0199",
        "claim 2021-0087",
        "10-90k",
    ],
)
def test_other_ranges_are_left_alone(text: str) -> None:
    """Prices, years, commutes and phone numbers are no odometer's."""
    assert read(text, "mileage").values == {}
