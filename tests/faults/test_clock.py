"""P12: the clock of a whole server jumps in the middle of its answers.

The jump is made by a small library that is compiled here (clock.c) and preloaded into the server: without a C compiler the row
is skipped, and says so.
"""

import asyncio
import os
import shutil
import struct
import subprocess
from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from readers.reply import fold_text
from tests.faults.crowd import DESK, Asked, Customer
from tests.faults.ledger import read_stored
from tests.faults.plugin import Figure
from tests.processes import ServerProcess
from tests.simulation import Simulation, Timing
from tests.simulation.demo import demo
from tests.waiting import until

pytestmark = pytest.mark.lab
HOUR_S, TEN_MINUTES_S = 3_600, 600
JUMPS_S = (HOUR_S, -HOUR_S - TEN_MINUTES_S, HOUR_S)
QUESTION = "Does comprehensive cover hail and theft of my car?"
LONGEST_MS = 120_000
REQUIRED = "gcc" in os.environ.get("FRONTDESK_TEST_REQUIRE", "")


class Clock:
    """The wall clock of a server: `move` it, by seconds from the true time."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "clock"
        self.move(0)
        self._library = folder / "clock.so"
        source = Path(__file__).with_name("clock.c")
        command = ["gcc", "-shared", "-fPIC", "-O1", "-o", str(self._library), str(source), "-ldl"]
        subprocess.run(command, check=True, capture_output=True)  # noqa: S603 - our own words

    def move(self, seconds: int) -> None:
        """Set it, from one moment to the next."""
        with self._path.open("r+b" if self._path.exists() else "wb") as file:
            file.write(struct.pack("=q", seconds))

    @property
    def environment(self) -> dict[str, str]:
        """Settings of a process on this clock."""
        return {"LD_PRELOAD": str(self._library), "FAULT_CLOCK": str(self._path)}


@pytest.fixture
def clock(tmp_path: Path, figure: Figure) -> Clock:
    """A clock that shows the true time."""
    if shutil.which("gcc") is None and not REQUIRED:
        figure("not shown: no gcc to compile the clock with")
        pytest.skip("no gcc")
    return Clock(tmp_path)


async def _half_way(asked: Asked) -> None:
    """Return when some words are there, and not all."""
    await until(lambda: asked.shown)
    assert not asked.is_over


@pytest.mark.fault("P12")
async def test_a_server_whose_clock_jumps_ends_nothing_early_and_keeps_the_order(
    tmp_path: Path, stack: AsyncExitStack, clock: Clock, figure: Figure
) -> None:
    """When a computer's time is put right, answers would be broken off, mixed up, or owned by nobody."""
    api = await stack.enter_async_context(Simulation(demo, timing=Timing(chunk_ms=150, chunk_chars=12)))
    environment = {**api.environment, **DESK, **clock.environment, "FRONTDESK_ENGINE": "claude"}
    process = await stack.enter_async_context(ServerProcess(tmp_path, environment))
    customer = await stack.enter_async_context(Customer("C-1001", lambda: process.url))
    visitor = await process.client.post("/chat", json={"message": "Hello!"})
    jumped = 0
    for by_s in JUMPS_S:
        asked = customer.asks(QUESTION)
        async with asyncio.TaskGroup() as group:
            group.create_task(customer.get_answer(asked))
            await _half_way(asked)
            jumped += by_s
            clock.move(jumped)
    again = await process.client.post(
        "/chat", json={"message": "Hello again!", "conversation_id": visitor.json()["conversation_id"]}
    )
    lines = await process.routed(len(JUMPS_S) + 2)
    stored = await read_stored(f"sqlite:///{tmp_path / 'desk.db'}", [customer.thread])
    printed = process.lines()

    turns = stored.turns[customer.thread]
    assert [turn.message_id for turn, _ in turns] == [
        asked.message_id for asked in customer.asked
    ]  # by number, not by time
    assert [asked.shown for asked in customer.asked] == [
        fold_text(item.event for item in recorded) for _, recorded in turns
    ]
    assert stored.outcomes == {"answered": len(JUMPS_S)}
    assert all(asked.resumes == asked.breaks == 0 for asked in customer.asked)
    assert again.status_code == 200, again.text
    assert [line["event"] for line in printed if line["event"] in {"turn.recovered", "turn.failed"}] == []
    durations = [
        value for line in lines for name, value in line.items() if name.endswith("_ms") and value is not None
    ]
    assert durations
    assert all(0 <= value < LONGEST_MS for value in durations)
    for _, recorded in turns:
        assert all(before.at <= after.at for before, after in pairwise(recorded))
        assert recorded[-1].at - recorded[0].at < timedelta(milliseconds=LONGEST_MS)
    seen = [datetime.fromisoformat(line["logged_at"]) for line in printed if "logged_at" in line]
    jumped_s = max((after - before).total_seconds() for before, after in pairwise(seen))
    assert jumped_s > HOUR_S / 2
    figure(
        f"{len(JUMPS_S)} jumps of up to an hour under streams: longest {max(durations):,} ms, none negative"
    )
