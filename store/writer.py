"""The one writer of the database: takes all writes that wait at the same moment as one group, in a thread of its own.

Why: an accepted message must be on disk before the customer hears of it, and a disk syncs a few thousand times a
second at best. So writes share transactions and syncs, and the event loop never waits for either.
"""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import structlog
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from errors import Unavailable
from store.group import Failed, Locked, Outcome, Result, Work, run_group, unavailable

log = structlog.get_logger()
_TELL_EVERY_S = 60.0


@dataclass(slots=True)
class _Write:
    """Work that waits for its commit. `since` is a monotonic time in seconds."""

    work: Work[Any]
    done: asyncio.Future[Any]
    since: float

    def run(self, connection: Connection) -> object:
        """Do it, unless whoever waited gave up meanwhile."""
        return None if self.done.done() else self.work(connection)

    def tell(self, outcome: Outcome) -> None:
        """Tell whoever waits; somebody who went away is not told."""
        if self.done.done():
            return
        if isinstance(outcome, Failed):
            self.done.set_exception(outcome.error)
        else:
            self.done.set_result(outcome)


class Writer:
    """Commits groups of writes. A write waits up to `patience_s` for the lock; `fault` is the last failure's code.

    `clock` is monotonic seconds.
    """

    def __init__(
        self, engine: Engine, patience_s: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.fault: str | None = None
        self.patience_s = patience_s
        self._engine = engine
        self._clock = clock
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="database-writer")
        self._connection: Connection | None = None
        self._waiting: list[_Write] = []
        self._wake = asyncio.Event()
        self._is_closed = False
        self._told: dict[str, float] = {}

    async def write(self, work: Work[Result]) -> Result:
        """Run `work` in the next group; returns after the commit (see Database.write)."""
        if self._is_closed:
            raise Unavailable("database: closed", code="db_closed")
        done: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Write(work, done, self._clock()))
        self._wake.set()
        return await done

    def close(self) -> None:
        """Take no more writes; `run` commits those that wait, and returns."""
        self._is_closed = True
        self._wake.set()

    async def run(self) -> None:
        """Write group after group until closed. Whatever ends it, nobody waits for a writer that is gone."""
        group: list[_Write] = []
        try:
            while not self._is_closed or self._waiting:
                await self._wake.wait()
                self._wake.clear()
                group, self._waiting = self._waiting, []
                while group := [write for write in group if not write.done.done()]:
                    await self._commit(group)
        finally:
            self._is_closed = True
            for write in [*group, *self._waiting]:
                write.tell(Failed(Unavailable("database: closed", code="db_closed")))
            self._thread.submit(self._disconnect)
            self._thread.shutdown()

    async def _commit(self, group: list[_Write]) -> None:
        """Try once. While somebody else has the lock, only those who have waited long enough are told so."""
        loop = asyncio.get_running_loop()
        outcomes = await loop.run_in_executor(self._thread, self._in_thread, group)
        if isinstance(outcomes, Locked):
            self._note(unavailable(outcomes.error).code, len(group))
            late = self._clock() - self.patience_s
            for write in group:
                if write.since <= late:
                    write.tell(Failed(unavailable(outcomes.error)))
            return
        failed = [item.error for item in outcomes if isinstance(item, Failed)]
        faults = [error.code for error in failed if isinstance(error, Unavailable)]
        self.fault = faults[0] if faults else None
        if faults:
            self._note(faults[0], len(group))
        for write, outcome in zip(group, outcomes, strict=True):
            write.tell(outcome)

    def _in_thread(self, group: list[_Write]) -> list[Outcome] | Locked:
        wanted = [write.run for write in group]
        try:
            if self._connection is None:
                self._connection = self._engine.connect()
            return run_group(self._connection, wanted)
        except DBAPIError as exc:  # not even a connection was to be had, or it is of no use any more
            self._disconnect()
            return [Failed(unavailable(exc)) for _ in group]

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _note(self, fault: str, writes: int) -> None:
        """Keep the fault in mind, and log it once a minute."""
        self.fault = fault
        now = self._clock()
        if now - self._told.get(fault, -_TELL_EVERY_S) >= _TELL_EVERY_S:
            self._told[fault] = now
            say = log.warning if fault == "db_busy" else log.critical
            say("database.failed", fault=fault, writes=writes)
