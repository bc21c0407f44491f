"""A tool that is called again has its effect once."""

import asyncio
import random
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, Table, func, select, update

from errors import RowUnreadable
from events import Quote, TurnRef
from store.database import Database
from store.log import EventLog
from store.records import StoredRecords, call_key, short_id
from store.schema import feedback, quotes, tickets
from store.wake import Wake
from tests.store.filling import begin, open_turn

DRAFT = Quote(
    quote_id="",
    make="Nissan",
    model="Leaf",
    year=2022,
    mileage=30_000,
    driver_age=40,
    monthly_premium_usd=Decimal("97.89"),
    valid_until=date(2026, 12, 22),
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8), lambda inner: st.lists(inner, max_size=3)
)


@pytest.fixture
def records(database: Database) -> StoredRecords:
    """The tools' records."""
    return StoredRecords(database)


async def _ticket(records: StoredRecords, turn: TurnRef, key: str, reason: str) -> str:
    return await records.save_ticket(key, turn.conversation_id, turn.turn_id, reason, "They want a person.")


async def _count(database: Database, table: Table) -> int:
    query = select(func.count()).select_from(table)
    return await database.read(lambda connection: connection.execute(query).scalar_one())


async def test_the_same_call_stores_one_quote(records: StoredRecords, database: Database) -> None:
    """A retry after a lost answer must not give a customer two prices for one question."""
    turn = await open_turn(database)
    its = turn.conversation_id, turn.turn_id
    first = await records.save_quote("key", *its, DRAFT)
    dearer = DRAFT.model_copy(update={"monthly_premium_usd": Decimal("120.00")})
    again = await asyncio.gather(*(records.save_quote("key", *its, dearer) for _ in range(5)))

    assert again == [first] * 5
    assert await records.quotes_of(turn.conversation_id) == (first,)
    assert first.quote_id == short_id("Q", "key")
    assert await _count(database, quotes) == 1


@pytest.mark.fault("S1")
async def test_the_same_call_stores_one_ticket(records: StoredRecords, database: Database) -> None:
    """A retry must not send two people to one customer."""
    turn = await open_turn(database)
    its = turn.conversation_id, turn.turn_id
    made = await asyncio.gather(
        *(records.save_ticket("key", *its, "complaint", "They are angry.") for _ in range(5))
    )

    assert len(set(made)) == 1
    assert await _count(database, tickets) == 1


@pytest.mark.fault("S1")
async def test_asking_twice_for_a_person_waits_once(records: StoredRecords, database: Database) -> None:
    """Two tickets for one wish would send two people; another reason, or another customer, is a ticket of its own."""
    one = await open_turn(database)
    two = await open_turn(database, 2, one.conversation_id)
    theirs = await open_turn(database, 3)
    first = await _ticket(records, one, "key1", "asked_for_person")
    again = await _ticket(records, two, "key2", "asked_for_person")
    accident = await _ticket(records, two, "key3", "accident")
    other = await _ticket(records, theirs, "key4", "asked_for_person")

    assert first == again
    assert len({first, accident, other}) == await _count(database, tickets) == 3


async def test_conversations_see_only_their_own_quotes(records: StoredRecords, database: Database) -> None:
    """No turn may offer another customer's price."""
    mine, theirs = await open_turn(database), await open_turn(database, 2)
    own = await records.save_quote("key1", mine.conversation_id, mine.turn_id, DRAFT)
    await records.save_quote("key2", theirs.conversation_id, theirs.turn_id, DRAFT)

    assert await records.quotes_of(mine.conversation_id) == (own,)


async def test_every_rating_is_kept(records: StoredRecords, database: Database) -> None:
    """A customer may change their mind; ops see both."""
    its = (await begin(EventLog(database, Wake(), "here"))).conversation_id
    ids = {
        await records.save_feedback(its, 5, None, None),
        await records.save_feedback(its, 1, "slow", "t"),
    }

    assert len(ids) == await _count(database, feedback) == 2


async def test_a_quote_that_cannot_be_read_is_named_as_that(
    records: StoredRecords, database: Database
) -> None:
    """A damaged row is told from a bug, and its text stays out of the message."""
    turn = await open_turn(database)
    await records.save_quote("key", turn.conversation_id, turn.turn_id, DRAFT)

    def damage(connection: Connection) -> None:
        connection.execute(update(quotes).values(payload='{"quote_id": "my secret"}'))

    await database.write(damage)
    with pytest.raises(RowUnreadable) as found:
        await records.quotes_of(turn.conversation_id)
    assert "secret" not in str(found.value)


@given(st.dictionaries(st.text(max_size=5), json_values, max_size=4), st.randoms())
def test_the_key_of_a_call_depends_on_what_is_asked_and_not_on_its_order(
    arguments: dict[str, object],
    dice: random.Random,
) -> None:
    """The same call has the same key after a restart, on another server, from another engine."""
    shuffled = list(arguments.items())
    dice.shuffle(shuffled)

    assert call_key("c", "t", "tool", arguments) == call_key("c", "t", "tool", dict(shuffled))
    assert call_key("c", "t", "tool", arguments) != call_key("c", "t2", "tool", arguments)
    assert call_key("c", "t", "tool", arguments) != call_key("c", "t", "tool", {**arguments, "x": "new"})


@given(st.text())
def test_an_id_can_be_read_out_on_the_phone(key: str) -> None:
    """No zero and O, no one and I."""
    made = short_id("T", key)

    assert made.startswith("T-")
    assert len(made) == 11
    assert not set(made[2:]) & set("01IOUL")
