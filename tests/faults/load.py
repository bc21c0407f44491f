"""A server under load: the API behind it, what it uses by its own figures, and what its database holds afterwards.

The load itself is that of bench.load. Server, API and load share the machine with whatever else runs there, where one answer in
a hundred waits for a core several times over. So a row that promises a time fails only at `NOISE` times that time, and once
more as many times as the server stood in line for a core (`Usage.crowding`); its figure says what was measured.
"""

import asyncio
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import func, select

from bench.load.client import Sample
from events import is_end
from settings import ROOT
from store.database import Database
from store.rows import recorded_in
from store.schema import events, turns
from tests.ports import free_port
from tests.processes import ServerProcess
from tests.waiting import PATIENCE_S

NOISE = 10
TEXT = "Hello there, good morning!"
LOCAL = {"FRONTDESK_ENGINE": "local"}


@dataclass(frozen=True, slots=True)
class Usage:
    """What a server has used so far, and uses now: seconds on a core and in line for one, memory in MiB, and the rest."""

    cpu_s: float
    in_line_s: float
    memory_mib: float
    files: int
    tasks: int
    under_way: int

    def crowding(self, before: "Usage") -> float:
        """How many times as long as alone on its core the server took since then; 1 on an idle machine."""
        ran_s, stood_s = self.cpu_s - before.cpu_s, self.in_line_s - before.in_line_s
        return 1 + stood_s / max(0.1, ran_s)


async def usage(process: ServerProcess) -> Usage:
    """What it uses now."""
    response = await process.client.get("/metrics")
    assert response.status_code == 200, response.text
    found = {
        sample.name: sample.value
        for family in text_string_to_metric_families(response.text)
        for sample in family.samples
        if not sample.labels
    }
    return Usage(
        cpu_s=found["process_cpu_seconds_total"],
        in_line_s=_in_line_s(process.pid),
        memory_mib=found["process_resident_memory_bytes"] / 2**20,
        files=int(found["process_open_fds"]),
        tasks=int(found["frontdesk_tasks"]),
        under_way=int(found["frontdesk_turns_under_way"]),
    )


def _in_line_s(pid: int) -> float:
    """Seconds that the main thread of a process was ready to run and had no core; 0 where Linux does not tell."""
    try:
        return int(Path(f"/proc/{pid}/schedstat").read_text(encoding="ascii").split()[1]) / 1e9
    except OSError:
        return 0.0


async def quiet(process: ServerProcess) -> Usage:
    """What it uses once no turn is under way."""
    async with asyncio.timeout(PATIENCE_S):
        while (now := await usage(process)).under_way:  # noqa: ASYNC110 - another process tells nobody
            await asyncio.sleep(0.05)
    return now


@asynccontextmanager
async def canned_api() -> AsyncGenerator[dict[str, str], None]:
    """An API that costs next to nothing, in a process of its own; gives the settings of a server on it."""
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.load.upstream", str(port), cwd=ROOT
    )
    try:
        async with asyncio.timeout(PATIENCE_S):
            while not await _listens(port):  # noqa: ASYNC110 - as above
                await asyncio.sleep(0.05)
        yield {
            "ANTHROPIC_API_KEY": "simulated-key",
            "ANTHROPIC_BASE_URL": f"http://127.0.0.1:{port}",
            "FRONTDESK_ENGINE": "claude",
        }
    finally:
        process.kill()
        await process.wait()


async def _listens(port: int) -> bool:
    with suppress(OSError):
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.close()
        return True
    return False


async def check_kept(url: str, *samples: Sample, more: int = 0) -> int:
    """I1 after a load: nothing broke, and the database holds each accepted message once, with one end.

    Args:
        url: The server's database, on which nothing else was said.
        more: Messages beside those of the samples.

    Returns:
        How many were accepted.
    """
    outcomes = [outcome for sample in samples for outcome in sample.outcomes]
    assert [outcome for sample in samples for outcome in sample.broken] == []
    accepted = more + sum(outcome.status == 200 for outcome in outcomes)
    async with Database(url, reader_wait_s=PATIENCE_S) as database:
        stored, still_open = await database.read(
            lambda connection: connection.execute(select(func.count(), func.sum(turns.c.is_open))).one()
        )
        rows = await database.read(
            lambda connection: connection.execute(
                select(events.c.conversation_id, events.c.ordinal, events.c.payload)
            ).all()
        )
    ends = [
        (conversation_id, ordinal)
        for conversation_id, ordinal, payload in rows
        for item in recorded_in([payload])
        if is_end(item.event)
    ]
    assert (stored, still_open) == (accepted, 0)
    assert (len(ends), len(set(ends))) == (accepted, accepted)
    return accepted
