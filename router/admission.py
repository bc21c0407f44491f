"""Let in as many turns at once as this machine can answer well; the rest wait a moment, or are told to come back.

Why: beyond its capacity a server that takes everything answers nobody in time. What it can take depends on the machine,
the engine and the day, so it is measured, by what only our own work can delay: the event loop wakes up late when there is
more to do than time to do it, and storing a message takes long when the disk does not keep up. Then the limit is cut below
what is under way. With both on time, and the limit in use, it grows. Arrivals beyond it queue for WAIT_S at most, and no
more of them than lately got a place in that time; whoever gets none was not accepted, and hears when to come back.
Who has a place goes in through a door, a few at a time: when a crowd comes at once, the loop would be busy with its first
steps for a second, and nobody else would hear anything meanwhile.
Life: one for each TurnRunner, which runs `run`.
"""

import asyncio
import random
import time
from collections import deque
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

from errors import Overloaded
from router.company import Company

TURNS_AT_ONCE = 500
"""More turns than this are never under way, however calm the machine is."""
AT_FIRST, AT_LEAST = 64, 16
"""Fewer than the least there never are: so many turns keep any machine busy."""
AT_THE_DOOR, DOOR_S = 8, 0.25
"""So many messages are stored at once, or further ones after so long: a database that is slow keeps nobody out.

With 4 a flood's answers get fewer, with 16 its refusals slower (`python -m bench.load`).
"""
WAIT_S = 0.5
QUEUE_AT_MOST, QUEUE_AT_LEAST = 64, 4
LATE_S = 0.1
SLOW_S = 0.3
LOOK_EVERY_S = 0.05
_SETTLE_S = 0.5  # after a cut: turns under way must end before it can show
_CUT, _GROWTH = 0.7, 1.05
_QUEUE_CUT, _QUEUE_GROWTH = 0.9, 0.5
_IN_USE = 0.8
_FRESH = 0.3  # weight of the newest measurement
_COME_BACK_S = (2, 6)


class Admission:
    """Places for turns: `limit` is how many there are now, `under_way` how many are taken.

    `late_s` is how late the loop wakes up, `stored_s` how long storing a message takes, with the wait at the door before it;
    both smoothed. `company`: who comes in while the server is busy waits there first.

    Args:
        at_most: The limit's own limit.
        clock: Monotonic seconds.
    """

    def __init__(self, at_most: int = TURNS_AT_ONCE, clock: Callable[[], float] = time.monotonic) -> None:
        self.at_most = at_most
        self.limit = float(min(AT_FIRST, at_most))
        self.under_way = 0
        self.late_s = 0.0
        self.stored_s = 0.0
        self.company = Company()
        self._door = asyncio.Semaphore(AT_THE_DOOR)
        self._clock = clock
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._queue = float(QUEUE_AT_MOST)
        self._next_cut = clock()

    @property
    def waiting(self) -> int:
        """How many wait for a place."""
        return len(self._waiting)

    @property
    def is_congested(self) -> bool:
        """Whether who comes now is refused at once: all places are taken, and so are those in the queue."""
        return self.waiting >= int(self._queue)

    async def enter(self) -> None:
        """Take a place; `leave` must follow.

        Raises:
            Overloaded: None came free in time.
        """
        if self._has_room() and not self._waiting:
            self.under_way += 1
            return
        if self.is_congested:
            raise overloaded()
        called = asyncio.get_running_loop().create_future()
        self._waiting.append(called)
        try:
            await asyncio.wait((called,), timeout=WAIT_S)
        except asyncio.CancelledError:
            self._give_up(called)
            raise
        if not called.done():
            self._give_up(called)
            self._queue = max(QUEUE_AT_LEAST, _QUEUE_CUT * self._queue)
            raise overloaded()
        self._queue = min(QUEUE_AT_MOST, self._queue + _QUEUE_GROWTH)

    @asynccontextmanager
    async def door(self) -> AsyncGenerator[None, None]:
        """Where a message is stored whose turn has a place."""
        await self._door.acquire()
        is_shut = True

        def open_for_the_next() -> None:
            nonlocal is_shut
            if is_shut:
                is_shut = False
                self._door.release()

        at_the_latest = asyncio.get_running_loop().call_later(DOOR_S, open_for_the_next)
        try:
            yield
        finally:
            at_the_latest.cancel()
            open_for_the_next()

    def enter_anyway(self) -> None:
        """Take a place for a turn that was accepted before, whether there is one or not; `leave` must follow."""
        self.under_way += 1

    def leave(self) -> None:
        """Give the place back."""
        self.under_way -= 1
        self._call_in()

    async def run(self) -> None:
        """Measure, until cancelled."""
        while True:
            due = self._clock() + LOOK_EVERY_S
            await asyncio.sleep(LOOK_EVERY_S)
            self.note(max(0.0, self._clock() - due))
            self.company.look()

    def note(self, late_s: float) -> None:
        """The loop woke up so late; the limit follows, if it is in use: otherwise other programs keep the machine busy."""
        self.late_s += _FRESH * (late_s - self.late_s)
        if self.under_way < _IN_USE * self.limit:
            return
        if self.late_s <= LATE_S and self.stored_s <= SLOW_S:
            self.limit = min(self.at_most, self.limit * _GROWTH + 1)
            self._call_in()
        elif self._clock() >= self._next_cut:
            self.limit = max(min(AT_LEAST, self.at_most), self.limit * _CUT)
            self._next_cut = self._clock() + _SETTLE_S

    def note_stored(self, took_s: float) -> None:
        """Storing a message took so long."""
        self.stored_s += _FRESH * (took_s - self.stored_s)

    def _has_room(self) -> bool:
        return self.under_way < int(self.limit)

    def _call_in(self) -> None:
        while self._waiting and self._has_room():
            self.under_way += 1
            self._waiting.popleft().set_result(None)

    def _give_up(self, called: asyncio.Future[None]) -> None:
        if called.done():  # called in the very moment
            self.leave()
        else:
            self._waiting.remove(called)


def overloaded() -> Overloaded:
    """The refusal; not everybody is told to come back in the same moment."""
    return Overloaded(retry_after_s=random.randint(*_COME_BACK_S))
