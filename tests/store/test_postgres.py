"""On PostgreSQL: it may crash, be locked, or lose a line at the worst moment."""

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from sqlalchemy import URL, Connection, func, select, text
from sqlalchemy.engine import make_url

from errors import ConfigError, Unavailable
from events import Event, Recorded, TextDelta
from store.database import Database
from store.group import Work
from store.log import EventLog
from store.records import StoredRecords
from store.rows import event_row
from store.schema import feedback, turns
from store.turnlog import _Batch
from store.wake import Wake
from tests.postgres import Postgres
from tests.store.filling import END, begin, message, patient, told, write
from tests.store.line import line_to
from tests.store.things import make_table, numbers, put
from tests.waiting import PATIENCE_S, soon, until


@pytest.fixture
def url(postgres_url: str) -> str:
    """The address of an empty database."""
    return postgres_url


@pytest.mark.fault("D3")
async def test_a_short_crash_delays_writes_and_reads_and_loses_none(
    postgres: Postgres, url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """While the database is started again customers wait a moment; nobody has to restart the desk after it."""
    async with Database(url, write_patience_s=PATIENCE_S, reader_wait_s=PATIENCE_S) as database:
        await make_table(database)
        await put(database, 1)
        await numbers(database)
        postgres.crash()
        writing = [asyncio.ensure_future(put(database, number)) for number in range(2, 6)]
        reading = asyncio.ensure_future(numbers(database))
        await until(lambda: database.writer.fault == "db_reconnect")
        assert not any(waiting.done() for waiting in [*writing, reading])
        await asyncio.to_thread(postgres.start)

        assert await asyncio.gather(*writing) == [2, 3, 4, 5]
        assert (await reading)[0] == 1
        assert await numbers(database) == [1, 2, 3, 4, 5]
        assert await database.state() == "ok"
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    assert [(line["event"], line["fault"]) for line in lines] == [
        ("database.failed", "db_reconnect"),
        ("database.recovered", "db_reconnect"),
    ]


@pytest.mark.fault("D3")
async def test_a_long_absence_is_a_plain_refusal_until_it_is_over(postgres: Postgres, url: str) -> None:
    """A customer reads "in a moment" instead of watching a page hang; afterwards all works by itself."""
    async with Database(url, write_patience_s=0.3, reader_wait_s=0.3) as database:
        await make_table(database)
        postgres.crash()
        for refused in (put(database, 1), numbers(database)):
            with pytest.raises(Unavailable) as found:
                await refused
            assert found.value.code == "db_reconnect"
        assert await database.state() == "db_reconnect"
        postgres.start()
        async with asyncio.timeout(PATIENCE_S):
            while await database.state() != "ok":
                pass
        await put(database, 2)

        assert await numbers(database) == [2]


@pytest.mark.fault("D3")
async def test_a_message_whose_confirmation_was_lost_is_accepted_once_and_answered_here(url: str) -> None:
    """The line broke after the commit: the customer is answered at once, and has one turn."""
    async with line_to(url) as line, patient(line.url) as database:
        event_log = EventLog(database, Wake(), "here")
        line.breaks = 2
        accepted = await event_log.accept(message())
        again = await event_log.accept(message())
        count = await database.read(
            lambda connection: connection.execute(select(func.count()).select_from(turns)).scalar()
        )

        assert (accepted.is_new, again.is_new, accepted.turn) == (True, False, again.turn)
        assert (line.broken, count) == (2, 1)


@pytest.mark.fault("D4")
async def test_words_and_an_end_whose_confirmation_was_lost_are_written_once(url: str) -> None:
    """No customer reads a sentence twice, and no answer is cut, because a line broke after the commit."""
    async with line_to(url) as line, patient(line.url) as database:
        event_log = EventLog(database, Wake(), "here")
        turn = await begin(event_log)
        line.breaks = 1
        await write(event_log, turn, [[END]])

        assert line.broken == 1
        assert told(await event_log.read_turn(turn, 1)) == [(2, END)]


@pytest.mark.fault("D4")
@pytest.mark.parametrize("event", [END, TextDelta(message_id="a", text="x")])
async def test_words_whose_first_try_is_committed_only_when_they_are_tried_again_are_written_once(
    url: str, event: Event
) -> None:
    """The line broke in the middle of the commit, and the database goes on with it for a moment."""
    async with patient(url) as database:
        event_log = EventLog(database, Wake(), "here")
        turn = await begin(event_log)
        turn_log = event_log.turn_log(turn, 1)
        row = event_row(turn, (Recorded(seq=2, at=datetime.now(UTC), event=event),))
        batch = _Batch(row, has_ended=event == END)
        first, again = (database.backend.writer().connect() for _ in range(2))
        turn_log._append(first, batch)
        trying = asyncio.ensure_future(asyncio.to_thread(turn_log._append, again, batch))
        await until(lambda: _waits(database))
        first.commit()
        await soon(trying)
        again.commit()
        for connection in (first, again):
            connection.close()
            connection.engine.dispose()

        assert told(await event_log.read_turn(turn, 1)) == [(2, event)]


def _waits(database: Database) -> bool:
    """Whether somebody waits for a row."""
    with database.read_engine.connect() as connection:
        query = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return bool(connection.execute(query).scalar_one())


async def test_a_rating_whose_confirmation_was_lost_counts_once(url: str) -> None:
    """One customer is one opinion."""
    async with line_to(url) as line, patient(line.url) as database:
        its = (await begin(EventLog(database, Wake(), "here"))).conversation_id
        line.breaks = 1
        await StoredRecords(database).save_feedback(its, 5, "zero: \0", None)
        stored = await database.read(
            lambda connection: list(connection.execute(select(feedback.c.comment)).scalars())
        )

        assert (line.broken, stored) == (1, ["zero: \ufffd"])


@pytest.mark.parametrize(
    ("state", "code"),
    [("53100", "db_full"), ("XX001", "db_error"), ("40001", "db_busy"), ("57P01", "db_reconnect")],
)
async def test_what_the_database_says_becomes_the_code_that_ops_know(url: str, state: str, code: str) -> None:
    """Full, damaged, busy and gone ask for different help."""
    fails = text(f"DO $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '{state}'; END $$")
    async with Database(url, write_patience_s=0.2) as database:
        with pytest.raises(Unavailable) as found:
            await database.write(lambda connection: connection.execute(fails))
        await make_table(database)

        assert found.value.code == code


@pytest.mark.fault("P4")
async def test_every_commit_is_synced(url: str) -> None:
    """A confirmed message survives a power cut, also where the database's owner turned that off for others."""

    def setting(connection: Connection) -> object:
        return connection.execute(text("SHOW synchronous_commit")).scalar()

    async with patient(url) as database:
        assert await database.write(setting) == "on"


async def test_two_servers_that_want_the_same_places_crosswise_both_get_them(url: str) -> None:
    """Neither of two servers may wait for the other for ever."""
    async with patient(url) as one, patient(url) as other:
        await make_table(one)
        both_hold = asyncio.Barrier(2)
        loop = asyncio.get_running_loop()

        def work(database: Database, number: int, places: tuple[str, str]) -> Work[None]:
            is_first = True

            def run(connection: Connection) -> None:
                nonlocal is_first
                database.backend.hold(connection, places[0])
                if is_first:
                    is_first = False
                    asyncio.run_coroutine_threadsafe(both_hold.wait(), loop).result()
                database.backend.hold(connection, places[1])
                connection.execute(text("INSERT INTO things VALUES (:number, '')"), {"number": number})

            return run

        await asyncio.gather(
            one.write(work(one, 1, ("a", "b"))),
            other.write(work(other, 2, ("b", "a"))),
        )

        assert await numbers(one) == [1, 2]


async def test_an_id_that_no_database_could_hold_is_simply_unknown(url: str) -> None:
    """Somebody who plays with addresses gets the same answer as for any unknown conversation."""
    async with patient(url) as database:
        log = EventLog(database, Wake(), "here")
        assert await log.owner("zero \0 and more than sixty-four characters" + "x" * 64) is None


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (lambda url: url.set(database="no_such"), r"does not exist.*create it"),
        (lambda url: url.set(username="nobody"), r'role "nobody" does not exist'),
        (lambda url: url.set(port=1), "is PostgreSQL running there"),
        (lambda url: url.set(host="pa:secret@host", query={}), "a special character in a password"),
    ],
)
async def test_a_start_without_a_database_is_one_line_that_helps(
    url: str, wrong: Callable[[URL], URL], says: str
) -> None:
    """An operator reads which setting to mend and how; the log keeps no password."""
    address = wrong(make_url(url).set(password="secret")).render_as_string(hide_password=False)
    with pytest.raises(ConfigError, match=says) as refused:
        async with patient(address):
            pass

    assert str(refused.value).startswith("FRONTDESK_DATABASE_URL: ")
    assert "secret" not in str(refused.value)
    assert "\n" not in str(refused.value)
