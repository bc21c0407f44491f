"""The same server over streamable HTTP on loopback, behind a token; it can go down and come back."""

import asyncio
import socket
from dataclasses import dataclass
from pathlib import Path

import uvicorn
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from tests.lenders.crm import build
from tests.ports import free_port
from tests.serving import QuietServer


class Guarded:
    """Lets nobody in without the token."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app = app
        self._token = token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on what shows the token."""
        if scope["type"] == "http" and Request(scope).headers.get("authorization") != f"Bearer {self._token}":
            await send({"type": "http.response.start", "status": 401, "headers": []})
            await send({"type": "http.response.body", "body": b""})
            return
        await self._app(scope, receive, send)


@dataclass(slots=True)
class Door:
    """The server over HTTP in the test's own loop, on a port that stays the same."""

    folder: Path
    token: str
    port: int = 0
    _server: uvicorn.Server | None = None
    _task: "asyncio.Task[None] | None" = None

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.port}/mcp"

    async def up(self) -> None:
        """Listen."""
        self.port = self.port or free_port()
        listener = socket.create_server(("127.0.0.1", self.port), backlog=64)
        app = Guarded(build(self.folder).streamable_http_app(), self.token)
        config = uvicorn.Config(app, lifespan="on", log_config=None, timeout_graceful_shutdown=1)
        self._server = QuietServer(config)
        self._task = asyncio.get_running_loop().create_task(self._server.serve(sockets=[listener]))
        while not self._server.started:  # noqa: ASYNC110 - uvicorn offers no event to wait for
            await asyncio.sleep(0.01)

    async def down(self) -> None:
        """End; connections that are open are closed."""
        if self._server is not None and self._task is not None:
            self._server.should_exit = True
            await self._task
            self._server = None
