"""Rate a vehicle and its driver: the monthly premium, or the reason why there is none.

Why: a price is a promise. It comes from one documented table (tariff.toml), in decimal arithmetic, and the same facts
give the same cents everywhere. Another company replaces the table; its figures appear nowhere in Python.
Life: loaded once at start-up, frozen, shared by all threads.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from difflib import get_close_matches
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from errors import ConfigError
from knowledge.tables import read_table
from knowledge.vehicles import Vehicle, Vehicles

Refusal = Literal[
    "vehicle_too_old",
    "year_in_future",
    "driver_too_young",
    "driver_too_old",
    "mileage_out_of_range",
    "unknown_make",
    "unknown_model",
]
_Number = Annotated[int, Field(strict=True, ge=0)]
_Amount = Annotated[Decimal, Field(gt=0, le=10_000, max_digits=12)]
_CENT = Decimal("0.01")
_DIGITS = 50  # enough for the product of all factors without rounding in between
_MODELS_SHOWN = 12


class NotInsurable(Exception):
    """The tariff has no price for these facts. The message tells a model what is wrong and what to ask the customer.

    Attributes:
        code: The reason.
        limit: The limit that was crossed, as a person would write it ("16", "1996"), or "".
    """

    def __init__(self, code: Refusal, message: str, *, limit: str = "") -> None:
        super().__init__(message)
        self.code: Refusal = code
        self.limit = limit


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Band(_Row):
    """Factor for every value from `least` to `most`, both included."""

    least: _Number
    most: _Number
    factor: _Amount


class Limits(_Row):
    """What the tariff rates at all: ages in full years, mileage in miles."""

    oldest_vehicle_years: _Number
    years_ahead: _Number
    youngest_driver: _Number
    oldest_driver: _Number
    highest_mileage: _Number


class Electric(_Row):
    """What an electric vehicle costs more."""

    factor: _Amount


class Tariff(_Row):
    """The rating table of one tariff file. Amounts are US dollars a month."""

    currency: Literal["USD"]
    valid_days: Annotated[int, Field(strict=True, ge=1, le=366)]
    minimum_premium: _Amount
    limits: Limits
    base: Mapping[str, _Amount]
    electric: Electric
    vehicle_age: Sequence[Band]
    mileage: Sequence[Band]
    driver_age: Sequence[Band]

    @classmethod
    def load(cls, path: Path) -> Self:
        """Tariff of a file.

        Raises:
            ConfigError: A key is unknown, missing or out of range, or bands leave a gap, overlap or do not cover the
                limits. The text names the file, the table, the key and the remedy.
        """
        tariff = read_table(path, cls)
        limits = tariff.limits
        _check_bands(tariff.vehicle_age, 0, limits.oldest_vehicle_years, f"{path}: [[vehicle_age]]")
        _check_bands(tariff.mileage, 0, limits.highest_mileage, f"{path}: [[mileage]]")
        _check_bands(
            tariff.driver_age, limits.youngest_driver, limits.oldest_driver, f"{path}: [[driver_age]]"
        )
        return tariff

    def check_rates(self, vehicles: Vehicles) -> None:
        """Make sure that every class of the vehicles has a base premium.

        Raises:
            ConfigError: A class has none.
        """
        if missing := [name for name in vehicles.classes if name not in self.base]:
            raise ConfigError(
                f"tariff, table [base]: no premium for {', '.join(missing)}; add one line for each class"
            )


def find_vehicle(vehicles: Vehicles, make: str, model: str) -> Vehicle:
    """The vehicle that a customer's words mean.

    Raises:
        NotInsurable: unknown_make or unknown_model.
    """
    if (vehicle := vehicles.find(make, model)) is not None:
        return vehicle
    if (name := vehicles.find_make(make)) is None:
        close = get_close_matches(make.title(), vehicles.makes, n=3)
        hint = f" Close names: {', '.join(close)}." if close else ""
        raise NotInsurable(
            "unknown_make",
            f'The make "{make}" is not in the tariff.{hint} Ask the customer which make the vehicle is.',
        )
    models = vehicles.models_of(name)
    shown = get_close_matches(model, models, n=_MODELS_SHOWN, cutoff=0.3) or models[:_MODELS_SHOWN]
    raise NotInsurable(
        "unknown_model",
        f'{name} has no model "{model}" in the tariff. Ask the customer for the model; some that are known: {", ".join(shown)}.',
    )


def monthly_premium(
    tariff: Tariff, vehicle: Vehicle, year: int, mileage: int, driver_age_years: int, today: date
) -> Decimal:
    """Monthly premium in US dollars, rounded half-even to cents.

    Args:
        tariff: The rating table.
        vehicle: As `find_vehicle` gives it.
        year: Model year; from 30 years ago to next year under the shipped tariff.
        mileage: Miles on the odometer, 0 to 400,000.
        driver_age_years: Full years, 16 to 110.
        today: The day of the quote.

    Raises:
        NotInsurable: A value is outside the limits of the tariff.
        ConfigError: The vehicle's class has no base premium (`Tariff.check_rates` finds this at start-up).
    Source: knowledge/tariff.toml.
    """
    _check_limits(tariff.limits, year, mileage, driver_age_years, today)
    if (base := tariff.base.get(vehicle.vehicle_class)) is None:
        raise ConfigError(f'tariff, table [base]: no premium for class "{vehicle.vehicle_class}"; add it')
    with localcontext(prec=_DIGITS):
        premium = base * (tariff.electric.factor if vehicle.electric else 1)
        premium *= _factor(tariff.vehicle_age, max(0, today.year - year))
        premium *= _factor(tariff.mileage, mileage)
        premium *= _factor(tariff.driver_age, driver_age_years)
        return max(premium, tariff.minimum_premium).quantize(_CENT, rounding=ROUND_HALF_EVEN)


def _check_limits(limits: Limits, year: int, mileage: int, driver_age_years: int, today: date) -> None:
    oldest, newest = today.year - limits.oldest_vehicle_years, today.year + limits.years_ahead
    if year < oldest:
        raise NotInsurable(
            "vehicle_too_old",
            f"Model year {year} is too old: vehicles from {oldest} on are insured. Ask whether the year is right.",
            limit=str(oldest),
        )
    if year > newest:
        raise NotInsurable(
            "year_in_future",
            f"Model year {year} lies in the future: {newest} is the newest. Ask the customer for the right year.",
            limit=str(newest),
        )
    if driver_age_years < limits.youngest_driver:
        raise NotInsurable(
            "driver_too_young",
            f"A driver of {driver_age_years} is too young: drivers from {limits.youngest_driver} on are insured. "
            "Ask whether the age is right, or who else is the main driver.",
            limit=str(limits.youngest_driver),
        )
    if driver_age_years > limits.oldest_driver:
        raise NotInsurable(
            "driver_too_old",
            f"A driver's age of {driver_age_years} is above {limits.oldest_driver}. Ask for the age in years.",
            limit=str(limits.oldest_driver),
        )
    if not 0 <= mileage <= limits.highest_mileage:
        raise NotInsurable(
            "mileage_out_of_range",
            f"A mileage of {mileage} is outside 0 to {limits.highest_mileage} miles. Ask what the odometer shows, in miles.",
            limit=f"{limits.highest_mileage:,}",
        )


def _check_bands(bands: Sequence[Band], least: int, most: int, place: str) -> None:
    """Refuse bands that do not cover least to most, each value once."""
    if not bands:
        raise ConfigError(f"{place}: there is no band; add one with least = {least} and most = {most}")
    if bands[0].least != least:
        raise ConfigError(f"{place}: key least of the first band is {bands[0].least}; it must be {least}")
    for band in bands:
        if band.most < band.least:
            raise ConfigError(
                f"{place}: key most = {band.most} is below least = {band.least}; swap or correct them"
            )
    for before, band in pairwise(bands):
        if band.least != before.most + 1:
            fault = "gap" if band.least > before.most else "overlap"
            raise ConfigError(
                f"{place}: {fault} between most = {before.most} and least = {band.least}; "
                f"the next band must have least = {before.most + 1}"
            )
    if bands[-1].most != most:
        raise ConfigError(
            f"{place}: key most of the last band is {bands[-1].most}; it must be {most}, as in [limits]"
        )


def _factor(bands: Sequence[Band], value: int) -> Decimal:
    return next(band.factor for band in bands if band.least <= value <= band.most)
