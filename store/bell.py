"""Tell the other servers which turn has news, and hear it from them.

Why: a customer may follow on one server what another one writes. Without this they would learn of it by looking again
and again; with it they look when there is something to see. A notice names a place in the log and holds no text.
Life: one Bell per EventLog.
"""

import asyncio
from contextlib import aclosing, suppress

from sqlalchemy import Connection

from errors import Unavailable
from events import TurnRef
from store.backend import Backend
from store.wake import Committed, Wake

_TRY_AGAIN_S = 1.0


class Bell:
    """What this server commits, for the others; what the others commit, for the followers of this one."""

    def __init__(self, backend: Backend, wake: Wake, server_id: str) -> None:
        self._backend = backend
        self._wake = wake
        self._server_id = server_id

    def ring(self, connection: Connection, turn: TurnRef, *, has_ended: bool) -> None:
        """Once the transaction is committed, the others hear that this turn has news."""
        place = f"{turn.conversation_id} {turn.ordinal}"
        self._backend.announce(connection, f"{self._server_id} {place} {int(has_ended)}")

    async def listen(self) -> None:
        """Wake the followers here when other servers commit, until cancelled; a line that broke is mended."""
        while True:
            with suppress(Unavailable):
                try:
                    await self._hear()
                finally:
                    self._wake.hears_others = False
            await asyncio.sleep(_TRY_AGAIN_S)

    async def _hear(self) -> None:
        async with aclosing(self._backend.announcements()) as notices:
            async for notice in notices:
                if notice is None:
                    self._wake.hears_others = True
                    self._wake.refresh()
                    continue
                server_id, conversation_id, ordinal, has_ended = notice.split()
                if server_id != self._server_id:
                    turn = TurnRef(
                        conversation_id=conversation_id, turn_id="", ordinal=int(ordinal), message_id=""
                    )
                    self._wake.publish(Committed(turn, (), has_ended=has_ended == "1"))
