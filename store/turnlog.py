"""Append the events of one running turn, in order, a few writes a second.

Why: a model speaks in dozens of small pieces. The first words go out at once; further words of the same answer
wait up to PACE_S for company, so that a stream costs a few rows a second and still resumes at an exact number.
Life: one TurnLog per running turn, made by the runner; it ends with the turn.
"""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime

from sqlalchemy import insert, update
from sqlalchemy.ext.asyncio import AsyncConnection

from errors import Unavailable
from events import Event, Recorded, TextDelta, TurnRef, is_end, recorded_list
from store.database import Database
from store.schema import events, turns
from store.wake import Committed, Wake

PACE_S = 0.05
RETRY_S = (0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 2.0)


class TurnLog:
    """The running turn's end of the log. Use as an async context manager: leaving it waits for the disk."""

    def __init__(
        self,
        database: Database,
        wake: Wake,
        turn: TurnRef,
        last_seq: int,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.turn = turn
        self.written: list[Recorded] = []
        self._database = database
        self._wake = wake
        self._seq = last_seq
        self._clock = clock
        self._pending: list[tuple[float, Event]] = []
        self._changed = asyncio.Event()
        self._flushed = asyncio.Event()
        self._flushed.set()
        self._urgent = False

    def emit(self, event: Event) -> None:
        """Append the event; it is on disk and shown a moment later, in order."""
        self._flushed.clear()
        last = self._pending[-1][1] if self._pending else None
        if isinstance(event, TextDelta) and isinstance(last, TextDelta):
            joined = last.model_copy(update={"text": last.text + event.text})
            self._pending[-1] = (self._pending[-1][0], joined)
        else:
            self._pending.append((self._clock(), event))
        self._urgent = self._urgent or not isinstance(event, TextDelta)
        self._changed.set()

    async def flush(self) -> None:
        """Wait until everything emitted so far is on disk."""
        self._urgent = True
        self._changed.set()
        await self._flushed.wait()

    async def run(self) -> None:
        """Write what is emitted until cancelled; owned by the turn's task group."""
        last_write = 0.0
        while True:
            await self._changed.wait()
            pause = last_write + PACE_S - time.monotonic()
            if not self._urgent and pause > 0:
                await asyncio.sleep(pause)
            self._changed.clear()
            self._urgent = False
            if self._pending:
                await self._write()
                last_write = time.monotonic()
            if not self._pending:
                self._flushed.set()

    async def _write(self) -> None:
        pending, self._pending = self._pending, []
        recorded = tuple(
            Recorded(seq=self._seq + number, at=datetime.fromtimestamp(at_s, UTC), event=event)
            for number, (at_s, event) in enumerate(pending, start=1)
        )
        self._seq += len(recorded)
        ended = any(is_end(item.event) for item in recorded)

        async def work(connection: AsyncConnection) -> None:
            await connection.execute(insert(events), event_row(self.turn, recorded))
            if ended:
                mine = (turns.c.conversation_id == self.turn.conversation_id) & (
                    turns.c.ordinal == self.turn.ordinal
                )
                await connection.execute(update(turns).where(mine).values(is_open=0))

        for wait_s in RETRY_S:
            try:
                await self._database.write(work)
                break
            except Unavailable:
                await asyncio.sleep(wait_s)
        else:
            await self._database.write(work)
        self.written.extend(recorded)
        self._wake.publish(Committed(self.turn, recorded))


def event_row(turn: TurnRef, recorded: tuple[Recorded, ...]) -> dict[str, object]:
    """The row that holds these consecutive events."""
    return {
        "conversation_id": turn.conversation_id,
        "ordinal": turn.ordinal,
        "first_seq": recorded[0].seq,
        "last_seq": recorded[-1].seq,
        "payload": recorded_list.dump_json(list(recorded)).decode(),
    }
