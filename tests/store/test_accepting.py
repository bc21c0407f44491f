"""A message is one turn, however often it is sent; a conversation belongs to whoever started it."""

import asyncio
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.exc import ProgrammingError

from errors import Busy, Conflict, FrontdeskError, NotFound, Unavailable
from events import TurnAccepted
from store.accepting import WAITING_AT_MOST
from store.database import Database
from store.log import EventLog, NewMessage
from store.schema import events
from store.wake import Wake
from tests.store.conftest import NewUrl
from tests.store.filling import patient

HELLO = NewMessage("visitor:a", "hello", "m1")


@dataclass(frozen=True)
class Sent:
    """One POST. `place` None: no conversation named; else the number of one that may exist by then."""

    owner: str
    place: int | None
    message_id: str
    text: str
    may_start: bool


@dataclass
class Model:
    """What the log must hold, kept in the simplest way."""

    owners: list[str] = field(default_factory=list)
    turns: dict[tuple[int, str], tuple[str, int]] = field(default_factory=dict)

    def expect(self, sent: Sent) -> tuple[type[FrontdeskError] | None, int]:
        """The refusal to come, if any, and the conversation the message belongs to."""
        place = sent.place
        if place is None:
            known = [
                number
                for number, owner in enumerate(self.owners)
                if owner == sent.owner and self.turns.get((number, sent.message_id), ("", 0))[1] == 1
            ]
            place = known[-1] if known else len(self.owners)
        elif place >= len(self.owners):
            return (None, len(self.owners)) if sent.may_start else (NotFound, -1)
        elif self.owners[place] != sent.owner:
            return NotFound, -1
        earlier = self.turns.get((place, sent.message_id))
        return (Conflict, place) if earlier is not None and earlier[0] != sent.text else (None, place)

    def keep(self, sent: Sent, place: int) -> tuple[bool, int]:
        """Store it; whether it is new, and its number in the conversation."""
        if place == len(self.owners):
            self.owners.append(sent.owner)
        earlier = self.turns.get((place, sent.message_id))
        if earlier is not None:
            return False, earlier[1]
        ordinal = 1 + sum(number == place for number, _ in self.turns)
        self.turns[place, sent.message_id] = (sent.text, ordinal)
        return True, ordinal


posts = st.builds(
    Sent,
    owner=st.sampled_from(["visitor:a", "customer:b"]),
    place=st.none() | st.integers(0, 3),
    message_id=st.sampled_from(["m1", "m2", "m3"]),
    text=st.sampled_from(["hello", "¿qué?"]),
    may_start=st.booleans(),
)


@settings(max_examples=15)
@given(st.lists(posts, max_size=14))
def test_any_posts_in_any_order_leave_what_a_simple_model_says(new_url: NewUrl, sent: list[Sent]) -> None:
    """No sequence of retries, reused ids and foreign ids doubles, loses or leaks a message."""
    with new_url() as url:
        asyncio.run(_replay(sent, url))


async def _replay(posts: list[Sent], url: str) -> None:
    async with patient(url) as database:
        event_log = EventLog(database, Wake(), "here")
        model, names = Model(), dict[int, str]()
        for sent in posts:
            refusal, place = model.expect(sent)
            name = None if sent.place is None else names.get(sent.place, f"unknown-thread-{len(names)}")
            message = NewMessage(sent.owner, sent.text, sent.message_id, name, sent.may_start)
            if refusal is not None:
                with pytest.raises(refusal):
                    await event_log.accept(message)
                continue
            accepted = await event_log.accept(message)
            names.setdefault(place, accepted.turn.conversation_id)
            assert accepted.turn.conversation_id == names[place]
            assert (accepted.is_new, accepted.turn.ordinal) == model.keep(sent, place)
        for number, name in names.items():
            stored = await event_log.read_turns(name, 50)
            texts = [item.event.text for _, [item] in stored if isinstance(item.event, TurnAccepted)]
            wanted = sorted((at, text) for (place, _), (text, at) in model.turns.items() if place == number)
            assert [ref.ordinal for ref, _ in stored] == [at for at, _ in wanted]
            assert texts == [text for _, text in wanted]


async def test_twenty_same_messages_at_once_are_one_turn(event_log: EventLog) -> None:
    """A client that retries wildly is answered once."""
    accepted = await asyncio.gather(*(event_log.accept(HELLO) for _ in range(20)))

    assert len({item.turn.turn_id for item in accepted}) == 1
    assert sum(item.is_new for item in accepted) == 1


async def test_different_messages_at_once_are_numbered_without_gaps(event_log: EventLog) -> None:
    """Messages sent at the same moment are answered one by one, in an order that stays."""
    first = (await event_log.accept(HELLO)).turn
    more = [replace(HELLO, conversation_id=first.conversation_id, message_id=f"n{n}") for n in range(15)]

    accepted = await asyncio.gather(*(event_log.accept(message) for message in more))

    assert sorted(item.turn.ordinal for item in accepted) == list(range(2, 17))


async def test_too_many_waiting_messages_of_one_conversation_are_refused(event_log: EventLog) -> None:
    """One customer cannot fill the desk; what was accepted stays, and the same message again still joins."""
    first = (await event_log.accept(HELLO)).turn
    messages = [replace(HELLO, conversation_id=first.conversation_id, message_id=f"n{n}") for n in range(25)]

    outcomes = await asyncio.gather(*(event_log.accept(m) for m in messages), return_exceptions=True)

    assert sum(isinstance(outcome, Busy) for outcome in outcomes) == 25 - WAITING_AT_MOST
    assert not isinstance(outcomes[0], BaseException)
    again = await event_log.accept(messages[0])
    assert again == replace(outcomes[0], is_new=False, first=None)


async def test_a_message_is_refused_whole_when_the_disk_refuses(
    event_log: EventLog, database: Database
) -> None:
    """After a 503 nothing of the message is there, and the same message is new when it comes again."""
    await database.write(events.drop)
    with pytest.raises((Unavailable, ProgrammingError)):
        await event_log.accept(HELLO)
    await database.write(events.create)

    assert (await event_log.accept(HELLO)).is_new
