"""What is said to be stored is on disk; what cannot be stored is said so, and takes nothing else along."""

import asyncio
import shutil
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from sqlalchemy import Connection, event, text
from sqlalchemy.exc import PendingRollbackError, ProgrammingError

from errors import ConfigError, Conflict, Unavailable
from settings import ROOT
from store.database import Database
from tests.waiting import PATIENCE_S, soon, until


async def _make_table(database: Database) -> None:
    await database.write(
        lambda connection: connection.execute(
            text("CREATE TABLE things (number INTEGER PRIMARY KEY, body TEXT)")
        )
    )


async def _put(database: Database, number: int, body: str = "") -> int:
    def work(connection: Connection) -> int:
        row = {"number": number, "body": body}
        connection.execute(text("INSERT INTO things VALUES (:number, :body)"), row)
        return number

    return await database.write(work)


async def _numbers(database: Database) -> list[int]:
    query = text("SELECT number FROM things ORDER BY number")
    return await database.read(lambda connection: list(connection.execute(query).scalars()))


async def test_writes_that_wait_together_are_all_stored(database: Database) -> None:
    """A burst of messages shares one sync of the disk, and each gets its own answer."""
    await _make_table(database)

    assert await asyncio.gather(*(_put(database, number) for number in range(50))) == list(range(50))
    assert await _numbers(database) == list(range(50))


async def test_a_write_that_breaks_breaks_alone(database: Database) -> None:
    """One customer's impossible message must not cost others theirs, nor stop the writer."""
    await _make_table(database)

    outcomes = await asyncio.gather(
        _put(database, 1),
        _put(database, 1),
        _put(database, 2, "half a character: \ud800"),
        _put(database, 2**70),
        _put(database, 3),
        return_exceptions=True,
    )

    assert [type(outcome).__name__ for outcome in outcomes] == [
        "int",
        "IntegrityError",
        "UnicodeEncodeError",
        "OverflowError",
        "int",
    ]
    assert await _numbers(database) == [1, 3]
    assert await _put(database, 4) == 4


async def test_what_a_write_refuses_reaches_its_caller_only(database: Database) -> None:
    """A conflict of one caller is no reason to store nothing for the others."""
    await _make_table(database)

    def refuse(_: Connection) -> None:
        raise Conflict

    outcomes = await asyncio.gather(
        _put(database, 1), database.write(refuse), _put(database, 2), return_exceptions=True
    )

    assert isinstance(outcomes[1], Conflict)
    assert await _numbers(database) == [1, 2]


async def test_a_short_lock_is_waited_for(database: Database, tmp_path: Path) -> None:
    """Somebody who looks into the file for a moment costs a customer a moment, not an error."""
    await _make_table(database)
    database.writer.patience_s = PATIENCE_S
    with sqlite3.connect(tmp_path / "desk.db", isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        writing = asyncio.ensure_future(_put(database, 1))
        await until(lambda: database.writer.fault == "db_busy")
        assert not writing.done()
        other.execute("COMMIT")
        assert await soon(writing) == 1
    other.close()


async def test_a_long_lock_is_refused_in_time_and_reads_still_work(
    database: Database, tmp_path: Path
) -> None:
    """While somebody locks the file, a message is refused soon and whole, and conversations can be read."""
    await _make_table(database)
    await _put(database, 1)
    with sqlite3.connect(tmp_path / "desk.db", isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(Unavailable, match="db_busy"):
            await soon(_put(database, 2))
        assert await _numbers(database) == [1]
        assert await database.state() == "db_busy"
        other.execute("COMMIT")
    other.close()

    assert await database.state() == "ok"
    assert await _put(database, 4) == 4
    assert await _numbers(database) == [1, 4]


async def test_a_start_waits_for_a_short_lock(url: str, tmp_path: Path) -> None:
    """Two servers of a rolling restart do not fall over each other."""
    async with Database(url):
        pass
    with sqlite3.connect(tmp_path / "desk.db", isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        starting = asyncio.ensure_future(_opened(url))
        await asyncio.sleep(0.4)  # longer than one try takes
        assert not starting.done()
        other.execute("COMMIT")
    other.close()

    assert await soon(starting) == "ok"


async def _opened(url: str) -> str:
    async with Database(url) as database:
        return await database.state()


async def test_a_full_disk_refuses_and_recovers(url: str) -> None:
    """On a full disk a message is refused, nothing half is kept, reads go on, and space helps by itself."""
    limit = 100_000
    database = Database(url)

    @event.listens_for(database.write_engine, "begin")
    def set_limit(connection: Connection) -> None:
        connection.exec_driver_sql(f"PRAGMA max_page_count={limit}")

    async with database:
        await _make_table(database)
        await _put(database, 1)
        limit = 1
        outcomes = await asyncio.gather(
            _put(database, 2, "x" * 100_000), _put(database, 3, "x" * 100_000), return_exceptions=True
        )
        assert [getattr(outcome, "code", None) for outcome in outcomes] == ["db_full", "db_full"]
        assert await _numbers(database) == [1]
        limit = 100_000
        assert await _put(database, 4) == 4
        assert await database.state() == "ok"


async def test_readers_that_get_no_turn_are_refused_in_time(url: str) -> None:
    """More readers than threads must end in a plain refusal, not in a hanging page."""
    held = threading.Event()
    async with Database(url, readers=1, reader_wait_s=0.1) as database:
        with pytest.raises(Unavailable):  # it is too slow itself, and still has the only thread
            await database.read(lambda _: held.wait(PATIENCE_S))
        with pytest.raises(Unavailable) as refused:
            await database.read(lambda connection: connection.execute(text("SELECT 1")).one())
        assert await database.state() == "pool_exhausted"
        database._reader_wait_s = PATIENCE_S
        held.set()
        assert await database.state() == "ok"

    assert refused.value.code == "pool_exhausted"


async def test_a_reader_that_the_database_refuses_is_told_so(database: Database) -> None:
    """A failure of the database is a refusal to come back, and no stack trace."""
    with pytest.raises(Unavailable, match="db_error"):
        await database.read(lambda connection: connection.execute(text("SELECT * FROM nothing")))


async def test_a_connection_that_broke_is_replaced(database: Database) -> None:
    """One failure of the line to the disk is not the end of all writing."""
    await _make_table(database)

    def break_it(connection: Connection) -> None:
        driver = connection.connection.driver_connection
        assert driver is not None
        driver.close()

    with pytest.raises(ProgrammingError, match="closed"):
        await database.write(break_it)
    assert await _put(database, 1) == 1
    assert await _numbers(database) == [1]


async def test_without_a_connection_writes_are_refused_until_there_is_one(database: Database) -> None:
    """A disk that is away for a moment costs the messages of that moment a plain no, and no others."""
    await _make_table(database)
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
        await _put(database, 1)
    is_away = False
    assert await _put(database, 2) == 2
    assert await _numbers(database) == [2]


async def test_a_closed_database_refuses_instead_of_hanging(url: str) -> None:
    """A turn that outlives the database must learn so."""
    async with Database(url) as database:
        await _make_table(database)

    with pytest.raises(Unavailable):
        await _put(database, 1)


async def test_a_caller_who_gave_up_is_not_written_for(database: Database, tmp_path: Path) -> None:
    """A tool call that timed out while it waited for the disk has had no effect."""
    await _make_table(database)
    with sqlite3.connect(tmp_path / "desk.db", isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        writing = asyncio.ensure_future(_put(database, 1))
        await until(lambda: database.writer.fault == "db_busy")
        writing.cancel()
        await asyncio.wait([writing])
        other.execute("COMMIT")
    other.close()

    await _put(database, 2)
    assert await _numbers(database) == [2]


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


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("no address", "not a database address"),
        ("postgresql://someone:secret@localhost/desk", "not supported"),
        ("mysql://someone:secret@localhost/desk", "not supported"),
        ("sqlite://someone:secret@x:notaport/", "not a database address"),
        ("sqlite://", "in memory"),
        ("sqlite:///:memory:", "in memory"),
    ],
)
def test_an_address_that_cannot_be_right_is_refused_without_its_password(address: str, says: str) -> None:
    """An operator reads what is wrong, and the log keeps no password."""
    with pytest.raises(ConfigError, match=says) as refused:
        Database(address)

    assert "secret" not in str(refused.value)


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
