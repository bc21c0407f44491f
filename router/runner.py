"""Run turns apart from the requests that started them, supervised, in order within each conversation.

Why: a turn belongs to the server, not to the HTTP request (design.md, section 1): dropping the connection changes
nothing. A turn that fails takes no other along.
Life: one TurnRunner per server, an async context manager; leaving it stops what is still running, and the leases
let a later start (or another server) take those turns over.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack, suppress
from typing import Self

import structlog

from errors import FrontdeskError, LeaseLost, SlowedDown, Unavailable
from events import TurnRef
from router.attempt import attempt
from router.contain import contained
from router.desk import Desk
from store.log import LEASE_S, Accepted, EventLog, NewMessage

log = structlog.get_logger()
TURNS_AT_ONCE = 500
RENEW_S = LEASE_S / 3
_PASSES_AFTER_OUTAGE = 3
_LOOK_AGAIN_S = 0.1
_AGAIN_S = (0.1, 0.5, 2.0)


class TurnRunner:
    """Starts turns and keeps them. `desk` gives the current desk; a turn keeps the one it began with.

    `watch` keeps the desk up to date; it runs as long as the runner does.
    """

    def __init__(
        self,
        event_log: EventLog,
        desk: Callable[[], Desk],
        server_id: str,
        watch: Callable[[], Coroutine[None, None, None]],
    ) -> None:
        self._log = event_log
        self._desk = desk
        self._server_id = server_id
        self._watch = watch
        self._tasks: set[asyncio.Task[None]] = set()
        self._running: dict[str, asyncio.Event] = {}
        self._by_conversation: defaultdict[str, dict[int, asyncio.Event]] = defaultdict(dict)
        self._arriving: set[asyncio.Event] = set()
        self._stack = AsyncExitStack()
        self._group: asyncio.TaskGroup | None = None
        self._was_cut_off = False
        self.is_draining = False

    async def __aenter__(self) -> Self:
        self._group = await self._stack.enter_async_context(asyncio.TaskGroup())
        self._own(self._group, self._forever(self._keep_leases, "lease-keeper"), "lease-keeper")
        self._own(self._group, self._forever(self._watch, "desk-watcher"), "desk-watcher")
        self._own(self._group, self._forever(self._log.listen, "listener"), "listener")
        return self

    async def __aexit__(self, *_: object) -> None:
        self._group = None
        for task in self._tasks:
            task.cancel()
        await self._stack.aclose()
        with suppress(FrontdeskError):  # then the leases run out by themselves
            await self._log.release_leases()

    def _own(self, group: asyncio.TaskGroup, work: Coroutine[None, None, None], name: str) -> None:
        task = group.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    @property
    def under_way(self) -> int:
        """How many turns have not ended."""
        return len(self._running)

    async def start(self, message: NewMessage) -> Accepted:
        """Accept the message and start its turn; the same message again joins the turn that is there.

        Raises:
            Unavailable: Draining, or too many turns at once; nothing was accepted.
            SlowedDown: This owner's last messages were hostile; nothing was accepted.
            NotFound, Conflict, Busy: See EventLog.accept.
        """
        wait_s = self._desk().offenders.wait_s(message.owner)
        if wait_s:
            raise SlowedDown(wait_s)
        if self.is_draining or self.under_way + len(self._arriving) >= TURNS_AT_ONCE:
            raise Unavailable
        has_arrived = asyncio.Event()
        self._arriving.add(has_arrived)
        try:
            accepted = await self._log.accept(message)
            if accepted.is_new:
                self._spawn(accepted.turn, message.owner)
        finally:
            self._arriving.remove(has_arrived)
            has_arrived.set()
        return accepted

    async def drain(self, patience_s: float) -> int:
        """Take no more messages, and wait for those under way and those that are just being accepted.

        Returns:
            How many did not end in time.
        """
        self.is_draining = True
        log.info("drain.started", turns=self.under_way, arriving=len(self._arriving))
        with suppress(TimeoutError):
            async with asyncio.timeout(patience_s):
                while open_ends := [*self._arriving, *self._running.values()]:
                    await open_ends[0].wait()
        handed_over = self.under_way + len(self._arriving)
        log.info("drain.ended", handed_over=handed_over)
        return handed_over

    def _spawn(self, turn: TurnRef, owner: str) -> None:
        if self._group is None or turn.turn_id in self._running:
            return  # stopping: the lease runs out, and the next server takes it; or it runs here already
        ended = asyncio.Event()
        self._running[turn.turn_id] = ended
        self._by_conversation[turn.conversation_id][turn.ordinal] = ended
        self._own(self._group, self._supervised(turn, owner, ended), f"turn-{turn.turn_id}")

    async def _supervised(self, turn: TurnRef, owner: str, ended: asyncio.Event) -> None:
        """Bring the turn to its end. What cannot be ended here is left to its lease, and taken over later."""
        try:
            for wait_s in (*_AGAIN_S, None):
                with contained("turn.interrupted", turn_id=turn.turn_id) as caught:
                    await self._wait_for_earlier(turn)
                    await attempt(self._log, self._desk(), turn, owner, self._server_id)
                if wait_s is None or caught.error is None or isinstance(caught.error, LeaseLost):
                    return
                await asyncio.sleep(wait_s)
        finally:
            ended.set()
            del self._running[turn.turn_id]
            here = self._by_conversation[turn.conversation_id]
            del here[turn.ordinal]
            if not here:
                del self._by_conversation[turn.conversation_id]

    async def _wait_for_earlier(self, turn: TurnRef) -> None:
        """Return when no earlier turn of the conversation is open, here or on another server."""
        while turn.ordinal > 1:
            here = self._by_conversation[turn.conversation_id]
            before = next((ended for ordinal, ended in here.items() if ordinal < turn.ordinal), None)
            if before is not None:
                await before.wait()
            elif await self._log.has_open_before(turn):
                await asyncio.sleep(_LOOK_AGAIN_S)
            else:
                return

    async def _forever(self, work: Callable[[], Coroutine[None, None, None]], name: str) -> None:
        """Run it, and run it again when it fails."""
        while True:
            with contained("task.failed", task=name):
                await work()
            await asyncio.sleep(RENEW_S)

    async def _keep_leases(self) -> None:
        """Renew the leases of the turns that run here, and take over turns whose server is gone.

        When the database was away, leases may have run out that nobody could renew: their servers come first.
        """
        to_wait = _PASSES_AFTER_OUTAGE if self._was_cut_off else 0
        while True:
            self._was_cut_off = True  # unless this pass goes through
            await self._log.renew_leases(self._running)
            if to_wait == 0:
                await self._take_over()
            to_wait = max(0, to_wait - 1)
            self._was_cut_off = False
            await asyncio.sleep(RENEW_S)

    async def _take_over(self) -> None:
        room = TURNS_AT_ONCE - self.under_way
        for turn in await self._log.take_over(room) if room > 0 and not self.is_draining else ():
            owner = await self._log.owner(turn.conversation_id) or ""
            if turn.turn_id not in self._running and not self.is_draining:
                log.warning("turn.recovered", turn_id=turn.turn_id)
                self._spawn(turn, owner)
