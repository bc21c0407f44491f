"""A simulated Claude Messages API: a real HTTP server on loopback that the real SDK talks to.

Why: the only edge a test may fake is the network, and a fake that refuses nothing hides mistakes. This one refuses
what the API refuses, counts tokens and cache, takes its time, and breaks in every way a line can break.
Life: one `async with` a test, or one process by hand (python -m tests.simulation).
"""

import asyncio
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from types import TracebackType
from typing import Self, Unpack

from tests.ports import free_port
from tests.simulation import brains, routes
from tests.simulation.acts import refused
from tests.simulation.answers import Answers, Staged
from tests.simulation.connection import Connection, Incoming
from tests.simulation.errors import ApiError
from tests.simulation.faults.base import Fault
from tests.simulation.faults.script import Step
from tests.simulation.faults.timeline import Timeline
from tests.simulation.ids import Ids
from tests.simulation.limits import Limits, RateLimits
from tests.simulation.player import apologise, play
from tests.simulation.recorded import Recorded
from tests.simulation.reply import Brain
from tests.simulation.timing import Pace, Timing

HOST = "127.0.0.1"
API_KEY = "simulated-key"
MAX_BODY_BYTES = 32 * 1024 * 1024


class Simulation:
    """The server. Turn its knobs between requests: `brain`, `pace`, `faults`, `down`, `up`.

    Args:
        brain: What answers; the default labels classifier requests by their schema and echoes the rest.
        api_key: The only key that is let in.
        port: 0 chooses a free one; it stays the same after `down` and `up`.
        keep_requests: How many requests `requests` holds at most, the newest ones.
        clock: Monotonic seconds, for cache lifetimes and time-limited faults.
    """

    def __init__(
        self,
        brain: Brain | None = None,
        *,
        api_key: str = API_KEY,
        port: int = 0,
        timing: Timing | None = None,
        limits: Limits | None = None,
        keep_requests: int = 2_000,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.api_key = api_key
        self.port = port
        self.max_body_bytes = MAX_BODY_BYTES
        self.requests: list[Recorded] = []
        self.total_requests = 0
        self.failures: list[BaseException] = []
        self._keep_requests = keep_requests
        self._clock = clock
        rate_limits = RateLimits(limits or Limits())
        self._ids = Ids()
        self._answers = Answers(brain or brains.default, timing or Timing(), rate_limits, self._ids, clock)
        self._server: asyncio.Server | None = None
        self._connections: set[Connection] = set()
        self._running: dict[Connection, tuple[asyncio.Task[None], Recorded]] = {}
        self._changed = asyncio.Event()

    async def __aenter__(self) -> Self:
        await self.up()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.down()
        if error is None and self.failures:
            raise self.failures[0]

    @property
    def base_url(self) -> str:
        """What ANTHROPIC_BASE_URL must hold."""
        return f"http://{HOST}:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        """The settings a client needs."""
        return {"ANTHROPIC_BASE_URL": self.base_url, "ANTHROPIC_API_KEY": self.api_key}

    @property
    def brain(self) -> Brain:
        """The function that answers."""
        return self._answers.brain

    @brain.setter
    def brain(self, brain: Brain) -> None:
        self._answers.brain = brain

    @property
    def open_connections(self) -> int:
        """Connected clients."""
        return len(self._connections)

    @property
    def open_answers(self) -> int:
        """Answers under way."""
        return len(self._running)

    def calls(self, model: str | None = None) -> list[Recorded]:
        """The requests for replies, of one model or of all."""
        return [
            recorded
            for recorded in self.requests
            if recorded.path.partition("?")[0] == "/v1/messages" and model in {None, recorded.model}
        ]

    def pace(self, model: str | None = None, **changes: Unpack[Pace]) -> None:
        """Change how fast one model answers, or all models that have no pace of their own."""
        if model is None:
            self._answers.timing = replace(self._answers.timing, **changes)
        else:
            now = self._answers.timings.get(model, self._answers.timing)
            self._answers.timings[model] = replace(now, **changes)

    def faults(self, model: str, plan: str | Iterable[Fault | Step]) -> None:
        """Lay faults before the next requests of one model, or of every model without its own ("*").

        The plan is a script (faults/script.py) or faults as values; it replaces what was left of the last one.
        """
        self._answers.timelines[model] = Timeline(plan)

    def forget_cache(self) -> None:
        """Empty the prompt cache."""
        self._answers.cache.clear()

    async def up(self) -> None:
        """Listen, on the same port as before if there was one."""
        loop = asyncio.get_running_loop()
        self.port = self.port or free_port()
        self._server = await loop.create_server(lambda: Connection(self), HOST, self.port, backlog=1024)

    async def down(self) -> None:
        """Refuse connections and break those there are; answers under way are lost."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for connection in tuple(self._connections):
            connection.reset()
        await self.until(lambda: not self._connections and not self._running)

    async def until(self, holds: Callable[[], bool], timeout_s: float = 60) -> None:
        """Wait until this holds; it is asked again after everything that happens here.

        Raises:
            TimeoutError: It did not hold in time.
        """
        async with asyncio.timeout(timeout_s):
            while not holds():
                self._changed.clear()
                await self._changed.wait()

    # Connections call these.

    def opened(self, connection: Connection) -> None:
        """Note a client."""
        self._connections.add(connection)
        if self._server is None:  # accepted before `down`, handed over after it
            connection.reset()
        self._changed.set()

    def closed(self, connection: Connection) -> None:
        """Note that a client is gone, and stop answering it."""
        self._connections.discard(connection)
        task, recorded = self._running.get(connection, (None, None))
        if task is not None and recorded is not None:
            if recorded.finished_at is None:
                recorded.disconnected_at = self._clock()
            task.cancel()
        self._changed.set()

    def start(self, connection: Connection, incoming: Incoming) -> None:
        """Answer one request in a task of its own.

        Not a task group: a brain that fails must fail the test that set it, at the end, and not cancel whoever
        happens to wait inside the `async with`.
        """
        recorded = self._record(incoming)
        task = asyncio.get_running_loop().create_task(self._answer(connection, incoming, recorded))
        self._running[connection] = (task, recorded)
        task.add_done_callback(lambda done: self._ended(done, connection, recorded))
        self._changed.set()

    def _record(self, incoming: Incoming) -> Recorded:
        request_id = self._ids.next("req")
        recorded = Recorded(
            incoming.method, incoming.path, incoming.headers, incoming.body, request_id, self._clock()
        )
        self.total_requests += 1
        self.requests.append(recorded)
        if len(self.requests) > self._keep_requests:
            del self.requests[0]
        return recorded

    async def _answer(self, connection: Connection, incoming: Incoming, recorded: Recorded) -> None:
        try:
            staged = routes.answer(self._answers, incoming, recorded, self.api_key)
        except ApiError as error:
            staged = Staged(refused(error, recorded.request_id))
        await play(staged, connection, recorded, self._clock, lambda: self._running.pop(connection, None))

    def _ended(self, task: asyncio.Task[None], connection: Connection, recorded: Recorded) -> None:
        """Keep a brain's failure for the end of the test; its client gets a 500."""
        running = self._running.get(connection)
        if running is not None and running[0] is task:
            del self._running[connection]
        failure = None if task.cancelled() else task.exception()
        if failure is not None:
            self.failures.append(failure)
            apologise(connection, recorded, failure)
        self._changed.set()
