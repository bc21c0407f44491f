"""The age of whoever drives is read, however it is said; other ages are left alone."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path

import pytest

from knowledge.slots import Reading, read_slots
from knowledge.vehicles import Vehicles

VEHICLES = Vehicles.load(Path(__file__).parents[2] / "knowledge" / "vehicles.toml")
TODAY = date(2026, 3, 1)
KNOWN: Mapping[str, str | int] = {"make": "Nissan", "model": "Leaf", "year": 2020}


def read(text: str, awaiting: str | None = None, known: Mapping[str, str | int] = KNOWN) -> Reading:
    """The message read with what is known."""
    return read_slots(text, VEHICLES, awaiting, known, TODAY)


@pytest.mark.parametrize("awaiting", [None, "driver_age", "mileage"])
@pytest.mark.parametrize(
    ("text", "age"),
    [
        ("what if my son, 19, drives?", 19),
        ("my son who is 19 drives it", 19),
        ("what if a 19 year old drives?", 19),
        ("what if a 19-year-old drives it", 19),
        ("my wife drives, she is 29", 29),
        ("my son will drive it, he is 22", 22),
        ("my son drives the car, he's 22", 22),
        ("¿y si conduce mi mujer, que tiene 30?", 30),
        ("¿y si conduce mi hijo de 19 años?", 19),
        ("lo conduce mi hija, tiene 21", 21),
        ("mi hijo de 19", 19),
        ("et si mon fils de 19 ans conduit ?", 19),
        ("meine Frau fährt, sie ist 29", 29),
        ("e se guida mio figlio di 19 anni?", 19),
        ("e se meu filho de 19 anos dirigir?", 19),
        ("my son, born in 2005, drives", 21),
        ("born in 1990", 36),
        ("I was born 1990", 36),
        ("nací en 1990", 36),
        ("I was born in 1990 so I'm 35", 35),
    ],
)
def test_the_age_of_the_driver_is_read_whatever_was_asked(text: str, awaiting: str | None, age: int) -> None:
    """A customer who asks for the price with another driver gets that price."""
    assert read(text, awaiting).values == {"driver_age": age}
    assert read(text, awaiting, {}).values == {"driver_age": age}


@pytest.mark.parametrize(
    "text",
    [
        "my daughter turned 20 last week, is she too young",
        "my son, 19, doesn't drive it",
        "no lo conduce mi hijo de 19",
        "my son and daughter, 19 and 22, drive it",
        "I'm 55 but my son of 22 drives",
        "my son has 2 kids",
        "my 5 year old son",
        "my son drives a 20 year old car",
        "mi mujer conduce el coche, tiene 20 años",
        "my wife has been driving for 20 years",
        "my wife's car is 20 years old",
        "my son was born in 2005, is there a discount?",
        "born in 2019",
        "I've had it for 5 years",
        "my car is 5 years old",
        "tiene 5 años",
    ],
)
@pytest.mark.parametrize("awaiting", [None, "mileage"])
def test_an_age_that_is_no_drivers_is_left_alone(text: str, awaiting: str | None) -> None:
    """Nobody pays for the age of a child, a car, or somebody who does not drive."""
    assert read(text, awaiting).values == {}


def test_the_age_of_a_car_is_no_answer_to_the_drivers_age() -> None:
    """What is 5 years old a car; "12" alone is an answer, which the tariff refuses."""
    assert read("tiene 5 años", "driver_age").values == {}
    assert read("my car is 5 years old", "driver_age").values == {}
    assert read("12 years", "driver_age").values == {"driver_age": 12}


@pytest.mark.parametrize(
    ("text", "age"),
    [
        ("quiero asegurar mi Leaf 2020, 40000 km, 34 años", 34),
        ("cuánto sale un Leaf 2020 con 60.000 km, 45 años?", 45),
        ("price please: Leaf 2020, 50k km, 28 años, thanks a bunch", 28),
        ("quiero asegurar mi Leaf 2020, 40000 km, 20 años de experiencia", None),
        ("quiero asegurar mi Leaf 2020, 40000 km, 12 años", None),
        ("quiero un seguro, 34 años", None),
    ],
)
def test_years_that_end_a_list_of_details_are_the_drivers(text: str, age: int | None) -> None:
    """Who lists the car, its kilometers and their age is not asked for the age again."""
    assert read(text, None, {}).values.get("driver_age") == age


@pytest.mark.parametrize("text", ["and the 2019 model?", "what about the 2019 model?", "¿y el de 2019?"])
def test_another_year_is_read_once_something_is_known(text: str) -> None:
    """The price for another year of the same car needs nothing repeated; without a car it is a question."""
    assert read(text).values == {"year": 2019}
    assert read(text, None, {}).values == {}


def test_a_year_in_a_question_about_something_else_is_no_model_year() -> None:
    """The quote keeps its year when the customer asks about an event or a limit."""
    assert read("what about the 2019 hail?").values == {}
    assert read("what about cars before 2014?").values == {}
