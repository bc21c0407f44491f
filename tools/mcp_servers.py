"""All servers that lend tools, and what they lend right now.

Why: a tool is what its server first said it is. A server that rewrites a tool's description or schema later may want the
model to do something else than the company agreed to, so the first one is kept until a restart, and the log says so. A
server that is away has its tools answer honestly; it comes back by itself.
Made by build.py when there is a settings file; opened and closed with the desk. The start never waits for a server.
"""

import asyncio
import logging
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Self

import structlog

from events import JsonObject
from tools.mcp_settings import HttpServer, McpSettings, Patience, StdioServer
from tools.mcp_tool import Described, lend
from tools.registry import Tool

if TYPE_CHECKING:
    from tools.mcp_session import Session

log = structlog.get_logger()
_THEIR_LOGGERS = ("mcp", "client")  # they would log what servers say, which may be a customer's


class McpServers:
    """The servers of a settings file. Use as an async context manager; leaving it ends every session and process.

    Args:
        patience: Other waits than the usual ones.
    """

    def __init__(self, settings: McpSettings, patience: Patience | None = None) -> None:
        self._settings = settings
        self._patience = patience or Patience()
        self._shelves = {name: _Shelf(name, server) for name, server in settings.servers.items()}
        self._group = asyncio.TaskGroup()

    @property
    def listed(self) -> tuple[str, ...]:
        """Names of the tools as prompt files write them, whether they are there or not."""
        return tuple(listed for listed, _ in self._settings.names())

    @property
    def called(self) -> tuple[str, ...]:
        """Names of the tools as Claude and the log write them."""
        return tuple(wire for _, wire in self._settings.names())

    def tools(self) -> tuple[Tool, ...]:
        """All tools that a server has described; calling one whose server is away is a ToolError."""
        return tuple(tool for shelf in self._shelves.values() for tool in shelf.lent.values())

    def states(self) -> Mapping[str, JsonObject]:
        """Each server: connected or away, what it lends, and what it should but does not."""
        return {name: shelf.state() for name, shelf in self._shelves.items()}

    async def __aenter__(self) -> Self:
        """Begin to connect.

        Raises:
            ConfigError: An environment variable is not set.
        """
        variables = self._settings.variables(os.environ)
        for name in _THEIR_LOGGERS:
            logging.getLogger(name).setLevel(logging.CRITICAL)
        await self._group.__aenter__()
        self._keeping = self._group.create_task(self._keep(variables))
        return self

    async def __aexit__(self, *_: object) -> None:
        self._keeping.cancel()
        await self._group.__aexit__(None, None, None)

    async def _keep(self, variables: Mapping[str, str]) -> None:
        """Keep all sessions."""
        make = await asyncio.to_thread(_session_maker)
        async with asyncio.TaskGroup() as group:
            for shelf in self._shelves.values():
                own = {name: variables[name] for name in shelf.server.env}
                shelf.session = make(shelf.name, shelf.server, own, self._patience, shelf.take)
                group.create_task(shelf.session.keep(), name=f"mcp {shelf.name}")


def _session_maker() -> "type[Session]":
    from tools.mcp_session import Session  # noqa: PLC0415 - importing mcp costs two seconds; only with servers

    return Session


@dataclass(slots=True)
class _Shelf:
    """What one server lends."""

    name: str
    server: StdioServer | HttpServer
    session: "Session | None" = None
    lent: dict[str, Tool] = field(default_factory=dict)
    _first: dict[str, Described] = field(default_factory=dict)
    _told: dict[str, tuple[str, str]] = field(default_factory=dict)

    def state(self) -> JsonObject:
        """For readiness."""
        is_connected = self.session is not None and self.session.is_connected
        missing = [name for name in self.server.tools if name not in self.lent]
        return {"state": "connected" if is_connected else "away", "lends": list(self.lent), "lacks": missing}

    def take(self, session: "Session", described: Iterable[Described]) -> None:
        """Note what the server lists now; it is called through this session."""
        now = {item.name: item for item in described}
        for name in self.server.tools:
            event, why = self._look_at(session, name, now.get(name))
            if event and self._told.get(name) != (event, why):
                log.warning(event, server=self.name, tool=name, why=why)
            self._told[name] = (event, why)

    def _look_at(self, session: "Session", name: str, now: Described | None) -> tuple[str, str]:
        """What is to be told of the tool: nothing, when it is as it was; the event and why, otherwise."""
        first = self._first.get(name)
        if now is None:
            return ("mcp.missing", "not listed") if first is None else ("mcp.changed", "gone")
        if self.server.tools[name].description is not None:
            now = replace(now, description="")  # the company's own words stand in its place
        if first is None:
            return self._take_in(session, name, now)
        changed = "schema" if now.schema != first.schema else "description" if now != first else ""
        return ("mcp.changed", changed) if changed else ("", "")

    def _take_in(self, session: "Session", name: str, now: Described) -> tuple[str, str]:
        try:
            self.lent[name] = lend(self.name, now, self.server.tools[name], session.call)
        except ValueError as exc:
            return "mcp.refused", str(exc)
        self._first[name] = now
        return "", ""
