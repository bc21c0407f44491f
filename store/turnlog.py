"""Append the events of one running turn, in order, a few writes a second.

Why: a model speaks in dozens of small pieces. The first words go out at once; further words of the same answer, and its end,
wait up to PACE_S for company, so that a stream costs a few rows a second and still resumes at an exact number.
Life: one TurnLog per running turn, made by the runner; it ends with the turn.
"""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, and_, bindparam, insert, select, update

from errors import LeaseLost, Unavailable
from events import (
    EngineCalled,
    Event,
    LabelGiven,
    Recorded,
    SpecialistFinished,
    TextDelta,
    TextEnded,
    TurnRef,
    is_end,
)
from store.bell import Bell
from store.database import Database
from store.rows import event_row
from store.schema import events, turns
from store.wake import Committed, Wake

PACE_S = 0.1
# Made once, because this is what a busy server does most.
_IS_TURN = and_(turns.c.conversation_id == bindparam("conversation"), turns.c.ordinal == bindparam("number"))
_OURS = and_(_IS_TURN, turns.c.lease_owner == bindparam("server"), turns.c.is_open == 1)
# A first try, whose line broke, may be committed this very moment: it holds the row until it is.
_HOLD = select(turns.c.ordinal).where(_IS_TURN).with_for_update()
_ROW = ("conversation_id", "ordinal", "first_seq", "last_seq", "payload")
_PLACE, _SAID = _ROW[:2], _ROW[2:]
# A row if the turn is ours, and none if not; with the lock nobody takes it over before this is committed.
_ADD = (
    insert(events)
    .from_select(
        _ROW,
        select(
            *(turns.c[name] for name in _PLACE),
            *(bindparam(name, type_=events.c[name].type) for name in _SAID),
        )
        .where(_OURS)
        .with_for_update(),
    )
    .execution_options(preserve_rowcount=True)
)
_END = update(turns).where(_OURS).values(is_open=0)
_ADD_LAST = insert(events)
# Steps on the way that no customer waits for; they go to disk with what follows.
_WAITS = (LabelGiven, EngineCalled)
# What tells a customer no more than further words would; nearly always the turn ends a moment later.
_PACED = (TextDelta, TextEnded, SpecialistFinished)
_FIRST_RETRY_S = 0.05
_LAST_RETRY_S = 2.0


@dataclass(slots=True)
class _Batch:
    """Consecutive events that are written as one row."""

    row: dict[str, object]
    has_ended: bool
    was_tried: bool = False


class TurnLog:
    """The running turn's end of the log: `run` writes what `emit` is given, until it is cancelled.

    `clock` gives seconds since 1970 and is asked once; from then on a steady clock counts, so that a change of
    the computer's time changes no duration.
    """

    def __init__(
        self,
        database: Database,
        wake: Wake,
        bell: Bell,
        turn: TurnRef,
        last_seq: int,
        server_id: str,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.turn = turn
        self.written: list[Recorded] = []
        self._database = database
        self._wake = wake
        self._bell = bell
        self._seq = last_seq
        self._held = {"conversation": turn.conversation_id, "number": turn.ordinal, "server": server_id}
        self._epoch_s = clock() - time.monotonic()
        self._pending: list[tuple[float, Event]] = []
        self._changed = asyncio.Event()
        self._flushed = asyncio.Event()
        self._flushed.set()
        self._urgent = asyncio.Event()
        self._is_flushing = False

    def emit(self, event: Event) -> None:
        """Append the event; it is on disk and shown a moment later, in order."""
        self._flushed.clear()
        last = self._pending[-1][1] if self._pending else None
        if (
            isinstance(event, TextDelta)
            and isinstance(last, TextDelta)
            and last.message_id == event.message_id
        ):
            joined = last.model_copy(update={"text": last.text + event.text})
            self._pending[-1] = (self._pending[-1][0], joined)
        else:
            self._pending.append((self._epoch_s + time.monotonic(), event))
        if isinstance(event, _WAITS):
            return
        if not isinstance(event, _PACED):
            self._urgent.set()
        self._changed.set()

    async def flush(self) -> None:
        """Wait until everything emitted so far is on disk; `run` must be running."""
        self._is_flushing = True
        self._urgent.set()
        self._changed.set()
        await self._flushed.wait()

    async def run(self) -> None:
        """Write what is emitted until cancelled; owned by the turn's task group.

        Raises:
            LeaseLost: The turn is another server's now, or has ended; nothing more may be said here.
        """
        last_write = 0.0
        while True:
            await self._changed.wait()
            with suppress(TimeoutError):
                async with asyncio.timeout(max(0.0, last_write + PACE_S - time.monotonic())):
                    await self._urgent.wait()
            self._changed.clear()
            self._urgent.clear()
            if self._pending:
                await self._write()
                last_write = time.monotonic()
            if not self._pending:
                self._flushed.set()
                self._is_flushing = False
            elif self._is_flushing:
                self._urgent.set()
                self._changed.set()

    async def _write(self) -> None:
        pending, self._pending = self._pending, []
        recorded = tuple(
            Recorded(seq=self._seq + number, at=datetime.fromtimestamp(at_s, UTC), event=event)
            for number, (at_s, event) in enumerate(pending, start=1)
        )
        self._seq += len(recorded)
        batch = _Batch(event_row(self.turn, recorded), any(is_end(event) for _, event in pending))
        wait_s = _FIRST_RETRY_S
        while True:
            try:
                await self._database.write(lambda connection: self._append(connection, batch))
                break
            except Unavailable:
                await asyncio.sleep(wait_s)
                wait_s = min(2 * wait_s, _LAST_RETRY_S)
        self.written.extend(recorded)
        self._wake.publish(Committed(self.turn, recorded, batch.has_ended))

    def _append(self, connection: Connection, batch: _Batch) -> None:
        if batch.was_tried:
            connection.execute(_HOLD, self._held)
            if _is_there(connection, batch):
                return
        batch.was_tried = True
        if batch.has_ended:
            is_held = connection.execute(_END, self._held).rowcount == 1
            if is_held:
                connection.execute(_ADD_LAST, batch.row)
        else:
            said = {name: batch.row[name] for name in _SAID}
            is_held = connection.execute(_ADD, {**self._held, **said}).rowcount == 1
        if not is_held:
            raise LeaseLost(f"turn {self.turn.turn_id}")
        self._bell.ring(connection, self.turn, has_ended=batch.has_ended)


def _is_there(connection: Connection, batch: _Batch) -> bool:
    """Whether an earlier try was committed, although the line broke before we heard of it."""
    same = and_(*(events.c[name] == value for name, value in batch.row.items()))
    return connection.execute(select(events.c.ordinal).where(same)).first() is not None
