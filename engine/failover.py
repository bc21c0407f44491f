"""An engine in front of another one: when the first brings no words, the second answers instead.

Why: the desk stays honest and useful when the API is down. Deadlines and retries of the first engine are not decided
here but in engine/resilient.py. After the first visible word nothing is asked again: the answer ends there and says so.
"""

import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace

from engine.base import Done, Engine, EngineRequest, Metered, Piece, Trouble
from engine.resilient import Patience, Resilient, says_something
from errors import EngineError
from events import Usage

__all__ = ["Failover", "Patience", "Resilient"]


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
        started, spoke, metered = time.monotonic(), False, Metered(Usage())
        trouble: Trouble | None = None
        try:
            async with aclosing(self._first.stream(request)) as pieces:
                async for piece in pieces:
                    spoke = spoke or says_something(piece)
                    metered = _running_cost(piece, metered)
                    if isinstance(piece, Done) and _says_nothing(piece, spoke=spoke):
                        trouble = Trouble(f"stop_{piece.stop_reason}", request_id=piece.request_id)
                    else:
                        yield piece
        except EngineError as exc:
            trouble = Trouble(exc.fault, request_id=exc.request_id)
        if trouble is None:
            return
        yield trouble
        if spoke or metered.usage != Usage():
            took_ms = round((time.monotonic() - started) * 1000)
            yield Done(
                stop_reason="cut" if spoke else "failed",
                engine="claude",
                model=request.model,
                took_ms=took_ms,
                usage=metered.usage,
                request_id=trouble.request_id or metered.request_id,
            )
        if not spoke:
            async with aclosing(self._second.stream(_as_basic_mode(request))) as pieces:
                async for piece in pieces:
                    yield piece


def _running_cost(piece: Piece, before: Metered) -> Metered:
    """What the call under way has cost so far; a failed one has been told already."""
    match piece:
        case Metered():
            return piece
        case Done(stop_reason="failed"):
            return Metered(Usage())
        case Done():
            return Metered(piece.usage, piece.request_id)
        case _:
            return before


def _says_nothing(done: Done, *, spoke: bool) -> bool:
    """Whether the call ended without an answer: refused, empty, or out of tokens before its first word."""
    return done.stop_reason in {"refusal", "empty"} or (done.stop_reason == "max_tokens" and not spoke)


def _as_basic_mode(request: EngineRequest) -> EngineRequest:
    if request.brief is None:
        return request
    return replace(request, brief=replace(request.brief, degraded=True))
