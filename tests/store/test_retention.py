"""Old conversations go by themselves; whoever still waits for something keeps theirs."""

import asyncio
import time

import pytest
import structlog

from errors import Unavailable
from store.database import Database
from store.retention import Retention
from tests.store.people import ANN, BOB, CANARY, DAY_S, close_tickets, tables_with, talk
from tests.store.things import busy_elsewhere


async def _ids(database: Database) -> int:
    return (await tables_with(database, ""))["conversations"]


async def test_conversations_go_so_many_days_after_their_last_message(database: Database) -> None:
    """Personal data is kept as long as was promised and no longer."""
    now_s = time.time()
    old = await talk(database, ANN, at_s=now_s - 31 * DAY_S)
    new = await talk(database, BOB, at_s=now_s - 29 * DAY_S)
    await close_tickets(database)
    retention = Retention(database, 30, lambda: now_s)
    assert await retention.count() == 1
    with structlog.testing.capture_logs() as lines:
        gone = await retention.apply()

    assert gone["conversations"] == 1
    assert set((await tables_with(database, old.conversation_id)).values()) == {0}
    assert (await tables_with(database, new.conversation_id))["turns"] == 1
    [line] = lines
    assert line == {
        "event": "retention.applied", "days": 30, "conversations": 1, "turns": 1, "log_level": "info",
    }  # fmt: skip
    assert CANARY not in str(lines)
    with structlog.testing.capture_logs() as lines:
        assert await retention.apply() == {}
    assert lines == []


async def test_whoever_waits_for_a_person_or_an_answer_keeps_their_conversation(database: Database) -> None:
    """A ticket whose conversation is gone could not be worked on."""
    now_s = time.time()
    long_ago_s = now_s - 400 * DAY_S
    await talk(database, ANN, at_s=long_ago_s)
    retention = Retention(database, 30, lambda: now_s)
    assert await retention.apply() == {}
    await close_tickets(database)
    answering = await talk(database, ANN, is_ended=False, message_id="m2", at_s=long_ago_s)
    await close_tickets(database)
    assert (await retention.apply())["conversations"] == 1

    assert (await tables_with(database, answering.conversation_id))["turns"] == 1


async def test_more_than_a_batch_goes_in_one_pass(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A desk that sets a retention after years gets there."""
    monkeypatch.setattr("store.retention._AT_ONCE", 2)
    for number in range(5):
        await talk(database, ANN, message_id=f"m{number}", at_s=time.time() - 40 * DAY_S)
    await close_tickets(database)

    assert (await Retention(database, 30).apply())["conversations"] == 5


async def test_one_server_deletes_at_a_time(database: Database) -> None:
    """Many servers do not all load the database with the same work."""
    await talk(database, ANN, at_s=time.time() - 40 * DAY_S)
    await close_tickets(database)
    retention = Retention(database, 30)
    with busy_elsewhere(database) as connection:
        if database.backend.try_hold(connection, "retention") and connection.dialect.name == "postgresql":
            assert await retention.apply() == {}
        else:
            with pytest.raises(Unavailable):
                await retention.apply()

    assert await _ids(database) == 1
    assert (await retention.apply())["conversations"] == 1


async def test_what_went_before_a_stop_is_in_the_log(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever answers for deletions has the whole count, however often the server is restarted meanwhile."""
    monkeypatch.setattr("store.retention._PAUSE_S", 3600.0)  # it is stopped after the first one
    now_s = time.time()
    for owner in (ANN, BOB):
        await talk(database, owner, at_s=now_s - 31 * DAY_S)
    await close_tickets(database)
    with structlog.testing.capture_logs() as lines:
        applying = asyncio.ensure_future(Retention(database, 30, lambda: now_s).apply())
        while await _ids(database) > 1:
            pass
        await asyncio.sleep(0.1)  # until it is counted
        applying.cancel()
        await asyncio.wait([applying])

    assert [line["conversations"] for line in lines] == [1]
