"""Delete conversations that nobody has written in for so many days: a few at a time, beside the work of the desk.

Kept whatever their age: conversations with an open turn, and those with a ticket that is not closed. With many servers
one deletes at a time; which one does not matter. The log gets counts and nothing else.
Life: one Retention per server with FRONTDESK_RETENTION_DAYS; `frontdesk delete --older-than` makes one for a single pass.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

import structlog
from sqlalchemy import ColumnElement, Connection, Select, and_, func, select

from store.database import Database
from store.erase import erase_now, is_unused_since
from store.schema import conversations, turns

_AT_ONCE = 50
_PAUSE_S = 0.02
_DAY_S = 86_400.0
_PLACE = "retention"
log = structlog.get_logger()


class Retention:
    """Conversations are kept for `days` after their last message. `clock` gives seconds since 1970."""

    def __init__(self, database: Database, days: int, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._days = days
        self._clock = clock

    async def count(self) -> int:
        """How many conversations would go now.

        Raises:
            Unavailable: The database does not answer.
        """
        query = select(func.count()).select_from(turns.join(conversations, _FIRST)).where(self._is_old())
        return await self._database.read(lambda connection: connection.execute(query).scalar_one())

    async def apply(self) -> Counter[str]:
        """Delete what is too old; how many rows went from which table. Another server that is at it is left to it.

        Raises:
            Unavailable: The database does not answer; what went before is gone.
        """
        gone = Counter[str]()
        try:
            while await self._some(gone):
                pass
        finally:
            if gone:
                await asyncio.to_thread(self._database.backend.overwrite)
                counts = {"conversations": gone["conversations"], "turns": gone["turns"]}
                log.info("retention.applied", days=self._days, **counts)
        return gone

    async def _some(self, gone: Counter[str]) -> bool:
        """Delete the oldest few, each counted as it goes; whether any went."""
        before = gone.total()
        oldest = self._oldest()
        for conversation_id in await self._database.read(
            lambda connection: connection.execute(oldest).scalars().all()
        ):
            gone += await self._database.apart(partial(self._one, conversation_id=conversation_id))
            await asyncio.sleep(_PAUSE_S)
        return gone.total() > before

    def _one(self, connection: Connection, conversation_id: str) -> Counter[str]:
        backend = self._database.backend
        if not backend.try_hold(connection, _PLACE):
            return Counter()
        return erase_now(connection, backend, conversation_id, self._before_s()) or Counter()

    def _oldest(self) -> Select[Any]:
        """Found along the index of turns by time, so that a long log costs no more than a short one."""
        query = select(turns.c.conversation_id).join(conversations, _FIRST).where(self._is_old())
        return query.order_by(turns.c.accepted_at_s).limit(_AT_ONCE)

    def _is_old(self) -> ColumnElement[bool]:
        return and_(turns.c.accepted_at_s < self._before_s(), is_unused_since(self._before_s()))

    def _before_s(self) -> float:
        return self._clock() - self._days * _DAY_S


_FIRST = and_(turns.c.conversation_id == conversations.c.conversation_id, turns.c.ordinal == 1)
