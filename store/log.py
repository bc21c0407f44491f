"""The event log: accept a message, append to a turn, read, follow.

Laws: an accepted message is on disk before its caller hears of it. An event is shown only after it is on disk, so
what a customer saw survives the death of the process. Numbers within a turn run from 1 without gaps, and only the
server that holds the turn's lease appends to it.
"""

import secrets
import time
from collections.abc import AsyncGenerator, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from sqlalchemy import ColumnElement, Connection, Select, and_, bindparam, func, select, tuple_

from errors import RowUnreadable
from events import Recorded, TurnRef
from store import follow, leases
from store.accepting import LEASE_S, OWNER, Accepted, NewMessage, accept_message, find_accepted, place_of
from store.bell import Bell
from store.database import Database
from store.rows import is_turn, recorded_in, turn_ref
from store.schema import events, turns
from store.turnlog import TurnLog
from store.wake import Committed, Wake

__all__ = ["LEASE_S", "Accepted", "EventLog", "NewMessage", "Tail"]
log = structlog.get_logger()
# Made once, because every further message of a conversation begins with these reads.
_LAST_TURNS = (
    select(turns)
    .where(turns.c.conversation_id == bindparam("conversation"), turns.c.ordinal < bindparam("before"))
    .order_by(turns.c.ordinal.desc())
    .limit(bindparam("last"))
)
_THEIR_ROWS = (
    select(events.c.ordinal, events.c.payload)
    .where(
        events.c.conversation_id == bindparam("conversation"),
        events.c.ordinal.between(bindparam("oldest"), bindparam("newest")),
    )
    .order_by(events.c.ordinal, events.c.first_seq)
)
_AFTER_ALL = 2**31 - 1  # no turn has such a number: it is the highest that the column takes


@dataclass(frozen=True, slots=True)
class Tail:
    """What a turn holds after some event. `is_over`: nothing more will come; `is_elsewhere`: another server runs it."""

    events: list[Recorded]
    is_over: bool
    is_elsewhere: bool


class EventLog:
    """All turns of the desk. `server_id` names this process in leases; `clock` gives seconds since 1970."""

    def __init__(
        self, database: Database, wake: Wake, server_id: str, clock: Callable[[], float] = time.time
    ) -> None:
        self._database = database
        self._wake = wake
        self._server_id = server_id
        self._clock = clock
        self._bell = Bell(database.backend, wake, server_id)

    async def listen(self) -> None:
        """Hear what other servers commit, until cancelled; without it followers learn of it a moment later."""
        await self._bell.listen()

    async def accept(self, message: NewMessage) -> Accepted:
        """Store the message, once per (conversation, message id); returns after it is on disk.

        Raises:
            NotFound: The conversation is unknown, or somebody else's.
            Conflict: The message id was used with another text.
            Busy: Too many messages of this conversation wait; nothing was stored.
            Unavailable: The database cannot take it now; nothing was stored.
        """
        turn_id = secrets.token_urlsafe(15)

        def work(connection: Connection) -> Accepted:
            self._database.backend.hold(connection, place_of(message))
            accepted = accept_message(connection, message, turn_id, self._server_id, self._clock())
            if accepted.first is not None:
                self._bell.ring(connection, accepted.turn, has_ended=False)
            return accepted

        accepted = await self._database.write(work)
        if accepted.first is not None:
            self._wake.publish(Committed(accepted.turn, (accepted.first,), has_ended=False))
        return accepted

    async def find_accepted(self, message: NewMessage) -> TurnRef | None:
        """The turn of this message, if it was accepted before.

        Raises:
            NotFound, Conflict: As for accept.
        """
        return await self._database.read(lambda connection: find_accepted(connection, message, self._clock()))

    def turn_log(self, turn: TurnRef, last_seq: int) -> TurnLog:
        """Where the running turn appends its events, after `last_seq`."""
        return TurnLog(self._database, self._wake, self._bell, turn, last_seq, self._server_id, self._clock)

    async def read_turn(self, turn: TurnRef, after_seq: int = 0) -> list[Recorded]:
        """The turn's events after this number, in order.

        Raises:
            RowUnreadable: A stored event cannot be read.
        """
        payloads = await self._database.read(lambda connection: _payloads_after(connection, turn, after_seq))
        return [item for item in recorded_in(payloads) if item.seq > after_seq]

    async def read_tail(self, turn: TurnRef, after_seq: int) -> Tail:
        """As read_turn, with whether more may come."""

        def work(connection: Connection) -> tuple[tuple[int, str] | None, list[str]]:
            query = select(turns.c.is_open, turns.c.lease_owner).where(is_turn(turn))
            row = connection.execute(query).first()
            return None if row is None else (row.is_open, row.lease_owner), _payloads_after(
                connection, turn, after_seq
            )

        state, payloads = await self._database.read(work)
        # A turn that is known by its id was there: it was deleted.
        is_open, owner = state or (not turn.turn_id, self._server_id)
        found = [item for item in recorded_in(payloads) if item.seq > after_seq]
        return Tail(found, is_over=not is_open, is_elsewhere=bool(is_open) and owner != self._server_id)

    async def last_seq(self, turn: TurnRef) -> int:
        """Number of the turn's last event, also when events before it cannot be read."""
        query = select(func.max(events.c.last_seq)).where(_of_turn(turn))
        return await self._database.read(lambda connection: connection.execute(query).scalar()) or 0

    async def read_turns(
        self, conversation_id: str, last: int, before: int | None = None
    ) -> list[tuple[TurnRef, list[Recorded]]]:
        """The last turns of a conversation (before this ordinal), oldest first, each with all its events.

        Raises:
            RowUnreadable: A stored event cannot be read.
        """
        which: dict[str, object] = {"conversation": conversation_id, "last": last}
        which["before"] = _AFTER_ALL if before is None else before
        found = await self._database.read(lambda connection: _of_conversation(connection, which))
        return [(ref, recorded_in(payloads)) for ref, payloads in found]

    async def recent_turns(self, limit: int, since_s: float = 0.0) -> list[tuple[TurnRef, list[Recorded]]]:
        """The last finished turns of all conversations, newest first; a turn that cannot be read is left out."""
        query = select(turns).where(turns.c.is_open == 0, turns.c.accepted_at_s >= since_s)
        query = query.order_by(turns.c.accepted_at_s.desc()).limit(limit)
        readable = []
        for ref, payloads in await self._database.read(lambda connection: _with_payloads(connection, query)):
            try:
                readable.append((ref, recorded_in(payloads)))
            except RowUnreadable as exc:
                log.warning("row.unreadable", turn_id=ref.turn_id, reason=str(exc))
        return readable

    async def find_turn(self, turn_id: str) -> TurnRef | None:
        """The turn of this id, whoever's it is: check the owner before showing anything."""
        query = select(turns).where(turns.c.turn_id == turn_id)
        row = await self._database.read(lambda connection: connection.execute(query).first())
        return None if row is None else turn_ref(row)

    async def turn_at(self, conversation_id: str, ordinal: int) -> TurnRef:
        """The turn with this number; it must be there."""
        query = select(turns).where(turns.c.conversation_id == conversation_id, turns.c.ordinal == ordinal)
        return turn_ref(await self._database.read(lambda connection: connection.execute(query).one()))

    async def owner(self, conversation_id: str) -> str | None:
        """Who started the conversation; None when there is none."""
        which = {"conversation": conversation_id}
        return await self._database.read(lambda connection: connection.execute(OWNER, which).scalar())

    def follow_turn(
        self, turn: TurnRef, after_seq: int = 0, first: Recorded | None = None
    ) -> AsyncGenerator[Sequence[Recorded], None]:
        """The turn's events after this number, as they are committed; see follow.follow_turn."""
        return follow.follow_turn(self, self._wake, turn, after_seq, first)

    def follow_conversation(
        self, conversation_id: str, ordinal: int, after_seq: int
    ) -> AsyncGenerator[tuple[TurnRef, Sequence[Recorded]], None]:
        """Every event of the conversation from this place on, without end; see follow.follow_conversation."""
        return follow.follow_conversation(self, self._wake, conversation_id, ordinal, after_seq)

    def follow_ends(self) -> AsyncGenerator[TurnRef | None, None]:
        """Turns of all conversations as they end, from now on; see follow.follow_ends."""
        return follow.follow_ends(self, self._wake)

    async def has_open_before(self, turn: TurnRef) -> bool:
        """Whether an earlier turn of the conversation has not ended yet."""
        return await self._database.read(lambda connection: leases.has_open_before(connection, turn))

    async def lapsed_leases(self) -> dict[str, float]:
        """Open turns that no server has a lease of now, each with the second until which one had."""
        return await self._database.read(lambda connection: leases.lapsed(connection, self._clock()))

    async def take_over(self, seen: Mapping[str, float], limit: int) -> list[TurnRef]:
        """Those of the turns whose leases are still as they were seen: this server's from now on, in order."""
        taken = await self._database.write(
            lambda connection: leases.take_over(connection, self._server_id, seen, self._clock(), limit)
        )
        for each in taken:
            if each.holder is not None:
                log.warning("lease.taken", fault="lock_stolen", turn_id=each.turn.turn_id, holder=each.holder)
        return [each.turn for each in taken]

    async def renew_leases(self, turn_ids: Collection[str]) -> None:
        """Keep these turns for another LEASE_S seconds."""
        ids = list(turn_ids)
        await self._database.write(
            lambda connection: leases.renew(connection, self._server_id, self._clock(), ids)
        )

    async def release_leases(self) -> None:
        """Let others take over at once what this server leaves open."""
        await self._database.write(lambda connection: leases.release(connection, self._server_id))


def _of_turn(turn: TurnRef) -> ColumnElement[bool]:
    return and_(events.c.conversation_id == turn.conversation_id, events.c.ordinal == turn.ordinal)


def _payloads_after(connection: Connection, turn: TurnRef, after_seq: int) -> list[str]:
    """The rows that hold the turn's events after this number, in order."""
    query = select(events.c.payload).where(_of_turn(turn), events.c.last_seq > after_seq)
    return list(connection.execute(query.order_by(events.c.first_seq)).scalars())


def _of_conversation(connection: Connection, which: Mapping[str, object]) -> list[tuple[TurnRef, list[str]]]:
    """These turns of one conversation, oldest first, each with its rows in order."""
    found = [turn_ref(row) for row in connection.execute(_LAST_TURNS, which)][::-1]
    if not found:
        return []
    rows: dict[int, list[str]] = {ref.ordinal: [] for ref in found}
    theirs = {
        "conversation": which["conversation"],
        "oldest": found[0].ordinal,
        "newest": found[-1].ordinal,
    }
    for ordinal, payload in connection.execute(_THEIR_ROWS, theirs):
        rows.setdefault(ordinal, []).append(payload)  # also one without its turn, in a damaged database
    return [(ref, rows[ref.ordinal]) for ref in found]


def _with_payloads(connection: Connection, query: Select[Any]) -> list[tuple[TurnRef, list[str]]]:
    """The turns that the query finds, each with its rows in order."""
    found = [turn_ref(row) for row in connection.execute(query)]
    rows: dict[tuple[str, int], list[str]] = {(ref.conversation_id, ref.ordinal): [] for ref in found}
    place = tuple_(events.c.conversation_id, events.c.ordinal)
    stored = select(events).where(place.in_(list(rows))).order_by(events.c.first_seq)
    for row in connection.execute(stored) if rows else ():
        rows[row.conversation_id, row.ordinal].append(row.payload)
    return [(ref, rows[ref.conversation_id, ref.ordinal]) for ref in found]
