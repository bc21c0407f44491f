"""Run one specialist: engine, tools, engine, until it is done; guards on every word before it is shown.

Called by router/turn.py, perhaps on a guess: then everything said goes into a gate, and a tool that changes
something waits for the gate to open. Returns what the turn must know afterwards; raises EngineError when no
engine could answer at all.
"""

import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import assert_never

from agents.request import today
from agents.run import Emit, Means, Place, Run
from agents.second_look import second_look
from agents.specialist import Specialist
from agents.speech import Speech
from agents.toolcalls import ToolCalls
from engine.base import (
    Cited,
    Done,
    EngineRequest,
    Metered,
    Piece,
    Round,
    StopReason,
    Text,
    ToolResult,
    ToolUse,
    Trouble,
)
from errors import FrontdeskError
from events import EngineCalled, Event, FaultSeen, SpecialistFinished, SpecialistStarted, Usage
from guards.chain import Chain
from guards.stream import Ground, Scene
from knowledge.excerpts import excerpts
from knowledge.language import language_name
from templates import render

MAX_ROUNDS = 5
AFTER_TOOLS_S = 3.0
_AGAIN = "asked_again"


async def run_specialist(
    specialist: Specialist,
    request: EngineRequest,
    means: Means,
    place: Place,
    emit: Emit,
    may_write: Callable[[], Awaitable[None]],
) -> Run:
    """Answer the message with this specialist; every event goes to `emit` in order.

    Args:
        may_write: Awaited before a tool with effect "write" runs, and before a second look is taken.

    Raises:
        EngineError: No engine could answer, or go on; what was safe of the words that the guards held back is shown.
    """
    emit(SpecialistStarted(run_id=place.run_id, intent=specialist.intent, prompt_version=specialist.version))
    run = Run()
    calls = ToolCalls(specialist, means.toolbox, place, run, emit, may_write)
    voice = _Voice()
    scene = _scene(specialist, request, means, place, voice)
    again = _asked_again(means, place)
    speech = Speech(
        Chain(specialist.guards, means.guards, replace(scene, may_retake=bool(again))),
        emit,
        place.message_id,
        retake=lambda: Chain(specialist.guards, means.guards, scene),
    )
    listener = _Listener(specialist, means, emit, speech, voice, again)
    try:
        stop = await _answered(listener, calls, request, scene)
        notice = scene.notice("interrupted") if stop == "cut" else ""
        if means.second_look is not None and not listener.degraded:
            notice = await second_look(
                means.second_look, speech.text, speech.sources, request, place, means.notices, emit, may_write
            )
        speech.end(notice=notice)
    finally:
        calls.tell_deeds()
    run.said, run.citations = speech.said, speech.citations
    run.degraded = listener.degraded
    if stop == "end_turn" and run.said and (gap := run.gap()) is not None:
        emit(gap)
    emit(SpecialistFinished(run_id=place.run_id))
    return run


@dataclass(slots=True)
class _Voice:
    """Who speaks: a model, or the engine that has only the company's fixed words."""

    is_fixed: bool = False


def _asked_again(means: Means, place: Place) -> str:
    """What the engine is told when its answer was in another language; "" when the company has no words for it."""
    return render(means.notices.text(_AGAIN, "en") or "", {"language": language_name(place.language)})


def _scene(
    specialist: Specialist, request: EngineRequest, means: Means, place: Place, voice: _Voice
) -> Scene:
    """What the guards may know: the company's own words, everything said so far, and what the tools will return."""
    own = [Ground("company", text) for text in (specialist.told, specialist.fixed, today(place.now))]
    own += [Ground("price", price) for price in place.prices]
    said = [
        Ground("customer" if item.role == "customer" else "answer", item.text) for item in request.history
    ]
    return Scene(
        language=place.language,
        grounds=[*own, *said, Ground("customer", request.message)],
        today=place.now.date(),
        secret=specialist.told,
        sayable=specialist.fixed,
        says_back=specialist.says_back,
        notice=lambda key: means.notices.text(key, place.language) or "",
        is_fixed=lambda: voice.is_fixed,
    )


async def _answered(
    listener: "_Listener", calls: ToolCalls, request: EngineRequest, scene: Scene
) -> StopReason | None:
    """As _rounds, with every word given out that the guards held back, also when it breaks off in the middle."""
    try:
        stop = await _rounds(listener, calls, request, scene)
    except FrontdeskError:
        listener.speech.give_out()
        raise
    listener.speech.give_out(is_unfinished=stop == "max_tokens")
    return stop


async def _rounds(
    listener: "_Listener", calls: ToolCalls, request: EngineRequest, scene: Scene
) -> StopReason | None:
    """Engine and tools in turn, until the engine asks for no more tools or has asked too often; why it stopped."""
    rounds: tuple[Round, ...] = ()
    while True:
        is_last = len(rounds) == MAX_ROUNDS - 1
        heard = await listener.listen(replace(request, rounds=rounds, final=is_last))
        if is_last:
            listener.note_capped()
        if is_last or not heard.uses:
            return heard.stop_reason
        results = await calls.answer(heard.uses)
        request = replace(_in_time(request), history=request.history[heard.dropped :])
        for result in results:
            listener.speech.learn(result.passages)
            scene.grounds.extend(_grounds(result))
        rounds = (*rounds, Round(heard.text, tuple(heard.uses), results, heard.native, heard.afterthought))


def _in_time(request: EngineRequest) -> EngineRequest:
    """The request after tools: a slow one must not cost the engine its chance to say what came of it."""
    by = request.first_piece_by
    return (
        request if by is None else replace(request, first_piece_by=max(by, time.monotonic() + AFTER_TOOLS_S))
    )


def _grounds(result: ToolResult) -> Iterator[Ground]:
    """What a tool's result allows the answer to say; a refusal names limits, but may repeat the model's own words."""
    if result.ok:
        yield Ground("price" if result.names_prices else "tool", result.text, is_own=result.own_data)
        shown = (passage for excerpt in excerpts(result.passages) for passage in excerpt.passages)
        yield from (Ground("passage", passage.text) for passage in shown)
    elif limit := result.values.get("limit"):
        yield Ground("tool", limit)


@dataclass(slots=True)
class _Heard:
    """What one engine call brought. `is_told`: what it cost is recorded.

    `dropped`: so many earlier messages it did not read, because all were too long; the next call continues from the rest.
    """

    started: float
    text: str = ""
    uses: list[ToolUse] = field(default_factory=list)
    native: object = None
    afterthought: str = ""
    stop_reason: StopReason | None = None
    usage: Usage = field(default_factory=Usage)
    request_id: str | None = None
    is_told: bool = False
    dropped: int = 0


class _Listener:
    """Listens to the engine: words go to the speech, everything else is noted.

    `again` is what the engine is told when a guard wants another answer.
    """

    def __init__(
        self, specialist: Specialist, means: Means, emit: Emit, speech: Speech, voice: _Voice, again: str
    ) -> None:
        self.speech = speech
        self._voice = voice
        self._again = again
        self.degraded = False
        self._specialist = specialist
        self._means = means
        self._emit = emit

    async def listen(self, request: EngineRequest) -> _Heard:
        """What the engine says; a second time when a guard wants another answer, before anything of it is shown."""
        heard = await self._call(request)
        if self.speech.begin_again():
            heard = await self._call(_in_time(replace(request, afterthought=self._again)))
            heard.afterthought = self._again
        self.speech.pause()
        return heard

    async def _call(self, request: EngineRequest) -> _Heard:
        """One engine call, its words shown as they come.

        Once the customer reads something, the deadline for a first word has no meaning any more.
        """
        if self.speech.said:
            request = replace(request, first_piece_by=None)
        heard = _Heard(time.monotonic())
        try:
            async with aclosing(self._means.engine.stream(request)) as pieces:
                async for piece in pieces:
                    self._take(piece, heard, request)
                    if self.speech.wants_retake:
                        break
        finally:
            if not heard.is_told:
                self._emit(self._cut_short(heard, request))
        return heard

    def _take(self, piece: Piece, heard: _Heard, request: EngineRequest) -> None:
        match piece:
            case Text():
                heard.text += piece.text
                self._voice.is_fixed = piece.is_fixed
                self.speech.say(piece.text)
            case Cited():
                if not self.speech.cite(piece):
                    self._emit(FaultSeen(code="citation_invalid", where=self._specialist.intent))
            case ToolUse():
                heard.uses.append(piece)
            case Metered():
                heard.usage, heard.request_id, heard.is_told = piece.usage, piece.request_id, False
            case Trouble():
                heard.dropped += piece.dropped
                self._emit(_fault(piece, request))
            case Done():
                heard.stop_reason, heard.native, heard.is_told = piece.stop_reason, piece.native, True
                self._note_call(piece)
            case _:
                assert_never(piece)

    def _note_call(self, done: Done) -> None:
        self._emit(
            EngineCalled(
                purpose="answer",
                engine=done.engine,
                model=done.model,
                usage=done.usage,
                stop_reason=done.stop_reason,
                took_ms=done.took_ms,
                request_id=done.request_id,
            )
        )
        fell_back = self._means.expects_claude and done.engine == "local"
        self.degraded = self.degraded or fell_back or done.stop_reason == "cut"

    def _cut_short(self, heard: _Heard, request: EngineRequest) -> Event:
        """The call was cancelled or failed: what it had cost until then."""
        return EngineCalled(
            purpose="answer",
            engine="claude" if self._means.expects_claude else "local",
            model=request.model,
            usage=heard.usage,
            stop_reason="cancelled",
            took_ms=round((time.monotonic() - heard.started) * 1000),
            request_id=heard.request_id,
        )

    def note_capped(self) -> None:
        """The engine was told to answer without further tools."""
        self._emit(FaultSeen(code="tool_loop_capped", where=self._specialist.intent))


def _fault(trouble: Trouble, request: EngineRequest) -> Event:
    return FaultSeen(
        code=trouble.code,
        where=request.model,
        retried=trouble.retried,
        waited_ms=trouble.waited_ms,
        request_id=trouble.request_id,
        dropped=trouble.dropped,
    )


__all__ = ["Means", "Place", "Run", "run_specialist"]
