"""The quote tool: the only source of a price."""

import re
from datetime import timedelta
from typing import Annotated, Protocol

from pydantic import Field

from errors import ToolError
from events import Quote, QuoteGiven
from knowledge.dates import long_date
from knowledge.tariff import NotInsurable, Tariff, find_vehicle, monthly_premium
from knowledge.vehicles import Vehicles
from tools.registry import Tool, ToolContext, ToolOutcome, tool

FIELD_OF_CODE = {
    "vehicle_too_old": "year",
    "year_in_future": "year",
    "driver_too_young": "driver_age",
    "driver_too_old": "driver_age",
    "mileage_out_of_range": "mileage",
    "unknown_make": "make",
    "unknown_model": "model",
}
_NOT_IN_A_NAME = re.compile(r"[^\w .&'/+-]+")
_LONGEST_NAME = 40
VALUES = ("monthly_premium_usd", "quote_id", "valid_until", "limit")


class Prices(Protocol):
    """Whatever knows prices (the built-in tariff, or a company's quote service)."""

    async def quote(
        self, context: ToolContext, make: str, model: str, year: int, mileage: int, driver_age: int
    ) -> Quote:
        """A quote for these details.

        Raises:
            ToolError: Not insurable, a detail is wrong, or no price can be had now.
        """
        ...


class TariffPrices:
    """Prices from the rating table in the company's knowledge folder."""

    def __init__(self, tariff: Tariff, vehicles: Vehicles) -> None:
        self._tariff = tariff
        self._vehicles = vehicles

    async def quote(
        self, context: ToolContext, make: str, model: str, year: int, mileage: int, driver_age: int
    ) -> Quote:
        """A quote for these details; the same details on the same day give the same price."""
        today = context.now.date()
        try:
            vehicle = find_vehicle(self._vehicles, make, model)
            premium = monthly_premium(self._tariff, vehicle, year, mileage, driver_age, today)
        except NotInsurable as exc:
            raise ToolError(str(exc), code=exc.code, field=FIELD_OF_CODE[exc.code], limit=exc.limit) from exc
        return Quote(
            quote_id="",
            make=vehicle.make,
            model=vehicle.model,
            year=year,
            mileage=mileage,
            driver_age=driver_age,
            monthly_premium_usd=premium,
            valid_until=today + timedelta(days=self._tariff.valid_days),
        )


def quote_values(quote: Quote, language: str) -> dict[str, str]:
    """The quote as values for reply templates, written as people of this language write them."""
    values = {name: str(value) for name, value in quote.model_dump(mode="json").items()}
    shown = {"mileage": f"{quote.mileage:,}", "valid_until": long_date(quote.valid_until, language)}
    return {**values, **shown}


def in_words(quote: Quote) -> str:
    """The quote as a model reads it, with what twelve months come to, so that nobody has to multiply."""
    return (
        f"{quote.quote_id}: {quote.year} {plain_name(quote.make)} {plain_name(quote.model)}, {quote.mileage} miles, driver aged {quote.driver_age}: "
        f"{quote.monthly_premium_usd} US dollars per month, {quote.monthly_premium_usd * 12} US dollars per year, "
        f"valid until {quote.valid_until}"
    )


def plain_name(value: str | int) -> str:
    """A detail as an operator's note may hold it: a name, never a sentence that could pass for the operator's.

    It may come from a company's service, or from a model that was told what to write.
    """
    return _NOT_IN_A_NAME.sub(" ", str(value))[:_LONGEST_NAME].strip()


def quote_tool(prices: Prices) -> Tool:
    """The tool over this source of prices."""

    @tool(effect="write", lead="form", values=VALUES, names_prices=True)
    async def get_quote(
        context: ToolContext,
        make: Annotated[
            str, Field(description="Manufacturer, for example Nissan.", min_length=1, max_length=60)
        ],
        model: Annotated[
            str, Field(description="Model without the year, for example Leaf.", min_length=1, max_length=60)
        ],
        year: Annotated[int, Field(description="Model year, four digits.", ge=1900, le=2200)],
        mileage: Annotated[
            int, Field(description="Miles on the odometer. Convert kilometres first.", ge=0, le=9_999_999)
        ],
        driver_age: Annotated[int, Field(description="Age of the main driver in full years.", ge=0, le=150)],
    ) -> ToolOutcome:
        """Price the insurance of one vehicle and store the quote; returns the monthly premium in US dollars.

        Call it as soon as all five details are known from the customer's own words, and again whenever the
        customer changes one of them. Never guess a detail: ask for it. This tool is the only source of a price;
        no other price may be mentioned. The result has a quote number and the date until which it is valid.
        If it refuses, the text says which detail is wrong and what to ask.
        """
        drafted = await prices.quote(context, make, model, year, mileage, driver_age)
        quote = await context.records.save_quote(
            context.key, context.conversation_id, context.turn_id, drafted
        )
        values = quote_values(quote, context.language)
        return ToolOutcome(f"Quote {in_words(quote)}.", values=values, deeds=(QuoteGiven(quote=quote),))

    return get_quote
