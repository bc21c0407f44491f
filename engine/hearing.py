"""Hear one structured answer out: its text, its faults, and what it costs.

Why: a label and a second look are the same kind of call: one short JSON answer with a deadline, without which the turn
goes on. Called by router/classify.py and agents/second_look.py; reading the JSON is theirs.
"""

import asyncio
import time
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import replace

from engine.base import Done, Engine, EngineRequest, Metered, Piece, StopReason, Text, Trouble
from errors import EngineDown
from events import EngineCalled, Event, FaultSeen, Usage

_SLACK_S = 0.3  # between the first piece of an answer and its end


async def hear(
    engine: Engine, request: EngineRequest, deadline_s: float, where: str, emit: Callable[[Event], None]
) -> str:
    """The text of the answer.

    Args:
        deadline_s: Seconds until its first piece is too late; its end may come a moment later.
        where: Who asks, as the faults name it.

    Raises:
        EngineError: No answer in time (at the latest fault "<purpose>_timeout"), none at all, or a refusal.
    """
    request = replace(request, first_piece_by=time.monotonic() + deadline_s)
    hearing = _Hearing(request, where, emit)
    try:
        async with (
            asyncio.timeout(deadline_s + _SLACK_S),
            aclosing(engine.stream(request)) as pieces,
        ):
            async for piece in pieces:
                hearing.take(piece)
    except TimeoutError as exc:
        raise EngineDown(
            f"no {request.purpose} within {deadline_s} s", fault=f"{request.purpose}_timeout"
        ) from exc
    finally:
        hearing.end()
    if hearing.stop_reason == "refusal":
        raise EngineDown(f"the {request.purpose} was refused", fault="stop_refusal")
    return hearing.text


class _Hearing:
    """What the engine says, and what it costs."""

    def __init__(self, request: EngineRequest, where: str, emit: Callable[[Event], None]) -> None:
        self.text = ""
        self.stop_reason: StopReason | None = None
        self._request = request
        self._where = where
        self._emit = emit
        self._began = time.monotonic()
        self._untold: Metered | None = None

    def take(self, piece: Piece) -> None:
        """Note one piece."""
        match piece:
            case Text():
                self.text += piece.text
            case Metered():
                self._untold = piece
            case Trouble():
                self._emit(
                    FaultSeen(
                        code=piece.code,
                        where=self._where,
                        retried=piece.retried,
                        waited_ms=piece.waited_ms,
                        request_id=piece.request_id,
                    )
                )
            case Done():
                self.stop_reason, self._untold = piece.stop_reason, None
                self._emit(self._called(piece))
            case _:
                pass

    def end(self) -> None:
        """Tell what a call has cost that was cut short."""
        if self._untold is not None and self._untold.usage != Usage():
            took_ms = round((time.monotonic() - self._began) * 1000)
            told = self._untold
            self._emit(
                self._called(Done("cut", "claude", self._request.model, took_ms, told.usage, told.request_id))
            )

    def _called(self, done: Done) -> EngineCalled:
        return EngineCalled(
            purpose=self._request.purpose,
            engine=done.engine,
            model=done.model,
            usage=done.usage,
            stop_reason=done.stop_reason,
            took_ms=done.took_ms,
            request_id=done.request_id,
        )
