"""Open the database, bring it to the newest schema, and run readers and writers beside the event loop.

Why threads: a reader or a group of writes is one hop to a thread and back, whatever number of statements it has.
A database that is away for a moment is waited for; connections that broke are replaced.
"""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from typing import Self

from sqlalchemy import Connection, delete, insert, text
from sqlalchemy.exc import DBAPIError

from errors import ConfigError, Unavailable
from store.address import backend_at
from store.backend import PASSING
from store.group import Result, Work, unavailable
from store.migrate import migrate
from store.schema import events
from store.writer import PATIENCE_S, Writer

READERS = 8
READER_WAIT_S = 2.0
MIGRATION_PATIENCE_S = 10.0
_TRY_AGAIN_S = 0.1
_ROOM_WANTED = 65_536  # bytes


class Database:
    """Connections for readers, and one for the writer. Use as an async context manager.

    A write waits up to `write_patience_s` for its commit, a reader up to `reader_wait_s` for its result.
    """

    def __init__(
        self,
        url: str,
        *,
        readers: int = READERS,
        reader_wait_s: float = READER_WAIT_S,
        write_patience_s: float = PATIENCE_S,
    ) -> None:
        self.backend = backend_at(url)
        self.read_engine = self.backend.readers(readers)
        self.write_engine = self.backend.writer()
        self.writer = Writer(self.write_engine, self.backend.fault_of, write_patience_s)
        self._reader_wait_s = reader_wait_s
        self._readers = ThreadPoolExecutor(readers, thread_name_prefix="database-reader")
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        self.backend.prepare()
        async with AsyncExitStack() as opened:
            opened.callback(self._dispose)
            await asyncio.to_thread(self._prepare)
            group = await opened.enter_async_context(asyncio.TaskGroup())
            self._stack = opened.pop_all()
        group.create_task(self.writer.run(), name="database-writer")
        return self

    async def __aexit__(self, *_: object) -> None:
        self.writer.close()
        await self._stack.aclose()

    def _dispose(self) -> None:
        self._readers.shutdown()
        self.read_engine.dispose()
        self.write_engine.dispose()

    def _prepare(self) -> None:
        """Bring the schema up to date; another server that starts at the same time is waited for.

        Raises:
            ConfigError: It cannot be opened, is no database, or was made by a newer version.
        """
        until = time.monotonic() + MIGRATION_PATIENCE_S
        while True:
            try:
                with self.write_engine.begin() as connection:
                    self.backend.hold(connection, "migration")
                    migrate(connection)
            except DBAPIError as exc:
                if self.backend.fault_of(exc) == "db_busy" and time.monotonic() < until:
                    continue
                raise ConfigError(f"FRONTDESK_DATABASE_URL: {self.backend.refusal(exc)}") from exc
            else:
                return

    async def read(self, work: Work[Result]) -> Result:
        """What `work` reads, in a thread, from one state of the database.

        Raises:
            Unavailable: No reader came free in time, or the database did not answer.
            FrontdeskError: What `work` itself raised.
        """
        fault = None
        try:
            async with asyncio.timeout(self._reader_wait_s):
                while True:
                    try:
                        return await asyncio.get_running_loop().run_in_executor(
                            self._readers, self._in_thread, work
                        )
                    except DBAPIError as exc:
                        fault = self.backend.fault_of(exc)
                        if fault is None:
                            raise
                        if fault not in PASSING:
                            raise unavailable(fault) from exc
                    await asyncio.sleep(_TRY_AGAIN_S)
        except TimeoutError as exc:
            if fault is not None:
                raise unavailable(fault) from exc
            raise Unavailable("database: all readers are busy", code="pool_exhausted") from exc

    def _in_thread(self, work: Work[Result]) -> Result:
        with self.read_engine.connect() as connection:
            return work(connection)

    async def write(self, work: Work[Result]) -> Result:
        """Run `work` in the next group; returns after the commit.

        The work may run again. Only one run counts, with one exception: when the line to the database broke in the
        middle of a commit, nobody knows whether that was done. So a work finds out by a key what it did already.

        Raises:
            Unavailable: It could not be committed (database locked, full, away, or closed); nothing of it was
                written, unless the line broke.
            FrontdeskError: What `work` itself refused, before it wrote anything.
        """
        return await self.writer.write(work)

    async def apart(self, work: Work[Result]) -> Result:
        """Run and commit a long `work` on a connection of its own, so that no other write waits for it.

        Raises:
            Unavailable: It could not be committed, or a lock was not to be had; it may be tried again.
        """

        def in_thread() -> Result:
            engine = self.backend.writer()
            try:
                with engine.begin() as connection:
                    return work(connection)
            finally:
                engine.dispose()

        try:
            return await asyncio.to_thread(in_thread)
        except DBAPIError as exc:
            fault = self.backend.fault_of(exc)
            if fault is None:
                raise
            raise unavailable(fault) from exc

    async def state(self) -> str:
        """How the database is: `ok`, or the code of what is wrong. A fault that was seen is tried again."""
        try:
            await self.read(lambda connection: connection.execute(text("SELECT 1")).one())
            if self.writer.fault is not None:
                await self.write(_touch)
        except Unavailable as exc:
            return exc.code
        return "ok"


def _touch(connection: Connection) -> None:
    """A write that leaves nothing, to see whether there is room again for a message and its answer."""
    row = {"conversation_id": "", "ordinal": 0, "first_seq": 0, "last_seq": 0, "payload": _ROOM_WANTED * "x"}
    connection.execute(insert(events), row)
    connection.execute(delete(events).where(events.c.conversation_id == ""))
