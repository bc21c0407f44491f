"""Stop asking a model that keeps failing, and find out by one probe when it is back.

Why: when the API is down every customer would otherwise wait for the same timeout. closed -> open after a few failures
in a row (or at once when the API itself names a time); open -> half-open when the time is over: one call may
try; its success closes the breaker, its failure opens it again for twice as long. Calls that began before the breaker
opened no longer count: only the probe decides.
"""

import random
import time
from collections.abc import Callable
from typing import Literal

import structlog

log = structlog.get_logger()
State = Literal["closed", "open", "half_open"]
FAILURES_TO_OPEN = 3
FIRST_PAUSE_S = 5.0
LONGEST_PAUSE_S = 30.0
LONGEST_NAMED_PAUSE_S = 60.0
_JITTER = 0.2  # so that many servers do not probe in the same moment


class Breaker:
    """The breaker of one model and purpose. `clock` is monotonic seconds, `chance` gives 0 to 1.

    `fault` is what opened it; None while it is closed.
    """

    def __init__(
        self,
        model: str,
        clock: Callable[[], float] = time.monotonic,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._model = model
        self._clock = clock
        self._chance = chance
        self._failures = 0
        self._pause_s = FIRST_PAUSE_S
        self._open_until = 0.0
        self.state: State = "closed"
        self.fault: str | None = None

    def may_call(self) -> bool:
        """Whether a call may be made now; in half-open only the first one may, and it must report back."""
        if self.state == "closed":
            return True
        if self.state == "open" and self._clock() >= self._open_until:
            self._enter("half_open")
            return True
        return False

    def succeeded(self, *, is_probe: bool = False) -> None:
        """A call came through."""
        if is_probe or self.state == "closed":
            self._failures = 0
            self._pause_s = FIRST_PAUSE_S
            self._enter("closed")

    def failed(
        self, fault: str, pause_s: float | None = None, *, weight: int = 1, is_probe: bool = False
    ) -> None:
        """A call failed.

        Args:
            fault: The routing log's code.
            pause_s: How long the API itself asked to wait, if it did; opens the breaker at once.
            weight: How many failures this one counts for.
            is_probe: Whether it is the one call of half-open.
        """
        if self.state != "closed" and not is_probe:
            return
        self._failures += weight
        if is_probe:
            self._pause_s = min(self._pause_s * 2, LONGEST_PAUSE_S)
        elif pause_s is None and self._failures < FAILURES_TO_OPEN:
            return
        self._open_until = self._clock() + self._pause(pause_s)
        self._enter("open", fault)

    def abandoned(self) -> None:
        """The probe was cancelled before it could tell: let the next call try."""
        self._open_until = self._clock()
        self.state = "open"

    def _pause(self, named_s: float | None) -> float:
        """About as long as the API asked for (a minute at most), and not shorter than our own pause."""
        if named_s is not None and named_s > self._pause_s:
            return min(named_s, LONGEST_NAMED_PAUSE_S) * (1 + _JITTER * self._chance())
        return self._pause_s * (1 - _JITTER * self._chance())

    def _enter(self, state: State, fault: str | None = None) -> None:
        if state != self.state:
            why = {} if fault is None else {"fault": fault}
            say = log.info if state == "closed" else log.warning
            say("breaker.changed", model=self._model, before=self.state, after=state, **why)
        self.state = state
        self.fault = None if state == "closed" else fault or self.fault
