"""A line to PostgreSQL that breaks at the worst moment: the commit is done, and nobody hears of it."""

import asyncio
import tempfile
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

_SOCKET = ".s.PGSQL.5432"


@dataclass
class Line:
    """Passes everything on, but loses the answers to the next COMMITs, as many as `breaks` says, and the line with it."""

    url: str
    target: Path
    breaks: int = 0
    broken: int = 0

    async def carry(self, client: StreamReader, to_client: StreamWriter) -> None:
        """Carry what one client of the database says, and the answers, until one side hangs up."""
        server, to_server = await asyncio.open_unix_connection(self.target)
        is_to_break = asyncio.Event()

        async def ask() -> None:
            while data := await client.read(65_536):
                if b"COMMIT\0" in data and self.breaks > self.broken:
                    is_to_break.set()
                to_server.write(data)

        async def answer() -> None:
            while data := await server.read(65_536):
                if is_to_break.is_set():
                    self.broken += 1
                    return
                to_client.write(data)

        async def until_end(work: Coroutine[None, None, None]) -> None:
            with closing(to_client), closing(to_server):
                await work

        async with asyncio.TaskGroup() as group:
            group.create_task(until_end(ask()))
            group.create_task(until_end(answer()))


@asynccontextmanager
async def line_to(url: str) -> AsyncIterator[Line]:
    """A line to the server of this address, which listens on a socket in the file system."""
    parsed = make_url(url)
    if not str(parsed.query.get("host", "")).startswith("/"):
        pytest.skip("this server is not on a socket of this machine")
    with tempfile.TemporaryDirectory() as folder:
        address = parsed.update_query_dict({"host": folder}).render_as_string(hide_password=False)
        line = Line(address, Path(str(parsed.query["host"])) / _SOCKET)
        async with asyncio.TaskGroup() as group:

            def joined(reader: StreamReader, writer: StreamWriter) -> None:
                group.create_task(line.carry(reader, writer))

            async with await asyncio.start_unix_server(joined, Path(folder) / _SOCKET):
                yield line
