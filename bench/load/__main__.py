"""What one server holds on one core, beside a bare endpoint in the same run on the same core.

Prints streamed turns a second (everything on: label, guess, guards, log on the disk), time to the first words at 70 % of
that, also of the bare endpoint and with an upstream whose times vary, what a turn costs that begins alone or with others,
what happens at four times the knee, what 2,000 idle streams cost, and how memory grows over 10,000 turns.
The servers run on core 0, the load and the upstream on core 1. Bounded: about five minutes.
"""

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx2
import uvloop

from bench.load.client import Sample, at_once, at_rate, quantile, say
from bench.load.upstream import FIRST_S, LABEL_S
from settings import ROOT
from tests.ports import free_port

TEXT = "Hello there, good morning!"
CUSTOMERS, SECONDS, ROUNDS, BELOW = 64, 16.0, 4, 0.7
IDLE_STREAMS = 2_000
TURNS, WARM = 10_000, 2_000
CALM_RATE, COME_TOGETHER = 30.0, (1, 2, 4)
VARIES = 0.5
_OK = 200


@contextmanager
def process(core: int, *command: str, environment: Mapping[str, str] | None = None) -> Iterator[int]:
    """A Python process on this core; gives its id."""
    started = subprocess.Popen(  # noqa: S603 - our own command
        [sys.executable, *command],
        cwd=ROOT,
        env={**os.environ, **(environment or {})},
        stdout=subprocess.DEVNULL,
        preexec_fn=lambda: os.sched_setaffinity(0, {core % (os.cpu_count() or 1)}),  # noqa: PLW1509 - no threads yet
    )
    try:
        yield started.pid
    finally:
        started.terminate()
        started.wait(30)


@contextmanager
def desk(upstream: str, **settings: str) -> Iterator[tuple[int, int]]:
    """Frontdesk on core 0; gives its port and process id."""
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        environment = {
            "ANTHROPIC_API_KEY": "simulated-key",
            "ANTHROPIC_BASE_URL": upstream,
            "FRONTDESK_ENGINE": "claude",
            "FRONTDESK_DATABASE_URL": f"sqlite:///{Path(folder) / 'desk.db'}",
            "FRONTDESK_SECRET": "a secret of the bench, long enough",
            "HOST": "127.0.0.1",
            "PORT": str(port),
            **settings,
        }
        with process(0, "-m", "cli", "serve", environment=environment) as pid:
            _wait_for(f"http://127.0.0.1:{port}/readyz")
            yield port, pid


def _wait_for(url: str) -> None:
    ends = time.monotonic() + 60
    while time.monotonic() < ends:
        try:
            if httpx2.get(url).status_code < 500:
                return
        except httpx2.TransportError:
            pass
        time.sleep(0.1)
    raise SystemExit(f"{url} does not answer")


def rss_mib(pid: int) -> float:
    """Memory of a process in MiB."""
    pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def cpu_s(pid: int) -> float:
    """CPU seconds that a process has used so far, on all its threads."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@dataclass(slots=True)
class _Server:
    """A server under load: what it did at its knee, with the CPU seconds of that, and at 70 % of the lower of the knees."""

    port: int
    pid: int
    knee: Sample = field(default_factory=lambda: Sample(0.0))
    knee_cpu_s: float = 0.0
    below: Sample = field(default_factory=lambda: Sample(0.0))
    below_p99_ms: list[float] = field(default_factory=list)

    @property
    def cpu_ms(self) -> float:
        """CPU milliseconds of a turn at the knee."""
        return self.knee_cpu_s * 1000 / max(1, len(self.knee.whole))

    async def load_to_the_knee(self) -> float:
        """As many turns as it can do; returns how many that were a second."""
        before = cpu_s(self.pid)
        sample = await at_once(self.port, TEXT, CUSTOMERS, SECONDS / ROUNDS)
        self.knee_cpu_s += cpu_s(self.pid) - before
        self.knee += sample
        return sample.turns_a_second

    async def load_below(self, rate: float) -> None:
        """This many turns a second."""
        sample = await at_rate(self.port, TEXT, rate, SECONDS / 2)
        self.below += sample
        self.below_p99_ms.append(_own_ms(sample, 0.99))


async def _by_turns(*servers: _Server) -> float:
    """Round after round each server to its knee, then each at 70 % of the lower one; returns how many a second that were.

    Why in rounds: the machine's speed comes and goes by the minute.
    """
    rates: list[float] = []
    for _ in range(ROUNDS):
        rates.append(BELOW * min([await server.load_to_the_knee() for server in servers]))
        for server in servers:
            await asyncio.sleep(1)
            await server.load_below(rates[-1])
    return sum(rates) / ROUNDS


async def _alone_or_together(port: int, pid: int) -> str:
    """CPU milliseconds of a turn at a rate at which nobody waits for company, by how many customers come at once."""
    costs: list[float] = []
    for together in COME_TOGETHER:
        before = cpu_s(pid)
        sample = await at_rate(port, TEXT, CALM_RATE, SECONDS / 2, together=together)
        costs.append((cpu_s(pid) - before) * 1000 / max(1, len(sample.whole)))
    return ", ".join(
        f"{cost:.1f} ms by {together}" for cost, together in zip(costs, COME_TOGETHER, strict=True)
    )


def _own_ms(sample: Sample, share: float) -> float:
    return sample.first_ms(share) - max(LABEL_S, FIRST_S) * 1000


def _overhead(sample: Sample) -> str:
    return (
        f"{sample.turns_a_second:6.1f} turns/s  own overhead to first text p50 {_own_ms(sample, 0.5):4.0f}"
        f"  p99 {_own_ms(sample, 0.99):4.0f} ms  {dict(sample.statuses)}"
    )


async def _varying(rate: float) -> None:
    """The same rate with an upstream that takes now longer and now shorter; what that adds counts as ours."""
    port = free_port()
    with (
        process(1, "-m", "bench.load.upstream", str(port), str(VARIES)),
        desk(f"http://127.0.0.1:{port}") as (desk_port, pid),
    ):
        await at_rate(desk_port, TEXT, CALM_RATE, 2)
        before = cpu_s(pid)
        sample = await at_rate(desk_port, TEXT, rate, SECONDS)
        cost_ms = (cpu_s(pid) - before) * 1000 / max(1, len(sample.whole))
        print(f"upstream varies    {_overhead(sample)}  {cost_ms:.1f} ms of CPU each")


async def _streamed(upstream: str) -> float:
    """Turns a second beside the bare endpoint, and what comes below and above that; returns 70 % of them."""
    bare_port = free_port()
    with (
        process(0, "-m", "bench.load.bare", str(bare_port), upstream) as bare_pid,
        desk(upstream) as (port, pid),
    ):
        _wait_for(f"http://127.0.0.1:{bare_port}/docs")
        bare, ours = _Server(bare_port, bare_pid), _Server(port, pid)
        rate = await _by_turns(bare, ours)
        knee = ours.knee.turns_a_second
        print(
            f"bare endpoint      {bare.knee.turns_a_second:6.1f} turns/s  {bare.cpu_ms:5.1f} ms of CPU each"
            f"  first text p50 {bare.knee.first_ms(0.5):5.0f} ms"
        )
        print(
            f"frontdesk          {knee:6.1f} turns/s  {ours.cpu_ms:5.1f} ms of CPU each"
            f"  first text p50 {ours.knee.first_ms(0.5):5.0f} ms  = {knee / bare.knee.turns_a_second:.2f} x the bare endpoint"
            f" ({bare.cpu_ms / ours.cpu_ms:.2f} x by CPU)  {dict(ours.knee.statuses)}"
        )
        for name, server in (("bare", bare), ("frontdesk", ours)):
            rounds = ", ".join(f"{p99_ms:.0f}" for p99_ms in server.below_p99_ms)
            print(f"{name + ', at 70 %':18} {_overhead(server.below)}  p99 of each round {rounds}")
        print(f"{CALM_RATE:.0f} turns/s, coming  {await _alone_or_together(port, pid)}")
        await asyncio.sleep(2)
        flood = await at_rate(port, TEXT, 4 * knee, 5)
        print(
            f"4 x the knee       {flood.turns_a_second:6.1f} turns/s of {knee:.1f}"
            f"  refused after p50 {flood.refused_ms(0.5):4.0f}  p99 {flood.refused_ms(0.99):4.0f} ms  {dict(flood.statuses)}"
        )
        await asyncio.sleep(2)
        after = await at_rate(port, TEXT, rate / 2, 5)
        print(
            f"after the flood    first text p99 {after.first_ms(0.99):4.0f} ms  memory {rss_mib(pid):.0f} MiB"
        )
        return rate


async def _idle(upstream: str) -> None:
    """What streams cost that only wait."""
    with desk(upstream, FRONTDESK_ENGINE="local") as (port, pid):
        async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
            reply = (await client.post("/chat", json={"message": TEXT})).json()
        before = rss_mib(pid)
        head = (
            f"GET /chat/{reply['conversation_id']}/events HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\n"
            f"x-visitor-token: {reply['visitor_token']}\r\naccept: text/event-stream\r\n\r\n"
        )
        lines = []
        for _ in range(IDLE_STREAMS):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(head.encode())
            lines.append((reader, writer))
        statuses = [int((await reader.readline()).split()[1]) for reader, _ in lines]
        await asyncio.sleep(2)
        more = rss_mib(pid) - before
        beside = [await say(port, TEXT) for _ in range(100)]
        first = quantile([outcome.first_s for outcome in beside], 0.99) * 1000
        print(
            f"{statuses.count(_OK):,} idle streams  {more:5.1f} MiB ({more * 1024 / IDLE_STREAMS:.1f} KiB each)"
            f"  first text beside them p99 {first:.0f} ms"
        )
        for _, writer in lines:
            writer.close()


async def _memory(upstream: str) -> None:
    """Whether a server that runs for long grows."""
    with desk(upstream, FRONTDESK_ENGINE="local") as (port, pid):

        async def some(turns: int) -> None:
            gate = asyncio.Semaphore(16)

            async def one() -> None:
                async with gate:
                    await say(port, TEXT)

            await asyncio.gather(*(one() for _ in range(turns)))

        await some(WARM)
        before, started = rss_mib(pid), time.perf_counter()
        await some(TURNS - WARM)
        a_second = (TURNS - WARM) / (time.perf_counter() - started)
        print(
            f"{TURNS:,} turns  memory {rss_mib(pid) - before:+.1f} MiB after the first {WARM:,} (then {before:.0f} MiB)"
            f"  local engine {a_second:.0f} turns/s"
        )


async def _run() -> None:
    port = free_port()
    with process(1, "-m", "bench.load.upstream", str(port)):
        upstream = f"http://127.0.0.1:{port}"
        rate = await _streamed(upstream)
        await _varying(rate)
        await _idle(upstream)
        await _memory(upstream)


if __name__ == "__main__":
    os.sched_setaffinity(0, {1 % (os.cpu_count() or 1)})
    uvloop.run(_run())
