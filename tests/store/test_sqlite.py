"""On SQLite: what was confirmed is on disk, and a file that fails takes nothing else along."""

import asyncio
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import Connection, event, text
from sqlalchemy.exc import PendingRollbackError, ProgrammingError

from errors import ConfigError, Unavailable
from settings import ROOT
from store.database import Database
from tests.store.things import locked, make_table, numbers, put
from tests.waiting import until


@pytest.fixture
def url(tmp_path: Path) -> str:
    """The address of a file that is not there yet."""
    return f"sqlite:///{tmp_path / 'desk.db'}"


@pytest.mark.fault("D2")
async def test_a_full_disk_refuses_and_recovers(url: str) -> None:
    """On a full disk a message is refused, nothing half is kept, reads go on, and space helps by itself."""
    limit = 100_000
    database = Database(url)

    @event.listens_for(database.write_engine, "begin")
    def set_limit(connection: Connection) -> None:
        connection.exec_driver_sql(f"PRAGMA max_page_count={limit}")

    async with database:
        await make_table(database)
        await put(database, 1)
        limit = 1
        outcomes = await asyncio.gather(
            put(database, 2, "x" * 100_000), put(database, 3, "x" * 100_000), return_exceptions=True
        )
        assert [getattr(outcome, "code", None) for outcome in outcomes] == ["db_full", "db_full"]
        assert await numbers(database) == [1]
        limit = 100_000
        assert await put(database, 4) == 4
        assert await database.state() == "ok"


async def test_a_reader_that_the_database_refuses_is_told_so(database: Database) -> None:
    """A failure of the database is a refusal to come back, and no stack trace."""
    with pytest.raises(Unavailable, match="db_error"):
        await database.read(lambda connection: connection.execute(text("SELECT * FROM nothing")))


async def test_a_connection_that_broke_is_replaced(database: Database) -> None:
    """One failure of the line to the disk is not the end of all writing."""
    await make_table(database)

    def break_it(connection: Connection) -> None:
        driver = connection.connection.driver_connection
        assert driver is not None
        driver.close()

    with pytest.raises(ProgrammingError, match="closed"):
        await database.write(break_it)
    assert await put(database, 1) == 1
    assert await numbers(database) == [1]


async def test_without_a_connection_writes_are_refused_until_there_is_one(database: Database) -> None:
    """A disk that is away for a moment costs the messages of that moment a plain no, and no others."""
    await make_table(database)
    is_away = True

    @event.listens_for(database.write_engine, "connect", insert=True)
    def refuse(*_: object) -> None:
        if is_away:
            raise sqlite3.OperationalError("disk I/O error")

    def lose(connection: Connection) -> None:
        connection.invalidate()

    with pytest.raises(PendingRollbackError):
        await database.write(lose)
    with pytest.raises(Unavailable, match="db_error"):
        await put(database, 1)
    is_away = False
    assert await put(database, 2) == 2
    assert await numbers(database) == [2]


async def test_a_caller_who_gave_up_is_not_written_for(database: Database) -> None:
    """A tool call that timed out while it waited for the disk has had no effect."""
    await make_table(database)
    with locked(database):
        writing = asyncio.ensure_future(put(database, 1))
        await until(lambda: database.writer.fault == "db_busy")
        writing.cancel()
        await asyncio.wait([writing])

    await put(database, 2)
    assert await numbers(database) == [2]


@pytest.mark.fault("P4")
async def test_every_commit_is_synced(database: Database) -> None:
    """A message that was confirmed is still there after a power cut."""

    def modes(connection: Connection) -> list[object]:
        return [
            connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in ("journal_mode", "synchronous")
        ]

    assert await database.write(modes) == ["wal", 2]


_ONE_WRITE = """
import asyncio, os, sys
from store.database import Database
async def main():
    async with Database(sys.argv[1]) as database:
        os.write(2, b"asked")
        await database.write(lambda connection: connection.exec_driver_sql("CREATE TABLE things (number)"))
        os.write(2, b"confirmed")
asyncio.run(main())
"""


@pytest.mark.fault("P4")
@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
def test_the_disk_is_synced_before_the_write_is_confirmed(url: str, tmp_path: Path) -> None:
    """The system call that survives a power cut comes before the customer hears of the message."""
    trace = tmp_path / "trace"
    command = ["strace", "-f", "-o", str(trace), "-e", "trace=fsync,fdatasync,write"]
    done = subprocess.run(  # noqa: S603 - our own program
        [*command, sys.executable, "-c", _ONE_WRITE, url], cwd=ROOT, capture_output=True, check=False
    )
    if done.returncode != 0 and b"ptrace" in done.stderr:
        pytest.skip("strace may not trace here")
    lines = trace.read_text(encoding="utf-8", errors="replace").splitlines()
    asked = next(at for at, line in enumerate(lines) if '"asked"' in line)
    confirmed = next(at for at, line in enumerate(lines) if '"confirmed"' in line)

    assert any("sync(" in line for line in lines[asked:confirmed])


async def test_a_file_that_is_no_database_is_refused_in_one_line(tmp_path: Path) -> None:
    """A wrong path stops the start with a readable line, not with a stack trace."""
    (tmp_path / "letter.txt").write_text("Dear Sirs, this is not a database." * 100, encoding="utf-8")

    with pytest.raises(ConfigError, match=r"^FRONTDESK_DATABASE_URL: .*not a database.*$"):
        async with Database(f"sqlite:///{tmp_path / 'letter.txt'}"):
            pass


async def test_a_folder_that_cannot_be_made_is_refused_in_one_line(tmp_path: Path) -> None:
    """As above, for a folder."""
    (tmp_path / "file").touch()

    with pytest.raises(ConfigError, match="FRONTDESK_DATABASE_URL"):
        async with Database(f"sqlite:///{tmp_path / 'file' / 'deeper' / 'desk.db'}"):
            pass
    with pytest.raises(ConfigError, match="is a folder"):
        async with Database(f"sqlite:///{tmp_path}"):
            pass


def _open_to_others(folder: Path) -> dict[str, int]:
    """What other accounts may do with each file."""
    return {path.name: path.stat().st_mode & 0o077 for path in folder.iterdir()}


async def test_a_new_database_is_for_its_owners_eyes_only(tmp_path: Path) -> None:
    """Every message of every customer is in it; other accounts of the machine have no business there."""
    async with Database(f"sqlite:///{tmp_path / 'desk.db'}"):
        made = _open_to_others(tmp_path)

    assert made == {"desk.db": 0, "desk.db-wal": 0, "desk.db-shm": 0}
