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
from events import Quote
from store.database import Database
from store.log import EventLog
from store.records import StoredRecords, call_key, short_id
from store.schema import feedback, quotes, tickets
from store.wake import Wake
from tests.store.filling import begin

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


async def _count(database: Database, table: Table) -> int:
    query = select(func.count()).select_from(table)
    return await database.read(lambda connection: connection.execute(query).scalar_one())


async def test_the_same_call_stores_one_quote(records: StoredRecords, database: Database) -> None:
    """A retry after a lost answer must not give a customer two prices for one question."""
    first = await records.save_quote("key", "c1", DRAFT)
    dearer = DRAFT.model_copy(update={"monthly_premium_usd": Decimal("120.00")})
    again = await asyncio.gather(*(records.save_quote("key", "c1", dearer) for _ in range(5)))

    assert again == [first] * 5
    assert await records.quotes_of("c1") == (first,)
    assert first.quote_id == short_id("Q", "key")
    assert await _count(database, quotes) == 1


@pytest.mark.fault("S1")
async def test_the_same_call_stores_one_ticket(records: StoredRecords, database: Database) -> None:
    """A retry must not send two people to one customer."""
    made = await asyncio.gather(
        *(records.save_ticket("key", "c1", "t1", "complaint", "They are angry.") for _ in range(5))
    )

    assert len(set(made)) == 1
    assert await _count(database, tickets) == 1


@pytest.mark.fault("S1")
async def test_asking_twice_for_a_person_waits_once(records: StoredRecords, database: Database) -> None:
    """Two tickets for one wish would send two people; another reason, or another customer, is a ticket of its own."""
    first = await records.save_ticket("key1", "c1", "t1", "asked_for_person", "They want a person.")
    again = await records.save_ticket("key2", "c1", "t2", "asked_for_person", "They ask again.")
    accident = await records.save_ticket("key3", "c1", "t3", "accident", "They crashed.")
    other = await records.save_ticket("key4", "c2", "t4", "asked_for_person", "Somebody else.")

    assert first == again
    assert len({first, accident, other}) == await _count(database, tickets) == 3


async def test_conversations_see_only_their_own_quotes(records: StoredRecords) -> None:
    """No turn may offer another customer's price."""
    own = await records.save_quote("key1", "c1", DRAFT)
    await records.save_quote("key2", "c2", DRAFT)

    assert await records.quotes_of("c1") == (own,)


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
    await records.save_quote("key", "c1", DRAFT)

    def damage(connection: Connection) -> None:
        connection.execute(update(quotes).values(payload='{"quote_id": "my secret"}'))

    await database.write(damage)
    with pytest.raises(RowUnreadable) as found:
        await records.quotes_of("c1")
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
