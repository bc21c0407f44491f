"""Stop asking a model that keeps failing, and find out by one probe when it is back.

Why: when the API is down every customer would otherwise wait for the same timeout. closed -> open after two failures
in a row (or at once when the API itself names a time); open -> half-open when the time is over: one call may
try; its success closes the breaker, its failure opens it again for twice as long.
"""

import time
from collections.abc import Callable
from typing import Literal

import structlog

log = structlog.get_logger()
State = Literal["closed", "open", "half_open"]
FAILURES_TO_OPEN = 2
FIRST_PAUSE_S = 5.0
LONGEST_PAUSE_S = 30.0
LONGEST_NAMED_PAUSE_S = 60.0


class Breaker:
    """The breaker of one model. `clock` is monotonic seconds."""

    def __init__(self, model: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._model = model
        self._clock = clock
        self._failures = 0
        self._pause_s = FIRST_PAUSE_S
        self._open_until = 0.0
        self.state: State = "closed"

    def may_call(self) -> bool:
        """Whether a call may be made now; in half-open only the first one may, and it must report back."""
        if self.state == "closed":
            return True
        if self.state == "open" and self._clock() >= self._open_until:
            self._enter("half_open")
            return True
        return False

    def succeeded(self) -> None:
        """A call came through."""
        self._failures = 0
        if self.state != "closed":
            self._pause_s = FIRST_PAUSE_S
            self._enter("closed")

    def failed(self, fault: str, pause_s: float | None = None) -> None:
        """A call failed for good; `pause_s` is how long the API itself asked to wait, if it did."""
        self._failures += 1
        if self.state == "half_open":
            self._pause_s = min(self._pause_s * 2, LONGEST_PAUSE_S)
        elif pause_s is None and self._failures < FAILURES_TO_OPEN:
            return
        self._open_until = self._clock() + min(pause_s or self._pause_s, LONGEST_NAMED_PAUSE_S)
        self._enter("open", fault=fault)

    def abandoned(self) -> None:
        """The probing call was cancelled before it could tell: let the next one try."""
        if self.state == "half_open":
            self._open_until = self._clock()
            self.state = "open"

    def _enter(self, state: State, **why: str) -> None:
        if state != self.state:
            level = log.info if state == "closed" else log.warning
            level("breaker.changed", model=self._model, before=self.state, after=state, **why)
        self.state = state
