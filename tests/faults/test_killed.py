"""P2, D3, L9 and I1 to I4: a server that is killed at random moments, on each database, and a database that crashes too.

Real processes, the real SDK against a simulated API that breaks off now and then, prices from a company's own service. The size is an option:
`make faults ROWS=P2,D3 SIZE=full` kills a hundred times over five thousand turns, in each database.
"""

import asyncio
import json
import random
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest

from tests.company import Company, Exchange
from tests.company.quotes import price
from tests.faults.crowd import DESK, Customer, check_streams
from tests.faults.ledger import check_stored, read_stored
from tests.faults.plugin import Figure, Size
from tests.faults.upstream import SONNET
from tests.postgres import Postgres
from tests.processes import ServerProcess
from tests.simulation import Simulation, Timing
from tests.simulation.demo import demo

CANARY = "Quetzalcoatl"
BREAKS = ("ok x4", "ok x9", "529", "reset:2", "cut:1:word", "error:2", "500 x2")
PACE = Timing(label_ms=60, first_text_ms=60, chunk_ms=20, chunk_chars=8)
MILEAGE = 20_000
SAYS = (
    "Hello!",
    "Does comprehensive cover hail and theft of my car?",
    "How much for a 2022 Nissan Leaf with {mileage} miles? I am 40",
    "I want to talk to a human agent please",
    "¿El seguro a todo riesgo cubre el robo de mi coche?",
)
STARTS_AT_MOST = 50
LIMIT_S = 3_600


@dataclass
class Crowd:
    """Customers who share a number of messages among themselves; `begun` of them have been sent at least once."""

    customers: Sequence[Customer]
    turns: int
    begun: int = 0

    async def run(self) -> None:
        """Return when every message has its answer."""
        async with asyncio.TaskGroup() as group:
            for customer in self.customers:
                group.create_task(self._talk(customer))

    async def _talk(self, customer: Customer) -> None:
        while self.begun < self.turns:
            number, self.begun = self.begun, self.begun + 1
            text = SAYS[number % len(SAYS)].format(mileage=MILEAGE + number)
            await customer.get_answer(customer.asks(f"{text} {CANARY}"))

    async def has_begun(self, share: float) -> None:
        """Return when this share of the messages has been sent."""
        while self.begun < share * self.turns:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.01)


@dataclass
class Scene:
    """One server on one database, with everything around it."""

    url: str
    folder: Path
    process: ServerProcess
    company: Company
    crowd: Crowd

    async def kill(self, kills: int, dice: random.Random) -> None:
        """SIGKILL at random moments, spread over the whole time; each time it is started again, as a supervisor does."""
        for number in range(1, kills + 1):
            await self.crowd.has_begun(number / (kills + 1))
            await asyncio.sleep(dice.random())
            await self.process.kill()
            await self._start_again()

    async def _start_again(self) -> None:
        """A start is refused while the database is away, and tried again."""
        for left in range(STARTS_AT_MOST, -1, -1):
            try:
                await self.process.start()
            except RuntimeError:
                if left == 0:
                    raise
                await asyncio.sleep(0.2)
            else:
                return

    def check_effects(self) -> int:
        """I2: the company's service was asked for each turn's price under one key only; returns how many it has given."""
        keys: dict[object, set[str | None]] = {}
        for call in self.company.calls:
            keys.setdefault(call.json["mileage"], set()).add(call.key)
        assert [mileage for mileage, used in keys.items() if len(used) != 1] == []
        assert set(self.company.effects.values()) <= {1}
        return len(self.company.effects)

    def check_log(self) -> None:
        """I6: never two routing lines for one turn, and no word of a customer."""
        printed = self.process.printed()
        assert CANARY not in printed
        routed = Counter(
            json.loads(line)["turn_id"]
            for line in printed.splitlines()
            if line.startswith("{") and line.endswith("}") and '"turn.routed"' in line
        )
        assert set(routed.values()) == {1}


async def answers_late(exchange: Exchange) -> None:
    """The price is made at once and told a moment later: time to be killed between an effect and its record."""
    done = exchange.act()
    await asyncio.sleep(0.15)
    exchange.send(done)
    exchange.end("complete")


async def _scene(stack: AsyncExitStack, url: str, folder: Path, size: Size) -> Scene:
    simulation = await stack.enter_async_context(Simulation(demo, timing=PACE))
    dice = random.Random(size.turns)
    simulation.faults(SONNET, ", ".join(dice.choice(BREAKS) for _ in range(size.turns)))
    company = await stack.enter_async_context(Company(price))
    company.always = answers_late
    environment = {
        **simulation.environment,
        **DESK,
        "FRONTDESK_ENGINE": "claude",
        "FRONTDESK_DATABASE_URL": url,
        "FRONTDESK_QUOTE_URL": company.url,
    }
    process = await stack.enter_async_context(ServerProcess(folder, environment))
    names = (f"C-{number:04}" for number in count(1))
    customers = [Customer(next(names), lambda: process.url) for _ in range(max(4, min(30, size.turns // 8)))]
    for customer in customers:
        await stack.enter_async_context(customer)
    return Scene(url, folder, process, company, Crowd(customers, size.turns))


async def _check(scene: Scene, size: Size, figure: Figure, more: str = "") -> None:
    customers = scene.crowd.customers
    resumed = await check_streams(customers)
    stored = await read_stored(scene.url, [customer.thread for customer in customers])
    check_stored(stored, customers)
    effects = scene.check_effects()
    scene.check_log()
    asked = [asked for customer in customers for asked in customer.asked]
    assert len(asked) == size.turns
    outcomes = ", ".join(f"{number} {outcome}" for outcome, number in stored.outcomes.most_common())
    figure(
        f"{size.kills} kills{more}, {size.turns} turns: 0 lost, 0 of {effects + len(stored.tickets)} effects doubled, "
        f"{resumed} of {resumed} streams resumed byte for byte ({outcomes})"
    )


@pytest.fixture
async def stack() -> AsyncIterator[AsyncExitStack]:
    """Closes everything at the end."""
    async with AsyncExitStack() as stack:
        yield stack


@pytest.mark.fault("P2")
async def test_killed_at_random_moments_nothing_is_lost_or_doubled(
    tmp_path: Path, stack: AsyncExitStack, size: Size, figure: Figure
) -> None:
    """Customers would lose what they had sent, or have two quotes and two tickets, after any crash of the server."""
    scene = await _scene(stack, f"sqlite:///{tmp_path / 'desk.db'}", tmp_path, size)
    async with asyncio.timeout(LIMIT_S), asyncio.TaskGroup() as group:
        group.create_task(scene.crowd.run())
        group.create_task(scene.kill(size.kills, random.Random(size.turns)))

    await _check(scene, size, figure)


@pytest.mark.lab
@pytest.mark.fault("P2", "D3", "L9")
async def test_a_server_and_its_database_crash_again_and_again_and_nothing_is_lost_or_doubled(
    tmp_path: Path, stack: AsyncExitStack, size: Size, figure: Figure, postgres: Postgres, postgres_url: str
) -> None:
    """As above, and the database crashes at moments of its own: its memory of who asked what must survive both."""
    scene = await _scene(stack, postgres_url, tmp_path, size)
    dice = random.Random(size.turns)

    async def crash() -> None:
        for number in range(1, size.crashes + 1):
            await scene.crowd.has_begun((number - 0.5) / (size.crashes + 1))
            await asyncio.to_thread(postgres.crash)
            await asyncio.sleep(dice.uniform(0.1, 3.0))
            await asyncio.to_thread(postgres.start)

    async with asyncio.timeout(LIMIT_S), asyncio.TaskGroup() as group:
        group.create_task(scene.crowd.run())
        group.create_task(scene.kill(size.kills, dice))
        group.create_task(crash())

    await _check(scene, size, figure, f" and {size.crashes} crashes of PostgreSQL")
