"""Acceptance: prices from a company's own service that is slow, down, lying, answering twice or dropping the line.

The whole server, a real HTTP service on loopback, the local engine and the simulated Claude, English and Spanish.
"""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import pytest
import pytest_asyncio

from knowledge.language import detect_language
from readers.routing_line import RoutingLine, fold_routing_line
from router.state import ConversationState, fold_state
from tests.company import Answer, Company, Fault
from tests.company.faults import drops, fails, halves, held, late, lies, says, twice
from tests.company.faults import twice_in_one as twice_in_one_body
from tests.company.quotes import price
from tests.faults.plugin import Figure, shows
from tests.model_like import ModelLike
from tests.processes import ServerProcess
from tests.serving import STREAM, Running, client_of, frames_of, local_settings, running, text_of
from tests.simulation import Simulation

pytestmark = pytest.mark.asyncio(loop_scope="module")
TOKEN = "a token of the quote service"
LEAF = {"make": "Nissan", "model": "Leaf", "year": 2022, "mileage": 30_000, "driver_age": 40}
ASKS = {
    "en": "How much to insure a 2022 Nissan Leaf with 30,000 miles? I'm 40.",
    "es": "¿Cuánto cuesta asegurar un Nissan Leaf 2022 con 30.000 millas? Tengo 40 años.",
}
OLD = {
    "en": "How much to insure a 1990 Nissan Leaf with 30,000 miles? I'm 40.",
    "es": "¿Cuánto cuesta asegurar un Nissan Leaf de 1990 con 30.000 millas? Tengo 40 años.",
}
WHAT_IF = {"en": "what if the driver is 25?", "es": "¿y si el conductor tiene 25 años?"}
AGAIN = {"en": "try again please", "es": "inténtalo otra vez"}
YES = {"en": "yes please", "es": "sí, por favor"}
LANGUAGES = tuple(ASKS)
LABELS = {
    **{
        text: ("quote", language)
        for says_so in (ASKS, OLD, WHAT_IF, AGAIN)
        for language, text in says_so.items()
    },
    **{text: ("escalate", language) for language, text in YES.items()},
}
NO_PRICE: dict[str, tuple[Fault, str, int]] = {
    "failing": (fails(500), "tool_error", 2),
    "too busy": (fails(429), "tool_error", 2),
    "busy for long": (fails(503, retry_after="60"), "tool_error", 1),
    "dropping the line": (drops(), "tool_error", 2),
    "breaking off": (halves(), "tool_error", 2),
    "closed to us": (says(Answer.refusal("unauthorized", 401)), "tool_error", 1),
    "talking": (says(Answer(200, b"84.50 dollars")), "tool_result_invalid", 1),
    "NaN": (lies(lambda body: {**body, "monthly_premium": float("nan")}), "tool_result_invalid", 1),
    "negative": (lies(lambda body: {**body, "monthly_premium": "-84.50"}), "tool_result_invalid", 1),
    "enormous": (lies(lambda body: {**body, "monthly_premium": 10**9}), "tool_result_invalid", 1),
    "in euros": (lies(lambda body: {**body, "currency": "EUR"}), "tool_result_invalid", 1),
    "about another car": (lies(lambda body: {**body, "year": 2012}), "tool_result_invalid", 1),
    "of yesterday": (lies(lambda body: {**body, "valid_until": "2020-01-01"}), "tool_result_invalid", 1),
    "twice in one body": (twice_in_one_body, "tool_result_invalid", 1),
}


@dataclass
class Customer:
    """Somebody who talks to the desk, in one conversation."""

    desk: "QuoteDesk"
    language: str
    client: httpx2.AsyncClient
    replies: list[dict[str, Any]] = field(default_factory=list)

    @property
    def conversation(self) -> dict[str, str]:
        """Says which conversation is meant; the first message begins one."""
        return {"conversation_id": self.replies[0]["conversation_id"]} if self.replies else {}

    async def say(self, says: dict[str, str]) -> dict[str, Any]:
        """The desk's reply to this message in their language."""
        message = {"message": says[self.language], "locale": self.language, **self.conversation}
        response = await self.client.post("/chat", json=message)
        assert response.status_code == 200, response.text
        self.replies.append(response.json())
        return self.replies[-1]

    async def lines(self) -> list[RoutingLine]:
        """The routing lines of the conversation."""
        turns = await self.desk.server.house.event_log.read_turns(self.conversation["conversation_id"], 50)
        return [fold_routing_line(turn, recorded) for turn, recorded in turns]

    async def state(self) -> ConversationState:
        """What the desk would begin the next turn with."""
        return fold_state(
            await self.desk.server.house.event_log.read_turns(self.conversation["conversation_id"], 50)
        )

    async def quotes(self) -> int:
        """How many quotes the desk has stored for them."""
        return len(await self.desk.server.house.records.quotes_of(self.conversation["conversation_id"]))

    def check_without_price(self, reply: dict[str, Any], why: str) -> None:
        """Honest, in their language, with an offer, and not a figure that could be a price."""
        text = reply["text"]
        assert "quote" not in reply, why
        assert detect_language(text) == self.language, (why, text)
        assert re.search(r"\d", text) is None, (why, text)
        offer = {"en": "call you", "es": "llame"}[self.language]
        assert offer in text, (why, text)
        assert (reply["intent"], reply["degraded"]) == ("quote", False), (why, reply)


@dataclass(frozen=True)
class QuoteDesk:
    """The running server, the company behind it, and customers."""

    server: Running
    company: Company
    engine: str
    stack: AsyncExitStack

    async def customer(self, language: str) -> Customer:
        """A new visitor."""
        return Customer(self, language, await self.stack.enter_async_context(client_of(self.server.url)))

    async def customers(self) -> list[Customer]:
        """One for each language."""
        return [await self.customer(language) for language in LANGUAGES]


async def _all_say(customers: list[Customer], says: dict[str, str]) -> list[dict[str, Any]]:
    """All say it at the same time."""
    async with asyncio.TaskGroup() as group:
        said = [group.create_task(customer.say(says)) for customer in customers]
    return [task.result() for task in said]


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["local", "claude"])
async def shared(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[QuoteDesk]:
    """The server with a quote service behind it, on each engine; these tests share it."""
    async with AsyncExitStack() as stack:
        company = await stack.enter_async_context(Company(price, TOKEN))
        keys: dict[str, object] = {"FRONTDESK_QUOTE_URL": company.url, "FRONTDESK_QUOTE_TOKEN": TOKEN}
        if request.param == "claude":
            simulation = await stack.enter_async_context(Simulation(ModelLike(LABELS)))
            keys |= {**simulation.environment, "FRONTDESK_ENGINE": "claude"}
        settings = local_settings(tmp_path_factory.mktemp("desk"), **keys)
        server = await stack.enter_async_context(running(settings))
        yield QuoteDesk(server, company, request.param, stack)


@pytest_asyncio.fixture(loop_scope="module")
async def desk(shared: QuoteDesk) -> QuoteDesk:
    """The same desk with a company that works and remembers nothing."""
    shared.company.forget()
    return shared


async def test_the_price_is_the_companys_own(desk: QuoteDesk) -> None:
    """Customers would be told a price of the demo tariff instead of their company's."""
    customers = await desk.customers()

    for customer, reply in zip(customers, await _all_say(customers, ASKS), strict=True):
        assert reply["quote"]["monthly_premium_usd"] == "84.50"
        assert "84.50" in reply["text"]
        assert reply["engine"] == desk.engine
        (line,) = await customer.lines()
        assert (line.faults, line.retries, line.outcome) == ((), 0, "answered")
        call = next(
            call for call in desk.company.calls if call.json["quote_id"] == reply["quote"]["quote_id"]
        )
        assert {name: call.json[name] for name in LEAF} == LEAF
    assert sum(desk.company.effects.values()) == len(customers)


@pytest.mark.parametrize(
    "why", [shows("T2" if code == "tool_error" else "T3", why) for why, (_, code, _) in NO_PRICE.items()]
)
async def test_a_service_that_fails_or_lies_has_no_price(why: str, desk: QuoteDesk) -> None:
    """T2 and T3: a customer would be told an invented price, or be asked for everything again."""
    fault, code, calls = NO_PRICE[why]
    desk.company.always = fault
    customers = await desk.customers()

    for customer, reply in zip(customers, await _all_say(customers, ASKS), strict=True):
        customer.check_without_price(reply, why)
        assert reply["engine"] == desk.engine
        (line,) = await customer.lines()
        assert line.faults == (*["tool_retry_same_key"] * (calls - 1), code)
        assert (line.retries, line.outcome) == (calls - 1, "answered")
        flow = (await customer.state()).flow
        assert flow is not None
        assert (flow.slots, flow.awaiting, flow.quoted) == (LEAF, None, False)
        assert await customer.quotes() == 0
    assert len(desk.company.calls) == calls * len(customers)

    desk.company.always = None
    for customer, reply in zip(customers, await _all_say(customers, AGAIN), strict=True):
        assert reply["quote"]["monthly_premium_usd"] == "84.50", (why, reply)
        assert (reply["intent"], reply["decided_by"]) == ("quote", "flow")
        assert await customer.quotes() == 1


@pytest.mark.fault("T2")
async def test_a_service_that_is_not_there_has_no_price(desk: QuoteDesk) -> None:
    """T2: a service that is being restarted would be told to customers as an error of ours."""
    await desk.company.down()
    customers = await desk.customers()
    for customer, reply in zip(customers, await _all_say(customers, ASKS), strict=True):
        customer.check_without_price(reply, "down")
        assert (await customer.lines())[0].faults == ("tool_retry_same_key", "tool_error")

    await desk.company.up()
    for reply in await _all_say(customers, AGAIN):
        assert reply["quote"]["monthly_premium_usd"] == "84.50"


@pytest.mark.fault("T1")
async def test_a_slow_service_has_a_price_and_one_that_never_answers_has_none(
    desk: QuoteDesk, figure: Figure
) -> None:
    """T1: a customer would wait for ever, or hear from basic mode because a tool was slow, or get a late price."""
    let_go = asyncio.Event()
    slow, in_vain = await desk.customers(), await desk.customers()
    desk.company.always = late(5.0)
    async with asyncio.TaskGroup() as group:
        for customer in slow:
            group.create_task(customer.say(ASKS))
        await desk.company.until(lambda: len(desk.company.calls) == len(slow))
        desk.company.always = held(let_go)
        for customer in in_vain:
            group.create_task(customer.say(ASKS))

    for customer in (*slow, *in_vain):
        reply = customer.replies[0]
        (line,) = await customer.lines()
        assert (reply["engine"], reply["degraded"], line.outcome) == (desk.engine, False, "answered")
        if customer in slow:
            assert (reply["quote"]["monthly_premium_usd"], line.faults) == ("84.50", ())
            continue
        customer.check_without_price(reply, "never")
        assert line.faults == ("tool_timeout",)
        assert line.total_ms is not None
        assert line.total_ms >= 8_000
        figure(f"given up after {line.total_ms / 1000:.1f} s")
    assert len(desk.company.calls) == len(slow) + len(in_vain)

    let_go.set()
    desk.company.always = None
    for customer, reply in zip(in_vain, await _all_say(in_vain, AGAIN), strict=True):
        asked = [call.json["quote_id"] for call in desk.company.calls[-len(in_vain) :]]
        assert reply["quote"]["quote_id"] in asked
        assert await customer.quotes() == 1


@pytest.mark.fault("T1")
async def test_a_yes_to_the_call_back_hands_over(desk: QuoteDesk) -> None:
    """T1: the offer would be empty words; a person must be told."""
    desk.company.always = fails(500)
    customers = await desk.customers()
    await _all_say(customers, ASKS)

    for customer, reply in zip(customers, await _all_say(customers, YES), strict=True):
        assert reply["intent"] == "escalate"
        assert reply["handoff"]["state"] == "waiting"
        assert (await customer.lines())[-1].outcome == "escalated"


async def test_a_what_if_that_fails_can_be_tried_again(desk: QuoteDesk) -> None:
    """The old price would be told as if it were that of the changed details."""
    customers = await desk.customers()
    await _all_say(customers, ASKS)
    desk.company.always = fails(500)
    for customer, reply in zip(customers, await _all_say(customers, WHAT_IF), strict=True):
        customer.check_without_price(reply, "what if")

    desk.company.always = None
    for customer, reply in zip(customers, await _all_say(customers, AGAIN), strict=True):
        assert reply["quote"]["monthly_premium_usd"] == "84.50"
        assert await customer.quotes() == 2
    assert {call.json["driver_age"] for call in desk.company.calls[-2:]} == {25}


async def test_a_refusal_of_the_service_asks_for_the_detail(desk: QuoteDesk) -> None:
    """A car that is too old would be told as a failure, and a call-back promised for nothing."""
    customers = await desk.customers()

    for customer, reply in zip(customers, await _all_say(customers, OLD), strict=True):
        assert "quote" not in reply
        assert "1996" in reply["text"]
        assert (await customer.lines())[0].faults == ()
        flow = (await customer.state()).flow
        assert flow is not None
        assert (flow.awaiting, "year" in flow.slots, flow.slots["model"]) == ("year", False, "Leaf")


@pytest.mark.fault("T4")
@pytest.mark.parametrize("fault", [drops(), drops("close"), halves()], ids=["reset", "closed", "half"])
async def test_an_answer_lost_after_the_effect_is_one_quote(fault: Fault, desk: QuoteDesk) -> None:
    """T4: one lost packet would make two quotes of one wish."""
    desk.company.faults += [fault]
    customer = await desk.customer("en")

    reply = await customer.say(ASKS)

    assert reply["quote"]["monthly_premium_usd"] == "84.50"
    first, second = desk.company.keys
    assert first == second
    assert list(desk.company.effects.values()) == [1]
    assert await customer.quotes() == 1
    (line,) = await customer.lines()
    assert (line.faults, line.retries) == (("tool_retry_same_key",), 1)


@pytest.mark.fault("T4")
async def test_a_service_that_answers_twice_makes_one_quote_each(desk: QuoteDesk) -> None:
    """The second answer would be the next customer's price."""
    desk.company.always = twice
    ann, bob = [await desk.customer("en") for _ in range(2)]

    first = await ann.say(ASKS)
    second = await bob.say(ASKS)

    assert first["quote"]["quote_id"] != second["quote"]["quote_id"]
    assert list(desk.company.effects.values()) == [1, 1]
    assert [await customer.quotes() for customer in (ann, bob)] == [1, 1]


@pytest.mark.fault("T1")
async def test_the_stream_shows_at_once_that_something_is_being_done(desk: QuoteDesk) -> None:
    """T1: for seconds a customer would not know whether anybody is there."""
    let_go = asyncio.Event()
    desk.company.always = held(let_go)
    body = {"message": ASKS["en"], "message_id": "m1"}
    client = desk.server.client

    async with client.stream("POST", "/chat", json=body, headers=STREAM) as response:
        frames = []
        async for frame in frames_of(response):
            frames.append(frame)
            if frame.type == "TOOL_CALL_START":
                await desk.company.until(lambda: desk.company.open_calls == 1)
                whole = asyncio.create_task(client.post("/chat", json=body))
                let_go.set()

    types = [frame.type for frame in frames]
    assert types.index("TOOL_CALL_START") < types.index("TOOL_CALL_END") < types.index("TEXT_MESSAGE_START")
    reply = (await whole).json()
    assert reply["text"] == text_of(frames)
    assert reply["quote"]["monthly_premium_usd"] == "84.50"
    assert len(desk.company.calls) == 1


async def test_killed_between_the_effect_and_its_record_there_is_one_quote(tmp_path: Path) -> None:
    """P3: a server that dies at the worst moment would leave a quote that nobody knows of, and make another."""
    let_go = asyncio.Event()
    async with Company(price, TOKEN) as company:
        company.faults.append(held(let_go))
        environment = {"FRONTDESK_QUOTE_URL": company.url, "FRONTDESK_QUOTE_TOKEN": TOKEN}
        async with ServerProcess(tmp_path, environment) as process, client_of(process.url) as client:
            body = {"message": ASKS["es"], "message_id": "m1"}
            token = ""
            async with client.stream("POST", "/chat", json=body, headers=STREAM) as response:
                token = response.headers["x-visitor-token"]
                async for frame in frames_of(response):
                    if frame.type == "TOOL_CALL_START":
                        await company.until(lambda: company.effects.total() == 1)
                        break
                await process.kill()
            await process.start()
            async with client_of(process.url, {"X-Visitor-Token": token}) as back:
                reply = (await back.post("/chat", json=body)).json()
            lines = await process.routed(1)

    assert company.keys[0] == company.keys[1]
    assert company.effects.total() == 1
    assert reply["quote"]["quote_id"] == company.calls[0].json["quote_id"]
    assert "84.50" in reply["text"]
    assert [line["faults"] for line in lines] == [["turn_recovered", "tool_retry_same_key"]]
