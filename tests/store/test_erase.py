"""A deletion takes everything of one conversation, and nothing else; an open turn is waited for."""

import asyncio
from collections import Counter
from pathlib import Path

import pytest

from errors import LeaseLost, NotFound, Unavailable
from store.actions import StoredActions
from store.database import Database
from store.erase import erase
from store.log import EventLog, NewMessage
from store.records import StoredRecords
from store.schema import BY_CONVERSATION
from store.wake import Wake
from tests.store.filling import patient
from tests.store.people import ANN, BOB, CANARY, finish, tables_with, talk
from tests.store.test_actions import DRAFT as ACTION
from tests.store.test_records import DRAFT as QUOTE
from tests.store.things import locked
from tests.waiting import PATIENCE_S, soon

EVERYWHERE = {table.name for table in BY_CONVERSATION}


async def test_nothing_of_a_deleted_conversation_is_left_in_any_table(database: Database) -> None:
    """Somebody asked to be forgotten; a row in a table that was forgotten would break that promise."""
    ann, bob = await talk(database, ANN), await talk(database, BOB)
    before = await tables_with(database, bob.conversation_id)
    assert {
        name for name, rows in (await tables_with(database, ann.conversation_id)).items() if rows
    } == EVERYWHERE
    gone = await erase(database, ann.conversation_id, 0.0)

    assert gone is not None
    assert set(gone) == EVERYWHERE
    assert gone["conversations"] == gone["turns"] == 1
    for word in (ann.conversation_id, CANARY):
        assert set((await tables_with(database, word)).values()) == {0}
    assert await tables_with(database, bob.conversation_id) == before
    assert await erase(database, ann.conversation_id, 0.0) == {}


async def test_an_open_turn_is_waited_for(database: Database) -> None:
    """A deletion in the middle of an answer must neither break it nor leave its rest behind."""
    turn = await talk(database, ANN, is_ended=False)
    assert await erase(database, turn.conversation_id, 0.0) is None
    assert (await tables_with(database, turn.conversation_id))["turns"] == 1
    deleting = asyncio.ensure_future(erase(database, turn.conversation_id, PATIENCE_S))
    await asyncio.sleep(0)
    await finish(database, turn)

    assert (await soon(deleting) or Counter())["turns"] == 1


async def test_a_busy_database_is_waited_for_and_then_said(database: Database) -> None:
    """Nobody is told that something is gone which is still there."""
    turn = await talk(database, ANN)
    with locked(database, "turns"):
        with pytest.raises(Unavailable):
            await erase(database, turn.conversation_id, 0.0)
        deleting = asyncio.ensure_future(erase(database, turn.conversation_id, PATIENCE_S))
        await asyncio.sleep(0.3)

    assert (await soon(deleting) or Counter())["turns"] == 1


async def test_messages_and_a_deletion_at_once_leave_a_whole_conversation_or_none(url: str) -> None:
    """A message is accepted before the deletion, which then waits for it, or its conversation is unknown."""
    async with patient(url) as here, patient(url) as there:
        turn = await talk(here, ANN)
        event_log = EventLog(there, Wake(), "there")
        messages = [
            NewMessage(ANN.owner, "And?", f"more-{number}", turn.conversation_id) for number in range(5)
        ]
        gone, *accepted = await asyncio.gather(
            erase(here, turn.conversation_id, 0.5),
            *(event_log.accept(each) for each in messages),
            return_exceptions=True,
        )
        refused = sum(isinstance(item, NotFound) for item in accepted)
        rows = await tables_with(here, turn.conversation_id)

    assert not isinstance(gone, BaseException)
    if gone is None:
        assert (refused, rows["turns"]) == (0, 6)
    else:
        assert (refused, set(rows.values())) == (5, {0})


async def test_a_rating_that_comes_after_the_deletion_is_refused(database: Database) -> None:
    """It would be left behind for ever, with what the customer wrote."""
    turn = await talk(database, ANN)
    await erase(database, turn.conversation_id, 0.0)

    with pytest.raises(NotFound):
        await StoredRecords(database).save_feedback(turn.conversation_id, 5, CANARY, None)


async def test_what_a_sleeping_server_brings_after_the_deletion_is_refused(database: Database) -> None:
    """A server that was frozen goes on with a turn that others have ended: nobody would ever delete what it leaves."""
    turn = await talk(database, ANN)
    await erase(database, turn.conversation_id, 0.0)
    again = NewMessage(ANN.owner, "hello again", "m2", turn.conversation_id, may_start=True)
    await EventLog(database, Wake(), "here").accept(again)  # the same thread, begun anew: not that turn's

    its = turn.conversation_id, turn.turn_id
    records = StoredRecords(database)
    for late in (
        records.save_quote("late", *its, QUOTE),
        records.save_ticket("late", *its, "complaint", CANARY),
        StoredActions(database).preview("late", *its, ANN.owner, ACTION),
    ):
        with pytest.raises(LeaseLost):
            await late
    assert {name for name, rows in (await tables_with(database, CANARY)).items() if rows} == set()
    rows = await tables_with(database, turn.conversation_id)
    assert {name for name, found in rows.items() if found} == {"conversations", "turns", "events"}


async def test_whoever_follows_a_deleted_turn_is_let_go(database: Database) -> None:
    """A client that comes back in the moment of the deletion must not wait for ever."""
    turn = await talk(database, ANN)
    await erase(database, turn.conversation_id, 0.0)
    follower = EventLog(database, Wake(), "here").follow_turn(turn)

    assert await soon(anext(follower, None)) is None


async def test_deleted_words_are_not_in_the_file_any_more(tmp_path: Path) -> None:
    """Who gets hold of the disk must not read what somebody was promised to be forgotten."""
    path = tmp_path / "desk.db"
    async with patient(f"sqlite:///{path}") as database:
        turn = await talk(database, ANN)
        await talk(database, BOB)
        assert CANARY.encode() in _bytes(tmp_path)
        await erase(database, turn.conversation_id, 0.0)
        database.backend.overwrite()

        assert CANARY.encode() not in _bytes(tmp_path)
        assert BOB.word.encode() in _bytes(tmp_path)


def _bytes(folder: Path) -> bytes:
    """All bytes of the database and of its journal."""
    return b"".join(file.read_bytes() for file in folder.iterdir())
