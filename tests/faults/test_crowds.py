"""L4 and L7: thousands of lines on which nothing happens, or that are held open by somebody who means no good."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path

import httpx2
import pytest

from api.connection import raise_file_limit
from bench.load.client import Sample, at_rate
from tests.faults.crowd import DESK
from tests.faults.load import NOISE, TEXT, Usage, quiet, usage
from tests.faults.plugin import Figure
from tests.processes import ServerProcess
from tests.waiting import PATIENCE_S, until

pytestmark = pytest.mark.lab
IDLE, CONVERSATIONS, KEEP_ALIVE_S, MOST_MIB = 2_000, 20, 15.0, 60
SLOW, DEAF, EMPTY, CLOSED_WITHIN_S, MOST_MIB_HELD = 300, 300, 3_000, 60.0, 100
AT_ONCE = 50
RATE = 10.0
DROP_S = 1.0
DATABASE_FILES = 40
HEAD = b"POST /chat HTTP/1.1\r\nhost: 127.0.0.1\r\nx-slow: "
PAGES = b"GET /openapi.json HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n" * 20


@pytest.fixture
async def process(tmp_path: Path) -> AsyncIterator[ServerProcess]:
    """A server of the test's own; both sides may open as many files as the system allows."""
    raise_file_limit()
    async with ServerProcess(tmp_path, DESK) as started:
        yield started


class _Listener(asyncio.Protocol):
    """Somebody who has a page open, and does nothing."""

    def __init__(self, head: bytes) -> None:
        self._head = head
        self.came = b""
        self.is_cut = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the stream."""
        assert isinstance(transport, asyncio.WriteTransport)
        self.transport = transport
        transport.write(self._head)

    def data_received(self, data: bytes) -> None:
        """Keep it; it is little."""
        self.came += data

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - as asyncio calls it
        """Note it."""
        self.is_cut = True

    @property
    def comments(self) -> int:
        """How many signs of life there were since the beginning of the stream."""
        return self.came.count(b"\n: ") + self.came.count(b"\n:\n")


def _itself(listener: _Listener) -> _Listener:
    return listener


async def _listeners(process: ServerProcess) -> list[_Listener]:
    """Many people with a page open, a hundred to a conversation; returns when each has the head of its stream."""
    heads = []
    for _ in range(CONVERSATIONS):
        reply = (await _turn(process)).json()
        heads.append(
            f"GET /chat/{reply['conversation_id']}/events HTTP/1.1\r\nhost: 127.0.0.1\r\n"
            f"x-visitor-token: {reply['visitor_token']}\r\naccept: text/event-stream\r\n\r\n"
        )
    loop, found = asyncio.get_running_loop(), list[_Listener]()
    for number in range(IDLE):
        listener = _Listener(heads[number % CONVERSATIONS].encode())
        await loop.create_connection(partial(_itself, listener), "127.0.0.1", process.port)
        found.append(listener)
        if number % AT_ONCE == 0:
            await until(lambda: all(listener.came for listener in found[-AT_ONCE:]))
    await until(lambda: all(listener.came for listener in found))
    return found


async def _turn(process: ServerProcess) -> httpx2.Response:
    """A turn of somebody new."""
    async with httpx2.AsyncClient(timeout=PATIENCE_S, trust_env=False) as client:
        response = await client.post(f"{process.url}/chat", json={"message": TEXT})
    assert response.status_code == httpx2.codes.OK, response.text
    return response


@pytest.mark.fault("L4")
async def test_two_thousand_open_pages_cost_little_and_delay_nobody(
    process: ServerProcess, figure: Figure
) -> None:
    """Everybody who leaves the page open would take the place of somebody who asks something."""
    await at_rate(process.port, TEXT, RATE, 2)
    before = await quiet(process)
    listeners = await _listeners(process)
    opened = await usage(process)
    beside = await at_rate(process.port, TEXT, RATE, KEEP_ALIVE_S)
    await until(lambda: all(listener.comments for listener in listeners))
    after = await quiet(process)
    cut = sum(listener.is_cut for listener in listeners)
    for listener in listeners:
        listener.transport.abort()
    await _gone(process, before)

    more, crowding = after.memory_mib - before.memory_mib, after.crowding(opened)
    figure(
        f"{IDLE:,} streams: {more:.0f} MiB more ({more * 1024 / IDLE:.0f} KiB each), each with a sign of life, {cut} cut; "
        f"{len(beside.whole)} of {len(beside.outcomes)} turns beside them, first words p50 {beside.first_ms(0.5):.0f}, "
        f"p99 {beside.first_ms(0.99):.0f} ms"
    )
    assert cut == 0
    assert {listener.came.split()[1] for listener in listeners} == {b"200"}
    assert more < MOST_MIB
    _check(beside, 300, crowding)


def _check(beside: Sample, promised_ms: float, crowding: float) -> None:
    assert beside.broken == []
    assert len(beside.whole) >= (1 - 0.01 * NOISE * crowding) * len(beside.outcomes)
    assert beside.first_ms(0.95) < NOISE * crowding * promised_ms


async def _gone(process: ServerProcess, before: Usage) -> None:
    """Return when the server has let go of all that came since; the database may keep a few files more open."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            now = await usage(process)
            if now.files <= before.files + DATABASE_FILES and now.tasks <= before.tasks + 5:
                return
            await asyncio.sleep(0.2)


async def _sockets(
    stack: ExitStack, port: int, number: int, buffer: int | None = None
) -> list[socket.socket]:
    """So many connections, some at a time."""
    loop, found = asyncio.get_running_loop(), list[socket.socket]()
    for at in range(number):
        raw = stack.enter_context(socket.socket())
        raw.settimeout(0)
        if buffer is not None:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        await loop.sock_connect(raw, ("127.0.0.1", port))
        found.append(raw)
        if at % AT_ONCE == 0:
            await asyncio.sleep(0)
    return found


async def _drip(slow: list[socket.socket]) -> None:
    """A letter a second on each, until somebody stops it."""
    while True:
        for raw in slow:
            with suppress(OSError):
                raw.send(b"x")
        await asyncio.sleep(DROP_S)


@pytest.mark.fault("L7")
async def test_thousands_of_sockets_that_mean_no_good_are_closed_and_delay_nobody(
    process: ServerProcess, figure: Figure
) -> None:
    """A hundred lines of script on one computer would keep all customers out."""
    await at_rate(process.port, TEXT, RATE, 2)
    before, began = await quiet(process), time.monotonic()
    with ExitStack() as stack:
        deaf = await _sockets(stack, process.port, DEAF, buffer=4096)
        slow = await _sockets(stack, process.port, SLOW)
        for raw in deaf:
            raw.send(PAGES)
        for raw in slow:
            raw.send(HEAD)
        dripping = asyncio.create_task(_drip(slow))
        await _sockets(stack, process.port, EMPTY)
        opened = await usage(process)
        beside = await at_rate(process.port, TEXT, RATE, 15)
        during = await usage(process)
        await _gone(process, before)
        took_s = time.monotonic() - began
        dripping.cancel()
    after = await quiet(process)

    crowding = after.crowding(before)
    most = max(opened.memory_mib, during.memory_mib) - before.memory_mib
    figure(
        f"{SLOW} slow senders, {DEAF} who do not read, {EMPTY:,} empty: {opened.files - before.files:,} open at once, {most:.0f} MiB "
        f"more, all closed after {took_s:.0f} s; {len(beside.whole)} of {len(beside.outcomes)} turns beside them, first words "
        f"p95 {beside.first_ms(0.95):.0f} ms"
    )
    assert opened.files - before.files > EMPTY / 2
    assert most < MOST_MIB_HELD
    assert took_s < CLOSED_WITHIN_S * max(1.0, crowding)
    _check(beside, 500, crowding)
