"""A session with one MCP server: opened, kept open, opened again after a failure. The only door to the package mcp.

Why: a server may be down, hang, crash or talk nonsense, and none of that may stop the desk or keep a customer waiting.
Life: one for each server of the settings file, made and run by McpServers; `keep` runs as long as the desk. Imported late,
because the package takes two seconds.
"""

import asyncio
import random
import sys
from collections.abc import Callable, Iterable, Mapping
from contextlib import AsyncExitStack, suppress
from typing import cast

import structlog
from mcp import Client, MCPError, StdioServerParameters, stdio_client
from mcp.client.streamable_http import streamable_http_client
from mcp.types import INVALID_PARAMS, INVALID_REQUEST, METHOD_NOT_FOUND, RequestParamsMeta, TextContent, Tool

from errors import RemoteError
from events import JsonObject
from remote import http_client
from tools.mcp_settings import HttpServer, Patience, StdioServer
from tools.mcp_tool import Described, Said

log = structlog.get_logger()
KEY = "frontdesk/idempotency-key"  # in the _meta of a call that changes something
_NOT_RUN = frozenset({INVALID_PARAMS, INVALID_REQUEST, METHOD_NOT_FOUND})
_MOST_PAGES = 20


class Session:
    """The session with one server.

    Args:
        variables: Environment variables that the server is given, or its token.
        found: Told what the server lists, after each look.
    """

    def __init__(
        self,
        name: str,
        server: StdioServer | HttpServer,
        variables: Mapping[str, str],
        patience: Patience,
        found: Callable[["Session", Iterable[Described]], None],
    ) -> None:
        self._name = name
        self._server = server
        self._variables = variables
        self._patience = patience
        self._found = found
        self._pause_s = patience.first_pause_s
        self._client: Client | None = None
        self._look = asyncio.Event()

    @property
    def is_connected(self) -> bool:
        """Whether the server can be called now."""
        return self._client is not None

    async def keep(self) -> None:
        """Be connected whenever the server can be, until cancelled."""
        while _goes_on():
            try:
                await self._stay_connected()
            except Exception as exc:  # noqa: BLE001 - whatever somebody else's server does, the desk goes on
                if _goes_on():
                    await self._pause(_why(exc))

    async def call(self, tool: str, arguments: JsonObject, key: str | None) -> Said:
        """The server's answer to one call; it is never tried again.

        Raises:
            RemoteError: No answer, none in time, or one that is none.
        """
        client = self._client
        meta = None if key is None else cast("RequestParamsMeta", {KEY: key})
        if client is None:
            raise RemoteError(f"{self._name}: not connected", kind="down", may_have_acted=False)
        try:
            async with asyncio.timeout(self._server.deadline_s):
                result = await client.call_tool(tool, arguments, meta=meta)
        except TimeoutError as exc:
            self._look.set()
            raise RemoteError(f"{self._name}: no answer in time", kind="timeout") from exc
        except MCPError as exc:
            self._look.set()
            may_have_acted = exc.code not in _NOT_RUN
            raise RemoteError(
                f"{self._name}: error {exc.code}", kind="down", may_have_acted=may_have_acted
            ) from exc
        except Exception as exc:  # not a result, or not one that the tool's own schema allows
            self._look.set()
            raise RemoteError(f"{self._name}: {_why(exc)}", kind="invalid") from exc
        texts = [block.text for block in result.content if isinstance(block, TextContent)]
        return Said("\n".join(texts), result.is_error)

    async def _stay_connected(self) -> None:
        """Connect, and look at what the server lists now and then; raises as soon as something is wrong.

        Returns only when it was cancelled.
        """
        async with AsyncExitStack() as stack:
            async with asyncio.timeout(self._patience.connect_s):
                client = await stack.enter_async_context(await self._client_in(stack))
                self._found(self, await _tools_of(client))
            stack.callback(setattr, self, "_client", None)
            self._client = client
            log.info("mcp.connected", server=self._name)
            while _goes_on():
                await self._next_look()
                async with asyncio.timeout(self._patience.connect_s):
                    self._found(self, await _tools_of(client))
                # Only now: a server that dies as soon as it is asked something is not started every second.
                self._pause_s = self._patience.first_pause_s

    async def _pause(self, why: str) -> None:
        """Wait before the next try, each time twice as long."""
        pause_s = self._pause_s * random.uniform(0.75, 1.25)
        self._pause_s = min(2 * self._pause_s, self._patience.longest_pause_s)
        log.warning("mcp.lost", server=self._name, why=why, again_in_s=round(pause_s, 1))
        await asyncio.sleep(pause_s)

    async def _client_in(self, stack: AsyncExitStack) -> Client:
        """A client that is not entered yet; what it needs lives in the stack."""
        server = self._server
        if isinstance(server, StdioServer):
            parameters = StdioServerParameters(
                command=server.command,
                args=list(server.args),
                env=dict(self._variables),
                encoding_error_handler="replace",  # a wrong letter is nonsense, not the end
            )
            return Client(stdio_client(parameters, errlog=sys.stderr), cache=None)
        token = self._variables[server.token_env] if server.token_env else None
        http = await stack.enter_async_context(http_client(token))
        transport = streamable_http_client(server.url, http_client=http, terminate_on_close=False)
        return Client(transport, cache=None)

    async def _next_look(self) -> None:
        self._look.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(self._patience.look_every_s):
                await self._look.wait()


async def _tools_of(client: Client) -> list[Described]:
    """All that the server lists, page by page."""
    found: list[Tool] = []
    cursor: str | None = None
    for _ in range(_MOST_PAGES):
        page = await client.list_tools(cursor=cursor)
        found += page.tools
        cursor = page.next_cursor
        if cursor is None:
            break
    return [Described(tool.name, tool.description or "", tool.input_schema) for tool in found]


def _goes_on() -> bool:
    """Whether nobody has cancelled this; a cancel is lost on its way when tasks of the library fail in that moment."""
    task = asyncio.current_task()
    return task is not None and not task.cancelling()


def _why(error: BaseException) -> str:
    """The kind of the first thing that went wrong; never its words, which may be a customer's."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return type(error).__name__
