"""Faults of the model: replies that are well sent and still useless."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from tests.simulation.content import JsonObject
from tests.simulation.faults.base import Fault
from tests.simulation.json_text import compact
from tests.simulation.reply import Cited, Data, Part, Reply, Text, Thinking, ToolUse
from tests.simulation.units import tokens

Category = Literal["cyber", "bio", "frontier_llm", "reasoning_extraction", "general_harms"]


class Empty(Fault):
    """No content at all, and end_turn."""

    def reshape(self, reply: Reply) -> Reply:
        """An empty reply."""
        return replace(reply, parts=(), stop_reason="end_turn")


@dataclass(frozen=True, slots=True)
class CutByLimit(Fault):
    """The answer ends with max_tokens after so many tokens; None ends in the middle of the last part."""

    after_tokens: int | None = None

    def reshape(self, reply: Reply) -> Reply:
        """The same reply under a low limit."""
        limit = self.after_tokens if self.after_tokens is not None else _middle_of_last(reply)
        return replace(reply, max_tokens=max(1, limit))


@dataclass(frozen=True, slots=True)
class Refused(Fault):
    """The safety classifier stops the model before the first word: HTTP 200, stop reason refusal."""

    category: Category | None = "general_harms"

    def reshape(self, reply: Reply) -> Reply:
        """An empty reply that says why."""
        details: JsonObject = {"type": "refusal", "category": self.category, "explanation": None}
        return replace(reply, parts=(), stop_reason="refusal", stop_details=details)


class Paused(Fault):
    """The reply is handed over unfinished, with pause_turn."""

    def reshape(self, reply: Reply) -> Reply:
        """The same reply with the other stop reason."""
        return replace(reply, stop_reason="pause_turn")


class BrokenToolJson(Fault):
    """The input of every call is not JSON."""

    def reshape(self, reply: Reply) -> Reply:
        """The same calls with text that no parser takes."""
        return _with_calls(reply, lambda call: replace(call, raw='{"make": "Nissan", year: 20x2, '))


class WrongCaseTool(Fault):
    """Calls a tool by its name in other letters: get_quote becomes Get_Quote."""

    def reshape(self, reply: Reply) -> Reply:
        """The same calls under another spelling."""
        return _with_calls(reply, lambda call: replace(call, name=call.name.title()))


def _with_calls(reply: Reply, change: Callable[[ToolUse], ToolUse]) -> Reply:
    return replace(
        reply, parts=tuple(change(part) if isinstance(part, ToolUse) else part for part in reply.parts)
    )


def _middle_of_last(reply: Reply) -> int:
    sizes = [_size(part) for part in reply.parts] or [2]
    return sum(sizes[:-1]) + sizes[-1] // 2


def _size(part: Part) -> int:
    match part:
        case Text() | Cited():
            return max(1, tokens(len(part.text.encode())))
        case Thinking():
            return part.tokens if part.tokens is not None else tokens(len(part.text.encode()))
        case Data():
            return max(1, tokens(len(compact(part.value).encode())))
        case ToolUse():
            return max(1, tokens(len((part.raw or compact(part.input)).encode())))
