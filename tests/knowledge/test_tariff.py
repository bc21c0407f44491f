"""A premium follows the table to the cent, and a wrong table is refused."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from errors import ConfigError
from knowledge.tariff import NotInsurable, Tariff, find_vehicle, monthly_premium
from knowledge.vehicles import Vehicle, Vehicles

KNOWLEDGE = Path(__file__).parents[2] / "knowledge"
TARIFF = Tariff.load(KNOWLEDGE / "tariff.toml")
VEHICLES = Vehicles.load(KNOWLEDGE / "vehicles.toml")
TODAY = date(2026, 3, 1)
LEAF = Vehicle("Nissan", "Leaf", "compact", electric=True)
SMALL = """
currency = "USD"
valid_days = 30
minimum_premium = 45.00
limits = { oldest_vehicle_years = 30, years_ahead = 1, youngest_driver = 16, oldest_driver = 110, highest_mileage = 400000 }
base = { compact = 100.00 }
electric = { factor = 1.10 }
vehicle_age = [{ least = 0, most = 9, factor = 1 }, { least = 10, most = 30, factor = 0.5 }]
mileage = [{ least = 0, most = 400000, factor = 1.0 }]
driver_age = [{ least = 16, most = 24, factor = 2.0 }, { least = 25, most = 110, factor = 1.0 }]
"""

years = st.integers(1996, 2027)
mileages = st.integers(0, 400_000)
ages = st.integers(16, 110)
vehicles = st.builds(Vehicle, st.just("A"), st.just("B"), st.sampled_from(VEHICLES.classes), st.booleans())


def small(tmp_path: Path, old: str = "", new: str = "") -> Path:
    """A small tariff file with one thing changed."""
    path = tmp_path / "tariff.toml"
    path.write_text(SMALL.replace(old, new) if old else SMALL, encoding="utf-8")
    return path


@given(vehicles, years, mileages, ages)
def test_everything_within_the_limits_has_one_price_in_cents(
    vehicle: Vehicle, year: int, mileage: int, age: int
) -> None:
    """No customer within the limits goes without a price, and asking twice gives the same."""
    premium = monthly_premium(TARIFF, vehicle, year, mileage, age, TODAY)

    assert premium == monthly_premium(TARIFF, vehicle, year, mileage, age, TODAY)
    assert premium.as_tuple().exponent == -2
    assert TARIFF.minimum_premium <= premium <= 450


def test_a_premium_is_the_product_of_the_table(tmp_path: Path) -> None:
    """What the table says is what the customer pays."""
    tariff = Tariff.load(small(tmp_path))

    assert monthly_premium(tariff, LEAF, 2022, 12_000, 34, TODAY) == Decimal("110.00")
    assert monthly_premium(tariff, LEAF, 2016, 12_000, 20, TODAY) == Decimal("110.00")
    assert monthly_premium(tariff, LEAF, 2027, 0, 16, TODAY) == Decimal("220.00")


def test_the_demo_price_stays_what_it_was() -> None:
    """The price that the documentation and the evals quote changes only on purpose."""
    assert monthly_premium(TARIFF, LEAF, 2022, 12_000, 34, TODAY) == Decimal("95.04")


@pytest.mark.parametrize(
    ("base", "expected"), [("100.005", "100.00"), ("100.015", "100.02"), ("1.00", "45.00")]
)
def test_a_premium_is_rounded_half_even_and_not_below_the_minimum(
    tmp_path: Path, base: str, expected: str
) -> None:
    """Half a cent does not always go to Acme."""
    tariff = Tariff.load(small(tmp_path, "100.00", base))
    car = Vehicle("A", "B", "compact", electric=False)

    assert monthly_premium(tariff, car, 2022, 12_000, 34, TODAY) == Decimal(expected)


@pytest.mark.parametrize(
    ("year", "mileage", "age", "code", "limit"),
    [
        (1995, 0, 40, "vehicle_too_old", "1996"),
        (2028, 0, 40, "year_in_future", "2027"),
        (2020, 0, 15, "driver_too_young", "16"),
        (2020, 0, 111, "driver_too_old", "110"),
        (2020, 400_001, 40, "mileage_out_of_range", "400,000"),
        (2020, -1, 40, "mileage_out_of_range", "400,000"),
    ],
)
def test_a_value_outside_the_limits_is_refused_with_the_limit(
    year: int, mileage: int, age: int, code: str, limit: str
) -> None:
    """The customer hears which detail is the matter and where the limit is."""
    with pytest.raises(NotInsurable) as caught:
        monthly_premium(TARIFF, LEAF, year, mileage, age, TODAY)

    assert (caught.value.code, caught.value.limit) == (code, limit)
    assert limit.replace(",", "") in str(caught.value)
    assert "Ask" in str(caught.value)


@pytest.mark.parametrize(("year", "age"), [(1996, 16), (2027, 110)])
def test_the_limits_themselves_are_insured(year: int, age: int) -> None:
    """A sixteen-year-old gets a price."""
    assert monthly_premium(TARIFF, LEAF, year, 400_000, age, TODAY) > 0


@pytest.mark.parametrize(
    ("make", "model", "code", "hint"),
    [
        ("Nisann Motors Co", "Leaf", None, ""),
        ("Lada", "Niva", "unknown_make", "Lada"),
        ("", "Leaf", "unknown_make", "which make"),
        ("Nissan", "Pathfind", "unknown_model", "Pathfinder"),
        ("Nissan", "??", "unknown_model", "350Z"),
    ],
)
def test_an_unknown_vehicle_asks_back_with_names_that_are_known(
    make: str, model: str, code: str | None, hint: str
) -> None:
    """The customer is asked again with a choice, and never priced as another car."""
    if code is None:
        assert find_vehicle(VEHICLES, make, model) == LEAF
        return
    with pytest.raises(NotInsurable) as caught:
        find_vehicle(VEHICLES, make, model)

    assert caught.value.code == code
    assert caught.value.limit == ""
    assert hint in str(caught.value)


def test_every_class_of_the_shipped_vehicles_has_a_base() -> None:
    """No known vehicle fails at the moment of the price."""
    TARIFF.check_rates(VEHICLES)

    assert set(TARIFF.base) == set(VEHICLES.classes)


def test_a_class_without_a_base_stops_the_start(tmp_path: Path) -> None:
    """A new class in the vehicles file is noticed before a customer asks for it."""
    tariff = Tariff.load(small(tmp_path))

    with pytest.raises(ConfigError, match=r"\[base\].*small"):
        tariff.check_rates(VEHICLES)
    with pytest.raises(ConfigError, match=r"\[base\].*sport"):
        monthly_premium(tariff, Vehicle("A", "B", "sport", electric=False), 2020, 0, 40, TODAY)


@pytest.mark.parametrize(
    ("old", "new", "names"),
    [
        ("{ least = 10, most = 30", "{ least = 11, most = 30", ["[[vehicle_age]]", "gap", "least = 10"]),
        ("{ least = 10, most = 30", "{ least = 9, most = 30", ["[[vehicle_age]]", "overlap", "least = 10"]),
        ("least = 10, most = 30", "least = 10, most = 29", ["[[vehicle_age]]", "most", "30"]),
        ("least = 16, most = 24", "least = 17, most = 24", ["[[driver_age]]", "first", "16"]),
        ("least = 0, most = 400000", "least = 0, most = 300000", ["[[mileage]]", "last", "400000"]),
        ("least = 0, most = 9", "least = 0, most = -9", ["vehicle_age", "row 1", "most", "-9"]),
        ("least = 25, most = 110", "least = 25, most = 20", ["[[driver_age]]", "most = 20", "below"]),
        (
            "mileage = [{ least = 0, most = 400000, factor = 1.0 }]",
            "mileage = []",
            ["[[mileage]]", "no band", "add"],
        ),
        ('"USD"', '"EUR"', ["currency", "USD", "EUR"]),
        ("valid_days = 30", "valid_days = 0", ["valid_days"]),
        ("valid_days = 30", "valid_day = 30", ["valid_days", "add"]),
        ("minimum_premium = 45.00", "minimum_premium = nan", ["minimum_premium"]),
        ("minimum_premium = 45.00", "minimum_premium = true", ["minimum_premium"]),
        ("compact = 100.00", "compact = -1", ["base", "compact", "-1"]),
        ("factor = 1.10", "factor = 1.10, colour = 2", ["electric", "colour", "remove"]),
    ],
)
def test_a_wrong_table_is_refused_with_its_place_and_remedy(
    tmp_path: Path, old: str, new: str, names: list[str]
) -> None:
    """A gap between two bands never becomes a customer without a price."""
    path = small(tmp_path, old, new)

    with pytest.raises(ConfigError) as caught:
        Tariff.load(path)

    assert all(name in str(caught.value) for name in (str(path), *names))
