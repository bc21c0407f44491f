"""What a server does with more than it can answer: its knee, and four times the knee.

A real server process (local engine, SQLite with full sync) and a load generator in a process of its own. First as many
turns as 32 patient clients get answered; then new messages at four times that rate, whether the old ones are answered or not.
Prints answers a second, their share of the knee, how soon refusals come, and whether accepted messages were lost. Bounded: about 20 s.
"""

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from settings import ROOT
from tests.ports import free_port

MESSAGES = ("Hello there", "does electric car insurance cover the battery?", "who won the world cup in 2018")
CLIENTS, KNEE_S, RUSH_S, TIMES = 32, 5.0, 6.0, 4
GIVE_UP_S = 20.0
READY = b"GET /readyz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


@dataclass(slots=True)
class Seen:
    """What came back: statuses, and for each how long it took in seconds; answers by the second in which they came."""

    statuses: Counter[int] = field(default_factory=Counter)
    took_s: dict[int, list[float]] = field(default_factory=dict)
    answered_at: list[float] = field(default_factory=list)

    def note(self, status: int, started: float) -> None:
        """One response (status 0: none)."""
        now = time.perf_counter()
        self.statuses[status] += 1
        self.took_s.setdefault(status, []).append(now - started)
        if status == 200:
            self.answered_at.append(now)


@asynccontextmanager
async def _server() -> AsyncGenerator[int, None]:
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        environment = {
            **os.environ,
            "FRONTDESK_ENGINE": "local",
            "FRONTDESK_DATABASE_URL": f"sqlite:///{Path(folder) / 'bench.db'}",
            "FRONTDESK_SECRET": "a secret of the benchmarks",
            "PORT": str(port),
        }
        process = subprocess.Popen(  # noqa: ASYNC220 - started once, before anything is measured
            [sys.executable, "-c", "import cli; cli.main()", "serve"],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.DEVNULL,
        )
        try:
            while (await _request(port, READY)) != 200:  # noqa: ASYNC110 - another process tells nobody
                await asyncio.sleep(0.1)
            yield port
        finally:
            process.terminate()
            process.wait()


async def _request(port: int, sent: bytes) -> int:
    """The status of the response to this request on a connection of its own, once all of it is there; 0 for none."""
    try:
        async with asyncio.timeout(GIVE_UP_S):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            try:
                writer.write(sent)
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0] or 0)
                await reader.readexactly(length)
                return int(head.split(b" ")[1])
            finally:
                writer.close()
    except (OSError, EOFError, TimeoutError):
        return 0


def _message(number: int) -> bytes:
    body = json.dumps({"message": MESSAGES[number % len(MESSAGES)], "message_id": f"m{number}"}).encode()
    head = "POST /chat HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


async def _ask(port: int, number: int, seen: Seen) -> None:
    started = time.perf_counter()
    seen.note(await _request(port, _message(number)), started)


async def _cpu_s(port: int) -> float:
    """Seconds of CPU that the server has used: a figure that does not depend on what else the machine does."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
    text = (await reader.read()).decode()
    writer.close()
    return float(text.partition("\nprocess_cpu_seconds_total ")[2].partition("\n")[0])


async def _knee(port: int) -> float:
    """Answers a second that patient clients get."""
    seen, ends = Seen(), time.perf_counter() + KNEE_S

    async def client(first: int) -> None:
        number = first
        while time.perf_counter() < ends:
            await _ask(port, number, seen)
            number += CLIENTS

    await asyncio.gather(*(client(number) for number in range(CLIENTS)))
    return len(seen.answered_at) / KNEE_S


async def _rush(port: int, rate: float) -> tuple[Seen, float]:
    """New messages at this rate; what came back, and the answers a second while they came."""
    seen, began = Seen(), time.perf_counter()
    async with asyncio.TaskGroup() as group:
        number = 0
        while (elapsed := time.perf_counter() - began) < RUSH_S:
            while number < elapsed * rate:
                group.create_task(_ask(port, number, seen))
                number += 1
            await asyncio.sleep(0.002)
    in_time = sum(at < began + RUSH_S for at in seen.answered_at)
    return seen, in_time / RUSH_S


def _p99_ms(values: list[float]) -> float:
    return sorted(values)[int(0.99 * len(values))] * 1000 if values else 0.0


async def _measure() -> None:
    async with _server() as port:
        await _knee(port)  # warm
        before = await _cpu_s(port)
        knee = await _knee(port)
        answer_s = (await _cpu_s(port) - before) / (knee * KNEE_S)
        before = await _cpu_s(port)
        seen, goodput = await _rush(port, TIMES * knee)
        refusals = seen.statuses[503] + seen.statuses[429]
        refusal_s = (await _cpu_s(port) - before - seen.statuses[200] * answer_s) / max(1, refusals)
        after = Seen()
        for number in range(40):
            await _ask(port, number, after)
    refused = seen.took_s.get(503, []) + seen.took_s.get(429, [])
    print(f"knee, {CLIENTS} clients                {knee:8.0f} answers/s")
    print(
        f"{TIMES} x the knee                    {goodput:8.0f} answers/s  {goodput / knee:6.0%} of the knee"
    )
    print(f"  responses                    {dict(sorted(seen.statuses.items()))}")
    print(
        f"  refusals p99                 {_p99_ms(refused):8.0f} ms, slowest {max(refused, default=0) * 1000:.0f} ms"
    )
    print(f"  a refusal costs              {refusal_s * 1000:8.2f} ms CPU")
    print(f"  answers p99                  {_p99_ms(seen.took_s.get(200, [])):8.0f} ms")
    print(f"right after it, one by one p99 {_p99_ms(after.took_s.get(200, [])):8.0f} ms")


def main() -> None:
    """Print the table."""
    asyncio.run(_measure())


if __name__ == "__main__":
    main()
