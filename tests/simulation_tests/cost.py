"""Measure what one streamed reply costs the simulation: python -m tests.simulation_tests.cost.

Why: load tests run on the machine they measure, so the simulated API must stay far below the cost of the desk.
The server runs in this process, its client in another one, on bare sockets; counted is this process's CPU time.
"""

import asyncio
import json
import sys
import time

from tests.simulation import Reply, Simulation, Timing

REPLIES = 1_000
CLIENTS = 20
CHUNKS = 20
CHUNK_CHARS = 24
SYSTEM = "Eva answers questions about car insurance, briefly and with sources. " * 120

CLIENT = """
import asyncio, sys
async def client(port, request, count):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for _ in range(count):
        writer.write(request)
        await reader.readuntil(b"\\r\\n0\\r\\n\\r\\n")
    writer.close()
async def main(port, clients, count):
    request = sys.stdin.buffer.read()
    async with asyncio.TaskGroup() as group:
        for _ in range(clients):
            group.create_task(client(port, request, count))
asyncio.run(main(*map(int, sys.argv[1:])))
"""


def request(key: str) -> bytes:
    """A request as the desk sends it: a long cached system prompt, a few turns, streamed."""
    turns = [
        {"role": ("user", "assistant")[at % 2], "content": "What does it cover? " * 10} for at in range(7)
    ]
    system = [{"type": "text", "text": SYSTEM, "cache_control": {"type": "ephemeral"}}]
    body = {
        "model": "claude-sonnet-5-5",
        "max_tokens": 1000,
        "stream": True,
        "system": system,
        "messages": turns,
    }
    data = json.dumps(body).encode()
    head = (
        f"POST /v1/messages HTTP/1.1\r\nhost: simulation\r\nauthorization: Bearer {key}\r\n"
        f"anthropic-version: 2026-10-21\r\ncontent-type: application/json\r\ncontent-length: {len(data)}\r\n\r\n"
    )
    return head.encode() + data


async def measure(chunk_ms: float) -> tuple[float, float]:
    """CPU milliseconds a reply, and replies a second."""
    timing = Timing(chunk_ms=chunk_ms, chunk_chars=CHUNK_CHARS)
    text = "a" * (CHUNKS * CHUNK_CHARS)
    async with Simulation(lambda _: Reply.of(text), timing=timing) as simulation:
        arguments = [str(simulation.port), str(CLIENTS), str(REPLIES // CLIENTS)]
        client = await asyncio.create_subprocess_exec(
            sys.executable, "-c", CLIENT, *arguments, stdin=asyncio.subprocess.PIPE
        )
        cpu, wall = time.process_time(), time.perf_counter()
        await client.communicate(request(simulation.api_key))
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
        return cpu / REPLIES * 1000, REPLIES / wall


def main() -> None:
    """Print the table."""
    for chunk_ms in (10.0, 0.0):
        cpu_ms, rate = asyncio.run(measure(chunk_ms))
        sys.stdout.write(
            f"chunk_ms {chunk_ms:4.0f}: {cpu_ms:.2f} ms CPU a reply of {CHUNKS} chunks, {rate:.0f}/s\n"
        )


if __name__ == "__main__":
    main()
