"""The one writer of the database: takes all writes that wait at the same moment as one group, in a thread of its own.

Why: an accepted message must be on disk before the customer hears of it, and a disk syncs a few thousand times a
second at best. So writes share transactions and syncs, and the event loop never waits for either.
"""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import structlog
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from errors import Unavailable
from store.backend import PASSING
from store.group import Failed, FaultOf, Later, Outcome, Result, Work, run_group, trouble, unavailable

log = structlog.get_logger()
PATIENCE_S = 4.5
NO_ANSWER_S = 5.0
_TRY_AGAIN_S = 0.05
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
    """Commits groups of writes. `fault` is the last failure's code.

    A write waits up to `patience_s` for a lock, or for a database that is away for a moment. A database that does not
    answer at all is waited for NO_ANSWER_S longer. `clock` is monotonic seconds.
    """

    def __init__(
        self,
        engine: Engine,
        fault_of: FaultOf,
        patience_s: float = PATIENCE_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.fault: str | None = None
        self.patience_s = patience_s
        self._engine = engine
        self._fault_of = fault_of
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
        try:
            async with asyncio.timeout(self.patience_s + NO_ANSWER_S):
                return await done
        except TimeoutError as exc:
            raise Unavailable("database: no answer", code="db_error") from exc

    def close(self) -> None:
        """Take no more writes; `run` commits those that wait, and returns."""
        self._is_closed = True
        self._wake.set()

    async def run(self) -> None:
        """Write group after group until closed. Whatever ends it, nobody waits for a writer that is gone."""
        group: list[_Write] = []
        try:
            while not self._is_closed or self._waiting or group:
                if not group:
                    await self._wake.wait()
                self._wake.clear()
                group, self._waiting = [*group, *self._waiting], []
                if group := _unanswered(group):
                    await self._commit(group)
                if group := _unanswered(group):
                    await asyncio.sleep(_TRY_AGAIN_S)
        finally:
            self._is_closed = True
            for write in [*group, *self._waiting]:
                write.tell(Failed(Unavailable("database: closed", code="db_closed")))
            self._thread.submit(self._disconnect)
            self._thread.shutdown()

    async def _commit(self, group: list[_Write]) -> None:
        """Try once, and tell what came of it.

        It is told as the thread reports, not after waiting for that: on a busy loop everybody would hear a round later.
        """
        loop = asyncio.get_running_loop()
        told: asyncio.Future[None] = loop.create_future()

        def tell(tried: Future[list[Outcome]]) -> None:
            if told.done():  # cancelled: `run` has told everybody
                return
            try:
                self._tell(group, tried.result())
            except Exception as exc:  # noqa: BLE001 - it is raised again, in `run`
                told.set_exception(exc)
            else:
                told.set_result(None)

        trying = self._thread.submit(self._in_thread, group)
        trying.add_done_callback(lambda tried: loop.call_soon_threadsafe(tell, tried))
        await told

    def _tell(self, group: list[_Write], outcomes: list[Outcome]) -> None:
        """Tell what came of a try; those who may still hope are not told yet."""
        faults = [fault for outcome in outcomes if (fault := _fault(outcome)) is not None]
        self._note(faults[0] if faults else None, len(group))
        late = self._clock() - self.patience_s
        for write, outcome in zip(group, outcomes, strict=True):
            if not isinstance(outcome, Later):
                write.tell(outcome)
            elif write.since <= late:
                write.tell(Failed(unavailable(outcome.fault)))

    def _in_thread(self, group: list[_Write]) -> list[Outcome]:
        try:
            if self._connection is None:
                self._connection = self._engine.connect()
            outcomes = run_group(self._connection, [write.run for write in group], self._fault_of)
        except DBAPIError as exc:  # not even a connection was to be had, or it is of no use any more
            outcomes = [trouble(self._fault_of(exc)) for _ in group]
            self._disconnect()
        if any(isinstance(outcome, Later) and outcome.fault == "db_reconnect" for outcome in outcomes):
            self._disconnect()
        return outcomes

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.invalidate()
            self._connection.close()
            self._connection = None

    def _note(self, fault: str | None, writes: int) -> None:
        """Keep the fault in mind; log it at once, then once a minute, and that it is over."""
        if self.fault is not None and fault is None:
            log.info("database.recovered", fault=self.fault)
            self._told.clear()
        self.fault = fault
        now = self._clock()
        if fault is not None and now - self._told.get(fault, -_TELL_EVERY_S) >= _TELL_EVERY_S:
            self._told[fault] = now
            say = log.warning if fault in PASSING else log.critical
            say("database.failed", fault=fault, writes=writes)


def _unanswered(group: list[_Write]) -> list[_Write]:
    return [write for write in group if not write.done.done()]


def _fault(outcome: Outcome) -> str | None:
    """The code of what the database failed with, if it did."""
    if isinstance(outcome, Later):
        return outcome.fault
    if isinstance(outcome, Failed) and isinstance(outcome.error, Unavailable):
        return outcome.error.code
    return None
