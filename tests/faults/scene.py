"""A server at work that is killed at random moments: its customers, its company, and what must be true at the end (I1 to I4).

Real processes, the real SDK against a simulated API that breaks off now and then, prices from a company's own service. The size is an option:
`make faults ROWS=P2,D3 SIZE=full` kills a hundred times over five thousand turns, in each database.
"""

import asyncio
import json
import random
from collections import Counter
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from tests.company import Company, Exchange
from tests.company.quotes import price
from tests.faults.crowd import DESK, Customer, check_streams
from tests.faults.ledger import check_stored, read_stored
from tests.faults.plugin import Figure, Size
from tests.faults.upstream import SONNET
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
LIMIT_S = 7_200


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


async def open_scene(stack: AsyncExitStack, url: str, folder: Path, size: Size) -> Scene:
    """The scene, as large as that; everything in it is closed with the stack."""
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


async def check_all(scene: Scene, size: Size, figure: Figure, more: str = "") -> None:
    """Nothing is lost or doubled, every stream was resumed byte for byte, the log says nothing it must not (I1 to I4, I6)."""
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
