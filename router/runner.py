"""Run turns apart from the requests that started them, supervised, in order within each conversation.

Why: a turn belongs to the server, not to the HTTP request (design.md, section 1): dropping the connection changes
nothing. The one broad handler of the program is here: whatever goes wrong, the turn is closed honestly.
Life: one TurnRunner per server, an async context manager; leaving it stops what is still running, and the leases
let a later start (or another server) take those turns over.
"""

import asyncio
import traceback
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Self

import structlog

from errors import FrontdeskError, Unavailable
from events import (
    Event,
    Recorded,
    RouteDecided,
    SpecialistFinished,
    SpecialistStarted,
    TextStarted,
    TurnAccepted,
    TurnRecovered,
    TurnRef,
    is_end,
)
from knowledge.language import detect_language
from readers.routing_line import fold_routing_line
from router.desk import Desk
from router.state import fold_state, turns_to_read
from router.turn import Incoming, fail, run_turn
from store.log import LEASE_S, Accepted, EventLog, NewMessage
from store.turnlog import TurnLog

log = structlog.get_logger()
TURNS_AT_ONCE = 500
RENEW_S = LEASE_S / 3
CUSTOMER = "customer:"


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
        self._last_of: dict[str, asyncio.Event] = {}
        self._stack = AsyncExitStack()
        self._group: asyncio.TaskGroup | None = None
        self.is_draining = False

    async def __aenter__(self) -> Self:
        self._group = await self._stack.enter_async_context(asyncio.TaskGroup())
        self._own(self._keep_leases(), "lease-keeper")
        self._own(self._watch(), "desk-watcher")
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await self._stack.aclose()

    def _own(self, work: Coroutine[None, None, None], name: str) -> None:
        if self._group is None:
            raise Unavailable
        task = self._group.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def start(self, message: NewMessage) -> Accepted:
        """Accept the message and start its turn; the same message again joins the turn that is there.

        Raises:
            Unavailable: Draining, or too many turns at once; nothing was accepted.
            NotFound, Conflict: See EventLog.accept.
        """
        if self.is_draining or len(self._running) >= TURNS_AT_ONCE:
            raise Unavailable
        accepted = await self._log.accept(message)
        if accepted.is_new:
            self._spawn(accepted.turn, message.owner)
        return accepted

    async def drain(self, patience_s: float) -> int:
        """Take no more messages and wait for those under way; returns how many did not end in time."""
        self.is_draining = True
        try:
            async with asyncio.timeout(patience_s):
                for ended in list(self._running.values()):
                    await ended.wait()
        except TimeoutError:
            pass
        return len(self._running)

    def _spawn(self, turn: TurnRef, owner: str) -> None:
        ended = asyncio.Event()
        before = self._last_of.get(turn.conversation_id)
        self._last_of[turn.conversation_id] = ended
        self._running[turn.turn_id] = ended
        self._own(self._supervised(turn, owner, before, ended), f"turn-{turn.turn_id}")

    async def _supervised(
        self, turn: TurnRef, owner: str, before: asyncio.Event | None, ended: asyncio.Event
    ) -> None:
        """Run the turn to its end, whatever happens; the order within the conversation is kept."""
        try:
            if before is not None:
                await before.wait()
            await self._run(turn, owner)
        finally:
            ended.set()
            del self._running[turn.turn_id]
            if self._last_of.get(turn.conversation_id) is ended:
                del self._last_of[turn.conversation_id]

    async def _run(self, turn: TurnRef, owner: str) -> None:
        desk = self._desk()
        earlier = await self._log.read_turn(turn)
        if any(is_end(item.event) for item in earlier):
            return
        turn_log = self._log.turn_log(turn, earlier[-1].seq)
        turn_log.written.extend(earlier)
        async with asyncio.TaskGroup() as group:
            writer = group.create_task(turn_log.run())
            with structlog.contextvars.bound_contextvars(
                turn_id=turn.turn_id, conversation_id=turn.conversation_id
            ):
                await self._answer(desk, turn, owner, turn_log, earlier)
                await turn_log.flush()
                _log_line(turn, turn_log)
            writer.cancel()

    async def _answer(
        self, desk: Desk, turn: TurnRef, owner: str, turn_log: TurnLog, earlier: list[Recorded]
    ) -> None:
        accepted = next(item.event for item in earlier if isinstance(item.event, TurnAccepted))
        language = detect_language(accepted.text, hint=accepted.locale)
        said = False

        def emit(event: Event) -> None:
            nonlocal said
            said = said or isinstance(event, TextStarted)
            turn_log.emit(event)

        try:
            routed = self._resume(earlier, emit)
            if any(isinstance(item.event, TextStarted) for item in earlier):
                fail(emit, turn, desk, language, "interrupted", notice="interrupted", said=True)
                return
            turns = await self._log.read_turns(
                turn.conversation_id, turns_to_read(turn.ordinal), before=turn.ordinal
            )
            quotes = await desk.records.quotes_of(turn.conversation_id)
            customer_id = owner.removeprefix(CUSTOMER) if owner.startswith(CUSTOMER) else None
            incoming = Incoming(turn, accepted.text, owner, accepted.locale, customer_id)
            await run_turn(desk, incoming, fold_state(turns, quotes), emit, routed=routed)
        except Exception as exc:
            code = exc.code if isinstance(exc, FrontdeskError) else "internal_error"
            log.error("turn.failed", code=code, error=type(exc).__name__, where=_where(exc))  # noqa: TRY400 - messages may hold customer text
            fail(emit, turn, desk, language, code, said=said)

    def _resume(self, earlier: list[Recorded], emit: Callable[[Event], None]) -> RouteDecided | None:
        """What an earlier attempt at this turn left: its route holds, and what it had begun is closed."""
        if len(earlier) == 1:
            return None
        emit(TurnRecovered(server=self._server_id))
        started = [item.event for item in earlier if isinstance(item.event, SpecialistStarted)]
        finished = [item.event for item in earlier if isinstance(item.event, SpecialistFinished)]
        if len(started) > len(finished):
            emit(SpecialistFinished(run_id=started[-1].run_id))
        return next((item.event for item in earlier if isinstance(item.event, RouteDecided)), None)

    async def _keep_leases(self) -> None:
        """Renew this server's leases, and take over turns whose server is gone."""
        while True:
            try:
                if self._running:
                    await self._log.renew_leases()
                for turn in await self._log.take_over():
                    if turn.turn_id not in self._running:
                        owner = await self._log.owner(turn.conversation_id)
                        log.warning("turn.recovered", turn_id=turn.turn_id)
                        self._spawn(turn, owner or "")
            except FrontdeskError as exc:
                log.warning("lease.failed", code=exc.code)
            await asyncio.sleep(RENEW_S)


def _where(error: Exception) -> str:
    """File, line and function where it happened: what a developer needs, without any customer text."""
    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    frames = traceback.extract_tb(error.__traceback__)
    return " < ".join(
        f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in reversed(frames[-4:])
    )


def _log_line(turn: TurnRef, turn_log: TurnLog) -> None:
    """The routing line: exactly one per finished turn."""
    line = fold_routing_line(turn, turn_log.written)
    with structlog.contextvars.bound_contextvars():
        structlog.contextvars.clear_contextvars()
        log.info("turn.routed", **line.model_dump(mode="json"))
