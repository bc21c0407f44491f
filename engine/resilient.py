"""Deadlines, retries and a breaker around an engine.

Rules: one owner of retries (here); only before the first visible piece; with jitter and a total time limit, and out of one
budget for the whole process. A wait that the API asks for and that does not fit the limit is not waited for. After the first visible word nothing is asked again.
tenacity runs the tries and the waits. A stream that is passed on as it comes cannot be wrapped as one call, so a try
happens in the open, where what it costs can be told at once, and only its failure is handed to tenacity.
"""

import asyncio
import random
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field, replace

import tenacity

from engine.alarm import Alarm
from engine.base import Cited, Done, Engine, EngineRequest, Metered, Piece, Text, ToolUse, Trouble
from engine.breaker import Breaker, State
from engine.budget import RetryBudget
from errors import EngineBusy, EngineDown, EngineError, EngineRefused
from events import Usage

_LEAST_S = 0.25  # a call with less time than this is not made
_FAIR_S = 1.5  # a time limit below this says nothing about the engine
_TRIES_WHEN_DOWN = 2
_BACK_OFF_S = 0.3
_LASTING_S: Mapping[str, float] = {"upstream_auth": 30.0, "upstream_spend_cap": 60.0}
_TIMEOUT_WEIGHT = 2
_KEPT_WHEN_TOO_LONG = 4
_TOO_LONG = frozenset({"context_too_long", "request_too_large"})
_SEVERITY: Mapping[State, int] = {"closed": 0, "half_open": 1, "open": 2}


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait, in seconds, and how often to try. A probe must give any sign of life within `probe_s`."""

    first_piece_s: float = 8.0
    probe_s: float = 3.0
    silence_s: float = 10.0
    retry_total_s: float = 3.0
    attempts: int = 3


@dataclass(slots=True)
class _Call:
    """One call with its tries. Times are monotonic seconds.

    `waited_s` is the sum between tries, `wait_s` how long to wait before the next one (None: there is none).
    `dropped` is how many earlier messages the next try leaves out.
    """

    request: EngineRequest
    breaker: Breaker
    is_probe: bool
    began: float
    deadline: float
    is_alive: bool = False
    spoke: bool = False
    is_settled: bool = False
    waited_s: float = 0.0
    wait_s: float | None = None
    dropped: int = 0

    @property
    def limit_s(self) -> float:
        return self.deadline - self.began


@dataclass(slots=True)
class _Try:
    """One try: what it has cost so far."""

    began: float
    metered: Metered = field(default_factory=lambda: Metered(Usage()))

    def cost(self, model: str) -> list[Piece]:
        """A Done piece that tells it, if there is anything to tell."""
        if self.metered.usage == Usage():
            return []
        took_ms = round((time.monotonic() - self.began) * 1000)
        return [Done("failed", "claude", model, took_ms, self.metered.usage, self.metered.request_id)]


class Resilient:
    """An engine with deadlines, retries, and a breaker for each model and purpose.

    Raises EngineError like the engine it wraps, but only after patience ran out. Labels have breakers of their own,
    because their deadline is short: a slow label must not keep answers from Claude. `clock` is that of the breakers.
    """

    def __init__(
        self, engine: Engine, patience: Patience | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._engine = engine
        self._patience = patience or Patience()
        self._clock = clock
        self._alarm = Alarm(clock)
        self._breakers: dict[tuple[str, str], Breaker] = {}
        self.budget = RetryBudget()

    def breaker(self, model: str, purpose: str = "answer") -> Breaker:
        """The breaker of this model for this purpose."""
        return self._breakers.setdefault((model, purpose), Breaker(f"{model}/{purpose}", self._clock))

    @property
    def states(self) -> dict[str, str]:
        """State of each model's breakers (the worst of them), for readiness."""
        worst: dict[str, State] = {}
        for (model, _), breaker in self._breakers.items():
            worst[model] = max(worst.get(model, "closed"), breaker.state, key=lambda state: _SEVERITY[state])
        return dict(worst)

    @property
    def faults(self) -> dict[str, str]:
        """What keeps each model away, as long as it is away, for readiness."""
        return {model: breaker.fault for (model, _), breaker in self._breakers.items() if breaker.fault}

    async def stream(self, request: EngineRequest) -> AsyncGenerator[Piece, None]:
        """Pieces of the wrapped engine, and a Trouble piece before each new try.

        Raises:
            EngineError: Nothing visible came in time, or the stream broke after its first visible piece.
        """
        now = time.monotonic()
        by = request.first_piece_by
        deadline = now + self._patience.first_piece_s if by is None else by
        if min(deadline - now, self._patience.first_piece_s) < _LEAST_S:
            raise EngineDown("no time left for this call", fault="first_token_timeout")
        breaker = self.breaker(request.model, request.purpose)
        if not breaker.may_call():
            raise EngineDown(f"{request.model}: breaker open", fault="breaker_open")
        deadline = min(deadline, now + self._patience.first_piece_s)
        call = _Call(request, breaker, breaker.state == "half_open", now, deadline)
        try:
            async with aclosing(self._tries(call)) as pieces:
                async for piece in pieces:
                    yield piece
        finally:
            if call.is_probe and not call.is_settled:
                breaker.abandoned()

    async def _tries(self, call: _Call) -> AsyncGenerator[Piece, None]:
        error: EngineError | None = None
        self.budget.earn()
        async for attempt in self._retrying(call):
            number = attempt.retry_state.attempt_number
            if number == 1:  # the two hold each other, and only the collector of cycles frees such circles
                del attempt.retry_state.retry_object
            if error is not None and call.breaker.state == "open":  # others have found out in the meantime
                raise error
            one = _Try(time.monotonic())
            try:
                async with aclosing(self._engine.stream(call.request)) as pieces:
                    while (piece := await self._next(call, pieces)) is not None:
                        self._note(call, one, piece)
                        yield piece
            except EngineError as exc:
                error = exc
            else:
                return
            self._alarm.ring(error.fault, call.request.model, error.request_id)
            call.wait_s = self._settle(call, error, number)
            for told in [] if call.spoke else one.cost(call.request.model):
                yield told
            if call.wait_s is not None and not call.dropped and not self.budget.pay():
                call.wait_s = None
                yield Trouble("retry_budget_spent", request_id=error.request_id)
            if call.wait_s is not None:
                waited_ms = round(call.wait_s * 1000)
                yield Trouble(
                    error.fault,
                    retried=True,
                    waited_ms=waited_ms,
                    request_id=error.request_id,
                    dropped=call.dropped,
                )
                call.waited_s += call.wait_s
            with attempt:
                raise error

    def _retrying(self, call: _Call) -> tenacity.AsyncRetrying:
        """Try again while there is a wait that fits; the last failure is raised as it is."""
        return tenacity.AsyncRetrying(
            retry=tenacity.retry_if_exception(lambda _: call.wait_s is not None),
            stop=tenacity.stop_after_attempt(self._patience.attempts),
            wait=lambda _: call.wait_s or 0.0,
            reraise=True,
        )

    async def _next(self, call: _Call, pieces: AsyncIterator[Piece]) -> Piece | None:
        """The next piece, or None at the end; waiting too long for it is a failure."""
        limit_s = self._time_left(call)
        try:
            async with asyncio.timeout(limit_s):
                return await anext(pieces)
        except StopAsyncIteration:
            return None
        except TimeoutError as exc:
            fault = "stream_stalled" if call.spoke else "first_token_timeout"
            raise EngineDown(f"nothing came for {limit_s:.1f} s", fault=fault) from exc

    def _time_left(self, call: _Call) -> float:
        """Seconds until the next piece is too late; a probe must soon give any sign of life."""
        if call.spoke:
            return self._patience.silence_s
        until = (
            call.deadline
            if call.is_alive or not call.is_probe
            else min(call.deadline, call.began + self._patience.probe_s)
        )
        return max(0.0, until - time.monotonic())

    def _note(self, call: _Call, attempt: _Try, piece: Piece) -> None:
        call.is_alive = True
        if isinstance(piece, Metered):
            attempt.metered = piece
        elif not call.spoke and _is_visible(piece):
            call.spoke = call.is_settled = True
            call.breaker.succeeded(is_probe=call.is_probe)

    def _settle(self, call: _Call, error: EngineError, number: int) -> float | None:
        """Tell the breaker, and say how long to wait before the next try; None: there is none."""
        shorter = _shortened(call.request) if error.fault in _TOO_LONG and number == 1 else None
        if shorter is not None and not call.spoke:
            call.dropped = len(call.request.history) - len(shorter.history)
            call.request, error.fault = shorter, "context_trimmed"
            return 0.0
        call.dropped = 0
        wait_s = self._wait_s(call, error, number)
        self._tell(call, error, gives_up=wait_s is None)
        return wait_s if call.breaker.state == "closed" else None

    def _wait_s(self, call: _Call, error: EngineError, number: int) -> float | None:
        patience = self._patience
        most = (
            patience.attempts if isinstance(error, EngineBusy) else min(patience.attempts, _TRIES_WHEN_DOWN)
        )
        is_over = call.spoke or call.is_probe or call.request.is_optional
        if is_over or not error.can_retry or number >= most:
            return None
        least_s = _BACK_OFF_S * 2 ** (number - 1) if error.retry_after_s is None else error.retry_after_s
        wait_s = least_s * (1 + random.random() / 4)
        in_budget = call.waited_s + wait_s <= patience.retry_total_s
        return wait_s if in_budget and time.monotonic() + wait_s + _LEAST_S < call.deadline else None

    def _tell(self, call: _Call, error: EngineError, *, gives_up: bool) -> None:
        """Report to the breaker, unless only this one request or its short time limit was at fault."""
        breaker, is_probe = call.breaker, call.is_probe and not call.spoke
        call.is_settled = True
        if gives_up and error.retry_after_s is not None and not call.spoke:
            if error.retry_after_s > self._patience.retry_total_s:
                error.fault = "retry_after_over_budget"
            breaker.failed(error.fault, error.retry_after_s, is_probe=is_probe)
        elif error.fault in _LASTING_S:
            breaker.failed(error.fault, _LASTING_S[error.fault], is_probe=is_probe)
        elif isinstance(error, EngineRefused):
            breaker.succeeded(is_probe=is_probe)
        elif error.fault != "first_token_timeout":
            breaker.failed(error.fault, is_probe=is_probe)
        elif call.is_probe or call.limit_s >= _FAIR_S:
            breaker.failed(error.fault, weight=_TIMEOUT_WEIGHT, is_probe=is_probe)


def says_something(piece: Piece) -> bool:
    """Whether the piece has been shown or acted on, so that another engine would double it."""
    return isinstance(piece, ToolUse) or (isinstance(piece, Text) and bool(piece.text.strip()))


def _is_visible(piece: Piece) -> bool:
    """Whether the wait is over: words, a tool request or the end have come."""
    return says_something(piece) or isinstance(piece, Cited | Done)


def _shortened(request: EngineRequest) -> EngineRequest | None:
    """The same request with the last few messages of its history only; None when there is nothing to leave out."""
    if len(request.history) <= _KEPT_WHEN_TOO_LONG:
        return None
    kept = request.history[-_KEPT_WHEN_TOO_LONG:]
    return replace(request, history=kept)
