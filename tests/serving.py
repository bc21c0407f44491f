"""The real server for tests: uvicorn in the test's own event loop, on a free loopback port.

`async with serving(settings) as client:` is what most tests need; `running` also gives the house behind it.
"""

import asyncio
import json
import socket
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import httpx2
import uvicorn

from api.connection import Connection
from knowledge.index import KnowledgeIndex
from router.desk import Engines
from server import House, create_app
from settings import ROOT, Settings
from tests.waiting import PATIENCE_S

SECRET = "a secret of the tests, long enough"
STREAM = {"Accept": "text/event-stream"}


def local_settings(folder: Path, **changes: object) -> Settings:
    """Settings without a key, on a database of the test's own."""
    _shipped_articles()
    given: dict[str, object] = {
        "FRONTDESK_ENGINE": "local",
        "FRONTDESK_DATABASE_URL": f"sqlite:///{folder / 'desk.db'}",
        "FRONTDESK_SECRET": SECRET,
        "FRONTDESK_CALLER_LIMIT": "off",  # one customer of a test says more in a minute than people do
        "FRONTDESK_DATABASE_WAIT_S": PATIENCE_S,
    }
    return Settings.read(**(given | changes))


@cache
def _shipped_articles() -> KnowledgeIndex:
    """Kept for the desks of this process, which share what is in use: each would take a second to read them."""
    return KnowledgeIndex.load(ROOT / "knowledge" / "corpus")


@dataclass(frozen=True, slots=True)
class Running:
    """A server that runs: a client for it, and what is behind it."""

    client: httpx2.AsyncClient
    house: House
    url: str

    @property
    def followers(self) -> int:
        """How many streams and replies listen for what is committed."""
        return sum(len(followers) for followers in self.house.event_log._wake._followers.values())


@asynccontextmanager
async def running(
    settings: Settings,
    engines: Engines | None = None,
    patience_s: float = 1.0,
    connection: type[Connection] = Connection,
) -> AsyncGenerator[Running, None]:
    """The server for these settings, until the context is left.

    Args:
        engines: Others than those the settings ask for.
        patience_s: How long turns under way may take at the end.
        connection: One with other limits.
    """
    app = create_app(settings, engines, patience_s)
    with socket.create_server(("127.0.0.1", 0), backlog=1024) as listener:
        config = uvicorn.Config(
            app,
            http=connection,
            ws="none",
            lifespan="on",
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=5,
        )
        server = QuietServer(config)
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        task = asyncio.get_running_loop().create_task(server.serve(sockets=[listener]))
        await _started(server, task)
        house: House = app.state.house
        try:
            async with client_of(url) as client:
                yield Running(client, house, url)
        finally:
            house.stopping.ask()
            server.should_exit = True
            await task


@asynccontextmanager
async def serving(
    settings: Settings, engines: Engines | None = None, patience_s: float = 1.0
) -> AsyncGenerator[httpx2.AsyncClient, None]:
    """A client of the server for these settings. It keeps cookies, so it is one visitor."""
    async with running(settings, engines, patience_s) as server:
        yield server.client


def client_of(url: str, headers: Mapping[str, str] | None = None) -> httpx2.AsyncClient:
    """Another client of the same server: another visitor."""
    return httpx2.AsyncClient(base_url=url, headers=headers, timeout=PATIENCE_S, trust_env=False)


class QuietServer(uvicorn.Server):
    """Leaves the signals to the test."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield

    async def main_loop(self) -> None:
        """Serve until told to stop."""
        while not self.should_exit:  # noqa: ASYNC110 - uvicorn offers no event to wait for
            await asyncio.sleep(0.01)


async def _started(server: uvicorn.Server, task: asyncio.Task[None]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not server.started:
            if task.done():
                raise RuntimeError("the server did not start")
            await asyncio.sleep(0.005)


@dataclass(frozen=True, slots=True)
class Frame:
    """One SSE frame of ours: its id (empty: none) and the AG-UI event in it."""

    event_id: str
    event: dict[str, Any]

    @property
    def type(self) -> str:
        """The AG-UI type of the event."""
        return str(self.event["type"])


async def frames_of(response: httpx2.Response) -> AsyncIterator[Frame]:
    """The frames of a streamed response as they come; comments are left out."""
    data, event_id = "", ""
    async for line in response.aiter_lines():
        name, _, value = line.partition(": ")
        if name == "data":
            data = value
        elif name == "id":
            event_id = value
        elif not line and data:
            yield Frame(event_id, json.loads(data))
            data, event_id = "", ""


async def streamed(
    client: httpx2.AsyncClient, body: Mapping[str, object], headers: Mapping[str, str] | None = None
) -> list[Frame]:
    """All frames of the turn that this message starts or joins."""
    asked = client.stream("POST", "/chat", json=body, headers={**STREAM, **(headers or {})})
    async with asked as response:
        assert response.status_code == 200, await response.aread()
        return [frame async for frame in frames_of(response)]


def text_of(frames: list[Frame]) -> str:
    """The words a client puts together from these frames."""
    return "".join(frame.event["delta"] for frame in frames if frame.type == "TEXT_MESSAGE_CONTENT")
