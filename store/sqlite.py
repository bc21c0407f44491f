"""SQLite: one file, one writer at a time, readers beside it.

It runs in WAL mode with synchronous=FULL: what was committed survives a power cut. A write transaction has the whole
file from its beginning, so nothing further is to be locked, and other servers are not told of anything: who follows
a turn that runs elsewhere looks again and again. What is deleted is overwritten with zeros (secure_delete): a customer
who was promised a deletion must not be found in the file, and a log that is mostly appended to pays nothing for it.
"""

import asyncio
import sqlite3
from collections.abc import AsyncGenerator
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError

from errors import ConfigError
from store.backend import Fault, is_statements_fault
from store.backup import back_up_file

READ_BUSY_S = 5.0
LOCK_TRY_S = 0.25
_PRAGMAS = ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON")
_FAULTS: dict[int, Fault] = {
    sqlite3.SQLITE_BUSY: "db_busy",
    sqlite3.SQLITE_LOCKED: "db_busy",
    sqlite3.SQLITE_FULL: "db_full",
}
_PRIMARY_CODE = 0xFF  # the other bits say more exactly what kind of busy or full it is


class Sqlite:
    """The file that the address names."""

    searches_text = False

    def __init__(self, url: URL) -> None:
        self._url = url.set(drivername="sqlite")
        self._path = Path(str(url.database))

    def readers(self, connections: int) -> Engine:
        """See Backend."""
        return self._engine(connections, "BEGIN", READ_BUSY_S)

    def writer(self) -> Engine:
        """See Backend."""
        return self._engine(1, "BEGIN IMMEDIATE", LOCK_TRY_S)

    def prepare(self) -> None:
        """Make the folder and the file if they are not there; a new file is for its owner's eyes only, as all is in it."""
        if self._path.is_dir():
            raise ConfigError(f"FRONTDESK_DATABASE_URL: {self._path} is a folder; name a file in it")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            if not self._path.exists():
                self._path.touch(mode=0o600)
        except OSError as exc:
            raise ConfigError(
                f"FRONTDESK_DATABASE_URL: {self._path}: {exc.strerror}; is the path right, and writable?"
            ) from exc

    def refusal(self, error: DBAPIError) -> str:
        """See Backend."""
        return f"the database cannot be opened ({error.orig}); is the path right, and writable?"

    def fault_of(self, error: DBAPIError) -> Fault | None:
        """See Backend."""
        if is_statements_fault(error):
            return None
        code: int = getattr(error.orig, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
        return _FAULTS.get(code & _PRIMARY_CODE, "db_error")

    def hold(self, connection: Connection, name: str) -> None:
        """Nothing to do: the writer has the whole file."""

    def try_hold(self, connection: Connection, name: str) -> bool:  # noqa: ARG002 - as the interface has it
        """The writer has the whole file."""
        return True

    def overwrite(self) -> None:
        """Empty the journal: until then it holds old pages."""
        with closing(sqlite3.connect(self._path, timeout=LOCK_TRY_S)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def back_up(self, target: Path) -> None:
        """See Backend."""
        back_up_file(self._path, target)

    def announce(self, connection: Connection, notice: str) -> None:
        """Nobody is told."""

    async def announcements(self) -> AsyncGenerator[str | None, None]:
        """None ever comes."""
        await asyncio.get_running_loop().create_future()
        yield None  # pragma: no cover - makes it a generator

    def _engine(self, connections: int, begin: str, busy_s: float) -> Engine:
        """An engine that begins transactions as we say, and syncs every commit."""
        engine = create_engine(self._url, pool_size=connections, max_overflow=0, hide_parameters=True)

        def on_connect(connection: Any, _: object) -> None:  # noqa: ANN401 - the driver's connection has no common type
            connection.isolation_level = None  # we say BEGIN ourselves
            for pragma in (f"busy_timeout={round(1000 * busy_s)}", *_PRAGMAS):
                connection.execute(f"PRAGMA {pragma}")

        def on_begin(connection: Connection) -> None:
            connection.exec_driver_sql(begin)

        event.listen(engine, "connect", on_connect)
        event.listen(engine, "begin", on_begin)
        return engine
