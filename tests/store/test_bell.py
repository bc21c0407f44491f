"""What one server writes wakes those who follow on another one."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager

import pytest

from events import Recorded, TextDelta, TurnRef
from store import follow
from store.log import EventLog
from tests.postgres import Postgres
from tests.store.filling import END, begin, is_waiting, two_servers, write
from tests.waiting import PATIENCE_S, until


@pytest.fixture
def url(postgres_url: str) -> str:
    """The address of an empty database."""
    return postgres_url


async def test_followers_on_another_server_are_woken_instead_of_asking_again_and_again(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whichever server a customer's line ends at, the words come as they are written."""
    monkeypatch.setattr(follow, "IDLE_S", 10 * PATIENCE_S)
    monkeypatch.setattr(follow, "_POLL_BELOW_WAKE_S", 10 * PATIENCE_S)
    async with two_servers(url) as (here, there), _listening(there), asyncio.timeout(PATIENCE_S):
        turn = await begin(here)
        following = asyncio.ensure_future(_all(there, turn))
        async with aclosing(there.follow_ends()) as ends:
            waiting = asyncio.ensure_future(anext(ends))
            await until(lambda: is_waiting(there._wake, 2))
            await write(here, turn, [[TextDelta(message_id="a", text="x")], [END]])

            assert [item.seq for item in await following] == [1, 2, 3]
            assert await waiting == turn
        later = asyncio.ensure_future(_first(there, turn))
        await until(lambda: is_waiting(there._wake))
        second = await begin(here, 2, turn.conversation_id)
        assert await later == second


async def test_a_listener_whose_line_broke_hears_again_and_what_it_missed_is_read(
    postgres: Postgres, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A crash of the database costs a follower on another server a moment, and no word."""
    monkeypatch.setattr(follow, "IDLE_S", 10 * PATIENCE_S)
    monkeypatch.setattr(follow, "_POLL_BELOW_WAKE_S", 10 * PATIENCE_S)
    async with two_servers(url) as (here, there), _listening(there), asyncio.timeout(PATIENCE_S):
        turn = await begin(here)
        following = asyncio.ensure_future(_all(there, turn))
        await until(lambda: is_waiting(there._wake))
        postgres.crash()
        await until(lambda: not there._wake.hears_others)
        postgres.start()
        await write(here, turn, [[TextDelta(message_id="a", text="x")], [END]])

        assert [item.seq for item in await following] == [1, 2, 3]
        await until(lambda: there._wake.hears_others)


@asynccontextmanager
async def _listening(event_log: EventLog) -> AsyncIterator[None]:
    """It hears what others commit."""
    async with asyncio.TaskGroup() as group:
        listener = group.create_task(event_log.listen())
        await until(lambda: event_log._wake.hears_others)
        yield
        listener.cancel()


async def _all(event_log: EventLog, turn: TurnRef) -> list[Recorded]:
    async with aclosing(event_log.follow_turn(turn)) as follower:
        return [recorded async for news in follower for recorded in news]


async def _first(event_log: EventLog, turn: TurnRef) -> TurnRef:
    """The next turn of the conversation, as soon as there is something of it."""
    async with aclosing(event_log.follow_conversation(turn.conversation_id, turn.ordinal + 1, 0)) as follower:
        turn, news = await anext(follower)
    assert news
    return turn
