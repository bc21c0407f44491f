"""The orderly end of the server: no new messages, endless streams closed, turns under way given time to end.

Why: a rolling restart must lose nothing and end soon. What does not end in time keeps its place in the log; its
reader is told to come back, and the next server takes the turn over.
"""

import asyncio
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from router.runner import TurnRunner
from store.wake import Wake

PATIENCE_S = 18.0  # uvicorn breaks connections after 20


class Stopping:
    """Ends the server in order, once it is asked to; `run` is owned by whoever owns the server."""

    def __init__(self, runner: TurnRunner, wake: Wake, patience_s: float = PATIENCE_S) -> None:
        self._runner = runner
        self._wake = wake
        self._patience_s = patience_s
        self._asked = asyncio.Event()

    def ask(self) -> None:
        """Begin to stop; asking again changes nothing."""
        self._asked.set()

    async def run(self) -> None:
        """Wait to be asked, then stop; returns when nothing is left to wait for."""
        await self._asked.wait()
        self._runner.is_draining = True
        self._wake.send_away(waiting_for_end=False)
        await self._runner.drain(self._patience_s)
        self._wake.send_away(waiting_for_end=True)


@contextmanager
def stop_signals(ask: Callable[[], None]) -> Iterator[None]:
    """Hear SIGINT and SIGTERM before the web server does, and pass them on.

    Why: the web server waits for its connections first, and open streams would wait for it.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop = asyncio.get_running_loop()
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def heard(number: int, frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(ask)
        handler = before[signal.Signals(number)]
        if callable(handler):
            handler(number, frame)

    ours = [number for number, handler in before.items() if callable(handler)]
    for number in ours:
        signal.signal(number, heard)
    try:
        yield
    finally:
        for number in ours:
            signal.signal(number, before[number])
