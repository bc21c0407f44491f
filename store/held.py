"""Everything the desk holds of a person, as one document: what a data-protection request asks for.

The document's shape is described in docs/operations.md. It is made from every table that has a conversation's id, so a
new table is in it by itself; a row that the program cannot read is shown as it is stored.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any

from sqlalchemy import Connection, Row, Table, select

from errors import RowUnreadable
from events import Frozen, JsonObject
from readers.history import Message, fold_messages
from store.database import Database
from store.rows import recorded_in, turn_ref
from store.schema import BY_CONVERSATION, conversations, events, turns

_RECORDS = tuple(table for table in BY_CONVERSATION if table not in {conversations, turns, events})


class HeldTurn(Frozen):
    """One message and all that came of it. `events` are as stored; what cannot be read as JSON is the stored text."""

    turn_id: str
    ordinal: int
    message_id: str
    accepted_at: datetime
    is_open: bool
    events: tuple[JsonObject | str, ...]


class HeldConversation(Frozen):
    """One conversation. `unreadable` counts turns that could not be read into messages; `records` are rows by table."""

    conversation_id: str
    owner: str
    started_at: datetime
    messages: tuple[Message, ...]
    unreadable: int
    turns: tuple[HeldTurn, ...]
    records: Mapping[str, tuple[JsonObject, ...]]


class Held(Frozen):
    """What the desk holds, and when it was looked up (UTC)."""

    exported_at: datetime
    conversations: tuple[HeldConversation, ...]


async def conversations_of(database: Database, owner: str) -> list[str]:
    """The ids of this owner's conversations, oldest first.

    Raises:
        Unavailable: The database does not answer.
    """
    query = select(conversations.c.conversation_id).where(conversations.c.owner == owner)
    query = query.order_by(conversations.c.created_at_s)
    return await database.read(lambda connection: list(connection.execute(query).scalars()))


async def read_held(database: Database, conversation_ids: list[str], now: datetime) -> Held:
    """What is held in these conversations; one that is not there (any more) is left out.

    Raises:
        Unavailable: The database does not answer.
    """
    found = [await database.read(partial(_held, conversation_id=each)) for each in conversation_ids]
    return Held(exported_at=now, conversations=tuple(item for item in found if item is not None))


def _held(connection: Connection, conversation_id: str) -> HeldConversation | None:
    conversation = next(iter(_rows(connection, conversations, conversation_id)), None)
    if conversation is None:
        return None
    payloads: dict[int, list[str]] = {}
    for row in _rows(connection, events, conversation_id):
        payloads.setdefault(row.ordinal, []).append(row.payload)
    messages: list[Message] = []
    held: list[HeldTurn] = []
    unreadable = 0
    for row in _rows(connection, turns, conversation_id):
        own = payloads.get(row.ordinal, [])
        try:
            messages += fold_messages(turn_ref(row), recorded_in(own))
        except RowUnreadable:
            unreadable += 1
        held.append(_turn(row, own))
    return HeldConversation(
        conversation_id=conversation_id,
        owner=conversation.owner,
        started_at=_time(conversation.created_at_s),
        messages=tuple(messages),
        unreadable=unreadable,
        turns=tuple(held),
        records={
            table.name: tuple(_record(row) for row in _rows(connection, table, conversation_id))
            for table in _RECORDS
        },
    )


def _rows(connection: Connection, table: Table, conversation_id: str) -> list[Row[Any]]:
    """The conversation's rows in the order of the table's key."""
    query = select(table).where(table.c.conversation_id == conversation_id)
    return list(connection.execute(query.order_by(*table.primary_key.columns)).all())


def _turn(row: Row[Any], payloads: list[str]) -> HeldTurn:
    stored = [item for payload in payloads for item in _listed(_parsed(payload))]
    return HeldTurn(
        turn_id=row.turn_id,
        ordinal=row.ordinal,
        message_id=row.message_id,
        accepted_at=_time(row.accepted_at_s),
        is_open=bool(row.is_open),
        events=tuple(item if isinstance(item, dict) else str(item) for item in stored),
    )


def _record(row: Row[Any]) -> JsonObject:
    """The row with times as times and JSON as JSON; its conversation is named above."""
    shown: JsonObject = {}
    for name, value in row._mapping.items():  # noqa: SLF001 - its public name, as SQLAlchemy documents it
        if name == "payload":
            shown[name] = _parsed(value)
        elif name.endswith("_at_s"):
            shown[name.removesuffix("_s")] = _time(value).isoformat()
        elif name != "conversation_id":
            shown[name] = value
    return shown


def _parsed(payload: str) -> object:
    try:
        return json.loads(payload)
    except ValueError:
        return payload


def _listed(value: object) -> list[object]:
    return value if isinstance(value, list) else [value]


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
