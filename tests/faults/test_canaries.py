"""Two servers on one PostgreSQL, customers who hop between them, one server killed: nobody's words reach anybody else.

Each conversation has a word and a vehicle of its own. What the simulated API and the company's service were sent is
searched for the words and vehicles of the others.
"""

import asyncio
import random
import re
from collections.abc import Sequence
from contextlib import AsyncExitStack
from itertools import pairwise
from pathlib import Path

import pytest

from tests.company import Company
from tests.company.quotes import price
from tests.faults.crowd import DESK, Asked, Customer, check_streams
from tests.faults.ledger import check_stored, read_stored
from tests.faults.plugin import Figure, Size
from tests.processes import ServerProcess
from tests.simulation import Simulation, Timing
from tests.simulation.demo import demo

TURNS = 5
SAYS = (
    "Hello, my name is {canary}!",
    "Does comprehensive cover hail and theft of my {canary} car?",
    "How much for a {year} Nissan Leaf with {mileage} miles? I am {age}, {canary}",
    "I want to talk to a human agent please, says {canary}",
    "¿El seguro a todo riesgo cubre el robo de mi coche {canary}?",
)
_CANARY = re.compile(r"kanarie\w+")
_LIMIT_S = 600
_KEPT = 100_000


def _details(number: int) -> tuple[int, int, int]:
    """Year, mileage and driver's age of this conversation's vehicle; no two conversations share the mileage."""
    return 2000 + number % 20, 10_000 + number, 20 + number % 60


def _texts(number: int) -> list[str]:
    year, mileage, age = _details(number)
    canary = f"kanarie{number:05}x"
    return [says.format(canary=canary, year=year, mileage=mileage, age=age) for says in SAYS]


async def _talk(customer: Customer, number: int, dice: random.Random, accepted: list[Asked]) -> None:
    """Send the messages at random moments; the next one as soon as the one before is accepted, answered or not."""
    async with asyncio.TaskGroup() as group:
        for text in _texts(number)[:TURNS]:
            await asyncio.sleep(dice.expovariate(2.0))
            asked = customer.asks(text)
            group.create_task(customer.get_answer(asked))
            await asked.accepted.wait()
            accepted.append(asked)


def _check_payloads(simulation: Simulation, company: Company, conversations: int) -> int:
    """No request holds the words or the vehicle of two conversations; returns how many were looked at."""
    calls = simulation.calls()
    for call in calls:
        assert len(set(_CANARY.findall(call.raw.decode()))) == 1
    vehicles = {_details(number) for number in range(conversations)}
    for bought in company.calls:
        asked = bought.json
        assert (asked["year"], asked["mileage"], asked["driver_age"]) in vehicles
    assert len({bought.json["mileage"] for bought in company.calls}) == len(company.effects)
    return len(calls) + len(company.calls)


def _check_tickets(tickets: Sequence[tuple[str, str, str]], customers: Sequence[Customer]) -> None:
    own = {customer.thread: f"kanarie{number:05}x" for number, customer in enumerate(customers)}
    for thread, _, words in tickets:
        assert set(_CANARY.findall(words)) == {own[thread]}


@pytest.mark.fault("P8", "P9")
@pytest.mark.lab
async def test_two_servers_and_many_customers_at_once_mix_nothing_up(
    tmp_path: Path, postgres_url: str, size: Size, figure: Figure
) -> None:
    """A customer would read, or a model would be told, what somebody else had said a moment before."""
    dice = random.Random(size.conversations)
    doors: list[str] = []
    async with AsyncExitStack() as stack:
        timing = Timing(label_ms=80, first_text_ms=80, chunk_ms=10, chunk_chars=24)
        simulation = await stack.enter_async_context(Simulation(demo, timing=timing, keep_requests=_KEPT))
        company = await stack.enter_async_context(Company(price))
        environment = {
            **simulation.environment,
            **DESK,
            "FRONTDESK_ENGINE": "claude",
            "FRONTDESK_DATABASE_URL": postgres_url,
            "FRONTDESK_QUOTE_URL": company.url,
        }
        servers = []
        for name in ("one", "other"):
            (tmp_path / name).mkdir()
            server = ServerProcess(tmp_path / name, environment)
            servers.append(await stack.enter_async_context(server))
            doors.append(server.url)
        customers = [
            await stack.enter_async_context(Customer(f"C-{number:04}", lambda: dice.choice(doors)))
            for number in range(size.conversations)
        ]
        accepted: list[Asked] = []

        async def kill_one() -> None:
            while len(accepted) < TURNS * size.conversations // 2:  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(0.01)
            doors.remove(servers[1].url)  # a load balancer notices
            await servers[1].kill()

        async with asyncio.timeout(_LIMIT_S), asyncio.TaskGroup() as group:
            group.create_task(kill_one())
            for number, customer in enumerate(customers):
                group.create_task(_talk(customer, number, random.Random(number), accepted))
        resumed = await check_streams(customers)
        stored = await read_stored(postgres_url, [customer.thread for customer in customers])
        taken_over = sum(line["event"] == "turn.recovered" for line in servers[0].lines())

    check_stored(stored, customers)
    payloads = _check_payloads(simulation, company, size.conversations)
    _check_tickets(stored.tickets, customers)
    for turns in stored.turns.values():
        answering = [(recorded[1].at, recorded[-1].at) for _, recorded in turns]
        assert all(before[1] <= after[0] for before, after in pairwise(answering))
    figure(
        f"{size.conversations} conversations x {TURNS} turns on two servers, one killed: {payloads} payloads, 0 with "
        f"somebody else's words, order kept, {taken_over} turns taken over, {resumed} streams resumed"
    )
