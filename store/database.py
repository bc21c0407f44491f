"""Open the database, bring it to the newest schema, and commit writes in groups.

Why groups: an accepted message must be on disk before the customer hears of it, and a disk syncs a few thousand
times a second at best. So all writes that wait at the same moment share one transaction and one sync.
SQLite runs in WAL mode with synchronous=FULL: what was committed survives a power cut.
"""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Self

import structlog
from sqlalchemy import Connection, event
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from errors import ConfigError, Unavailable
from store.address import driver_url, make_folder
from store.group import Result, Work, Write, fault_of, run_group
from store.migrate import migrate

log = structlog.get_logger()
READERS = 8
READER_WAIT_S = 2.0
READ_BUSY_S = 5.0
WRITE_PATIENCE_S = 4.5
MIGRATION_PATIENCE_S = 10.0
_LOCK_TRY_S = 0.25
_TELL_EVERY_S = 60.0
_PRAGMAS = ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON")


class Database:
    """Connections for readers, and one for the groups of writes. Use as an async context manager.

    A write waits up to `write_patience_s` for its commit, a reader up to `reader_wait_s` for a connection.
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
        self.read_engine = _engine(self.url, readers, reader_wait_s, "BEGIN", READ_BUSY_S)
        self.write_engine = _engine(self.url, 1, reader_wait_s, "BEGIN IMMEDIATE", _LOCK_TRY_S)
        self._write_patience_s = write_patience_s
        self._waiting: list[Write] = []
        self._under_way: list[Write] = []
        self._wake = asyncio.Event()
        self._stack = AsyncExitStack()
        self._is_closed = True
        self._fault: str | None = None
        self._told: dict[str, float] = {}

    async def __aenter__(self) -> Self:
        make_folder(self.url)
        try:
            await self._prepare()
            group = await self._stack.enter_async_context(asyncio.TaskGroup())
        except BaseException:
            await self._dispose()
            raise
        group.create_task(self._keep_writing(), name="database-writer")
        self._is_closed = False
        return self

    async def __aexit__(self, *_: object) -> None:
        self._is_closed = True
        self._wake.set()
        try:
            await self._stack.aclose()
        finally:
            await self._dispose()

    async def _dispose(self) -> None:
        await self.read_engine.dispose()
        await self.write_engine.dispose()

    async def _prepare(self) -> None:
        """Bring the schema up to date; another server that starts at the same time is waited for.

        Raises:
            ConfigError: The file cannot be opened, is no database, or was made by a newer version.
        """
        until = time.monotonic() + MIGRATION_PATIENCE_S
        while True:
            try:
                async with self.write_engine.connect() as connection:
                    await connection.run_sync(migrate)
                    await connection.commit()
            except DBAPIError as exc:
                if fault_of(exc) == "db_busy" and time.monotonic() < until:
                    continue
                raise ConfigError(
                    f"FRONTDESK_DATABASE_URL: the database cannot be opened ({exc.orig}); is the path right, and writable?"
                ) from exc
            else:
                return

    @asynccontextmanager
    async def read(self) -> AsyncGenerator[AsyncConnection, None]:
        """A connection that sees one state of the database.

        Raises:
            Unavailable: No connection came free, or the database did not answer.
        """
        try:
            async with self.read_engine.connect() as connection:
                yield connection
        except PoolTimeoutError as exc:
            raise Unavailable("database: all connections are in use", code="pool_exhausted") from exc
        except OperationalError as exc:
            raise Unavailable(f"database: {fault_of(exc)}", code=fault_of(exc)) from exc

    async def write(self, work: Work[Result]) -> Result:
        """Run `work` in the next group; returns after the commit. The work may run twice; only one run counts.

        Raises:
            Unavailable: It could not be committed (database locked, full, or closed); nothing of it was written.
            FrontdeskError: What `work` itself refused, before it wrote anything.
        """
        if self._is_closed:
            raise Unavailable("database: closed", code="db_closed")
        done: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._waiting.append(Write(work, done, time.monotonic()))
        self._wake.set()
        return await done

    async def state(self) -> str:
        """How the database is: `ok`, or the code of what is wrong. A fault that was seen is tried again."""
        try:
            async with self.read() as connection:
                await connection.exec_driver_sql("SELECT 1")
            if self._fault is not None:
                await self.write(_touch)
        except Unavailable as exc:
            return exc.code
        return "ok"

    async def _keep_writing(self) -> None:
        """Write until closed; whatever ends it, nobody waits for a writer that is gone."""
        try:
            while not self._is_closed or self._waiting:
                try:
                    await self._write_groups()
                except DBAPIError as exc:  # not even a connection was to be had
                    self._refuse(exc, self._waiting)
                    await asyncio.sleep(_LOCK_TRY_S)
        finally:
            self._is_closed = True
            for write in [*self._under_way, *self._waiting]:
                write.refuse(Unavailable("database: closed", code="db_closed"))

    async def _write_groups(self) -> None:
        """Write group after group, until closed or the connection is of no use any more."""
        async with self.write_engine.connect() as connection:
            while not self._is_closed or self._waiting:
                await self._wake.wait()
                self._wake.clear()
                self._under_way, self._waiting = self._waiting, []
                if not await self._commit(connection, self._under_way):
                    return

    async def _commit(self, connection: AsyncConnection, group: list[Write]) -> bool:
        """Bring the group to its end; false when this connection is of no use any more."""
        try:
            while group := [write for write in group if not write.done.done()]:
                if await self._begin(connection, group):
                    self._fault = await run_group(connection, group, self._tell)
                    break
        except (DBAPIError, ValueError) as exc:  # the driver says ValueError of a connection that is closed
            self._refuse(exc, group)
            return False
        return True

    def _refuse(self, error: Exception, group: list[Write]) -> None:
        self._fault = self._tell(error, len(group))
        for write in group:
            write.refuse(Unavailable(f"database: {self._fault}", code=self._fault))

    async def _begin(self, connection: AsyncConnection, group: list[Write]) -> bool:
        """Take the write lock; while somebody else has it, writes that waited too long are refused."""
        try:
            await connection.begin()
        except DBAPIError as exc:
            self._fault = self._tell(exc, len(group))
            now = time.monotonic()
            for write in group:
                if self._fault != "db_busy" or now - write.since >= self._write_patience_s:
                    write.refuse(Unavailable(f"database: {self._fault}", code=self._fault))
            return False
        return True

    def _tell(self, error: Exception, writes: int) -> str:
        """The code of this failure, logged once a minute."""
        fault = fault_of(error)
        now = time.monotonic()
        if now - self._told.get(fault, -_TELL_EVERY_S) >= _TELL_EVERY_S:
            self._told[fault] = now
            say = log.warning if fault == "db_busy" else log.critical
            say("database.failed", fault=fault, error=type(error).__name__, writes=writes)
        return fault


async def _touch(connection: AsyncConnection) -> None:
    """A write that changes nothing, to see whether writes go through again."""
    await connection.exec_driver_sql("UPDATE alembic_version SET version_num = version_num")


def _engine(url: str, connections: int, wait_s: float, begin: str, busy_s: float) -> AsyncEngine:
    """An engine of our own ways: it begins transactions as we say, and syncs every commit."""
    engine = create_async_engine(url, pool_size=connections, max_overflow=0, pool_timeout=wait_s)

    def on_connect(connection: Any, _: object) -> None:  # noqa: ANN401 - the driver's connection has no common type
        try:
            connection.isolation_level = None  # we say BEGIN ourselves
            cursor = connection.cursor()
            for pragma in (f"busy_timeout={round(1000 * busy_s)}", *_PRAGMAS):
                cursor.execute(f"PRAGMA {pragma}")
            cursor.close()
        except BaseException:
            connection.close()  # nobody else will, and its thread would keep the program alive
            raise

    def on_begin(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    event.listen(engine.sync_engine, "connect", on_connect)
    event.listen(engine.sync_engine, "begin", on_begin)
    return engine
