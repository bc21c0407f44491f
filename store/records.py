"""What tools and customers leave behind beside the log: quotes, tickets, ratings. Each is stored once per key."""

import hashlib
import json
import secrets
import time
from collections.abc import Callable

from pydantic import ValidationError
from sqlalchemy import Connection, and_, bindparam, insert, select

from errors import NotFound, RowUnreadable
from events import Quote
from store.database import Database
from store.leases import hold_open
from store.schema import conversations, feedback, quotes, tickets

_ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"  # no letters and digits that are easily confused on the phone
_ID_LENGTH = 9
_QUOTES = (
    select(quotes.c.payload)
    .where(quotes.c.conversation_id == bindparam("conversation"))
    .order_by(quotes.c.created_at_s)
)


class StoredRecords:
    """The tools' records on the database. The id of a record follows from its key, so a retry finds the first one."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock

    def quote_id(self, key: str) -> str:
        """The number under which a quote of this key is stored."""
        return short_id("Q", key)

    async def save_quote(self, key: str, conversation_id: str, turn_id: str, quote: Quote) -> Quote:
        """Store the quote once per key, under an id of its own; the stored one is returned.

        Raises:
            LeaseLost: The turn has ended elsewhere; nothing was stored.
        """
        named = quote.model_copy(update={"quote_id": self.quote_id(key)})

        def work(connection: Connection) -> Quote:
            hold_open(connection, self._database.backend, conversation_id, turn_id)
            mine = (quotes.c.conversation_id == conversation_id) & (quotes.c.quote_id == named.quote_id)
            payload = connection.execute(select(quotes.c.payload).where(mine)).scalar()
            if payload is not None:
                return Quote.model_validate_json(payload)
            row = {
                "conversation_id": conversation_id,
                "quote_id": named.quote_id,
                "payload": named.model_dump_json(),
            }
            connection.execute(insert(quotes), {**row, "created_at_s": self._clock()})
            return named

        return await self._database.write(work)

    async def save_ticket(
        self, key: str, conversation_id: str, turn_id: str, reason: str, summary: str
    ) -> str:
        """Store a ticket once per key; its id is returned. The transcript is the conversation itself.

        While a ticket of the conversation waits for the same reason, it is the one: who asks twice waits once.

        Raises:
            LeaseLost: The turn has ended elsewhere; nothing was stored.
        """
        ticket_id = short_id("T", key)

        def work(connection: Connection) -> str:
            hold_open(connection, self._database.backend, conversation_id, turn_id)
            same = (tickets.c.reason == reason) & (tickets.c.state == "waiting")
            mine = (tickets.c.conversation_id == conversation_id) & (
                same | (tickets.c.ticket_id == ticket_id)
            )
            known: str | None = connection.execute(select(tickets.c.ticket_id).where(mine)).scalar()
            if known is None:
                row = {
                    "conversation_id": conversation_id,
                    "ticket_id": ticket_id,
                    "turn_id": turn_id,
                    "reason": reason,
                    "summary": summary,
                    "state": "waiting",
                    "created_at_s": self._clock(),
                }
                connection.execute(insert(tickets), row)
            return known or ticket_id

        return await self._database.write(work)

    async def save_feedback(
        self, conversation_id: str, rating: int, comment: str | None, turn_id: str | None
    ) -> str:
        """Store a rating (1 to 5); its id is returned.

        Raises:
            NotFound: The conversation was deleted meanwhile.
        """
        row = {
            "conversation_id": conversation_id,
            "feedback_id": secrets.token_urlsafe(9),
            "turn_id": turn_id,
            "rating": rating,
            "comment": comment,
            "created_at_s": self._clock(),
        }

        def work(connection: Connection) -> None:
            self._database.backend.hold(connection, conversation_id)
            its = select(conversations.c.owner).where(conversations.c.conversation_id == conversation_id)
            if connection.execute(its).first() is None:
                raise NotFound
            mine = and_(*(feedback.c[name] == row[name] for name in ("conversation_id", "feedback_id")))
            if connection.execute(select(feedback.c.rating).where(mine)).first() is None:
                connection.execute(insert(feedback), row)

        await self._database.write(work)
        return str(row["feedback_id"])

    async def quotes_of(self, conversation_id: str) -> tuple[Quote, ...]:
        """Prices given in this conversation, oldest first.

        Raises:
            RowUnreadable: A stored one cannot be read.
        """
        which = {"conversation": conversation_id}
        rows = await self._database.read(
            lambda connection: connection.execute(_QUOTES, which).scalars().all()
        )
        try:
            return tuple(Quote.model_validate_json(payload) for payload in rows)
        except ValidationError as exc:
            raise RowUnreadable(f"quote: {exc.errors(include_input=False)[0]['type']}") from None


def call_key(conversation_id: str, turn_id: str, tool: str, arguments: object) -> str:
    """The same key for every retry of the same call: (conversation, turn, tool, arguments)."""
    canonical = json.dumps(arguments, sort_keys=True, default=str)
    return hashlib.sha256(f"{conversation_id}\n{turn_id}\n{tool}\n{canonical}".encode()).hexdigest()


def short_id(prefix: str, key: str) -> str:
    """An id that people can read out, made from the key: nine characters of thirty (about 44 bits)."""
    number = int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "big")
    letters: list[str] = []
    for _ in range(_ID_LENGTH):
        number, rest = divmod(number, len(_ALPHABET))
        letters.append(_ALPHABET[rest])
    return f"{prefix}-{''.join(letters)}"
