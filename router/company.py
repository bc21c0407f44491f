"""Let turns begin together when the server has much to do.

Why: turns that take the same steps one after the other cost less than with other work in between, because the processor's
caches still hold what they need (docs/sizing.md has the figures). So a message that comes while the server is busy waits a
moment for others; the busier, the longer, and never longer than WAIT_S.
Life: one for each Admission, which lets it look every now and then.
"""

import asyncio
import time
from collections.abc import Callable

TOGETHER = 4
WAIT_S = 0.04
CALM, BUSY = 0.5, 0.9
"""With up to this share of a core in use nobody waits; from this share on the first one waits WAIT_S."""
_FRESH = 0.3  # weight of the newest measurement


class Company:
    """Messages that begin together. `busy` is the share of a core that the process uses, smoothed.

    Args:
        clock: Monotonic seconds.
        worked: Seconds of CPU that the process has used.
    """

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, worked: Callable[[], float] = time.process_time
    ) -> None:
        self.busy = 0.0
        self._start = asyncio.Event()
        self._waiting = 0
        self._clock, self._worked = clock, worked
        self._looked_s, self._worked_s = clock(), worked()

    def look(self) -> None:
        """Measure again."""
        now_s, worked_s = self._clock(), self._worked()
        if now_s > self._looked_s:
            self.note((worked_s - self._worked_s) / (now_s - self._looked_s))
        self._looked_s, self._worked_s = now_s, worked_s

    def note(self, busy: float) -> None:
        """The process used this share of a core."""
        self.busy += _FRESH * (busy - self.busy)

    async def join(self) -> None:
        """Return when TOGETHER have come, or when whoever came first has waited long enough; nobody overtakes."""
        wait_s = WAIT_S * min(1.0, (self.busy - CALM) / (BUSY - CALM))
        if wait_s <= 0 and not self._waiting:
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
