"""The orderly end of the server: no new messages, endless streams closed, turns under way given time to end.

Why: a rolling restart must lose nothing and end soon. What does not end in time keeps its place in the log; its
reader is told to come back, and the next server takes the turn over.
"""

import asyncio

from router.runner import TurnRunner
from store.wake import Wake

PATIENCE_S = 18.0
BREAK_AFTER_S = 3  # after all that, the web server breaks connections that are still open


class Stopping:
    """Ends the server in order, once it is asked to; `run` is owned by whoever owns the server.

    `ended` is set when nothing is left to wait for.
    """

    def __init__(self, runner: TurnRunner, wake: Wake, patience_s: float = PATIENCE_S) -> None:
        self._runner = runner
        self._wake = wake
        self._patience_s = patience_s
        self._asked = asyncio.Event()
        self.ended = asyncio.Event()

    @property
    def is_asked(self) -> bool:
        """Whether the end has begun."""
        return self._asked.is_set()

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
        self.ended.set()
