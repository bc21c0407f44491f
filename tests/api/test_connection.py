"""Whoever sends nothing, sends slowly, sends too much or does not read is cut; everybody else is served.

The deadlines are short here, and what is waited for is the cut itself: a slow machine cuts a little later.
"""

import asyncio
import resource
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import ClassVar

import pytest
import pytest_asyncio

from api.connection import Connection, raise_file_limit
from tests.serving import Running, local_settings, running
from tests.waiting import PATIENCE_S, soon, until

in_module_loop = pytest.mark.asyncio(loop_scope="module")
HEAD = b"POST /chat HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
ALIVE = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
PAGES = 100
PAGE = b"GET /openapi.json HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
LAST_PAGE = b"GET /openapi.json HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"


class Watched(Connection):
    """Tells what it is at; without deadlines that a test could run into."""

    head_s = body_s = unread_s = PATIENCE_S
    open: ClassVar[set["Watched"]] = set()
    paused: ClassVar[set["Watched"]] = set()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Note it."""
        self.open.add(self)
        super().connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """Note it."""
        self.open.discard(self)
        self.paused.discard(self)
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """Note it."""
        self.paused.add(self)
        super().pause_writing()

    def resume_writing(self) -> None:
        """Note it."""
        self.paused.discard(self)
        super().resume_writing()


class Hasty(Watched):
    """Waits for nobody."""

    head_s = body_s = unread_s = 0.2


class Lonely(Watched):
    """One client, and no more."""

    at_most = 1


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def hasty(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    """A server that waits for nobody."""
    settings = local_settings(tmp_path_factory.mktemp("desk"))
    async with running(settings, connection=Hasty) as started:
        yield started


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def calm(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    """A server whose deadlines are far away."""
    settings = local_settings(tmp_path_factory.mktemp("desk"))
    async with running(settings, connection=Watched) as started:
        yield started


async def _connected(server: Running) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    host, _, port = server.url.removeprefix("http://").partition(":")
    return await soon(asyncio.open_connection(host, int(port)))


async def _read_to_the_end(reader: asyncio.StreamReader) -> bytes:
    """Everything that came before the connection was closed or broken."""
    came = b""
    async with asyncio.timeout(PATIENCE_S):
        try:
            while piece := await reader.read(65_536):
                came += piece
        except ConnectionError:
            pass
    return came


@pytest.mark.fault("L7")
@pytest.mark.parametrize(
    "begun",
    [
        b"",
        b"P",
        HEAD,
        HEAD + b"Content-Length: 100\r\n\r\n",
        HEAD + b'Content-Length: 100\r\n\r\n{"message": "half',
        HEAD + b'Transfer-Encoding: chunked\r\n\r\n5\r\n{"mes\r\n',
        ALIVE + b"GET /hea",
    ],
    ids=[
        "nothing",
        "one letter",
        "half a head",
        "no body",
        "half a body",
        "half the chunks",
        "half a second request",
    ],
)
@in_module_loop
async def test_who_does_not_go_on_is_cut(begun: bytes, hasty: Running) -> None:
    """A client that only holds a socket must not hold it for long."""
    reader, writer = await _connected(hasty)
    writer.write(begun)
    await _read_to_the_end(reader)
    writer.close()


@pytest.mark.fault("L7")
@pytest.mark.parametrize("begun", [b"", HEAD + b"Content-Length: 1000\r\n\r\n"], ids=["head", "body"])
@in_module_loop
async def test_who_sends_drop_by_drop_is_cut_too(begun: bytes, hasty: Running) -> None:
    """A letter now and then is not a sign of life: the whole must come in time."""
    reader, writer = await _connected(hasty)
    writer.write(begun)
    ended = asyncio.ensure_future(_read_to_the_end(reader))
    async with asyncio.timeout(PATIENCE_S):
        while not ended.done():
            writer.write(b"X")
            await asyncio.sleep(0.01)
    writer.close()


@pytest.mark.fault("L7")
@in_module_loop
async def test_a_crowd_of_idlers_does_not_keep_a_customer_out(hasty: Running) -> None:
    """A hundred sockets that send nothing or little are closed by and by, and meanwhile the desk answers."""
    crowd = [await _connected(hasty) for _ in range(100)]
    for _, writer in crowd[:50]:
        writer.write(HEAD)
    reply = await hasty.client.post("/chat", json={"message": "hello"})
    for reader, _ in crowd:
        await _read_to_the_end(reader)
    for _, writer in crowd:
        writer.close()

    assert reply.status_code == 200


@pytest.mark.fault("L7")
@in_module_loop
async def test_who_does_not_read_is_cut(hasty: Running) -> None:
    """What waits to be read takes memory; it must not wait for ever."""
    reader, writer = await _unread(hasty)
    [deaf] = Watched.paused
    await until(lambda: deaf not in Watched.open)
    pages = (await _read_to_the_end(reader)).count(b"HTTP/1.1 200")
    writer.close()

    assert pages < PAGES


@in_module_loop
async def test_who_reads_again_gets_everything(calm: Running) -> None:
    """A phone that was out of reach for a moment has lost nothing."""
    reader, writer = await _unread(calm)
    pages = (await _read_to_the_end(reader)).count(b"HTTP/1.1 200")
    writer.close()

    assert pages == PAGES
    assert not Watched.paused


async def _unread(server: Running) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A client that asks for many pages and does not read, once the server has noticed."""
    host, _, port = server.url.removeprefix("http://").partition(":")
    raw = socket.socket()
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    raw.settimeout(0)
    await asyncio.get_running_loop().sock_connect(raw, (host, int(port)))
    reader, writer = await asyncio.open_connection(sock=raw, limit=1024)
    writer.write(PAGE * (PAGES - 1) + LAST_PAGE)
    await until(lambda: Watched.paused)
    return reader, writer


@pytest.mark.parametrize("piece", [40_000, 1000], ids=["at once", "in pieces"])
@in_module_loop
async def test_a_huge_head_is_refused(piece: int, calm: Running) -> None:
    """Headers are kept in memory before anybody can check who sends them."""
    reader, writer = await _connected(calm)
    flood = HEAD + b"X-Flood: " + b"x" * 40_000 + b"\r\n\r\n"
    for at in range(0, len(flood), piece):
        writer.write(flood[at : at + piece])
        await asyncio.sleep(0)
    answer = await _read_to_the_end(reader)
    writer.close()

    assert answer.startswith(b"HTTP/1.1 431 ")
    assert b'"code":"headers_too_large"' in answer


@in_module_loop
async def test_large_cookies_and_bodies_are_fine(calm: Running) -> None:
    """A host site's cookies come along; a long message is no head."""
    reply = await calm.client.post(
        "/chat", json={"message": "hello " * 1000}, headers={"Cookie": "site=" + "x" * 20_000}
    )

    assert reply.status_code == 200


@in_module_loop
async def test_requests_one_after_the_other_share_a_connection_and_streams_may_be_quiet(
    calm: Running,
) -> None:
    """Between two requests, and while an answer is on its way, nothing is expected of the client."""
    reader, writer = await _connected(calm)
    writer.write(ALIVE + ALIVE)
    for _ in range(2):
        assert await soon(reader.readuntil(b'{"status":"alive"}'))
    reply = (await calm.client.post("/chat", json={"message": "hello"})).json()
    async with calm.client.stream("GET", f"/chat/{reply['conversation_id']}/events") as stream:
        await anext(stream.aiter_bytes())
        waiting_for = [connection for connection in Watched.open if connection._deadline is not None]
    writer.close()

    assert waiting_for == []


@pytest.mark.fault("L7")
async def test_beyond_the_last_place_nobody_gets_in(tmp_path: Path) -> None:
    """The files that the database and the API need are not given away to sockets."""
    async with running(local_settings(tmp_path), connection=Lonely) as server:
        reader, writer = await _connected(server)
        writer.write(ALIVE)
        assert await soon(reader.readuntil(b'{"status":"alive"}'))
        other, other_writer = await _connected(server)
        assert await _read_to_the_end(other) == b""
        other_writer.close()
        writer.write(ALIVE)
        assert await soon(reader.readuntil(b'{"status":"alive"}'))
        writer.close()


def test_the_process_takes_as_many_files_as_it_may() -> None:
    """A shell's 1,024 open files must not be the limit of a server."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(soft, 1024), hard))
    try:
        raise_file_limit()
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == hard
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
