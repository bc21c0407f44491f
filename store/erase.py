"""Delete conversations: each in one transaction, from every table, and never while a turn of it is open.

Law: servers may run meanwhile. What a server does to a conversation holds the same places as this does, so a message
comes before a deletion, which then waits, or after it, when the conversation is unknown.
"""

import asyncio
from collections import Counter

from sqlalchemy import ColumnElement, Connection, and_, delete, exists, select

from errors import Unavailable
from store.backend import Backend
from store.database import Database
from store.schema import BY_CONVERSATION, conversations, tickets, turns

LOOK_AGAIN_S = 0.25
CLOSED = "resolved"  # the state of a ticket that nobody has to look at any more


async def erase(database: Database, conversation_id: str, patience_s: float) -> Counter[str] | None:
    """Delete the conversation; how many rows went from which table (none: it was not there).

    A turn that is open is waited for up to `patience_s` seconds, as is a database that is busy; None: it is open still.

    Raises:
        Unavailable: The database could not be written to in all that time; nothing was deleted.
    """
    until_s = asyncio.get_running_loop().time() + patience_s
    while True:
        is_late = asyncio.get_running_loop().time() >= until_s
        try:
            gone = await database.apart(
                lambda connection: erase_now(connection, database.backend, conversation_id)
            )
        except Unavailable:
            if is_late:
                raise
        else:
            if gone is not None or is_late:
                return gone
        await asyncio.sleep(LOOK_AGAIN_S)


def erase_now(
    connection: Connection, backend: Backend, conversation_id: str, unused_since_s: float | None = None
) -> Counter[str] | None:
    """Delete it in this transaction; None, and nothing is deleted: a turn is open.

    Args:
        unused_since_s: Only when retention lets it go: no message after this time (seconds since 1970), no open ticket.
    """
    for place in _places(connection, conversation_id):
        backend.hold(connection, place)
    is_it = conversations.c.conversation_id == conversation_id
    may_go = ~is_open() if unused_since_s is None else is_unused_since(unused_since_s)
    if (
        connection.execute(select(conversations.c.owner).where(is_it)).first() is not None
        and connection.execute(select(conversations.c.owner).where(is_it, may_go)).first() is None
    ):
        return None
    gone = Counter[str]()
    for table in BY_CONVERSATION:
        done = connection.execute(delete(table).where(table.c.conversation_id == conversation_id))
        gone[table.name] = done.rowcount
    return +gone


_own = turns.alias()


def is_open() -> ColumnElement[bool]:
    """Whether a turn of the conversation has not ended."""
    return exists().where(_own.c.conversation_id == conversations.c.conversation_id, _own.c.is_open == 1)


def is_unused_since(time_s: float) -> ColumnElement[bool]:
    """Whether nobody wrote in the conversation after this time, and nobody waits for anything in it."""
    used = exists().where(
        _own.c.conversation_id == conversations.c.conversation_id, _own.c.accepted_at_s >= time_s
    )
    waits = exists().where(
        tickets.c.conversation_id == conversations.c.conversation_id, tickets.c.state != CLOSED
    )
    return and_(~used, ~is_open(), ~waits)


def _places(connection: Connection, conversation_id: str) -> list[str]:
    """Where messages of this conversation are accepted: at its id, and its first one at owner and message id."""
    query = select(conversations.c.owner, turns.c.message_id).where(
        conversations.c.conversation_id == conversation_id,
        turns.c.conversation_id == conversations.c.conversation_id,
        turns.c.ordinal == 1,
    )
    firsts = [f"{owner} {message_id}" for owner, message_id in connection.execute(query)]
    return [*firsts, conversation_id]
