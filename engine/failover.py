"""An engine in front of another one: when the first brings no words, the second answers instead.

Why: the desk stays honest and useful when the API is down. Deadlines and retries of the first engine are not decided
here but in engine/resilient.py. After the first visible word nothing is asked again: the answer ends there and says so.
"""

import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field, replace

from engine.base import Done, Engine, EngineRequest, Metered, Piece, Trouble
from engine.resilient import Patience, Resilient, says_something
from errors import EngineError
from events import Usage

__all__ = ["Failover", "Patience", "Resilient"]


@dataclass(slots=True)
class _Attempt:
    """How the first engine fares: whether it has said something, what went wrong, what it has cost."""

    spoke: bool = False
    trouble: Trouble | None = None
    metered: Metered = field(default_factory=lambda: Metered(Usage()))

    def take(self, piece: Piece) -> bool:
        """Note the piece; false when it ends the call without an answer."""
        self.spoke = self.spoke or says_something(piece)
        match piece:
            case Metered():
                self.metered = piece
            case Done(stop_reason="failed"):
                self.metered = Metered(Usage())  # told already
            case Done():
                self.metered = Metered(piece.usage, piece.request_id)
                if _says_nothing(piece, spoke=self.spoke):
                    self.trouble = Trouble(f"stop_{piece.stop_reason}", request_id=piece.request_id)
            case _:
                pass
        return self.trouble is None


class Failover:
    """An engine in front of another one: when the first brings no words, the second answers, marked as basic mode.

    When the first fails after its first words, the answer ends there with stop reason "cut". An answer that the second
    has begun, by asking for a tool, it also ends: the two do not take turns.
    """

    def __init__(self, first: Engine, second: Engine) -> None:
        self._first = first
        self._second = second

    async def stream(self, request: EngineRequest) -> AsyncGenerator[Piece, None]:
        """Pieces of the first engine, or of the second after a Trouble piece.

        Raises:
            EngineError: The second engine failed too.
        """
        if all(finished.native is not None for finished in request.rounds):
            attempt = _Attempt()
            async with aclosing(self._try_first(request, attempt)) as pieces:
                async for piece in pieces:
                    yield piece
            if attempt.trouble is None or attempt.spoke:
                return
        async with aclosing(self._second.stream(_as_basic_mode(request))) as pieces:
            async for piece in pieces:
                yield piece

    async def _try_first(self, request: EngineRequest, attempt: _Attempt) -> AsyncGenerator[Piece, None]:
        """What the first engine brings, and at the end what went wrong and what it cost."""
        started = time.monotonic()
        try:
            async with aclosing(self._first.stream(request)) as pieces:
                async for piece in pieces:
                    if attempt.take(piece):
                        yield piece
        except EngineError as exc:
            attempt.trouble = Trouble(exc.fault, request_id=exc.request_id)
        trouble, metered = attempt.trouble, attempt.metered
        if trouble is None:
            return
        yield trouble
        if attempt.spoke or metered.usage != Usage():
            yield Done(
                stop_reason="cut" if attempt.spoke else "failed",
                engine="claude",
                model=request.model,
                took_ms=round((time.monotonic() - started) * 1000),
                usage=metered.usage,
                request_id=trouble.request_id or metered.request_id,
            )


def _says_nothing(done: Done, *, spoke: bool) -> bool:
    """Whether the call ended without an answer: refused, empty, or out of tokens before its first word."""
    return done.stop_reason in {"refusal", "empty"} or (done.stop_reason == "max_tokens" and not spoke)


def _as_basic_mode(request: EngineRequest) -> EngineRequest:
    if request.brief is None:
        return request
    return replace(request, brief=replace(request.brief, degraded=True))
