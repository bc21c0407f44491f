"""Open the database, bring it to the newest schema, and run readers and writers beside the event loop.

Why threads: a reader or a group of writes is one hop to a thread and back, whatever number of statements it has.
SQLite runs in WAL mode with synchronous=FULL: what was committed survives a power cut.
"""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from typing import Any, Self

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.exc import DBAPIError

from errors import ConfigError, Unavailable
from store.address import check_file, driver_url
from store.group import Result, Work, fault_of, is_outage, unavailable
from store.migrate import migrate
from store.writer import Writer

READERS = 8
READER_WAIT_S = 2.0
READ_BUSY_S = 5.0
WRITE_PATIENCE_S = 4.5
MIGRATION_PATIENCE_S = 10.0
_LOCK_TRY_S = 0.25
_PRAGMAS = ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON")


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
        write_patience_s: float = WRITE_PATIENCE_S,
    ) -> None:
        self.url = driver_url(url)
        self.read_engine = _engine(self.url, readers, "BEGIN", READ_BUSY_S)
        self.write_engine = _engine(self.url, 1, "BEGIN IMMEDIATE", _LOCK_TRY_S)
        self.writer = Writer(self.write_engine, write_patience_s)
        self._reader_wait_s = reader_wait_s
        self._readers = ThreadPoolExecutor(readers, thread_name_prefix="database-reader")
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        check_file(self.url)
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
            ConfigError: The file cannot be opened, is no database, or was made by a newer version.
        """
        until = time.monotonic() + MIGRATION_PATIENCE_S
        while True:
            try:
                with self.write_engine.begin() as connection:
                    migrate(connection)
            except DBAPIError as exc:
                if fault_of(exc) == "db_busy" and time.monotonic() < until:
                    continue
                raise ConfigError(
                    f"FRONTDESK_DATABASE_URL: the database cannot be opened ({exc.orig}); is the path right, and writable?"
                ) from exc
            else:
                return

    async def read(self, work: Work[Result]) -> Result:
        """What `work` reads, in a thread, from one state of the database.

        Raises:
            Unavailable: No reader came free in time, or the database did not answer.
            FrontdeskError: What `work` itself raised.
        """

        def in_thread() -> Result:
            with self.read_engine.connect() as connection:
                return work(connection)

        try:
            async with asyncio.timeout(self._reader_wait_s):
                return await asyncio.get_running_loop().run_in_executor(self._readers, in_thread)
        except TimeoutError as exc:
            raise Unavailable("database: all readers are busy", code="pool_exhausted") from exc
        except DBAPIError as exc:
            if not is_outage(exc):
                raise
            raise unavailable(exc) from exc

    async def write(self, work: Work[Result]) -> Result:
        """Run `work` in the next group; returns after the commit. The work may run twice; only one run counts.

        Raises:
            Unavailable: It could not be committed (database locked, full, or closed); nothing of it was written.
            FrontdeskError: What `work` itself refused, before it wrote anything.
        """
        return await self.writer.write(work)

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
    """A write that changes nothing, to see whether writes go through again."""
    connection.execute(text("UPDATE alembic_version SET version_num = version_num"))


def _engine(url: str, connections: int, begin: str, busy_s: float) -> Engine:
    """An engine of our own ways: it begins transactions as we say, and syncs every commit."""
    engine = create_engine(url, pool_size=connections, max_overflow=0, hide_parameters=True)

    def on_connect(connection: Any, _: object) -> None:  # noqa: ANN401 - the driver's connection has no common type
        connection.isolation_level = None  # we say BEGIN ourselves
        for pragma in (f"busy_timeout={round(1000 * busy_s)}", *_PRAGMAS):
            connection.execute(f"PRAGMA {pragma}")

    def on_begin(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    event.listen(engine, "connect", on_connect)
    event.listen(engine, "begin", on_begin)
    return engine
