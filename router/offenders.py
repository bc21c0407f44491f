"""Slow down who sends one hostile message after the other, a little more each time, and never for long.

Why: trying out attacks must become tedious, while an honest customer who is misunderstood once or twice notices nothing.
Kept in the memory of one process, for the owners seen last: with several servers each counts for itself, and a
restart forgets. An owner is a visitor or a customer, so others behind the same address are not touched; whoever
throws the visitor token away begins anew, as a client address tells too little (offices, proxies) to hold against it.
Made with the desk, shared by all its turns.
"""

import math
import time
from collections import OrderedDict, deque
from collections.abc import Callable

PATIENCE = 3
"""Hostile messages that cost nothing."""
REMEMBERED_S = 600.0
FIRST_WAIT_S, LONGEST_WAIT_S = 5.0, 60.0
OWNERS_AT_MOST = 10_000
_COUNTED = 8


class Offenders:
    """Who sent hostile messages lately. `clock` gives monotonic seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._times: OrderedDict[str, deque[float]] = OrderedDict()

    def note(self, owner: str) -> None:
        """One more hostile message of this owner."""
        times = self._times.setdefault(owner, deque(maxlen=_COUNTED))
        times.append(self._clock())
        self._times.move_to_end(owner)
        if len(self._times) > OWNERS_AT_MOST:
            self._times.popitem(last=False)

    def wait_s(self, owner: str) -> int:
        """Whole seconds until the next message of this owner is taken; 0 for nearly everybody."""
        now = self._clock()
        times = [at for at in self._times.get(owner, ()) if now - at < REMEMBERED_S]
        if len(times) < PATIENCE:
            return 0
        wait_s = min(LONGEST_WAIT_S, FIRST_WAIT_S * 2.0 ** (len(times) - PATIENCE))
        return max(0, math.ceil(times[-1] + wait_s - now))
