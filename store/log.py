"""The event log: accept a message, append to a turn, read, follow.

Laws: an accepted message is on disk before its caller hears of it. An event is shown only after it is on disk, so
what a customer saw survives the death of the process. Numbers within a turn run from 1 without gaps, and only the
server that holds the turn's lease appends to it.
"""

import asyncio
import hashlib
import secrets
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Row, and_, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from errors import Conflict, NotFound
from events import Recorded, TurnAccepted, TurnRef, is_end, recorded_list
from store.database import Database
from store.schema import conversations, events, turns
from store.turnlog import TurnLog, event_row
from store.wake import Committed, Subscription, Wake

LEASE_S = 5.0
IDLE_S = 10.0


@dataclass(frozen=True, slots=True)
class NewMessage:
    """A validated message. `conversation_id` None starts a conversation; `may_start` allows an unknown id to start one."""

    owner: str
    text: str
    message_id: str
    conversation_id: str | None = None
    may_start: bool = False
    locale: str | None = None


@dataclass(frozen=True, slots=True)
class Accepted:
    """The turn of a message; `is_new` is false when the same message was accepted before."""

    turn: TurnRef
    is_new: bool


class EventLog:
    """All turns of the desk. `server_id` names this process in leases; `clock` gives seconds since 1970."""

    def __init__(
        self, database: Database, wake: Wake, server_id: str, clock: Callable[[], float] = time.time
    ) -> None:
        self._database = database
        self._wake = wake
        self._server_id = server_id
        self._clock = clock

    async def accept(self, message: NewMessage) -> Accepted:
        """Store the message, once per (conversation, message id); returns after it is on disk.

        Raises:
            NotFound: The conversation is unknown, or somebody else's.
            Conflict: The message id was used with another text.
            Unavailable: The database cannot take it now; nothing was stored.
        """
        accepted, recorded = await self._database.write(lambda connection: self._accept(connection, message))
        if recorded is not None:
            self._wake.publish(Committed(accepted.turn, (recorded,)))
        return accepted

    async def _accept(
        self, connection: AsyncConnection, message: NewMessage
    ) -> tuple[Accepted, Recorded | None]:
        text_hash = hashlib.sha256(message.text.encode()).hexdigest()
        conversation_id = message.conversation_id
        if conversation_id is None:
            known = await self._first_turn(connection, message)
            conversation_id = known or secrets.token_urlsafe(18)
            is_new_conversation = known is None
        else:
            is_new_conversation = await self._must_start(connection, message, conversation_id)
        if not is_new_conversation:
            earlier = await self._earlier(connection, conversation_id, message.message_id)
            if earlier is not None:
                if earlier.text_hash != text_hash:
                    raise Conflict
                return Accepted(_turn_ref(earlier), is_new=False), None
        now = self._clock()
        if is_new_conversation:
            row = {"conversation_id": conversation_id, "owner": message.owner, "created_at_s": now}
            await connection.execute(insert(conversations), row)
        turn = TurnRef(
            conversation_id=conversation_id,
            turn_id=secrets.token_urlsafe(15),
            ordinal=1 if is_new_conversation else await self._next_ordinal(connection, conversation_id),
            message_id=message.message_id,
        )
        accepted = TurnAccepted(message_id=message.message_id, text=message.text, locale=message.locale)
        recorded = Recorded(seq=1, at=datetime.fromtimestamp(now, UTC), event=accepted)
        await connection.execute(
            insert(turns),
            {
                **turn.model_dump(),
                "text_hash": text_hash,
                "is_open": 1,
                "lease_owner": self._server_id,
                "lease_until_s": now + LEASE_S,
                "accepted_at_s": now,
            },
        )
        await connection.execute(insert(events), event_row(turn, (recorded,)))
        return Accepted(turn, is_new=True), recorded

    async def _first_turn(self, connection: AsyncConnection, message: NewMessage) -> str | None:
        """The conversation this caller already started with this message id, if any (the reply to it was lost)."""
        query = (
            select(turns.c.conversation_id)
            .join(conversations, conversations.c.conversation_id == turns.c.conversation_id)
            .where(
                conversations.c.owner == message.owner,
                turns.c.message_id == message.message_id,
                turns.c.ordinal == 1,
            )
        )
        return (await connection.execute(query)).scalar()

    async def _must_start(
        self, connection: AsyncConnection, message: NewMessage, conversation_id: str
    ) -> bool:
        query = select(conversations.c.owner).where(conversations.c.conversation_id == conversation_id)
        owner = (await connection.execute(query)).scalar()
        if owner is None and message.may_start:
            return True
        if owner != message.owner:
            raise NotFound
        return False

    async def _earlier(
        self, connection: AsyncConnection, conversation_id: str, message_id: str
    ) -> Row[tuple[object, ...]] | None:
        query = select(turns).where(
            turns.c.conversation_id == conversation_id, turns.c.message_id == message_id
        )
        return (await connection.execute(query)).first()

    async def _next_ordinal(self, connection: AsyncConnection, conversation_id: str) -> int:
        query = select(turns.c.ordinal).where(turns.c.conversation_id == conversation_id)
        last = (await connection.execute(query.order_by(turns.c.ordinal.desc()).limit(1))).scalar()
        return (last or 0) + 1

    def turn_log(self, turn: TurnRef, last_seq: int) -> TurnLog:
        """Where the running turn appends its events, after `last_seq`."""
        return TurnLog(self._database, self._wake, turn, last_seq, self._clock)

    async def read_turn(self, turn: TurnRef, after_seq: int = 0) -> list[Recorded]:
        """The turn's events after this number, in order."""
        query = (
            select(events.c.payload)
            .where(
                events.c.conversation_id == turn.conversation_id,
                events.c.ordinal == turn.ordinal,
                events.c.last_seq > after_seq,
            )
            .order_by(events.c.first_seq)
        )
        async with self._database.engine.connect() as connection:
            payloads = (await connection.execute(query)).scalars().all()
        return [
            item
            for payload in payloads
            for item in recorded_list.validate_json(payload)
            if item.seq > after_seq
        ]

    async def read_turns(
        self, conversation_id: str, last: int, before: int | None = None
    ) -> list[tuple[TurnRef, list[Recorded]]]:
        """The last turns of a conversation (before this ordinal), oldest first, each with all its events."""
        query = select(turns).where(turns.c.conversation_id == conversation_id)
        if before is not None:
            query = query.where(turns.c.ordinal < before)
        query = query.order_by(turns.c.ordinal.desc()).limit(last)
        async with self._database.engine.connect() as connection:
            refs = [_turn_ref(row) for row in (await connection.execute(query)).all()]
            return await self._with_events(connection, list(reversed(refs)))

    async def recent_turns(self, limit: int, since_s: float = 0.0) -> list[tuple[TurnRef, list[Recorded]]]:
        """The last finished turns of all conversations, newest first, each with all its events."""
        query = select(turns).where(turns.c.is_open == 0, turns.c.accepted_at_s >= since_s)
        query = query.order_by(turns.c.accepted_at_s.desc()).limit(limit)
        async with self._database.engine.connect() as connection:
            refs = [_turn_ref(row) for row in (await connection.execute(query)).all()]
            return await self._with_events(connection, refs)

    async def _with_events(
        self, connection: AsyncConnection, refs: list[TurnRef]
    ) -> list[tuple[TurnRef, list[Recorded]]]:
        if not refs:
            return []
        wanted = or_(
            *(
                and_(events.c.conversation_id == r.conversation_id, events.c.ordinal == r.ordinal)
                for r in refs
            )
        )
        query = (
            select(events)
            .where(wanted)
            .order_by(events.c.conversation_id, events.c.ordinal, events.c.first_seq)
        )
        found: dict[tuple[str, int], list[Recorded]] = {
            (ref.conversation_id, ref.ordinal): [] for ref in refs
        }
        for row in (await connection.execute(query)).all():
            found[row.conversation_id, row.ordinal] += recorded_list.validate_json(row.payload)
        return [(ref, found[ref.conversation_id, ref.ordinal]) for ref in refs]

    async def find_turn(self, turn_id: str) -> TurnRef | None:
        """The turn of this id, whoever's it is: check the owner before showing anything."""
        async with self._database.engine.connect() as connection:
            row = (await connection.execute(select(turns).where(turns.c.turn_id == turn_id))).first()
        return None if row is None else _turn_ref(row)

    async def owner(self, conversation_id: str) -> str | None:
        """Who started the conversation; None when there is none."""
        query = select(conversations.c.owner).where(conversations.c.conversation_id == conversation_id)
        async with self._database.engine.connect() as connection:
            return (await connection.execute(query)).scalar()

    async def follow_turn(self, turn: TurnRef, after_seq: int = 0) -> AsyncGenerator[Recorded | None, None]:
        """The turn's events after this number as they are committed, until the turn ends.

        A turn that does not exist yet is waited for. None comes whenever nothing happened for IDLE_S seconds.
        """
        seq = after_seq
        with self._wake.subscribe(turn.conversation_id) as subscription:
            while True:
                subscription.overran = False
                for recorded in await self.read_turn(turn, seq):
                    seq = recorded.seq
                    yield recorded
                    if is_end(recorded.event):
                        return
                while not subscription.overran:
                    committed = await _next(subscription)
                    if committed is None:
                        yield None
                        continue
                    if committed.turn.ordinal != turn.ordinal:
                        continue
                    for recorded in committed.events:
                        if recorded.seq > seq:
                            seq = recorded.seq
                            yield recorded
                            if is_end(recorded.event):
                                return

    async def follow_conversation(
        self, conversation_id: str, ordinal: int, after_seq: int
    ) -> AsyncGenerator[tuple[TurnRef, Recorded] | None, None]:
        """Every event of the conversation from this place on, turn by turn in order, without end.

        None comes whenever nothing happened for IDLE_S seconds.
        """
        while True:
            turn = TurnRef(conversation_id=conversation_id, turn_id="", ordinal=ordinal, message_id="")
            async with aclosing(self.follow_turn(turn, after_seq)) as follower:
                async for recorded in follower:
                    if recorded is None:
                        yield None
                        continue
                    if not turn.turn_id:
                        turn = await self._turn_at(conversation_id, ordinal)
                    yield turn, recorded
            ordinal, after_seq = ordinal + 1, 0

    async def follow_ends(self) -> AsyncGenerator[TurnRef | None, None]:
        """Turns of all conversations as they end, from now on; None when nothing happened for IDLE_S seconds."""
        with self._wake.subscribe("") as subscription:
            while True:
                committed = await _next(subscription)
                if committed is None:
                    yield None
                elif any(is_end(recorded.event) for recorded in committed.events):
                    yield committed.turn

    async def _turn_at(self, conversation_id: str, ordinal: int) -> TurnRef:
        query = select(turns).where(turns.c.conversation_id == conversation_id, turns.c.ordinal == ordinal)
        async with self._database.engine.connect() as connection:
            return _turn_ref((await connection.execute(query)).one())

    async def take_over(self) -> list[TurnRef]:
        """Open turns whose server is gone: they are this server's from now on, oldest first."""

        async def work(connection: AsyncConnection) -> list[TurnRef]:
            now = self._clock()
            expired = and_(turns.c.is_open == 1, turns.c.lease_until_s < now)
            query = select(turns).where(expired).order_by(turns.c.conversation_id, turns.c.ordinal).limit(200)
            refs = [_turn_ref(row) for row in (await connection.execute(query)).all()]
            for ref in refs:
                mine = (
                    update(turns)
                    .where(_is_turn(ref))
                    .values(lease_owner=self._server_id, lease_until_s=now + LEASE_S)
                )
                await connection.execute(mine)
            return refs

        return await self._database.write(work)

    async def renew_leases(self) -> None:
        """Keep this server's open turns for another LEASE_S seconds."""

        async def work(connection: AsyncConnection) -> None:
            mine = update(turns).where(turns.c.is_open == 1, turns.c.lease_owner == self._server_id)
            await connection.execute(mine.values(lease_until_s=self._clock() + LEASE_S))

        await self._database.write(work)


async def _next(subscription: Subscription) -> Committed | None:
    """The next commit, or None after IDLE_S seconds without one."""
    try:
        async with asyncio.timeout(IDLE_S):
            return await subscription.queue.get()
    except TimeoutError:
        return None


def _is_turn(turn: TurnRef):
    return and_(turns.c.conversation_id == turn.conversation_id, turns.c.ordinal == turn.ordinal)


def _turn_ref(row: Row) -> TurnRef:
    return TurnRef(
        conversation_id=row.conversation_id,
        turn_id=row.turn_id,
        ordinal=row.ordinal,
        message_id=row.message_id,
    )
