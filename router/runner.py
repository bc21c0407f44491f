"""Run turns apart from the requests that started them, supervised, in order within each conversation.

Why: a turn belongs to the server, not to the HTTP request (design.md, section 1): dropping the connection changes
nothing. A turn that fails takes no other along.
Life: one TurnRunner per server, an async context manager; leaving it stops what is still running, and the leases
let a later start (or another server) take those turns over.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable, Coroutine, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import replace
from typing import Self

import structlog

from errors import Busy, FrontdeskError, LeaseLost, SlowedDown, Unavailable
from events import Recorded, TurnRef
from readers.routing_line import RoutingLine
from router.admission import Admission
from router.attempt import attempt
from router.contain import contained
from router.desk import Desk
from router.quota import Quotas
from router.suspects import RENEW_S, Suspects
from store.log import Accepted, EventLog, NewMessage

log = structlog.get_logger()
LOOK_S = 0.5
_LOOK_AGAIN_S = 0.1
# With these the database cannot be read either.
_NO_READING = frozenset({"db_error", "db_reconnect", "db_closed", "pool_exhausted"})
_AGAIN_S = (0.1, 0.5, 2.0)


class TurnRunner:
    """Starts turns and keeps them. `desk` gives the current desk; a turn keeps the one it began with.

    Args:
        watch: Keeps the desk up to date; it runs as long as the runner does.
        admission: How many turns at once.
        quotas: How many messages of one owner, and of one address.
        told: Hears the routing line of each turn that ended here, and the events it was made of.
    """

    def __init__(
        self,
        event_log: EventLog,
        desk: Callable[[], Desk],
        server_id: str,
        watch: Callable[[], Coroutine[None, None, None]],
        admission: Admission | None = None,
        quotas: Quotas | None = None,
        told: Callable[[RoutingLine, Sequence[Recorded]], None] = lambda *_: None,
    ) -> None:
        self._log = event_log
        self._desk = desk
        self._server_id = server_id
        self._watch = watch
        self._told = told
        self._quotas = quotas or Quotas()
        self.admission = admission or Admission()
        self._tasks: set[asyncio.Task[None]] = set()
        self._running: dict[str, asyncio.Event] = {}
        self._by_conversation: defaultdict[str, dict[int, asyncio.Event]] = defaultdict(dict)
        self._arriving: set[asyncio.Event] = set()
        self._stack = AsyncExitStack()
        self._group: asyncio.TaskGroup | None = None
        self._suspects = Suspects()
        self.is_draining = False

    async def __aenter__(self) -> Self:
        self._group = await self._stack.enter_async_context(asyncio.TaskGroup())
        self._own(self._group, self._forever(self._keep_leases, "lease-keeper"), "lease-keeper")
        self._own(self._group, self._forever(self._take_over, "lease-taker"), "lease-taker")
        self._own(self._group, self._forever(self._watch, "desk-watcher"), "desk-watcher")
        self._own(self._group, self._forever(self._log.listen, "listener"), "listener")
        self._own(self._group, self._forever(self.admission.run, "admission"), "admission")
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

    async def start(
        self, message: NewMessage, address: str | None = None, *, is_newcomer: bool = False
    ) -> Accepted:
        """Accept the message and start its turn; the same message again joins the turn that is there, and is never refused.

        Args:
            address: Where it comes from, if messages from there are counted.
            is_newcomer: The owner was never seen before, so nothing of theirs can have been accepted.

        Raises:
            Unavailable: Draining, or too many turns at once; nothing was accepted.
            SlowedDown: This owner sends too much, or hostile things; nothing was accepted.
            NotFound, Conflict, Busy: See EventLog.accept.
        """
        has_arrived = asyncio.Event()
        self._arriving.add(has_arrived)
        try:
            accepted = await self._let_in(message, address, is_newcomer=is_newcomer)
        finally:
            self._arriving.remove(has_arrived)
            has_arrived.set()
        if not accepted.is_new:
            log.info("message.repeated", fault="idempotent_hit", turn_id=accepted.turn.turn_id)
        return accepted

    async def _let_in(self, message: NewMessage, address: str | None, *, is_newcomer: bool) -> Accepted:
        try:
            self._check(message.owner, address)
            await self.admission.enter()
            return await self._accept(message)
        except Busy as refusal:
            if is_newcomer or refusal.code in _NO_READING:
                raise
            return await self._joined(message, refusal)

    def _check(self, owner: str, address: str | None) -> None:
        """Let the message in, if its sender may send one now."""
        if self.is_draining:
            raise Unavailable
        wait_s = self._desk().offenders.wait_s(owner) or self._quotas.take(owner, address)
        if wait_s:
            raise SlowedDown(wait_s)

    async def _joined(self, message: NewMessage, refusal: Busy) -> Accepted:
        """The turn of a message that was accepted before, whatever speaks against new ones now."""
        turn = await self._log.find_accepted(message)
        if turn is None:
            raise refusal
        return Accepted(turn, is_new=False)

    async def _accept(self, message: NewMessage) -> Accepted:
        """Store it and start its turn, which keeps the place that was taken for it."""
        is_started = False
        try:
            await self.admission.company.join()
            began = time.monotonic()
            async with self.admission.door():
                accepted = await self._log.accept(message)
            self.admission.note_stored(time.monotonic() - began)
            is_started = accepted.is_new and self._spawn(accepted.turn, message.owner, first=accepted.first)
            if not is_started:
                accepted = replace(accepted, first=None)
        finally:
            if not is_started:
                self.admission.leave()
        return accepted

    async def drain(self, patience_s: float) -> int:
        """Take no more messages, and wait for those under way and those that are just being accepted.

        Returns:
            How many did not end in time.
        """
        self.is_draining = True
        turns = self.under_way + len(self._arriving)
        log.info("drain.started", turns=self.under_way, arriving=len(self._arriving))
        with suppress(TimeoutError):
            async with asyncio.timeout(patience_s):
                while open_ends := [*self._arriving, *self._running.values()]:
                    await open_ends[0].wait()
        handed_over = self.under_way + len(self._arriving)
        log.info("drain.ended", finished=turns - handed_over, handed_over=handed_over)
        return handed_over

    def _spawn(
        self, turn: TurnRef, owner: str, *, first: Recorded | None = None, taken_over: bool = False
    ) -> bool:
        """Run it, and give its place back at its end; false when it is not to run here.

        Args:
            first: All that the log holds of it, if it was accepted just now.
            taken_over: It was another server's.
        """
        # Stopping: the lease runs out, and the next server takes it; or it runs here already.
        if self._group is None or turn.turn_id in self._running:
            return False
        ended = asyncio.Event()
        self._running[turn.turn_id] = ended
        self._by_conversation[turn.conversation_id][turn.ordinal] = ended
        self._own(
            self._group,
            self._supervised(turn, owner, ended, first, taken_over=taken_over),
            f"turn-{turn.turn_id}",
        )
        return True

    async def _supervised(
        self, turn: TurnRef, owner: str, ended: asyncio.Event, first: Recorded | None, *, taken_over: bool
    ) -> None:
        """Bring the turn to its end. What cannot be ended here is left to its lease, and taken over later."""
        try:
            for wait_s in (*_AGAIN_S, None):
                with contained("turn.interrupted", turn_id=turn.turn_id) as caught:
                    if await self._wait_for_earlier(turn):
                        first = None
                    await attempt(
                        self._log,
                        self._desk(),
                        turn,
                        owner,
                        self._server_id,
                        self._told,
                        first=first,
                        taken_over=taken_over,
                    )
                if wait_s is None or caught.error is None or isinstance(caught.error, LeaseLost):
                    return
                first = None
                await asyncio.sleep(wait_s)
        finally:
            ended.set()
            self.admission.leave()
            del self._running[turn.turn_id]
            here = self._by_conversation[turn.conversation_id]
            del here[turn.ordinal]
            if not here:
                del self._by_conversation[turn.conversation_id]

    async def _wait_for_earlier(self, turn: TurnRef) -> bool:
        """Return when no earlier turn of the conversation is open, here or on another server; whether one was."""
        has_waited = False
        while turn.ordinal > 1:
            here = self._by_conversation[turn.conversation_id]
            before = next((ended for ordinal, ended in here.items() if ordinal < turn.ordinal), None)
            if before is not None:
                await before.wait()
            elif await self._log.has_open_before(turn):
                await asyncio.sleep(_LOOK_AGAIN_S)
            else:
                break
            has_waited = True
        return has_waited

    async def _forever(self, work: Callable[[], Coroutine[None, None, None]], name: str) -> None:
        """Run it, and run it again when it fails."""
        while True:
            with contained("task.failed", task=name):
                await work()
            await asyncio.sleep(RENEW_S)

    async def _keep_leases(self) -> None:
        """Renew the leases of the turns that run here."""
        while True:
            if self._running:
                await self._log.renew_leases(self._running)
            await asyncio.sleep(RENEW_S)

    async def _take_over(self) -> None:
        """Go on with turns whose server is gone, as far as there is room for them."""
        while True:
            room = self.admission.at_most - self.under_way
            if room > 0 and not self.is_draining:
                lapsed = await self._log.lapsed_leases()
                others = {
                    turn_id: until_s for turn_id, until_s in lapsed.items() if turn_id not in self._running
                }
                if sure := self._suspects.sure(others):
                    await self._begin_again(await self._log.take_over(sure, room))
            await asyncio.sleep(LOOK_S)

    async def _begin_again(self, taken: list[TurnRef]) -> None:
        for turn in taken:
            owner = await self._log.owner(turn.conversation_id) or ""
            if turn.turn_id not in self._running and not self.is_draining:
                log.warning("turn.recovered", turn_id=turn.turn_id)
                self.admission.enter_anyway()
                if not self._spawn(turn, owner, taken_over=True):
                    self.admission.leave()
