"""What is said to be stored is on disk; what cannot be stored is said so, and takes nothing else along."""

import asyncio
import threading

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import DataError, IntegrityError

from errors import ConfigError, Conflict, Unavailable
from store.database import Database
from tests.store.filling import patient
from tests.store.things import busy_elsewhere, locked, make_table, numbers, put
from tests.waiting import PATIENCE_S, soon, until


async def test_writes_that_wait_together_are_all_stored(database: Database) -> None:
    """A burst of messages shares one sync of the disk, and each gets its own answer."""
    await make_table(database)

    assert await asyncio.gather(*(put(database, number) for number in range(50))) == list(range(50))
    assert await numbers(database) == list(range(50))


async def test_a_write_that_breaks_breaks_alone(database: Database) -> None:
    """One customer's impossible message must not cost others theirs, nor stop the writer."""
    await make_table(database)

    outcomes = await asyncio.gather(
        put(database, 1),
        put(database, 1),
        put(database, 2, "half a character: \ud800"),
        put(database, 2**70),
        put(database, 3),
        return_exceptions=True,
    )

    assert [outcomes[0], outcomes[4]] == [1, 3]
    assert isinstance(outcomes[1], IntegrityError)
    assert isinstance(outcomes[2], UnicodeEncodeError)
    assert isinstance(outcomes[3], OverflowError | DataError)
    assert await numbers(database) == [1, 3]
    assert await put(database, 4) == 4


async def test_what_a_write_refuses_reaches_its_caller_only(database: Database) -> None:
    """A conflict of one caller is no reason to store nothing for the others."""
    await make_table(database)

    def refuse(_: Connection) -> None:
        raise Conflict

    outcomes = await asyncio.gather(
        put(database, 1), database.write(refuse), put(database, 2), return_exceptions=True
    )

    assert isinstance(outcomes[1], Conflict)
    assert await numbers(database) == [1, 2]


@pytest.mark.fault("D1")
async def test_a_short_lock_is_waited_for(database: Database) -> None:
    """Somebody who looks into the database for a moment costs a customer a moment, not an error."""
    await make_table(database)
    database.writer.patience_s = PATIENCE_S
    with locked(database):
        writing = asyncio.ensure_future(put(database, 1))
        await until(lambda: database.writer.fault == "db_busy")
        assert not writing.done()

    assert await soon(writing) == 1


@pytest.mark.fault("D1")
async def test_a_long_lock_is_refused_in_time_and_reads_still_work(database: Database) -> None:
    """While somebody locks the database, a message is refused soon and whole, and conversations can be read."""
    await make_table(database)
    await put(database, 1)
    with locked(database):
        with pytest.raises(Unavailable, match="db_busy"):
            await soon(put(database, 2))
        assert await numbers(database) == [1]
        assert database.writer.fault == "db_busy"

    assert await database.state() == "ok"
    assert await put(database, 4) == 4
    assert await numbers(database) == [1, 4]


async def test_a_start_waits_for_a_short_lock(url: str, database: Database) -> None:
    """Two servers of a rolling restart do not fall over each other."""
    with busy_elsewhere(database) as other:
        database.backend.hold(other, "migration")
        starting = asyncio.ensure_future(_opened(url))
        await asyncio.sleep(0.4)  # longer than one try takes
        assert not starting.done()

    assert await soon(starting) == "ok"


async def _opened(url: str) -> str:
    async with patient(url) as database:
        return await database.state()


@pytest.mark.fault("D5")
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


async def test_a_closed_database_refuses_instead_of_hanging(url: str) -> None:
    """A turn that outlives the database must learn so."""
    async with patient(url) as database:
        await make_table(database)

    with pytest.raises(Unavailable):
        await put(database, 1)


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("no address", "not a database address"),
        ("postgresql://someone:secret@localhost", "names no database"),
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
