"""Let turns begin together when the server has much to do.

Why: the same steps taken for four turns one after the other cost a third less than with other work in between, because
the processor's caches still hold what they need (measured: `python -m bench.load`). So a message that comes while the event
loop is busy waits a moment for others; the busier the loop, the longer, and never longer than WAIT_S.
Life: one for each Admission, which tells it how busy the loop is.
"""

import asyncio
import time
from collections.abc import Callable

TOGETHER = 4
WAIT_S = 0.04
CALM, BUSY = 0.3, 0.7
"""Up to this share of its time at work the loop lets nobody wait; from this share on they wait WAIT_S."""
_FRESH = 0.3  # weight of the newest measurement


class Company:
    """Messages that begin together. `busy` is the share of its time that the loop is at work, 0 to 1, smoothed.

    Args:
        clock: Monotonic seconds.
        worked: Seconds that the loop's thread, which calls it, has been at work.
    """

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, worked: Callable[[], float] = time.thread_time
    ) -> None:
        self.busy = 0.0
        self._start = asyncio.Event()
        self._waiting = 0
        self._clock, self._worked = clock, worked
        self._looked_s, self._worked_s = clock(), worked()

    def look(self) -> None:
        """Measure again; called in the loop's thread, every now and then."""
        now_s, worked_s = self._clock(), self._worked()
        if now_s > self._looked_s:
            self.note((worked_s - self._worked_s) / (now_s - self._looked_s))
        self._looked_s, self._worked_s = now_s, worked_s

    def note(self, busy: float) -> None:
        """The loop was at work for this share of the time."""
        self.busy += _FRESH * (busy - self.busy)

    async def join(self) -> None:
        """Return when TOGETHER have come, or when whoever came first has waited long enough."""
        wait_s = WAIT_S * min(1.0, (self.busy - CALM) / (BUSY - CALM))
        if wait_s <= 0:
            return
        start = self._start
        self._waiting += 1
        if self._waiting == 1:
            asyncio.get_running_loop().call_later(wait_s, self._go, start)
        if self._waiting == TOGETHER:
            self._go(start)
        await start.wait()

    def _go(self, start: asyncio.Event) -> None:
        if start is self._start:
            self._start, self._waiting = asyncio.Event(), 0
        start.set()
