"""Prices from a company's service: asked by the contract, believed only when they can be right."""

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from errors import ToolError
from events import JsonObject, Quote
from knowledge.vehicles import Vehicles
from remote import Service
from settings import ROOT
from store.records import StoredRecords, call_key
from tests.company import Answer, Company, Fault
from tests.company.contract import quote_contract
from tests.company.faults import acts_and_hangs, drops, fails, lies, says, twice, twice_in_one
from tests.company.quotes import price
from tests.tools.places import context, records_in
from tools.quote import FIELD_OF_CODE, quote_tool
from tools.quote_service import ServicePrices, _Priced
from tools.registry import ToolOutcome

VEHICLES = Vehicles.load(ROOT / "knowledge" / "vehicles.toml")
LEAF = {"make": "nissan", "model": "leaf", "year": 2022, "mileage": 30_000, "driver_age": 40}
KEY = call_key("conv", "turn", "get_quote", LEAF)
TOKEN = "a token of the tests"


@pytest.fixture
async def company() -> AsyncIterator[Company]:
    """A quote service that works until a test says otherwise."""
    async with Company(price, TOKEN) as company:
        yield company


@pytest.fixture
async def records(tmp_path: Path) -> AsyncIterator[StoredRecords]:
    """Real records on a file of the test's own."""
    async with records_in(tmp_path) as stored:
        yield stored


class _Desk:
    """The tool over the service, called under one key."""

    def __init__(self, company: Company, records: StoredRecords, deadline_s: float = 30) -> None:
        self._company = company
        self._deadline_s = deadline_s
        self._records = records
        self.noted: list[str] = []

    async def price(self, **changes: object) -> ToolOutcome:
        details = {**LEAF, **changes}
        key = call_key("conv", "turn", "get_quote", details)
        called = replace(context(self._records, key), note=self.noted.append)
        async with Service("quotes", self._company.url, TOKEN, self._deadline_s) as service:
            return await quote_tool(ServicePrices(service, VEHICLES)).call(called, details)

    async def refused(self, **changes: object) -> ToolError:
        with pytest.raises(ToolError) as caught:
            await self.price(**changes)
        return caught.value

    async def stored(self) -> tuple[Quote, ...]:
        return await self._records.quotes_of("conv")


async def test_a_price_of_the_service_is_the_customers_quote(
    company: Company, records: StoredRecords
) -> None:
    """The company's own price would not be what its customers are told."""
    desk = _Desk(company, records)

    outcome = await desk.price()

    (quote,) = await desk.stored()
    assert (quote.monthly_premium_usd, quote.make, quote.model) == (Decimal("84.50"), "Nissan", "Leaf")
    assert outcome.values["quote_id"] == quote.quote_id == company.calls[0].json["quote_id"]
    assert outcome.values["monthly_premium_usd"] == "84.50"
    assert "84.50 US dollars per month" in outcome.text
    assert desk.noted == []


async def test_we_ask_and_are_answered_by_the_contract(company: Company, records: StoredRecords) -> None:
    """A company would build its service by a document that is wrong."""
    desk = _Desk(company, records)
    await desk.price()
    await desk.refused(year=1980)
    await desk.price(make="Zorglub", model="Zörg 3", year=2000)

    for call in company.calls:
        quote_contract().check(call, price(call))
        assert call.key is not None
    assert [call.json["make"] for call in company.calls] == ["Nissan", "Nissan", "Zorglub"]


def test_the_contract_knows_every_refusal_and_every_detail() -> None:
    """A company would not learn which refusals the desk has words for."""
    schemas = quote_contract().document["components"]["schemas"]
    refusal = schemas["Refusal"]["properties"]["error"]["properties"]
    arguments = quote_tool(ServicePrices(Service("q", "http://q", None), VEHICLES)).schema["properties"]

    assert refusal["code"]["examples"] == list(FIELD_OF_CODE)
    assert set(refusal["field"]["enum"]) == set(arguments)
    assert set(schemas["Question"]["properties"]) == {*arguments, "quote_id"}
    assert set(schemas["Quote"]["required"]) == set(_Priced.model_fields)


@pytest.mark.parametrize("premium", ["84.50", 84.5, "84.5", 84, "10000", 0.01, "0084.50"])
async def test_a_price_may_be_text_or_a_number(
    premium: object, company: Company, records: StoredRecords
) -> None:
    """A service that writes its prices as numbers would sell nothing."""
    company.faults.append(lies(lambda body: {**body, "monthly_premium": premium}))
    desk = _Desk(company, records)

    outcome = await desk.price()

    assert Decimal(outcome.values["monthly_premium_usd"]) == Decimal(str(premium))
    assert outcome.values["monthly_premium_usd"][-3] == "."


def _change(**changes: object) -> Callable[[JsonObject], JsonObject]:
    return lambda body: {**body, **changes}


@pytest.mark.parametrize(
    "lie",
    [
        _change(monthly_premium=float("nan")),
        _change(monthly_premium="NaN"),
        _change(monthly_premium=float("inf")),
        _change(monthly_premium="-Infinity"),
        _change(monthly_premium="-84.50"),
        _change(monthly_premium=0),
        _change(monthly_premium=-1),
        _change(monthly_premium="10000.01"),
        _change(monthly_premium=10**9),
        _change(monthly_premium="1e-3"),
        _change(monthly_premium="84.505"),
        _change(monthly_premium=84.30000000000001),
        _change(monthly_premium="84,50"),
        _change(monthly_premium="$84.50"),
        _change(monthly_premium="84.50 dollars"),
        _change(monthly_premium=True),
        _change(monthly_premium=None),
        _change(monthly_premium=["84.50"]),
        _change(currency="EUR"),
        _change(currency="usd"),
        _change(currency=None),
        _change(quote_id="Q-222222222"),
        _change(make="Tesla"),
        _change(model="Ariya"),
        _change(year=2021),
        _change(mileage=3_000),
        _change(driver_age=41),
        _change(driver_age="forty"),
        _change(valid_until="2020-01-01"),
        _change(valid_until="2026-11-21"),  # the day before the tests' own
        _change(valid_until="2026-02-30"),
        _change(valid_until="for ever"),
        lambda body: {name: value for name, value in body.items() if name != "currency"},
        lambda body: {name: value for name, value in body.items() if name != "valid_until"},
        lambda _: {},
        lambda body: {"quote": body},
    ],
)
async def test_what_cannot_be_right_is_no_price(
    lie: Callable[[JsonObject], JsonObject], company: Company, records: StoredRecords
) -> None:
    """A customer would be promised a price that the company never meant."""
    company.always = lies(lie)
    desk = _Desk(company, records)

    refused = await desk.refused()

    assert (refused.code, refused.field) == ("tool_result_invalid", None)
    assert "84" not in str(refused)
    assert len(company.calls) == 1
    assert await desk.stored() == ()


async def test_capitals_are_not_a_lie(company: Company, records: StoredRecords) -> None:
    """A service that writes NISSAN in capitals would sell nothing."""
    company.faults.append(lies(_change(make="NISSAN", model="LEAF")))
    desk = _Desk(company, records)

    assert (await desk.price()).values["make"] == "Nissan"


async def test_the_last_day_is_not_past(company: Company, records: StoredRecords) -> None:
    """A price that holds until tonight would be kept from a customer."""
    company.faults.append(lies(_change(valid_until="2026-11-22")))
    desk = _Desk(company, records)

    assert (await desk.price()).values["valid_until"] == "22 de noviembre de 2026"


@pytest.mark.parametrize(
    ("refusal", "told"),
    [
        (
            Answer.refusal("vehicle_too_old", field="year", limit="1996"),
            ("vehicle_too_old", "year", "1996"),
        ),
        (
            Answer.refusal("unknown_model", 400, field="model", limit="Leaf"),
            ("unknown_model", "model", "Leaf"),
        ),
        (Answer.refusal("state_not_served", field="make"), ("state_not_served", "make", "")),
    ],
)
async def test_what_is_not_insured_is_refused_by_its_detail(
    refusal: Answer, told: tuple[str, str, str], company: Company, records: StoredRecords
) -> None:
    """The customer would hear that prices cannot be had, and try again with the same old car."""
    company.always = says(refusal)

    refused = await _Desk(company, records).refused()

    assert (refused.code, refused.field, refused.limit) == told
    assert told[0] in str(refused)
    assert told[2] in str(refused)


@pytest.mark.parametrize(
    "refusal",
    [
        Answer.refusal("unauthorized", 401),
        Answer.refusal("vehicle_too_old", field="wheels"),
        Answer.refusal("vehicle_too_old"),
        Answer(422, b"no"),
        Answer(404, b""),
        Answer.refusal("key_reused", 409),
    ],
)
async def test_a_refusal_of_no_detail_is_a_failure(
    refusal: Answer, company: Company, records: StoredRecords
) -> None:
    """A wrong token would be told to customers as if their car were not insured."""
    company.always = says(refusal)

    refused = await _Desk(company, records).refused()

    assert (refused.code, refused.field) == ("tool_error", None)


@pytest.mark.parametrize("fault", [fails(500), fails(429), drops(), drops("close")])
async def test_a_lost_answer_is_asked_for_again_and_is_one_quote(
    fault: Fault, company: Company, records: StoredRecords
) -> None:
    """A customer would have two quotes of one wish, or none because of one lost packet."""
    company.faults.append(fault)
    desk = _Desk(company, records)

    await desk.price()

    assert company.keys == [KEY, KEY]
    assert company.effects == {KEY: 1}
    assert desk.noted == ["tool_retry_same_key"]
    assert len(await desk.stored()) == 1


@pytest.mark.parametrize(
    ("fault", "code", "calls"),
    [(fails(500), "tool_error", 2), (drops(), "tool_error", 2), (acts_and_hangs, "tool_timeout", 1)],
)
async def test_a_service_that_fails_has_no_price(
    fault: Fault, code: str, calls: int, company: Company, records: StoredRecords
) -> None:
    """A customer would be told something else than that there is no price."""
    company.always = fault
    desk = _Desk(company, records, 2.0 if code == "tool_timeout" else 30)

    refused = await desk.refused()

    assert (refused.code, refused.field, len(company.calls)) == (code, None, calls)
    assert "Name no price" in str(refused)
    assert await desk.stored() == ()


async def test_two_answers_are_one_quote(company: Company, records: StoredRecords) -> None:
    """A service that answers twice would sell the same insurance twice, or to the next customer."""
    company.faults += [twice, twice_in_one]
    desk = _Desk(company, records)

    await desk.price()
    refused = await desk.refused()
    await desk.price()

    assert refused.code == "tool_result_invalid"
    assert len(await desk.stored()) == 1
    assert company.effects == {KEY: 1}
