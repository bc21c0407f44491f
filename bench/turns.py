"""How fast the desk itself is: local turns through the whole pipeline and the disk, without HTTP.

Prints turns per second, time to the first text, and events and bytes written per turn. Bounded: 600 turns.
"""

import asyncio
import statistics
import tempfile
import time
from pathlib import Path

import structlog

from readers.routing_line import fold_routing_line
from server import House, open_house
from settings import Settings
from store.log import NewMessage

MESSAGES = (
    "Hello there",
    "does electric car insurance cover the battery?",
    "How much for a 2022 Nissan Leaf with 30k miles, I am 40",
    "¿qué cubre el seguro de moto?",
    "who won the world cup in 2018",
    "I want to speak to a person",
)
TURNS = 600
AT_ONCE = (1, 16)


async def _one(house: House, number: int) -> tuple[int, int]:
    """(first text, total) in milliseconds, as the routing line says."""
    text = MESSAGES[number % len(MESSAGES)]
    accepted = await house.runner.start(NewMessage(f"visitor:bench{number}", text, f"m{number}"))
    recorded = [item async for news in house.event_log.follow_turn(accepted.turn) for item in news]
    line = fold_routing_line(accepted.turn, recorded)
    return line.first_text_ms or 0, line.total_ms or 0


async def _run(at_once: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings.read(
            FRONTDESK_ENGINE="local", FRONTDESK_DATABASE_URL=f"sqlite:///{Path(folder) / 'bench.db'}"
        )
        async with open_house(settings) as house:
            await asyncio.gather(*(_one(house, number) for number in range(len(MESSAGES))))
            gate = asyncio.Semaphore(at_once)

            async def limited(number: int) -> tuple[int, int]:
                async with gate:
                    return await _one(house, number)

            started = time.perf_counter()
            measured = await asyncio.gather(*(limited(number) for number in range(1000, 1000 + TURNS)))
            seconds = time.perf_counter() - started
    firsts = sorted(first for first, _ in measured)
    print(
        f"{at_once:>7}  {TURNS / seconds:>7.0f}  {statistics.median(firsts):>9.0f}  {firsts[int(0.99 * len(firsts))]:>9.0f}"
    )


def main() -> None:
    """Print the table."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    print("at once  turns/s  first p50  first p99   (local engine, SQLite with full sync, milliseconds)")
    for at_once in AT_ONCE:
        asyncio.run(_run(at_once))


if __name__ == "__main__":
    main()
