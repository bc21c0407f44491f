"""What a turn says is written in order, shown only when it is on disk, and by nobody but its own server."""

import asyncio
import time
from contextlib import aclosing

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text

from errors import LeaseLost
from events import Label, LabelGiven, SpecialistFinished, TextDelta, TextEnded, TurnFinished
from readers.reply import fold_reply, fold_text
from store.database import Database
from store.log import EventLog
from store.schema import events
from store.turnlog import PACE_S, TurnLog
from store.wake import Wake
from tests.store.conftest import NewUrl
from tests.store.filling import END, begin, patient, taken_over, told, write, writing
from tests.store.things import locked
from tests.waiting import PATIENCE_S, soon, until


@settings(max_examples=15)
@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=12), max_size=12), st.data())
def test_the_stored_answer_is_the_fold_of_what_was_said(
    new_url: NewUrl, said: list[str], data: st.DataObject
) -> None:
    """What a customer read and what the history keeps are the same words, however they were cut."""

    async def run(url: str) -> None:
        async with patient(url) as database:
            event_log = EventLog(database, Wake(), "here")
            turn = await begin(event_log)
            async with writing(event_log, turn) as turn_log:
                for text in said:
                    turn_log.emit(TextDelta(message_id="a", text=text))
                    if data.draw(st.booleans()):
                        await turn_log.flush()
                turn_log.emit(END)
            stored = [item.event for item in await event_log.read_turn(turn)]
            assert fold_text(stored) == fold_reply(turn, stored).text == "".join(said)
            assert [item.event for item in turn_log.written] == stored[1:]

    with new_url() as url:
        asyncio.run(run(url))


async def test_words_that_come_fast_share_rows_and_keep_their_numbers(event_log: EventLog) -> None:
    """A long answer costs the disk a few rows a second, not one for each word."""
    turn = await begin(event_log)
    async with writing(event_log, turn) as turn_log:
        for number in range(200):
            turn_log.emit(TextDelta(message_id="a", text=f"{number} "))
            await asyncio.sleep(0)
        turn_log.emit(END)
    stored = await event_log.read_turn(turn)

    assert [item.seq for item in stored] == list(range(1, len(stored) + 1))
    assert len(stored) < 30


async def test_what_no_customer_waits_for_goes_to_disk_with_what_follows(event_log: EventLog) -> None:
    """A label would cost each turn a row and a sync of the disk of its own; none is lost, and the order stays."""
    turn = await begin(event_log)
    label = LabelGiven(source="local", label=Label(intent="quote", confidence=0.9), took_ms=1)
    words = TextDelta(message_id="a", text="x")
    async with writing(event_log, turn) as turn_log:
        turn_log.emit(label)
        await asyncio.sleep(2 * PACE_S)
        before = turn_log.written.copy()
        turn_log.emit(words)
        turn_log.emit(END)

    assert before == []
    assert told(await event_log.read_turn(turn, 1)) == [(2, label), (3, words), (4, END)]


async def test_an_answer_ends_in_one_row_with_its_turn(event_log: EventLog, database: Database) -> None:
    """Each turn would cost one row, one sync of the disk and one packet more."""
    last, ended = TextDelta(message_id="a", text="x"), TextEnded(message_id="a")
    took_s, number = PACE_S, 0
    async with asyncio.timeout(PATIENCE_S):
        while took_s >= PACE_S:  # else a slow machine had time to write the end before that of the turn
            number += 1
            turn = await begin(event_log, number)
            async with writing(event_log, turn) as turn_log:
                turn_log.emit(TextDelta(message_id="a", text="x"))
                await turn_log.flush()
                started = time.monotonic()
                for event in (last, ended, SpecialistFinished(run_id="r"), END):
                    turn_log.emit(event)
                    for _ in range(5):
                        await asyncio.sleep(0)
                took_s = time.monotonic() - started
    query = select(events.c.first_seq).where(events.c.conversation_id == turn.conversation_id)
    rows = await database.read(lambda connection: sorted(connection.execute(query).scalars()))

    assert rows == [1, 2, 3]


async def test_a_flush_takes_along_what_is_said_while_it_is_under_way(
    event_log: EventLog, database: Database
) -> None:
    """A turn would wait for ever for a label that came while its last words were being written."""
    turn = await begin(event_log)
    label = LabelGiven(source="local", label=Label(intent="quote", confidence=0.9), took_ms=1)
    async with writing(event_log, turn) as turn_log:
        with locked(database, "events"):
            turn_log.emit(TextDelta(message_id="a", text="x"))
            flushing = asyncio.ensure_future(turn_log.flush())
            await until(lambda: database.writer.fault == "db_busy")
            turn_log.emit(label)
        await soon(flushing)
        stored = told(await event_log.read_turn(turn, 2))
        turn_log.emit(END)

    assert stored == [(3, label)]


async def test_nothing_is_shown_before_it_is_on_disk(event_log: EventLog, database: Database) -> None:
    """What a customer has read is still there after the process was killed."""
    turn = await begin(event_log)
    raw = database.backend.readers(1)
    seen: list[int] = []

    async def watch() -> None:
        async with aclosing(event_log.follow_turn(turn)) as follower:
            async for news in follower:
                with raw.connect() as connection:
                    last = connection.execute(text("SELECT max(last_seq) FROM events")).scalar_one()
                assert news[-1].seq <= last
                seen.extend(recorded.seq for recorded in news)

    watching = asyncio.ensure_future(watch())
    async with writing(event_log, turn) as turn_log:
        for number in range(5):
            turn_log.emit(TextDelta(message_id=str(number), text="x"))
            await turn_log.flush()
        turn_log.emit(END)
    await soon(watching)
    raw.dispose()

    assert seen == list(range(1, 8))


@pytest.mark.fault("D1", "D4")
async def test_a_lock_on_the_database_delays_words_and_loses_none(url: str) -> None:
    """An accepted message is answered although somebody locked the database for longer than one write waits."""
    words = TextDelta(message_id="a", text="x")
    async with Database(url, write_patience_s=0.0) as database:
        event_log = EventLog(database, Wake(), "here")
        turn = await begin(event_log)
        with locked(database, "events"):
            finishing = asyncio.ensure_future(write(event_log, turn, [[words], [END]]))
            await until(lambda: database.writer.fault == "db_busy")
            assert not finishing.done()
        await soon(finishing)

        assert told(await event_log.read_turn(turn, 1)) == [(2, words), (3, END)]


async def _fails(turn_log: TurnLog) -> None:
    turn_log.emit(TextDelta(message_id="a", text="late"))
    with pytest.raises(LeaseLost):
        await soon(turn_log.run())


async def test_a_server_that_lost_the_turn_cannot_add_to_it(event_log: EventLog, database: Database) -> None:
    """A server that was frozen and wakes up must not talk into an answer that another one gives."""
    turn = await begin(event_log)
    later = EventLog(database, Wake(), "there", clock=lambda: 4_000_000_000.0)
    assert await taken_over(later) == [turn]

    await _fails(event_log.turn_log(turn, 1))
    assert len(await event_log.read_turn(turn)) == 1


async def test_a_turn_ends_once(event_log: EventLog) -> None:
    """A customer is never told twice how it ended."""
    turn = await begin(event_log)
    await write(event_log, turn, [[END]])
    again = event_log.turn_log(turn, 2)
    again.emit(TurnFinished(outcome="escalated"))
    with pytest.raises(LeaseLost):
        await soon(again.run())
    await _fails(event_log.turn_log(turn, 2))

    assert told(await event_log.read_turn(turn, 1)) == [(2, END)]


@pytest.mark.fault("P12")
async def test_a_change_of_the_computers_clock_changes_no_duration(database: Database) -> None:
    """A clock that jumps must not make answers look an hour late, or before their question."""
    now = [1_000_000.0]
    event_log = EventLog(database, Wake(), "here", clock=lambda: now[0])
    turn = await begin(event_log)
    turn_log = event_log.turn_log(turn, 1)
    running = asyncio.ensure_future(turn_log.run())
    for jump_s in (-3600.0, 3600.0, 3600.0):
        now[0] += jump_s
        turn_log.emit(TextDelta(message_id=str(jump_s), text="x"))
        await turn_log.flush()
    running.cancel()
    times = [item.at for item in await event_log.read_turn(turn)]

    assert times == sorted(times)
    assert (times[-1] - times[0]).total_seconds() < 600
