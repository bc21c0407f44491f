"""Turns made of events, for tests of the log."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from hypothesis import strategies as st

from events import (
    Event,
    LabelGiven,
    Recorded,
    RouteDecided,
    TextDelta,
    TextEnded,
    TextStarted,
    TurnFinished,
    TurnRef,
)
from events import Label as EventLabel
from store.database import Database
from store.log import EventLog, NewMessage
from store.turnlog import TurnLog
from store.wake import Wake
from tests.waiting import PATIENCE_S

END = TurnFinished(outcome="answered")
_LABEL = LabelGiven(source="local", label=EventLabel(intent="greeting", confidence=0.9), took_ms=1)
_ROUTE = RouteDecided(intent="greeting", confidence=0.9, decided_by="local", language="en")

words: st.SearchStrategy[Event] = st.builds(
    TextDelta, message_id=st.just("a"), text=st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
)
middles: st.SearchStrategy[Event] = words | st.sampled_from(
    [_LABEL, _ROUTE, TextStarted(message_id="a"), TextEnded(message_id="a")]
)


def message(number: int = 1, conversation_id: str | None = None, owner: str = "visitor:a") -> NewMessage:
    """The customer's message of this number."""
    return NewMessage(owner, f"message {number}", f"m{number}", conversation_id)


async def begin(event_log: EventLog, number: int = 1, conversation_id: str | None = None) -> TurnRef:
    """A turn that was just accepted."""
    return (await event_log.accept(message(number, conversation_id))).turn


async def taken_over(event_log: EventLog, limit: int = 10) -> list[TurnRef]:
    """What this server takes over when it believes what it sees."""
    return await event_log.take_over(await event_log.lapsed_leases(), limit)


async def open_turn(database: Database, number: int = 1, conversation_id: str | None = None) -> TurnRef:
    """A turn that this server is at work on, for what its tools leave behind."""
    return await begin(EventLog(database, Wake(), "here"), number, conversation_id)


@asynccontextmanager
async def writing(event_log: EventLog, turn: TurnRef, last_seq: int = 1) -> AsyncIterator[TurnLog]:
    """The turn's log with its writer running; on leaving, everything is on disk."""
    turn_log = event_log.turn_log(turn, last_seq)
    async with asyncio.TaskGroup() as group:
        writer = group.create_task(turn_log.run())
        yield turn_log
        await turn_log.flush()
        writer.cancel()


def patient(url: str) -> Database:
    """A database that no machine is too slow for."""
    return Database(url, reader_wait_s=PATIENCE_S, write_patience_s=PATIENCE_S)


@asynccontextmanager
async def two_servers(url: str) -> AsyncIterator[list[EventLog]]:
    """The logs of two servers on one database."""
    async with patient(url) as here, patient(url) as there:
        yield [EventLog(here, Wake(), "here"), EventLog(there, Wake(), "there")]


async def write(
    event_log: EventLog, turn: TurnRef, batches: Sequence[Sequence[Event]], last_seq: int = 1
) -> None:
    """Write these batches behind the event `last_seq`, each to disk before the next."""
    async with writing(event_log, turn, last_seq) as turn_log:
        for batch in batches:
            for event in batch:
                turn_log.emit(event)
            await turn_log.flush()


def told(recorded: Sequence[Recorded]) -> list[tuple[int, Event]]:
    """Numbers and events, without the times."""
    return [(item.seq, item.event) for item in recorded]


def is_waiting(wake: Wake, followers: int = 1) -> bool:
    """Whether so many have read what there is, and wait for more."""
    subscriptions = [one for several in wake._followers.values() for one in several]
    return len(subscriptions) == followers and all(one._waiting for one in subscriptions)
