"""Run one specialist: engine, tools, engine, until it is done; guards on every word before it is shown.

Called by router/turn.py, perhaps on a guess: then everything said goes into a gate, and a tool that changes
something waits for the gate to open. Returns what the turn must know afterwards; raises EngineError when no
engine could answer at all.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from datetime import datetime

from agents.specialist import Specialist
from engine.base import Cited, Done, Engine, EngineRequest, Metered, Round, Text, ToolResult, ToolUse, Trouble
from errors import ToolError
from events import (
    Citation,
    EngineCalled,
    Event,
    FaultSeen,
    GuardFired,
    SpecialistFinished,
    SpecialistStarted,
    TextDelta,
    TextEnded,
    TextStarted,
    ToolCalled,
    ToolReturned,
    Usage,
)
from guards.stream import Chain, Fired, Guard
from knowledge.passages import Passage
from tools.registry import Records, Tool, Toolbox, ToolContext, ToolOutcome

MAX_ROUNDS = 5
TOOL_TIMEOUT_S = 8.0
_TOOL_FAULTS = frozenset(
    {"tool_args_invalid", "tool_unknown", "tool_timeout", "tool_error", "tool_result_invalid"}
)
Emit = Callable[[Event], None]


@dataclass(frozen=True, slots=True)
class Place:
    """Where the specialist works: the turn, and what tools may know and use."""

    conversation_id: str
    turn_id: str
    run_id: str
    message_id: str
    language: str
    now: datetime
    records: Records
    key_of: Callable[[str, object], str]
    customer_id: str | None = None


@dataclass(frozen=True, slots=True)
class Means:
    """What every specialist works with."""

    engine: Engine
    toolbox: Toolbox
    guards: Mapping[str, Guard]
    expects_claude: bool
    cut_notice: str = ""


@dataclass(slots=True)
class Run:
    """What came of it. `form_slots` and `form_at_fault` tell how a form's tool call ended."""

    said: bool = False
    degraded: bool = False
    handed_over: bool = False
    form_slots: dict[str, str | int] | None = None
    form_at_fault: str | None = None
    citations: list[Citation] = field(default_factory=list)


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
        may_write: Awaited before a tool with effect "write" runs.

    Raises:
        EngineError: No engine could answer.
    """
    emit(SpecialistStarted(run_id=place.run_id, intent=specialist.intent, prompt_version=specialist.version))
    worker = _Worker(specialist, means, place, emit, may_write)
    try:
        await _rounds(worker, request)
        worker.end()
    finally:
        worker.tell_deeds()
    emit(SpecialistFinished(run_id=place.run_id))
    return worker.run


async def _rounds(worker: "_Worker", request: EngineRequest) -> None:
    """Engine and tools in turn, until the engine asks for no more tools or has asked too often."""
    rounds: tuple[Round, ...] = ()
    for number in range(1, MAX_ROUNDS + 1):
        is_last = number == MAX_ROUNDS
        heard = await worker.listen(replace(request, rounds=rounds, final=is_last))
        if not heard.uses:
            return
        if is_last:
            worker.note_capped()
            return
        results = [await worker.call(use) for use in heard.uses]
        rounds = (*rounds, Round(heard.text, tuple(heard.uses), tuple(results), heard.native))


@dataclass(slots=True)
class _Heard:
    """What one engine call brought."""

    text: str = ""
    uses: list[ToolUse] = field(default_factory=list)
    native: object = None
    stop_reason: str = "cancelled"


class _Worker:
    """The state of one specialist's run: guards, citations, what was said."""

    def __init__(
        self,
        specialist: Specialist,
        means: Means,
        place: Place,
        emit: Emit,
        may_write: Callable[[], Awaitable[None]],
    ) -> None:
        self.run = Run()
        self._specialist = specialist
        self._means = means
        self._place = place
        self._emit = emit
        self._may_write = may_write
        self._chain = Chain(specialist.guards, means.guards)
        self._passages: dict[str, Passage] = {}
        self._break_due = False
        self._deeds: list[Event] = []

    async def listen(self, request: EngineRequest) -> _Heard:
        """One engine call, its words shown as they come."""
        heard = _Heard()
        started, usage, done = time.monotonic(), Usage(), False
        try:
            async with aclosing(self._means.engine.stream(request)) as pieces:
                async for piece in pieces:
                    match piece:
                        case Text():
                            heard.text += piece.text
                            self._show(piece.text)
                        case Cited():
                            self._cite(piece)
                        case ToolUse():
                            heard.uses.append(piece)
                        case Metered():
                            usage, done = piece.usage, False
                        case Trouble():
                            self._note_trouble(piece, request)
                        case Done():
                            done = True
                            heard.stop_reason, heard.native = piece.stop_reason, piece.native
                            self._note_call(piece)
        finally:
            if not done:
                self._note_cut_short(request, usage, started)
        self._break_due = self.run.said
        return heard

    def _show(self, text: str) -> None:
        if self._break_due and text.strip():
            text = "\n\n" + text.lstrip()
            self._break_due = False
        safe, fired = self._chain.push(text)
        self._note_guards(fired)
        self._speak(safe)

    def _speak(self, text: str) -> None:
        if not self.run.said:
            text = text.lstrip()
        if not text:
            return
        if not self.run.said:
            self.run.said = True
            self._emit(TextStarted(message_id=self._place.message_id))
        self._emit(TextDelta(message_id=self._place.message_id, text=text))

    def _cite(self, cited: Cited) -> None:
        """Keep a citation only when it points at words of a passage that was found in this turn."""
        passage = self._passages.get(cited.source)
        if passage is None or cited.quote.strip() not in passage.text:
            self._emit(FaultSeen(code="citation_invalid", where=self._specialist.intent))
            return
        citation = Citation(title=passage.title, url=passage.url, quote=cited.quote.strip())
        if citation not in self.run.citations:
            self.run.citations.append(citation)

    def _note_trouble(self, trouble: Trouble, request: EngineRequest) -> None:
        self._emit(
            FaultSeen(
                code=trouble.code,
                where=request.model,
                retried=trouble.retried,
                waited_ms=trouble.waited_ms,
                request_id=trouble.request_id,
            )
        )

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
        if self._means.expects_claude and done.engine == "local":
            self.run.degraded = True
        if done.stop_reason == "cut":
            self.run.degraded = True
            self._break_due = self.run.said
            self._show(self._means.cut_notice)

    def _note_cut_short(self, request: EngineRequest, usage: Usage, started: float) -> None:
        took_ms = round((time.monotonic() - started) * 1000)
        self._emit(
            EngineCalled(
                purpose="answer",
                engine="claude" if self._means.expects_claude else "local",
                model=request.model,
                usage=usage,
                stop_reason="cancelled",
                took_ms=took_ms,
            )
        )

    def _note_guards(self, fired: list[Fired]) -> None:
        for item in fired:
            self._emit(GuardFired(guard=item.guard, what=item.what))

    async def call(self, use: ToolUse) -> ToolResult:
        """Run the tool the engine asked for; whatever goes wrong becomes a result that the engine can read."""
        self._emit(ToolCalled(call_id=use.call_id, name=use.name, arguments=use.arguments))
        started = time.monotonic()
        tool: Tool | None = None
        try:
            tool = self._means.toolbox.find(use.name, self._specialist.tools)
            outcome = await self._run_tool(tool, use)
            result = ToolResult(
                use.call_id,
                tool.name,
                outcome.text,
                ok=True,
                passages=outcome.passages,
                values=outcome.values,
            )
        except ToolError as exc:
            result = self._failed(use, tool, exc)
        self._emit(
            ToolReturned(
                call_id=use.call_id,
                name=result.name,
                ok=result.ok,
                result=result.text,
                took_ms=round((time.monotonic() - started) * 1000),
                empty=result.ok and tool is not None and tool.lead == "search" and not result.passages,
            )
        )
        return result

    async def _run_tool(self, tool: Tool, use: ToolUse) -> ToolOutcome:
        if use.invalid is not None:
            raise ToolError(f"{use.invalid}; send them again as one JSON object", code="tool_args_invalid")
        if tool.effect == "write":
            await self._may_write()
        place = self._place
        context = ToolContext(
            conversation_id=place.conversation_id,
            turn_id=place.turn_id,
            key=place.key_of(tool.name, use.arguments),
            language=place.language,
            now=place.now,
            records=place.records,
            customer_id=place.customer_id,
        )
        try:
            async with asyncio.timeout(TOOL_TIMEOUT_S):
                outcome = await tool.call(context, use.arguments)
        except TimeoutError as exc:
            raise ToolError("the tool did not answer in time; say so honestly", code="tool_timeout") from exc
        self._take(tool, outcome, use)
        return outcome

    def _take(self, tool: Tool, outcome: ToolOutcome, use: ToolUse) -> None:
        """What a good result changes: events to tell after the answer, passages to cite, the form's state."""
        self._deeds += [event for event in outcome.events if event not in self._deeds]
        for passage in outcome.passages:
            self._passages[passage.source] = passage
        if tool.lead == "handoff":
            self.run.handed_over = True
        if tool.lead == "form":
            self.run.form_slots, self.run.form_at_fault = dict(use.arguments), None

    def _failed(self, use: ToolUse, tool: Tool | None, error: ToolError) -> ToolResult:
        if error.code in _TOOL_FAULTS:
            self._emit(FaultSeen(code=error.code, where=use.name))
        if tool is not None and tool.lead == "form":
            self.run.form_at_fault = error.field
        name = tool.name if tool is not None else use.name
        values = {key: str(value) for key, value in use.arguments.items()}
        return ToolResult(
            use.call_id,
            name,
            str(error),
            ok=False,
            code=error.code,
            at_fault=error.field,
            values={**values, "limit": error.limit},
        )

    def note_capped(self) -> None:
        """The engine went on asking for tools after the last round."""
        self._emit(FaultSeen(code="tool_loop_capped", where=self._specialist.intent))

    def end(self) -> None:
        """Give out what the guards held back, and close the answer."""
        rest, fired = self._chain.end()
        self._note_guards(fired)
        self._speak(rest)
        if self.run.said:
            self._emit(TextEnded(message_id=self._place.message_id, citations=tuple(self.run.citations)))

    def tell_deeds(self) -> None:
        """What was done (a quote, a ticket) is told after the answer, and also when the answer failed."""
        for event in self._deeds:
            self._emit(event)
        self._deeds = []
