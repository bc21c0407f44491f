"""An event loop whose waits take no time: when nobody has anything to do, its clock jumps to the next appointment.

Why: a deadline, a pause or a period can then be tested with the figures the product has, to the exact moment, and the
outcome is the same on a slow machine. For code without network, processes or threads of its own; what it gives to a
thread runs at once instead. A module asks for it with `pytestmark = pytest.mark.quick_time`.
While it runs, `time.monotonic` is its clock.
"""

import asyncio
import selectors
import time
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from typing import TypeVar, TypeVarTuple

import pytest

Given = TypeVarTuple("Given")
Result = TypeVar("Result")


class _Jumping(selectors.DefaultSelector):
    """Asks the sockets, and instead of waiting for them moves the clock."""

    now_s = 1000.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """What is ready now; waiting without an end is waiting for a test that hangs, and does so."""
        ready = super().select(None if timeout is None else 0)
        if not ready and timeout is not None:
            self.now_s += timeout
        return ready


class QuickLoop(asyncio.SelectorEventLoop):
    """The loop; see above."""

    def __init__(self) -> None:
        self._jumping = _Jumping()
        super().__init__(self._jumping)

    def time(self) -> float:
        """Seconds on its clock."""
        return self._jumping.now_s

    def run_forever(self) -> None:
        """Run, with its clock in the place of the machine's, and without threads."""
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(time, "monotonic", self.time)
            patched.setattr(ThreadPoolExecutor, "submit", _submit)
            super().run_forever()

    def run_in_executor(
        self, executor: Executor | None, func: Callable[[*Given], Result], *args: *Given
    ) -> asyncio.Future[Result]:
        """Do it here and now: a thread would take real time, and the clock would not wait for it."""
        del executor
        done: asyncio.Future[Result] = self.create_future()
        _settle(done, func, *args)
        return done


def _submit(_: ThreadPoolExecutor, func: Callable[[*Given], Result], *args: *Given) -> Future[Result]:
    done: Future[Result] = Future()
    _settle(done, func, *args)
    return done


def _settle(
    done: asyncio.Future[Result] | Future[Result], func: Callable[[*Given], Result], *args: *Given
) -> None:
    try:
        done.set_result(func(*args))
    except Exception as exc:  # noqa: BLE001 - it is the caller's
        done.set_exception(exc)
