"""Run the tools that an engine asks for. Whatever goes wrong becomes a result that the engine can read.

Made by run_specialist, one for each run. A tool that changes something waits until the route is certain; the server
says who the customer is; every call has a key, so that its effect happens once however often it is tried.
All calls of a run share one allowance of time: a customer does not wait for two services that hang, one after the other.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence

from agents.run import Emit, Place, Run, Search
from agents.specialist import Specialist
from engine.base import ToolResult, ToolUse
from errors import ToolError, ToolQuestion, Unavailable
from events import Deed, Event, FaultSeen, HandoffRequested, JsonObject, ToolCalled, ToolReturned
from knowledge.invisible import readable
from tools.registry import Tool, Toolbox, ToolContext, ToolOutcome

TOOLS_TIMEOUT_S = 10.0  # above the deadline of a company's service, so that its own words come first
MAX_CALLS = 12
_FAULTS = frozenset(
    {
        "tool_args_invalid",
        "tool_unknown",
        "tool_timeout",
        "tool_error",
        "tool_result_invalid",
        "tool_loop_capped",
        "effect_ambiguous",
    }
)


class ToolCalls:
    """The tool calls of one run; what they change is noted in `run`."""

    def __init__(
        self,
        specialist: Specialist,
        toolbox: Toolbox,
        place: Place,
        run: Run,
        emit: Emit,
        may_write: Callable[[], Awaitable[None]],
        timeout_s: float = TOOLS_TIMEOUT_S,
    ) -> None:
        self._specialist = specialist
        self._toolbox = toolbox
        self._place = place
        self._run = run
        self._emit = emit
        self._may_write = may_write
        self._left_s = timeout_s
        self._deeds: list[Event] = []
        self._count = 0

    async def answer(self, uses: Sequence[ToolUse]) -> tuple[ToolResult, ...]:
        """One result for each request, in order."""
        return tuple([await self._call(use) for use in uses])

    def tell_deeds(self) -> None:
        """What was done (a quote, a ticket) is told after the answer, and also when the answer failed."""
        for event in self._deeds:
            self._emit(event)
        self._deeds = []

    async def _call(self, use: ToolUse) -> ToolResult:
        self._emit(ToolCalled(call_id=use.call_id, name=use.name, arguments=use.arguments))
        started = time.monotonic()
        tool: Tool | None = None
        arguments: JsonObject | None = None
        deeds: tuple[Deed, ...] = ()
        asks: str | None = None
        try:
            tool = self._allowed(use)
            arguments = tool.read(use.arguments)
            if tool.effect == "write":
                await self._may_write()
                started = time.monotonic()
            outcome = await self._run_tool(tool, arguments)
            result, deeds = _succeeded(use, tool, outcome), outcome.deeds
            self._take(tool, outcome, arguments)
        except ToolError as exc:
            result = self._failed(use, tool, exc, arguments)
            asks = exc.field if isinstance(exc, ToolQuestion) else None
        self._emit(
            ToolReturned(
                call_id=use.call_id,
                name=result.name,
                ok=result.ok,
                result=result.text,
                took_ms=round((time.monotonic() - started) * 1000),
                empty=result.ok and tool is not None and tool.lead == "search" and not result.passages,
                asks=asks,
                deeds=deeds,
            )
        )
        return result

    def _allowed(self, use: ToolUse) -> Tool:
        """The tool asked for, if it may be called (again)."""
        tool = self._toolbox.find(use.name, self._specialist.tools)
        self._count += 1
        if self._count > MAX_CALLS:
            raise ToolError(
                "too many tool calls for one message; answer with what you have", code="tool_loop_capped"
            )
        if use.invalid is not None:
            raise ToolError(f"{use.invalid}; send them again as one JSON object", code="tool_args_invalid")
        return tool

    async def _run_tool(self, tool: Tool, arguments: JsonObject) -> ToolOutcome:
        place = self._place
        context = ToolContext(
            conversation_id=place.conversation_id,
            turn_id=place.turn_id,
            key=place.key_of(tool.name, arguments),
            language=place.language,
            now=place.now,
            records=place.records,
            customer_id=place.customer_id,
            account=place.account,
            consent=place.consent,
            note=lambda code: self._emit(FaultSeen(code=code, where=tool.name, retried=True)),
        )
        started = time.monotonic()
        try:
            async with asyncio.timeout(self._left_s):
                return await tool.call(context, arguments)
        except TimeoutError as exc:
            raise ToolError("the tool did not answer in time; say so honestly", code="tool_timeout") from exc
        except Unavailable as exc:
            raise ToolError("this cannot be stored right now; say so honestly", code="tool_error") from exc
        finally:
            self._left_s = max(0.0, self._left_s - (time.monotonic() - started))

    def _take(self, tool: Tool, outcome: ToolOutcome, arguments: JsonObject) -> None:
        """What a good result changes: events to tell after the answer, the form's state."""
        self._deeds += [deed for deed in outcome.deeds if deed not in self._deeds]
        if any(isinstance(deed, HandoffRequested) for deed in outcome.deeds):
            self._run.handed_over = True
        if outcome.fault:
            self._emit(FaultSeen(code=outcome.fault, where=tool.name))
        if tool.lead == "search":
            looked_up = " ".join(str(value) for value in arguments.values())
            self._run.searches.append(Search(looked_up, has_found=bool(outcome.passages)))
        if tool.lead == "form":
            self._run.form_slots, self._run.form_priced, self._run.form_at_fault = arguments, True, None

    def _failed(
        self, use: ToolUse, tool: Tool | None, error: ToolError, arguments: JsonObject | None
    ) -> ToolResult:
        if error.code in _FAULTS:
            self._emit(FaultSeen(code=error.code, where=use.name))
        if tool is not None and tool.lead == "form":
            self._run.form_at_fault = error.field
            if (
                error.field is None and arguments is not None
            ):  # the details are good: asked again, they are there
                self._run.form_slots, self._run.form_priced = arguments, False
        return ToolResult(
            use.call_id,
            tool.name if tool is not None else use.name,
            readable(str(error)),
            ok=False,
            code=error.code,
            at_fault=error.field,
            values={
                **{name: str(value) for name, value in use.arguments.items() if value is not None},
                "limit": error.limit,
                **error.values,
            },
        )


def _succeeded(use: ToolUse, tool: Tool, outcome: ToolOutcome) -> ToolResult:
    return ToolResult(
        use.call_id,
        tool.name,
        readable(outcome.text),
        ok=True,
        passages=outcome.passages,
        values=outcome.values,
        code=outcome.code,
        names_prices=tool.names_prices,
        own_data=tool.own_data,
    )
