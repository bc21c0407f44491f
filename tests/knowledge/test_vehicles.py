"""Vehicles are found by what customers call them, and a wrong vehicles file is refused."""

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from errors import ConfigError
from knowledge.lexicon import fold
from knowledge.vehicles import Vehicles

SHIPPED = Path(__file__).parents[2] / "knowledge" / "vehicles.toml"
VEHICLES = Vehicles.load(SHIPPED)
SMALL = """
classes = ["compact", "suv"]

[[make]]
name = "Nissan"
aliases = ["datsun"]
models = [{ name = "Leaf", class = "compact", electric = true, aliases = ["leaf plus"] }]
"""


def test_the_shipped_file_knows_the_vehicles_that_people_drive() -> None:
    """A customer with an ordinary car is never told that Acme does not know it."""
    models = [model for make in VEHICLES.makes for model in VEHICLES.models_of(make)]

    assert len(VEHICLES.makes) >= 45
    assert len(models) >= 400


@pytest.mark.parametrize(
    ("make", "model", "expected"),
    [
        ("Nissan", "leaf", "Nissan Leaf"),
        ("chevy", "bolt", "Chevrolet Bolt EV"),
        ("Chevrolet", "Bolt EUV", "Chevrolet Bolt EUV"),
        ("VW", "id4", "Volkswagen ID.4"),
        ("vw", "ID. Buzz", "Volkswagen ID. Buzz"),
        ("Merc", "C300", "Mercedes-Benz C-Class"),
        ("beamer", "328i xDrive", "BMW 3 Series"),
        ("Tesla", "3", "Tesla Model 3"),
        ("tesla", "Model Y Long Range", "Tesla Model Y"),
        ("Ford", "f150", "Ford F-150"),
        ("Ford", "F 150 Lightning", "Ford F-150 Lightning"),
        ("Ford", "Mustang Mach-E GT", "Ford Mustang Mach-E"),
        ("Honda", "2018 Civic EX", "Honda Civic"),
        ("Honda", "crv", "Honda CR-V"),
        ("Nissan", "Nissan Leaf", "Nissan Leaf"),
        ("CITROËN", "ë-C4", "Citroën ë-C4"),
        ("seat", "leon", "Seat León"),
        ("Mazda", "mazda 3", "Mazda Mazda3"),
        ("Dodge", "Ram", "Dodge Ram 1500"),
        ("Ram", "1500", "Ram 1500"),
        ("harley", "sportster", "Harley-Davidson Sportster"),
        ("Vespa", "primavera 125", "Vespa Primavera 150"),
    ],
)
def test_a_vehicle_is_found_however_it_is_written(make: str, model: str, expected: str) -> None:
    """A customer gets a price without spelling the name as Acme does."""
    vehicle = VEHICLES.find(make, model)

    assert vehicle is not None
    assert f"{vehicle.make} {vehicle.model}" == expected


@pytest.mark.parametrize(
    ("make", "model", "expected"),
    [
        ("toyta", "corola", "Corolla"),
        ("Toyota", "Corrola Cross", "Corolla Cross"),
        ("Hundai", "tuscon", "Tucson"),
        ("Volkswagon", "Tigaun", "Tiguan"),
        ("nisan", "sentraa", "Sentra"),
        ("tesla", "modle 3", "Model 3"),
    ],
)
def test_one_wrong_letter_in_a_long_word_is_forgiven(make: str, model: str, expected: str) -> None:
    """A customer who types on a phone gets a price."""
    vehicle = VEHICLES.find(make, model)

    assert vehicle is not None
    assert vehicle.model == expected


@pytest.mark.parametrize(
    ("make", "model"),
    [("Tesla", "Model 4"), ("Nissan", "Civic"), ("Lada", "Niva"), ("", ""), ("Kia", "Kai"), ("Nissan", "?")],
)
def test_an_unknown_vehicle_is_never_guessed(make: str, model: str) -> None:
    """Nobody is given the price of another car."""
    assert VEHICLES.find(make, model) is None


@pytest.mark.parametrize("model", ["Leaf", "Ariya"])
def test_an_electric_vehicle_is_known_as_one(model: str) -> None:
    """The battery of an electric car is rated, and only there."""
    vehicle, petrol = VEHICLES.find("Nissan", model), VEHICLES.find("Nissan", "Sentra")

    assert vehicle is not None
    assert vehicle.electric
    assert petrol is not None
    assert not petrol.electric


def test_every_name_and_alias_of_the_shipped_file_finds_its_own_vehicle() -> None:
    """No vehicle hides behind another one of its make."""
    for make in VEHICLES.makes:
        for model in VEHICLES.models_of(make):
            found = VEHICLES.find(make, model)
            assert found is not None
            assert (found.make, found.model) == (make, model)


def test_a_make_is_found_in_a_phrase() -> None:
    """An answer such as "a Merc" names the make."""
    assert VEHICLES.find_make("a Merc") == "Mercedes-Benz"
    assert VEHICLES.find_make("chevrolte") == "Chevrolet"
    assert VEHICLES.find_make("spaceship") is None
    assert VEHICLES.models_of("spaceship") == ()


def test_a_name_that_several_makes_use_needs_its_make() -> None:
    """A Corsa may be a Chevrolet or an Opel: the customer is asked, not guessed about."""
    assert VEHICLES.mentions("corsa") == ()
    assert [mention.make for mention in VEHICLES.mentions("corsa", "Opel")] == ["Opel"]


def test_the_end_of_a_sentence_joins_no_model() -> None:
    """A Tesla. 3 kids: that is no Model 3, because a bare figure asks for caution."""
    make, figure = VEHICLES.mentions("i drive a tesla. 3 kids")

    assert (make.model, make.everyday) == (None, False)
    assert figure.everyday


@pytest.mark.parametrize(
    ("fault", "names"),
    [
        (
            SMALL.replace('"compact", electric', '"compac", electric'),
            ["Nissan", "Leaf", "compac", "compact, suv"],
        ),
        (SMALL.replace('"datsun"', '"NISSAN"'), ["Nissan", "NISSAN", "remove"]),
        (SMALL.replace('"leaf plus"', '"le-af"'), ["Leaf", "le-af", "remove"]),
        (SMALL.replace('"leaf plus"', '"--"'), ["Leaf", "--", "letter"]),
        (SMALL.replace("electric = true", "eletric = true"), ["Nissan", "Leaf", "eletric", "spelling"]),
        (SMALL.replace("electric = true", 'electric = "yes"'), ["Nissan", "Leaf", "electric", "yes"]),
        (SMALL.replace('class = "compact", ', ""), ["Nissan", "Leaf", "class", "add"]),
        (SMALL.replace('name = "Nissan"\n', ""), ["make", "row 1", "name", "add"]),
        ("classes = [", ["TOML", "line"]),
        ("classes = []\nmake = []", ["classes"]),
    ],
)
def test_a_wrong_file_is_refused_with_its_place_and_remedy(
    tmp_path: Path, fault: str, names: list[str]
) -> None:
    """Whoever edits the file learns from the message alone what to correct."""
    path = tmp_path / "vehicles.toml"
    path.write_text(fault, encoding="utf-8")

    with pytest.raises(ConfigError) as caught:
        Vehicles.load(path)

    assert all(name in str(caught.value) for name in (str(path), *names))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """A wrong path in the settings is found at start-up."""
    with pytest.raises(ConfigError, match=r"nowhere\.toml: cannot be read"):
        Vehicles.load(tmp_path / "nowhere.toml")


@given(st.text(max_size=80), st.text(max_size=80))
def test_any_words_are_a_vehicle_or_none(make: str, model: str) -> None:
    """Whatever a model or a customer sends as a make, the tool answers."""
    found = VEHICLES.find(make, model)

    assert found is None or found.make in VEHICLES.makes


@given(st.text(max_size=60))
def test_mentions_stand_in_order_and_apart(text: str) -> None:
    """The slot reader blanks each mention: they may not overlap."""
    mentions = VEHICLES.mentions(fold(f"chevy {text} leaf 3"))

    assert all(before.end <= after.start for before, after in pairwise(mentions))
