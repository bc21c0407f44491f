"""Deadlines, retries and the breaker around an engine, and another engine behind it.

Rules: one owner of retries (here, with tenacity); only before the first visible piece; with jitter and a total time
limit. A wait that the API asks for and that does not fit the limit is not waited for. After the first visible
word nothing is asked again: the answer ends there and says so.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass, field, replace

import tenacity

from engine.base import Done, Engine, EngineRequest, Metered, Piece, Text, ToolUse, Trouble
from engine.breaker import Breaker
from errors import EngineBusy, EngineDown, EngineError, EngineRefused
from events import Usage

_PROBE_S = 3.0
_LASTING_S = {"upstream_auth": 30.0, "upstream_spend_cap": 60.0}


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait, in seconds, and how often to try."""

    first_piece_s: float = 8.0
    silence_s: float = 10.0
    retry_total_s: float = 3.0
    attempts: int = 3


@dataclass(slots=True)
class _Opened:
    """A stream whose first visible piece has arrived, with what came until then."""

    head: list[Piece]
    rest: AsyncGenerator[Piece, None]


@dataclass(slots=True)
class _Tally:
    """Troubles on the way to the first piece, to be told afterwards."""

    troubles: list[Trouble] = field(default_factory=list)


class Resilient:
    """An engine with deadlines, retries and a breaker for each model.

    Raises EngineError like the engine it wraps, but only after patience ran out.
    """

    def __init__(
        self, engine: Engine, patience: Patience | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._engine = engine
        self._patience = patience or Patience()
        self._clock = clock
        self._breakers: dict[str, Breaker] = {}

    def breaker(self, model: str) -> Breaker:
        """The breaker of this model."""
        return self._breakers.setdefault(model, Breaker(model, self._clock))

    @property
    def states(self) -> dict[str, str]:
        """State of each model's breaker, for readiness."""
        return {model: breaker.state for model, breaker in self._breakers.items()}

    async def stream(self, request: EngineRequest) -> AsyncGenerator[Piece, None]:
        """Pieces of the wrapped engine; troubles that were overcome come first.

        Raises:
            EngineError: Nothing visible came in time, or the stream broke after its first visible piece.
        """
        breaker = self.breaker(request.model)
        if not breaker.may_call():
            raise EngineDown(f"{request.model}: breaker open", fault="breaker_open")
        limit_s = self._first_piece_limit(request, probing=breaker.state == "half_open")
        tally = _Tally()
        settled = False
        try:
            opened = await self._open(request, limit_s, tally)
            settled = True
            breaker.succeeded()
            async with aclosing(opened.rest) as rest:
                for piece in [*tally.troubles, *opened.head]:
                    yield piece
                async for piece in _without_silence(rest, self._patience.silence_s):
                    yield piece
        except EngineError as exc:
            settled = True
            _note(breaker, exc, self._patience)
            raise
        finally:
            if not settled:
                breaker.abandoned()

    def _first_piece_limit(self, request: EngineRequest, *, probing: bool) -> float:
        limit_s = self._patience.first_piece_s
        if request.first_piece_by is not None:
            limit_s = min(limit_s, request.first_piece_by - self._clock())
        return max(0.05, min(limit_s, _PROBE_S) if probing else limit_s)

    async def _open(self, request: EngineRequest, limit_s: float, tally: _Tally) -> _Opened:
        """Try until the first visible piece is there, or patience runs out."""
        patience = self._patience

        def note(state: tenacity.RetryCallState) -> None:
            error = state.outcome.exception() if state.outcome else None
            if isinstance(error, EngineError):
                waited_ms = round(state.upcoming_sleep * 1000)
                tally.troubles.append(
                    Trouble(error.fault, retried=True, waited_ms=waited_ms, request_id=error.request_id)
                )

        retrying = tenacity.AsyncRetrying(
            stop=tenacity.stop_after_attempt(patience.attempts)
            | tenacity.stop_before_delay(patience.retry_total_s),
            wait=_wait,
            retry=tenacity.retry_if_exception(
                lambda error: isinstance(error, EngineError) and error.can_retry
            ),
            before_sleep=note,
            reraise=True,
        )
        try:
            async with asyncio.timeout(limit_s):
                return await retrying(_first_visible, self._engine, request)
        except TimeoutError as exc:
            raise EngineDown(f"no first piece within {limit_s:.1f} s", fault="first_token_timeout") from exc


class Failover:
    """An engine in front of another one: when the first brings no words, the second answers, marked as basic mode.

    When the first fails after its first words, the answer ends there with stop reason "cut".
    """

    def __init__(self, first: Engine, second: Engine) -> None:
        self._first = first
        self._second = second

    async def stream(self, request: EngineRequest) -> AsyncGenerator[Piece, None]:
        """Pieces of the first engine, or of the second after a Trouble piece.

        Raises:
            EngineError: The second engine failed too.
        """
        started, spoke, usage = time.monotonic(), False, Usage()
        trouble: Trouble | None = None
        try:
            async with aclosing(self._first.stream(request)) as pieces:
                async for piece in pieces:
                    spoke = (
                        spoke
                        or isinstance(piece, ToolUse)
                        or (isinstance(piece, Text) and bool(piece.text.strip()))
                    )
                    if isinstance(piece, Metered):
                        usage = piece.usage
                    if isinstance(piece, Done) and _says_nothing(piece, spoke=spoke):
                        trouble = Trouble(f"stop_{piece.stop_reason}", request_id=piece.request_id)
                        usage = piece.usage
                    else:
                        yield piece
        except EngineError as exc:
            trouble = Trouble(exc.fault, request_id=exc.request_id)
        if trouble is None:
            return
        yield trouble
        took_ms = round((time.monotonic() - started) * 1000)
        if usage != Usage() or spoke:
            yield Done(
                "cut" if spoke else "empty", "claude", request.model, took_ms, usage, trouble.request_id
            )
        if spoke:
            return
        async with aclosing(self._second.stream(_as_basic_mode(request))) as pieces:
            async for piece in pieces:
                yield piece


def _says_nothing(done: Done, *, spoke: bool) -> bool:
    """Whether the call ended without an answer: refused, empty, or out of tokens before its first word."""
    return done.stop_reason in {"refusal", "empty"} or (done.stop_reason == "max_tokens" and not spoke)


def _as_basic_mode(request: EngineRequest) -> EngineRequest:
    if request.brief is None:
        return request
    return replace(request, brief=replace(request.brief, degraded=True))


def _is_visible(piece: Piece) -> bool:
    """Whether the piece may have been shown or acted on, so that asking again would double it."""
    return not isinstance(piece, Metered | Trouble)


async def _first_visible(engine: Engine, request: EngineRequest) -> _Opened:
    """Start the stream and read up to its first visible piece; on any failure the stream is closed."""
    head: list[Piece] = []
    async with AsyncExitStack() as stack:
        pieces = engine.stream(request)
        await stack.enter_async_context(aclosing(pieces))
        async for piece in pieces:
            head.append(piece)
            if _is_visible(piece):
                break
        stack.pop_all()
    return _Opened(head, pieces)


async def _without_silence(pieces: AsyncIterator[Piece], silence_s: float) -> AsyncIterator[Piece]:
    """The same pieces; a pause longer than this is a failure."""
    while True:
        try:
            async with asyncio.timeout(silence_s):
                piece = await anext(pieces)
        except StopAsyncIteration:
            return
        except TimeoutError as exc:
            raise EngineDown(f"silent for {silence_s} s", fault="stream_stalled") from exc
        yield piece


def _wait(state: tenacity.RetryCallState) -> float:
    """What the API asks for, else about 0.3 s, 0.6 s ... with jitter."""
    error = state.outcome.exception() if state.outcome else None
    if isinstance(error, EngineBusy) and error.retry_after_s is not None:
        return error.retry_after_s
    return float(tenacity.wait_exponential_jitter(initial=0.3, max=2.0, jitter=0.2)(state))


def _note(breaker: Breaker, error: EngineError, patience: Patience) -> None:
    """Tell the breaker, unless only this one request was at fault."""
    pause_s = error.retry_after_s
    if pause_s is not None and pause_s > patience.retry_total_s:
        error.fault = "retry_after_over_budget"
        breaker.failed(error.fault, pause_s)
    elif isinstance(error, EngineRefused) and error.fault not in _LASTING_S:
        breaker.succeeded()
    else:
        breaker.failed(error.fault, _LASTING_S.get(error.fault))
