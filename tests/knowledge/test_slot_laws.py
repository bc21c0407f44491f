"""Whatever a customer writes, it is read without a fault, in time, and into values of the right kind."""

import time
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


def read(text: str, awaiting: str | None = None, **known: str | int) -> Reading:
    """The message read with what is known."""
    return read_slots(text, VEHICLES, awaiting, known, TODAY)


def test_a_message_longer_than_an_answer_is_never_whole() -> None:
    """A question far behind a value is not overlooked."""
    assert not read("2019 " + "ok " * 400 + "do you cover hail?", "year").whole


@given(st.text(), st.sampled_from([None, *SLOTS]), st.booleans())
def test_reading_never_raises(text: str, awaiting: str | None, known: bool) -> None:
    """No message, however odd, ends a turn."""
    reading = read_slots(text, VEHICLES, awaiting, {"make": "Nissan", "year": 2020} if known else {}, TODAY)

    assert set(reading.values) <= set(SLOTS)


WORDS = (
    "no not 2019 '19 34 40k 12 mil twenty and y tengo i'm años km miles leaf nissan mini is es a ? , . $ of year charger 2020 to - "
    "half hundred uno once my son born in 1990 between 50 mazda 3 forty sorry it del forget the quote"
)


@given(st.lists(st.sampled_from(WORDS.split()), max_size=14).map(" ".join), st.sampled_from([None, *SLOTS]))
def test_values_are_always_of_their_kind(text: str, awaiting: str | None) -> None:
    """The quote never stores words as a year or a number as a make, and never calls nothing an answer."""
    reading = read(text, awaiting, make="Mazda")

    assert all(isinstance(reading.values[slot], str) for slot in ("make", "model") if slot in reading.values)
    assert reading.values.get("year", 2000) in range(1900, 2101)
    assert reading.values.get("driver_age", 30) in range(1, 131)
    assert not reading.whole or reading.values or reading.command


@pytest.mark.fault("P14")
@pytest.mark.parametrize(
    "unit",
    [
        "a ",
        "1",
        "1 ",
        "leaf ",
        "mil ",
        "@",
        "1,",
        "ﷺ",
        "twenty ",
        "-",
        "model y ",
        "'",
        "no ",
        "no, ",
        "ok forget it ",
    ],
)
def test_a_hostile_message_costs_no_time(unit: str) -> None:
    """One customer's 30,000 characters delay nobody else."""
    start = time.thread_time()
    read((unit * 30_000)[:30_000], "mileage")

    assert time.thread_time() - start < 1  # of computing, whatever else runs; it is some 10 ms
