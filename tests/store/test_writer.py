"""Whatever happens to the writer, nobody waits for it in vain."""

import asyncio
import sqlite3
from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.exc import OperationalError
from structlog.testing import capture_logs

from errors import Unavailable
from store.address import backend_at
from store.writer import Writer
from tests.waiting import soon, until


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    """A plain engine; a lock is waited for a twentieth of a second."""
    return create_engine(f"sqlite:///{tmp_path / 'desk.db'}", connect_args={"timeout": 0.05})


_fault_of = backend_at("sqlite:///any").fault_of


def _begin_at_once(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


async def test_a_writer_that_is_stopped_in_the_middle_tells_everybody(engine: Engine, tmp_path: Path) -> None:
    """A turn that waits for the disk while the server is killed softly must not hang the shutdown."""
    event.listen(engine, "begin", _begin_at_once)
    writer = Writer(engine, _fault_of, patience_s=60)
    running = asyncio.ensure_future(writer.run())
    with sqlite3.connect(tmp_path / "desk.db", isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        waiting = [asyncio.ensure_future(writer.write(lambda _: None)) for _ in range(2)]
        await until(lambda: writer.fault == "db_busy")
        late = asyncio.ensure_future(writer.write(lambda _: None))
        await asyncio.sleep(0)
        running.cancel()
        outcomes = await soon(asyncio.gather(*waiting, late, return_exceptions=True))
        other.execute("COMMIT")
    other.close()
    engine.dispose()

    assert [getattr(outcome, "code", None) for outcome in outcomes] == ["db_closed"] * 3
    with pytest.raises(Unavailable):
        await writer.write(lambda _: None)


async def test_every_write_waits_as_long_as_was_promised(engine: Engine, tmp_path: Path) -> None:
    """A message is refused in time, and one that came later is not refused along with it."""
    event.listen(engine, "begin", _begin_at_once)
    now_s = 0.0
    writer = Writer(engine, _fault_of, 4.5, lambda: now_s)
    running = asyncio.ensure_future(writer.run())
    with sqlite3.connect(tmp_path / "desk.db", isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        first = asyncio.ensure_future(writer.write(lambda _: None))
        await until(lambda: writer.fault == "db_busy")
        now_s = 4.4
        second = asyncio.ensure_future(writer.write(lambda _: None))
        await asyncio.sleep(0.2)  # several tries
        assert not first.done()
        now_s = 4.5
        with pytest.raises(Unavailable, match="db_busy"):
            await soon(first)
        now_s = 8.8
        await asyncio.sleep(0.2)
        assert not second.done()
        now_s = 9.0
        with pytest.raises(Unavailable, match="db_busy"):
            await soon(second)
        other.execute("COMMIT")
    other.close()
    writer.close()
    await running
    engine.dispose()


async def test_without_a_first_connection_writes_are_refused_until_there_is_one(engine: Engine) -> None:
    """A disk that comes late costs the messages before it a plain no."""
    is_away = True

    @event.listens_for(engine, "do_connect")
    def refuse(*_: object) -> None:
        if is_away:
            raise sqlite3.OperationalError("unable to open database file")

    writer = Writer(engine, _fault_of, patience_s=1)
    running = asyncio.ensure_future(writer.run())
    with pytest.raises(Unavailable, match="db_error"):
        await writer.write(lambda connection: connection.execute(text("SELECT 1")))
    faults = [writer.fault]
    is_away = False
    assert await writer.write(lambda connection: connection.execute(text("SELECT 1")).scalar()) == 1
    writer.close()
    await running
    engine.dispose()

    assert [*faults, writer.fault] == ["db_error", None]


async def test_every_outage_is_in_the_log(engine: Engine) -> None:
    """The second one within a minute, too: a log with its end only would not say what happened."""
    is_away = False

    @event.listens_for(engine, "begin")
    def refuse(_: Connection) -> None:
        if is_away:
            raise OperationalError("BEGIN", {}, sqlite3.OperationalError("disk I/O error"))

    writer = Writer(engine, _fault_of, patience_s=1)
    running = asyncio.ensure_future(writer.run())
    with capture_logs() as logs:
        for away in (True, True, False, True, False):
            is_away = away
            with suppress(Unavailable):
                await writer.write(lambda _: None)
    writer.close()
    await running
    engine.dispose()

    assert [line["event"].removeprefix("database.") for line in logs] == ["failed", "recovered"] * 2


async def test_a_writer_that_breaks_says_why_and_tells_everybody(engine: Engine) -> None:
    """A fault that nobody foresaw ends the server in the open, instead of leaving it up with turns that hang."""

    @event.listens_for(engine, "do_connect")
    def break_down(*_: object) -> None:
        raise RuntimeError("the driver's own fault")

    writer = Writer(engine, _fault_of, patience_s=60)
    running = asyncio.ensure_future(writer.run())
    with pytest.raises(Unavailable, match="closed"):
        await soon(writer.write(lambda _: None))
    with pytest.raises(RuntimeError, match="the driver's own fault"):
        await running
    engine.dispose()
