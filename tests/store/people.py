"""People who left something in every table, for tests of what is kept, shown and deleted."""

import time
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal

from sqlalchemy import Connection, Table, select, update

from events import Action, Event, Quote, TextDelta, TextEnded, TextStarted, TurnRef
from store.actions import StoredActions
from store.database import Database
from store.log import EventLog, NewMessage
from store.records import StoredRecords
from store.schema import BY_CONVERSATION, tickets, turns
from store.wake import Wake
from tests.store.filling import END, write

CANARY = "Quetzalcoatl"
DAY_S = 86_400.0


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with a conversation; everything they said or got holds `word`."""

    owner: str
    word: str


ANN = Person("customer:C-1", CANARY)
BOB = Person("visitor:bob", "Huitzilopochtli")


async def talk(
    database: Database,
    person: Person,
    *,
    is_ended: bool = True,
    message_id: str = "m1",
    at_s: float | None = None,
) -> TurnRef:
    """A conversation with a row in every table that has conversations; `at_s`: when its message was accepted."""
    event_log = EventLog(database, Wake(), "here", time.time if at_s is None else lambda: at_s)
    text = f"I am {person.word}. " + person.word * 1_000
    turn = (await event_log.accept(NewMessage(person.owner, text, message_id))).turn
    said: list[Event] = [
        TextStarted(message_id="a"),
        TextDelta(message_id="a", text=f"Hello {person.word}"),
        TextEnded(message_id="a"),
    ]
    await write(event_log, turn, [said])
    records, key, its = StoredRecords(database), turn.conversation_id, turn.conversation_id
    quote = Quote(
        quote_id="",
        make=person.word,
        model="Leaf",
        year=2022,
        mileage=1,
        driver_age=40,
        monthly_premium_usd=Decimal("1.00"),
        valid_until=date(2026, 12, 1),
    )
    action = Action(
        preview_id="",
        tool="cancel",
        subject=person.word,
        terms={},
        state="previewed",
        expires_at=datetime(2026, 12, 1, tzinfo=UTC),
    )
    await records.save_quote(key, its, turn.turn_id, quote)
    await records.save_ticket(key, its, turn.turn_id, "complaint", f"{person.word} is angry")
    await records.save_feedback(its, 1, f"{person.word} waits", turn.turn_id)
    await StoredActions(database).preview(key, its, turn.turn_id, person.owner, action)
    if is_ended:
        await write(event_log, turn, [[END]], last_seq=1 + len(said))
    return turn


async def close_tickets(database: Database) -> None:
    """Somebody has looked after all of them."""
    await database.write(lambda connection: connection.execute(update(tickets).values(state="resolved")))


async def finish(database: Database, turn: TurnRef) -> None:
    """The turn ends now."""
    of_turn = turns.c.turn_id == turn.turn_id
    await database.write(
        lambda connection: connection.execute(update(turns).where(of_turn).values(is_open=0))
    )


async def tables_with(database: Database, word: str) -> dict[str, int]:
    """How many rows of each table hold this word, or belong to a conversation whose id it is."""

    def count(connection: Connection, table: Table) -> int:
        return sum(word in repr(row) for row in connection.execute(select(table)))

    return await database.read(
        lambda connection: {table.name: count(connection, table) for table in BY_CONVERSATION}
    )
