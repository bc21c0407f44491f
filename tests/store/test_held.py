"""An export holds everything that the desk knows of somebody, and nothing of anybody else."""

from datetime import UTC, datetime

from sqlalchemy import update

from store.database import Database
from store.held import conversations_of, read_held
from store.schema import events
from tests.store.people import ANN, BOB, CANARY, talk

NOW = datetime(2026, 11, 29, tzinfo=UTC)


async def test_an_export_holds_what_was_said_and_done(database: Database) -> None:
    """Somebody who asks what is known about them gets an answer that is whole, and only about them."""
    first, second = await talk(database, ANN), await talk(database, ANN, message_id="m2")
    await talk(database, BOB)
    ids = await conversations_of(database, ANN.owner)
    held = await read_held(database, [*ids, "unknown"], NOW)
    [one, other] = held.conversations

    assert [one.conversation_id, other.conversation_id] == [first.conversation_id, second.conversation_id]
    assert [(item.role, CANARY in item.text) for item in one.messages] == [
        ("customer", True),
        ("assistant", True),
    ]
    assert (one.owner, one.unreadable, held.exported_at) == (ANN.owner, 0, NOW)
    [turn] = one.turns
    assert (turn.turn_id, turn.is_open) == (first.turn_id, False)
    assert [item["seq"] for item in turn.events if isinstance(item, dict)] == [1, 2, 3, 4, 5]
    assert set(one.records) == {"quotes", "tickets", "feedback", "actions"}
    assert all(len(rows) == 1 and CANARY in str(rows) for rows in one.records.values())
    [quote] = one.records["quotes"]
    assert quote["payload"]["make"] == CANARY
    assert datetime.fromisoformat(quote["created_at"]).tzinfo is not None
    assert BOB.word not in held.model_dump_json()


async def test_what_the_program_cannot_read_is_shown_as_it_is_stored(database: Database) -> None:
    """A damaged row is about the person all the same."""
    await talk(database, ANN)
    turn = await talk(database, ANN, message_id="m2")
    odd = update(events).where(events.c.conversation_id == turn.conversation_id, events.c.first_seq == 1)
    await database.write(lambda connection: connection.execute(odd.values(payload=f"{{{CANARY}")))
    held = await read_held(database, await conversations_of(database, ANN.owner), NOW)
    damaged = next(item for item in held.conversations if item.conversation_id == turn.conversation_id)

    assert (damaged.unreadable, damaged.messages) == (1, ())
    assert damaged.turns[0].events[0] == f"{{{CANARY}"
    assert [item.unreadable for item in held.conversations] == [0, 1]
