"""Leases: which server may write a turn, and for how long it is believed to be alive.

A server that was asleep may go on with a turn that another one has ended since, and whose conversation was deleted: what
its tools store then is stored for nobody, so it is refused (`hold_open`).
A lease that lies too far in the future was written before the clock was set back; it counts as run out.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, and_, bindparam, or_, select, update

from errors import LeaseLost
from events import TurnRef
from store.accepting import LEASE_S
from store.backend import Backend
from store.rows import is_turn, turn_ref
from store.schema import turns

GIVEN_UP_S = 0.0
"""When the lease ends of a turn that its server has given up."""
_AT_ONCE = 500
_OPEN_BEFORE = (
    select(turns.c.ordinal)
    .where(
        turns.c.conversation_id == bindparam("conversation"),
        turns.c.ordinal < bindparam("ordinal"),
        turns.c.is_open == 1,
    )
    .limit(1)
)


def _lapsed(now_s: float) -> Select[Any]:
    """Open turns without a valid lease, each conversation's in order."""
    run_out = or_(turns.c.lease_until_s < now_s, turns.c.lease_until_s > now_s + 2 * LEASE_S)
    query = select(turns).where(turns.c.is_open == 1, run_out)
    return query.order_by(turns.c.conversation_id, turns.c.ordinal)


def lapsed(connection: Connection, now_s: float) -> dict[str, float]:
    """Open turns without a valid lease, each with the second until which it had one; of very many the first."""
    return {row.turn_id: row.lease_until_s for row in connection.execute(_lapsed(now_s).limit(_AT_ONCE))}


@dataclass(frozen=True, slots=True)
class TakenOver:
    """A turn that is this server's now. `holder`: the server that let its lease run out; None: it was given up."""

    turn: TurnRef
    holder: str | None


def take_over(
    connection: Connection, server_id: str, seen: Mapping[str, float], now_s: float, limit: int
) -> list[TakenOver]:
    """Those of the turns whose leases are still as they were `seen`, now leased to this server; at most so many.

    Those that another server takes over in this moment are left to it.
    """
    query = _lapsed(now_s).where(turns.c.turn_id.in_(seen)).limit(limit).with_for_update(skip_locked=True)
    found = [
        TakenOver(turn_ref(row), row.lease_owner if row.lease_until_s != GIVEN_UP_S else None)
        for row in connection.execute(query).all()
        if row.lease_until_s == seen[row.turn_id]
    ]
    for taken in found:
        lease = {"lease_owner": server_id, "lease_until_s": now_s + LEASE_S}
        connection.execute(update(turns).where(is_turn(taken.turn)).values(lease))
    return found


def renew(connection: Connection, server_id: str, now_s: float, turn_ids: list[str]) -> None:
    """Keep these turns, as far as they are still this server's."""
    for start in range(0, len(turn_ids), _AT_ONCE):
        some = turns.c.turn_id.in_(turn_ids[start : start + _AT_ONCE])
        held = and_(some, turns.c.is_open == 1, turns.c.lease_owner == server_id)
        connection.execute(update(turns).where(held).values(lease_until_s=now_s + LEASE_S))


def release(connection: Connection, server_id: str) -> None:
    """Give up every lease of this server."""
    held = and_(turns.c.is_open == 1, turns.c.lease_owner == server_id)
    connection.execute(update(turns).where(held).values(lease_until_s=GIVEN_UP_S))


def has_open_before(connection: Connection, turn: TurnRef) -> bool:
    """Whether an earlier turn of the conversation is still open."""
    which = {"conversation": turn.conversation_id, "ordinal": turn.ordinal}
    return connection.execute(_OPEN_BEFORE, which).first() is not None


def hold_open(connection: Connection, backend: Backend, conversation_id: str, turn_id: str) -> None:
    """Hold the conversation's place until the transaction ends, for a turn of it that is open.

    Raises:
        LeaseLost: It has ended on another server, or was deleted with its conversation.
    """
    backend.hold(connection, conversation_id)
    query = select(turns.c.ordinal).where(
        turns.c.conversation_id == conversation_id, turns.c.turn_id == turn_id, turns.c.is_open == 1
    )
    if connection.execute(query).first() is None:
        raise LeaseLost(f"turn {turn_id}")
