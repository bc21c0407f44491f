"""The quote tool is the only source of a price, and gives each price once."""

from collections.abc import AsyncIterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import get_args

import pytest

from errors import ToolError
from events import QuoteGiven
from knowledge.tariff import Refusal, Tariff
from knowledge.vehicles import Vehicles
from settings import ROOT
from store.records import StoredRecords
from tests.tools.places import context, records_in
from tools.quote import FIELD_OF_CODE, TariffPrices, quote_tool

VEHICLES = Vehicles.load(ROOT / "knowledge" / "vehicles.toml")
TARIFF = Tariff.load(ROOT / "knowledge" / "tariff.toml")
TOOL = quote_tool(TariffPrices(TARIFF, VEHICLES))
LEAF = {"make": "Nissan", "model": "Leaf", "year": 2022, "mileage": 30000, "driver_age": 40}


@pytest.fixture
async def records(tmp_path: Path) -> AsyncIterator[StoredRecords]:
    """Real records on a file of the test's own."""
    async with records_in(tmp_path) as stored:
        yield stored


async def test_a_price_comes_with_all_that_a_customer_needs(records: StoredRecords) -> None:
    """A price without a number or a date could not be taken up."""
    outcome = await TOOL.call(context(records), LEAF)

    (event,) = outcome.deeds
    assert isinstance(event, QuoteGiven)
    quote = event.quote
    assert quote.quote_id.startswith("Q-")
    assert (quote.make, quote.model, quote.year) == ("Nissan", "Leaf", 2022)
    assert quote.monthly_premium_usd > 0
    assert quote.monthly_premium_usd == quote.monthly_premium_usd.quantize(Decimal("0.01"))
    assert quote.valid_until == date(2026, 12, 22)
    assert set(TOOL.values) - {"limit"} <= set(outcome.values)
    assert outcome.values["mileage"] == "30,000"
    assert f"{quote.monthly_premium_usd} US dollars per month" in outcome.text
    assert f"{12 * quote.monthly_premium_usd} US dollars per year" in outcome.text


async def test_a_retry_gives_the_first_quote(records: StoredRecords) -> None:
    """A turn that is run again after a crash would store the same quote twice."""
    first = await TOOL.call(context(records), LEAF)
    again = await TOOL.call(context(records), LEAF)
    other = await TOOL.call(context(records, key="k2"), LEAF)

    assert first.values["quote_id"] == again.values["quote_id"] != other.values["quote_id"]
    assert len(await records.quotes_of("conv")) == 2


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"year": 1960}, "vehicle_too_old", "year"),
        ({"year": 2040}, "year_in_future", "year"),
        ({"driver_age": 12}, "driver_too_young", "driver_age"),
        ({"driver_age": 140}, "driver_too_old", "driver_age"),
        ({"mileage": 9_000_000}, "mileage_out_of_range", "mileage"),
        ({"make": "Zorglub"}, "unknown_make", "make"),
        ({"model": "Zorglub"}, "unknown_model", "model"),
    ],
)
async def test_a_refusal_says_which_detail_is_wrong(
    change: dict[str, object], code: str, field: str, records: StoredRecords
) -> None:
    """The customer would be asked for all five details again, and no price may be guessed."""
    with pytest.raises(ToolError) as refused:
        await TOOL.call(context(records), {**LEAF, **change})

    assert (refused.value.code, refused.value.field) == (code, field)
    assert await records.quotes_of("conv") == ()


def test_every_refusal_of_the_tariff_has_its_detail() -> None:
    """A new rule of the tariff would end turns with an error instead of a question."""
    assert set(FIELD_OF_CODE) == set(get_args(Refusal))
    assert set(FIELD_OF_CODE.values()) == set(TOOL.slots)
