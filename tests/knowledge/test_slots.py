"""Answers inside a quote are read exactly, and what is no answer is left alone."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path

import pytest

from knowledge.slots import Reading, read_slots
from knowledge.vehicles import Vehicles

VEHICLES = Vehicles.load(Path(__file__).parents[2] / "knowledge" / "vehicles.toml")
TODAY = date(2026, 3, 1)
SLOTS = ("make", "model", "year", "mileage", "driver_age")
NOTHING: Mapping[str, str | int] = {}


def read(text: str, awaiting: str | None = None, **known: str | int) -> Reading:
    """The message read with what is known."""
    return read_slots(text, VEHICLES, awaiting, known, TODAY)


@pytest.mark.parametrize(
    ("awaiting", "text", "value"),
    [
        ("year", "2019", 2019),
        ("year", "it's from 2019, thanks", 2019),
        ("year", "'19", 2019),
        ("year", "19", 2019),
        ("year", "96", 1996),
        ("year", "twenty nineteen", 2019),
        ("year", "nineteen ninety eight", 1998),
        ("year", "two thousand and nine", 2009),
        ("year", "dos mil diecinueve", 2019),
        ("year", "modelo 2012", 2012),
        ("year", "Baujahr 2012", 2012),
        ("year", "brand new, this year's", 2026),
        ("year", "es del año pasado", 2025),
        ("year", "2018 👍", 2018),
        ("year", "yeeeah, 2018", 2018),
        ("year", "2022, bought it in 2024", 2022),
        ("mileage", "12,500", 12_500),
        ("mileage", "12.500", 12_500),
        ("mileage", "12 500", 12_500),
        ("mileage", "about 40k", 40_000),
        ("mileage", "40 thousand", 40_000),
        ("mileage", "12.5k", 12_500),
        ("mileage", "twelve and a half thousand", 12_500),
        ("mileage", "12 mil", 12_000),
        ("mileage", "doce mil", 12_000),
        ("mileage", "una cuarenta mil", 40_000),
        ("mileage", "64 mil km", 39_768),
        ("mileage", "80.000 km", 49_710),
        ("mileage", "45.000 Kilometer etwa", 27_962),
        ("mileage", "circa 30 mila km", 18_641),
        ("mileage", "uns 75 mil km", 46_603),
        ("mileage", "j'ai 60 000 km", 37_282),
        ("mileage", "a hundred and ten thousand", 110_000),
        ("mileage", "two hundred thousand miles", 200_000),
        ("mileage", "ciento veintitrés mil cuatrocientos cincuenta y seis", 123_456),
        ("mileage", "zero miles, it's new", 0),
        ("mileage", "2019", 2019),
        ("mileage", "mil gracias, unas 45 mil millas", 45_000),
        ("driver_age", "I'm 34", 34),
        ("driver_age", "34 years old", 34),
        ("driver_age", "34", 34),
        ("driver_age", "12", 12),
        ("driver_age", "twenty-five", 25),
        ("driver_age", "forty and i drive", 40),
        ("driver_age", "cuarenta y dos", 42),
        ("driver_age", "tengo 45 años", 45),
        ("driver_age", "j'ai 42 ans", 42),
        ("driver_age", "ich bin 42 Jahre alt", 42),
        ("driver_age", "ho 34 anni", 34),
        ("driver_age", "tenho 29 anos", 29),
        ("driver_age", "I was born in 1990 so I'm 35", 35),
        ("driver_age", "29, turning 30 next month", 29),
    ],
)
def test_a_plain_answer_is_read_and_is_the_whole_message(awaiting: str, text: str, value: int) -> None:
    """The quote goes on at once, without asking a classifier what the answer may mean."""
    assert read(text, awaiting) == Reading({awaiting: value}, whole=True)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("2022 Nissan Leaf, 30k miles, I'm 34", ("Nissan", "Leaf", 2022, 30_000, 34)),
        ("Honda, Civic, 2021, 18400, 27", ("Honda", "Civic", 2021, 18_400, 27)),
        ("Make: Tesla Model: Model Y Year: 2023 age: 41", ("Tesla", "Model Y", 2023, None, 41)),
        ("es un peugeot 2008 del 2021", ("Peugeot", "2008", 2021, None, None)),
        ("Peugeot 208 2008", ("Peugeot", "208", 2008, None, None)),
        ("leaf", ("Nissan", "Leaf", None, None, None)),
        ("Leaf SV 2021 38k", ("Nissan", "Leaf", 2021, 38_000, None)),
        ("2020 charger", ("Dodge", "Charger", 2020, None, None)),
        ("I have a toyta corola", ("Toyota", "Corolla", None, None, None)),
        ("my lexus is 2019", ("Lexus", None, 2019, None, None)),
        ("tengo 45 años y el coche tiene unos 80.000 km", (None, None, None, 49_710, 45)),
        ("a 2014 jeep, 60k on the clock", ("Jeep", None, 2014, 60_000, None)),
        ("thirty four, forty thousand miles", (None, None, None, 40_000, 34)),
        ("leaf del 22", ("Nissan", "Leaf", 2022, None, None)),
        ("un civic del 19", ("Honda", "Civic", 2019, None, None)),
        ("un leaf sv del 19, 41 años", ("Nissan", "Leaf", 2019, None, 41)),
        ("a '22 leaf", ("Nissan", "Leaf", 2022, None, None)),
        ("I have a ´22 leaf", ("Nissan", "Leaf", 2022, None, None)),
        ("mustang '72", ("Ford", "Mustang", 1972, None, None)),
    ],
)
def test_several_details_are_read_from_one_message(text: str, values: tuple[str | int | None, ...]) -> None:
    """A customer who says everything at once is asked for nothing again."""
    said = {slot: value for slot, value in zip(SLOTS, values, strict=True) if value is not None}

    assert read(text) == Reading(said, whole=True)


@pytest.mark.parametrize(
    ("text", "awaiting", "known", "values"),
    [
        ("no, 2021", "mileage", {"year": 2019}, {"year": 2021}),
        ("sorry, I meant 2021", "driver_age", {"year": 2019}, {"year": 2021}),
        ("perdón, es 2021", "mileage", {"year": 2019}, {"year": 2021}),
        ("no es 2019, es 2021", "mileage", {"year": 2019}, {"year": 2021}),
        ("2021, not 2019", "mileage", {"year": 2019}, {"year": 2021}),
        ("2021 instead of 2019", "mileage", {"year": 2019}, {"year": 2021}),
        ("no, 45", "mileage", {"driver_age": 44}, {"driver_age": 45}),
        ("sorry, meant 45k", "driver_age", {"mileage": 54_000}, {"mileage": 45_000}),
        ("roughly 55000, sorry, 56000", "mileage", {}, {"mileage": 56_000}),
        ("no no, Mazda not Honda", "make", {}, {"make": "Mazda"}),
        ("the Bolt, not the Leaf", "model", {}, {"make": "Chevrolet", "model": "Bolt EV"}),
        ("no era corolla, es yaris", "model", {"make": "Toyota"}, {"model": "Yaris"}),
        (
            "wait I said Civic but it's an Accord",
            "year",
            {"make": "Honda", "model": "Civic"},
            {"model": "Accord"},
        ),
        ("no, es un civic", "year", {"make": "Toyota"}, {"make": "Honda", "model": "Civic"}),
    ],
)
def test_a_correction_replaces_what_was_said(
    text: str, awaiting: str, known: Mapping[str, str | int], values: Mapping[str, str | int]
) -> None:
    """The price is made from the last word of the customer."""
    assert read(text, awaiting, **known) == Reading(values, whole=True, correction=True)


@pytest.mark.parametrize(
    ("text", "awaiting"),
    [
        ("my number is 786 555 0199", "mileage"),
        ("call me at 305-555-0148", "driver_age"),
        ("+34 600 123 456", "mileage"),
        ("my policy number is ACM-20391", "mileage"),
        ("claim 2021-0087 was settled", "year"),
        ("i pay $180 a month", "mileage"),
        ("lo compré por 15 mil dólares", "mileage"),
        ("2 kids", "driver_age"),
        ("two kids in the car", "driver_age"),
        ("in 2 weeks", "driver_age"),
        ("12/05/2019", "year"),
        ("the accident was on March 3rd 2024", "year"),
        ("me@leaf.example", None),
        ("it's 3pm", "driver_age"),
        ("my zip is 90210", "mileage"),
        ("my car is 5 years old", "year"),
        ("I've been driving for 20 years", "driver_age"),
        ("tengo carnet desde 2005", "year"),
        ("since 2009", "year"),
        ("recorro 20.000 km al año", "mileage"),
        ("range is 250 miles", "mileage"),
        ("my daughter turned 20 last week", "year"),
        ("turning 50 in may", "driver_age"),
        ("55, pero maneja mi hijo de 22", "driver_age"),
        ("$50-60k", "mileage"),
        ("10-12 thousand miles a year", "mileage"),
        ("between 2015 and 2019", "mileage"),
        ("either 2013 or 2014", "year"),
        ("it's not 2019", "year"),
        ("a Kia and a Honda Civic", "make"),
        ("are cars from before 2014 cheaper?", None),
        ("is it dearer above 40,000 miles?", None),
        ("does the policy fit my needs", "year"),
        ("does it cover my charger", "year"),
        ("it was the hail of march 2019", None),
        ("quick question", None),
        ("agent", "make"),
        ("responsabilidad civil", "model"),
        ("me llamo Mercedes", "make"),
        ("vivo en León", "make"),
        ("I moved here from Tucson", None),
        ("I have 3", "model"),
        ("500", "mileage_per_day"),
        ("45000", None),
        ("12345678901", "mileage"),
        ("#12", "driver_age"),
        ("1.5", "driver_age"),
        ("34", "year"),
        ("911", None),
        ("is this a bot", "model"),
    ],
)
def test_what_only_looks_like_an_answer_is_left_alone(text: str, awaiting: str | None) -> None:
    """No phone number becomes a mileage, and nobody's price is made from a guess."""
    reading = read(text, awaiting, make="Lexus", year=2018)

    assert reading == Reading(NOTHING, whole=False)


@pytest.mark.parametrize(
    ("text", "awaiting", "values"),
    [
        ("How much to insure a 2022 Nissan Leaf?", None, {"make": "Nissan", "model": "Leaf", "year": 2022}),
        ("40k, is that ok?", "mileage", {"mileage": 40_000}),
        ("19, will that make it pricier?", "driver_age", {"driver_age": 19}),
        ("2015 ok?", "year", {"year": 2015}),
        ("what if I was 25 instead", None, {"driver_age": 25}),
        ("y si tuviera 30 años?", None, {"driver_age": 30}),
        ("kia, y aseguran también casas?", "make", {"make": "Kia"}),
        ("1998, runs like new", "year", {"year": 1998}),
        ("mi mujer tiene 37 y conduce ella", "driver_age", {"driver_age": 37}),
    ],
)
def test_an_answer_with_more_in_it_is_read_but_goes_to_the_classifier(
    text: str, awaiting: str | None, values: Mapping[str, str | int]
) -> None:
    """A side question is answered, and the detail beside it is not lost."""
    reading = read(text, awaiting)

    assert reading.values == values
    assert not reading.whole


def test_a_known_make_settles_a_shared_model_name() -> None:
    """An Opel Corsa is not taken for a Chevrolet, and the make is not said twice."""
    assert read("el corsa", "model", make="Opel").values == {"model": "Corsa"}
    assert read("es el mazda 2", "model", make="Mazda").values == {"make": "Mazda", "model": "Mazda2"}
    assert read("the charger", "model", make="Dodge").values == {"model": "Charger"}
    assert read("911", "model", make="Porsche").values == {"model": "911"}
    assert read("is 250", "model", make="Lexus").values == {"model": "IS"}


def test_a_year_of_an_event_does_not_replace_the_model_year() -> None:
    """The price of a 2019 car does not change because it was bought in 2021."""
    assert read("I crashed it in 2021", "mileage", year=2019).values == {}
    assert read("the one from 2021", "mileage").values == {"year": 2021}
    assert read("a 2017", "mileage").values == {"year": 2017}


@pytest.mark.parametrize("awaiting", [None, *SLOTS])
@pytest.mark.parametrize("text", ["leaf del 22", "a '22 leaf"])
def test_a_short_year_beside_a_vehicle_is_its_year_whatever_was_asked(
    text: str, awaiting: str | None
) -> None:
    """Nobody is insured as a driver of 22, or with 22 miles, because their car is from 2022."""
    assert read(text, awaiting) == Reading({"make": "Nissan", "model": "Leaf", "year": 2022}, whole=True)


def test_two_digits_that_are_no_likely_year_are_left_alone() -> None:
    """A Vespa of 50 cc is not taken for one of 1950, and its rider not for fifty years old."""
    assert read("vespa del 50").values == {"make": "Vespa"}
    assert read("leaf del 22 de marzo").values == {"make": "Nissan", "model": "Leaf"}
