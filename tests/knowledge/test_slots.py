"""Answers inside a quote are read exactly, and what is no answer is left alone."""

import time
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

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
        ("somewhere between 50 and 60k", "mileage"),
        ("10-12k", "mileage"),
        ("either 2013 or 2014", "year"),
        ("it's not 2019", "year"),
        ("a Kia and a Honda Civic", "make"),
        ("are cars from before 2014 cheaper?", None),
        ("is it dearer above 40,000 miles?", None),
        ("does the policy fit my needs", "year"),
        ("does it cover my charger", "year"),
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


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("skip", "skip"),
        ("I don't know the exact model", "skip"),
        ("no lo sé", "skip"),
        ("ni idea del modelo", "skip"),
        ("help please", "help"),
        ("where do I find that?", "help"),
        ("¿dónde lo veo?", "help"),
        ("can we start over please", "start_over"),
        ("quiero empezar de nuevo", "start_over"),
    ],
)
def test_a_command_belongs_to_an_open_quote(text: str, command: str) -> None:
    """Not knowing it keeps the customer in the quote; outside one it is up to the classifier."""
    assert read(text, "mileage") == Reading(NOTHING, whole=True, command=command)  # type: ignore[arg-type]
    assert not read(text).whole


def test_a_hedge_is_not_a_command_when_a_value_follows() -> None:
    """Who says "I don't know, about 40k" has answered."""
    assert read("I don't know, about 40k", "mileage") == Reading({"mileage": 40_000}, whole=True)


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


def test_a_message_longer_than_an_answer_is_never_whole() -> None:
    """A question far behind a value is not overlooked."""
    assert not read("2019 " + "ok " * 400 + "do you cover hail?", "year").whole


@given(st.text(), st.sampled_from([None, *SLOTS]), st.booleans())
def test_reading_never_raises(text: str, awaiting: str | None, known: bool) -> None:
    """No message, however odd, ends a turn."""
    reading = read_slots(text, VEHICLES, awaiting, {"make": "Nissan", "year": 2020} if known else {}, TODAY)

    assert set(reading.values) <= set(SLOTS)


words = st.sampled_from(
    [
        "no",
        "not",
        "2019",
        "'19",
        "34",
        "40k",
        "12",
        "mil",
        "twenty",
        "and",
        "y",
        "tengo",
        "i'm",
        "años",
        "km",
        "miles",
        "leaf",
        "nissan",
        "mini",
        "is",
        "es",
        "a",
        "?",
        ",",
        ".",
        "$",
        "of",
        "year",
        "charger",
        "2020",
        "to",
        "-",
        "half",
        "hundred",
        "uno",
        "once",
        "my",
        "son",
        "born",
        "in",
        "1990",
        "between",
        "50",
        "mazda",
        "3",
        "forty",
        "sorry",
        "it",
    ]
)


@given(st.lists(words, max_size=14).map(" ".join), st.sampled_from([None, *SLOTS]))
def test_values_are_always_of_their_kind(text: str, awaiting: str | None) -> None:
    """The quote never stores words as a year or a number as a make, and never calls nothing an answer."""
    reading = read(text, awaiting, make="Mazda")

    assert all(isinstance(reading.values[slot], str) for slot in ("make", "model") if slot in reading.values)
    assert reading.values.get("year", 2000) in range(1900, 2101)
    assert reading.values.get("driver_age", 30) in range(1, 131)
    assert not reading.whole or reading.values or reading.command


@pytest.mark.parametrize(
    "unit", ["a ", "1", "1 ", "leaf ", "mil ", "@", "1,", "ﷺ", "twenty ", "-", "model y ", "'", "no "]
)
def test_a_hostile_message_costs_no_time(unit: str) -> None:
    """One customer's 30,000 characters delay nobody else."""
    text = (unit * 30_000)[:30_000]
    times = []
    for _ in range(3):
        start = time.perf_counter()
        read(text, "mileage")
        times.append(time.perf_counter() - start)

    assert min(times) < 0.05
