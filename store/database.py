"""Open the database, bring it to the newest schema, and commit writes in groups.

Why groups: an accepted message must be on disk before the customer hears of it, and a disk syncs a few thousand
times a second at best. So all writes that wait at the same moment share one transaction and one sync.
SQLite runs in WAL mode with synchronous=FULL: what was committed survives a power cut.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, TypeVar

import structlog
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from errors import ConfigError, FrontdeskError, Unavailable

log = structlog.get_logger()
Result = TypeVar("Result")
Work = Callable[[AsyncConnection], Awaitable[Result]]
BUSY_TIMEOUT_MS = 5_000
_MIGRATIONS = Path(__file__).parent / "migrations"


@dataclass(slots=True)
class _Write:
    work: Work[Any]
    done: asyncio.Future[Any]


def driver_url(url: str) -> str:
    """The same address with the driver we use: aiosqlite for SQLite.

    Raises:
        ConfigError: The address is of no database we know.
    """
    try:
        parsed = make_url(url)
    except Exception as exc:
        raise ConfigError(
            f"FRONTDESK_DATABASE_URL: {url!r} is not a database address; use sqlite:///var/frontdesk.db"
        ) from exc
    backend = parsed.get_backend_name()
    if backend != "sqlite":
        raise ConfigError(f"FRONTDESK_DATABASE_URL: {backend!r} is not supported yet; use sqlite:///path")
    return parsed.set(drivername="sqlite+aiosqlite").render_as_string(hide_password=False)


class Database:
    """One engine for readers, one connection for the group of writes. Use as an async context manager."""

    def __init__(self, url: str) -> None:
        self.url = driver_url(url)
        self.engine: AsyncEngine = create_async_engine(self.url, pool_size=8, max_overflow=8)
        event.listen(self.engine.sync_engine, "connect", _on_connect)
        event.listen(self.engine.sync_engine, "begin", _on_begin)
        self._waiting: list[_Write] = []
        self._wake = asyncio.Event()
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        path = make_url(self.url).database
        if path and path != ":memory:":
            Path(path).parent.mkdir(parents=True, exist_ok=True)
        async with self.engine.connect() as connection:
            await connection.run_sync(_migrate)
            await connection.commit()
        group = await self._stack.enter_async_context(asyncio.TaskGroup())
        writer = group.create_task(self._write_loop(), name="database-writer")
        self._stack.callback(writer.cancel)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()
        await self.engine.dispose()

    async def write(self, work: Work[Result]) -> Result:
        """Run `work` in the next group; returns after the commit.

        Raises:
            Unavailable: The group could not be committed (database locked or full); nothing of it was written.
            FrontdeskError: Whatever `work` itself refused, before it wrote anything.
        """
        done: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Write(work, done))
        self._wake.set()
        return await done

    async def is_reachable(self) -> bool:
        """Whether a reader gets through."""
        try:
            async with self.engine.connect() as connection:
                await connection.exec_driver_sql("SELECT 1")
        except DBAPIError:
            return False
        return True

    async def _write_loop(self) -> None:
        async with self.engine.connect() as connection:
            while True:
                await self._wake.wait()
                self._wake.clear()
                group, self._waiting = self._waiting, []
                if group:
                    await self._commit(connection, group)

    async def _commit(self, connection: AsyncConnection, group: list[_Write]) -> None:
        results: list[tuple[_Write, Any]] = []
        try:
            for write in group:
                try:
                    results.append((write, await write.work(connection)))
                except FrontdeskError as exc:
                    _fail(write, exc)
            await connection.commit()
        except DBAPIError as exc:
            await connection.rollback()
            fault = "db_full" if "full" in str(exc.orig) else "db_busy"
            log.warning("database.failed", fault=fault, error=type(exc.orig).__name__, writes=len(group))
            for write in group:
                _fail(write, Unavailable(f"database: {fault}", code=fault))
            return
        for write, result in results:
            if not write.done.done():
                write.done.set_result(result)


def _fail(write: _Write, error: FrontdeskError) -> None:
    if not write.done.done():
        write.done.set_exception(error)


def _on_connect(connection: Any, _: object) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves, see _on_begin
    cursor = connection.cursor()
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        f"busy_timeout={BUSY_TIMEOUT_MS}",
        "foreign_keys=ON",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _on_begin(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN")


def _migrate(connection: Connection) -> None:
    """Bring the schema to the newest revision.

    Raises:
        ConfigError: The database was made by a newer version of the program.
    """
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.attributes["connection"] = connection
    current = MigrationContext.configure(connection).get_current_revision()
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if current is not None and current not in known:
        raise ConfigError(
            f"schema_mismatch: the database has schema {current!r}, made by a newer version; update Frontdesk"
        )
    command.upgrade(config, "head")
