"""Whoever comes back gets exactly the rest, in order, whatever happened to them in between."""

import asyncio
from contextlib import aclosing

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from events import Event, Recorded, TextDelta, TurnRef, is_end
from store import follow
from store.database import Database
from store.log import EventLog
from store.wake import UNREAD_LIMIT, Committed, Wake
from tests.store.conftest import NewUrl
from tests.store.filling import END, begin, is_waiting, message, middles, patient, told, write, writing
from tests.waiting import PATIENCE_S, soon, until


async def _all(event_log: EventLog, turn: TurnRef, after: int = 0) -> list[Recorded]:
    async with aclosing(event_log.follow_turn(turn, after)) as follower:
        return [recorded async for news in follower for recorded in news]


async def test_who_has_just_written_hears_the_answer_without_asking_the_database(
    event_log: EventLog, wake: Wake, database: Database
) -> None:
    """The first word does not wait for a read; and who came too late for the first words reads them all the same."""
    accepted = await event_log.accept(message())
    deaf = EventLog(Database("sqlite:///never-opened.db"), wake, "here")
    async with aclosing(deaf.follow_turn(accepted.turn, first=accepted.first)) as follower:
        got = [*await anext(follower)]
        hearing = asyncio.ensure_future(anext(follower))
        await until(lambda: is_waiting(wake))
        await write(event_log, accepted.turn, [[TextDelta(message_id="a", text="x")]])
        got += await hearing
    late = event_log.follow_turn(accepted.turn, first=accepted.first)
    async with aclosing(late) as follower, writing(event_log, accepted.turn, 2) as turn_log:
        again = [*await anext(follower)]
        turn_log.emit(END)
        again += [item async for news in follower for item in news]

    whole = await event_log.read_turn(accepted.turn)
    assert got == whole[:2]
    assert again == whole


@settings(max_examples=20)
@given(
    st.lists(st.lists(middles, min_size=1, max_size=5), max_size=6),
    st.integers(0, 40),
    st.integers(0, 6),
)
def test_following_after_any_event_gives_the_same_rest(
    new_url: NewUrl, batches: list[list[Event]], after: int, already: int
) -> None:
    """A client that comes back at any moment, with any last event, puts together the same conversation."""

    async def run(url: str) -> None:
        async with patient(url) as database:
            event_log = EventLog(database, Wake(), "here")
            turn = await begin(event_log)
            async with writing(event_log, turn) as turn_log, asyncio.timeout(PATIENCE_S):
                following = None
                last: list[Event] = [END]
                for number, batch in enumerate([*batches, last]):
                    if number == min(already, len(batches)):
                        following = asyncio.ensure_future(_all(event_log, turn, after))
                        await asyncio.sleep(0)
                    for event in batch:
                        turn_log.emit(event)
                    await turn_log.flush()
                assert following is not None
                live = await following
            whole = await event_log.read_turn(turn)
            assert [item.seq for item in whole] == list(range(1, len(whole) + 1))
            assert live == whole[after:]
            assert await _all(event_log, turn, after) == whole[after:]

    with new_url() as url:
        asyncio.run(run(url))


async def test_a_turn_that_has_ended_has_no_rest_after_its_end(event_log: EventLog) -> None:
    """A client that has everything is told so at once and does not wait for ever."""
    turn = await begin(event_log)
    await write(event_log, turn, [[END]])

    assert await soon(_all(event_log, turn, 2)) == []
    assert await soon(_all(event_log, turn, 999_999)) == []


async def test_an_event_number_beyond_the_turn_ends_with_the_turn(event_log: EventLog, wake: Wake) -> None:
    """A forged number costs its inventor the answer and us nothing."""
    turn = await begin(event_log)
    following = asyncio.ensure_future(_all(event_log, turn, 999_999))
    await until(lambda: is_waiting(wake))
    await write(event_log, turn, [[END]])

    assert await soon(following) == []


async def test_a_slow_follower_reads_again_what_it_missed(
    event_log: EventLog, wake: Wake, database: Database
) -> None:
    """Somebody on a bad line gets every event once, although the server did not keep them all in memory."""
    turn = await begin(event_log)
    async with aclosing(event_log.follow_turn(turn)) as follower:
        got = [*await anext(follower)]
        async with writing(event_log, turn) as turn_log:
            for number in range(40):
                turn_log.emit(TextDelta(message_id="a", text=f"{number} "))
                turn_log.emit(TextDelta(message_id="b", text=f"{number} "))
            await turn_log.flush()
            recorded = await event_log.read_turn(turn, 1)
            for _ in range(UNREAD_LIMIT + 5):  # more wake-ups than a follower is kept
                wake.publish(Committed(turn, tuple(recorded[:1]), has_ended=False))
            turn_log.emit(END)
        async with asyncio.timeout(PATIENCE_S):
            got += [item async for news in follower for item in news]

    assert [item.seq for item in got] == list(range(1, 83))


async def test_a_wake_up_that_was_lost_is_noticed(event_log: EventLog, wake: Wake) -> None:
    """Events are never skipped because a process was busy at the wrong moment."""
    turn = await begin(event_log)
    async with aclosing(event_log.follow_turn(turn)) as follower:
        assert await anext(follower)
        waiting = asyncio.ensure_future(anext(follower))
        await until(lambda: is_waiting(wake))
        deaf = EventLog(event_log._database, Wake(), "here")  # commits without telling this follower
        await write(deaf, turn, [[TextDelta(message_id="a", text="x"), TextDelta(message_id="b", text="y")]])
        last = (await event_log.read_turn(turn))[-1]
        wake.publish(Committed(turn, (last,), has_ended=False))

        missed = await soon(waiting)

    assert [item.seq for item in missed] == [2, 3]


async def test_a_conversation_is_followed_turn_by_turn(event_log: EventLog, wake: Wake) -> None:
    """A second window shows the messages in the order in which they are answered."""
    first = await begin(event_log)
    second = await begin(event_log, 2, first.conversation_id)
    seen: list[tuple[int, int]] = []

    async def read() -> None:
        async with aclosing(event_log.follow_conversation(first.conversation_id, 1, 0)) as follower:
            async for turn, news in follower:
                seen.extend((turn.ordinal, recorded.seq) for recorded in news)
                if turn.ordinal == 3 and is_end(news[-1].event):
                    return

    reading = asyncio.ensure_future(read())
    await until(lambda: is_waiting(wake))
    await write(event_log, first, [[TextDelta(message_id="a", text="x")], [END]])
    third = await begin(event_log, 3, first.conversation_id)
    await write(event_log, second, [[END]])
    await write(event_log, third, [[TextDelta(message_id="a", text="z")], [END]])
    await soon(reading)

    assert seen == [(1, 1), (1, 2), (1, 3), (2, 1), (2, 2), (3, 1), (3, 2), (3, 3)]


async def test_coming_back_with_the_end_of_a_turn_goes_on_with_the_next(
    event_log: EventLog, wake: Wake
) -> None:
    """A page that has read everything and reconnects still gets the next message."""
    first = await begin(event_log)
    await write(event_log, first, [[END]])

    async with aclosing(event_log.follow_conversation(first.conversation_id, 1, 2)) as follower:
        waiting = asyncio.ensure_future(anext(follower))
        await until(lambda: is_waiting(wake))
        second = await begin(event_log, 2, first.conversation_id)
        turn, news = await soon(waiting)

    assert (turn, [item.seq for item in news]) == (second, [1])


async def test_a_turn_on_another_server_is_followed_too(
    event_log: EventLog, wake: Wake, database: Database
) -> None:
    """While one server hands over to the next, a customer may read on the new one what the old one writes."""
    elsewhere = EventLog(database, Wake(), "there")
    turn = await begin(elsewhere)
    following = asyncio.ensure_future(_all(event_log, turn))
    await until(lambda: is_waiting(wake))
    await write(elsewhere, turn, [[TextDelta(message_id="a", text="x")], [END]])

    assert [item.seq for item in await soon(following)] == [1, 2, 3]


async def test_a_waiting_follower_gives_a_sign_of_life_while_others_are_served(
    event_log: EventLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A message that waits behind a long answer must not look dead, although the conversation is busy."""
    monkeypatch.setattr(follow, "IDLE_S", 0.1)
    first = await begin(event_log)
    second = await begin(event_log, 2, first.conversation_id)
    signs = 0
    async with aclosing(event_log.follow_turn(second)) as follower, writing(event_log, first) as turn_log:
        assert await anext(follower)
        async with asyncio.timeout(PATIENCE_S):
            while signs < 3:
                waiting = asyncio.ensure_future(anext(follower))
                while not waiting.done():
                    turn_log.emit(TextDelta(message_id="a", text="still talking "))
                    await asyncio.sleep(0.02)
                assert waiting.result() == ()
                signs += 1


async def test_ends_of_all_turns_are_told(event_log: EventLog, wake: Wake) -> None:
    """Ops see every turn as it ends, of every conversation."""
    async with aclosing(event_log.follow_ends()) as ends:
        waiting = asyncio.ensure_future(anext(ends))
        await until(lambda: is_waiting(wake))
        first, second = await begin(event_log), await begin(event_log, 2)
        await write(event_log, second, [[END]])
        await write(event_log, first, [[END]])

        assert [await waiting, await anext(ends)] == [second, first]


async def test_ops_that_are_too_slow_go_on_with_what_is_new(
    event_log: EventLog, wake: Wake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stalled ops page neither fills the memory nor stops for ever; a quiet hour gives signs of life."""
    monkeypatch.setattr(follow, "IDLE_S", PATIENCE_S)
    async with aclosing(event_log.follow_ends()) as ends:
        waiting = asyncio.ensure_future(anext(ends))
        await until(lambda: is_waiting(wake))
        turn = await begin(event_log)
        await write(event_log, turn, [[END]])
        assert await waiting == turn
        last = (await event_log.read_turn(turn))[-1]
        for _ in range(UNREAD_LIMIT + 5):
            wake.publish(Committed(turn, (last,), has_ended=True))
        monkeypatch.setattr(follow, "IDLE_S", 0.01)
        assert await anext(ends) is None
        wake.publish(Committed(turn, (last,), has_ended=True))
        assert await anext(ends) == turn


async def test_a_quiet_conversation_gives_signs_of_life(
    event_log: EventLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An open page in a quiet hour is a living line."""
    monkeypatch.setattr(follow, "IDLE_S", 0.02)
    turn = await begin(event_log)
    await write(event_log, turn, [[END]])
    async with aclosing(event_log.follow_conversation(turn.conversation_id, 1, 2)) as follower:
        assert [(await anext(follower))[1] for _ in range(3)] == [()] * 3


async def test_followers_leave_when_the_server_stops(event_log: EventLog, wake: Wake) -> None:
    """Open pages must not hold up a restart; those who wait for an answer leave last."""
    turn = await begin(event_log)
    answer = asyncio.ensure_future(_all(event_log, turn))
    pages = asyncio.ensure_future(_drain(event_log, turn.conversation_id))
    ops = asyncio.ensure_future(_ends(event_log))
    await until(lambda: is_waiting(wake, 3))

    wake.send_away(waiting_for_end=False)
    await soon(asyncio.gather(pages, ops))
    assert not answer.done()
    wake.send_away(waiting_for_end=True)
    assert [item.seq for item in await soon(answer)] == [1]
    assert [item.seq for item in await soon(_all(event_log, turn))] == [1]


async def test_whoever_is_sent_away_has_first_got_the_end_that_is_there(
    event_log: EventLog, wake: Wake
) -> None:
    """A slow line, or a request that came late, must not be told to come back for an answer that is complete."""
    turn = await begin(event_log)
    async with aclosing(event_log.follow_turn(turn)) as slow:
        got = [*await anext(slow)]
        await write(event_log, turn, [[TextDelta(message_id="a", text="x")], [END]])
        wake.send_away(waiting_for_end=True)
        got += [item async for news in slow for item in news]

    assert [item.seq for item in got] == [1, 2, 3]
    assert [item.seq for item in await soon(_all(event_log, turn))] == [1, 2, 3]
    assert [item.seq for item in await soon(_all(event_log, turn, 2))] == [3]


async def _drain(event_log: EventLog, conversation_id: str) -> None:
    async with aclosing(event_log.follow_conversation(conversation_id, 1, 0)) as follower:
        async for _ in follower:
            pass


async def _ends(event_log: EventLog) -> None:
    async with aclosing(event_log.follow_ends()) as follower:
        async for _ in follower:
            pass


async def test_nobody_is_remembered_after_leaving(event_log: EventLog, wake: Wake) -> None:
    """A day of visitors must not fill the memory."""
    turn = await begin(event_log)
    await write(event_log, turn, [[END]])
    await _all(event_log, turn)

    assert dict(wake._followers) == {}
    assert told(await event_log.read_turn(turn, 1)) == [(2, END)]
