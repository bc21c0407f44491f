"""What a brain answers: parts in order, and what may be overridden for a test.

Why: a test says "this text, cited from that source, then this call" and the simulation makes the blocks, the
events, the stop reason and the usage from it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from tests.simulation.content import JsonObject
from tests.simulation.request import MessageRequest

StopReason = Literal[
    "end_turn",
    "max_tokens",
    "stop_sequence",
    "tool_use",
    "pause_turn",
    "refusal",
    "model_context_window_exceeded",
]


@dataclass(frozen=True, slots=True)
class Text:
    """Text without a source."""

    text: str


@dataclass(frozen=True, slots=True)
class Cited:
    """Text taken from a source of the request.

    `source` is the number of the search result in the whole request, or its `source` string. `start` and `end`
    (exclusive) choose its blocks. As with the real API no citation comes out when citations are off there.
    """

    text: str
    source: int | str = 0
    start: int = 0
    end: int | None = None


@dataclass(frozen=True, slots=True)
class Data:
    """A JSON object as text, its keys in the order of the request's schema: required ones first."""

    value: JsonObject


@dataclass(frozen=True, slots=True)
class ToolUse:
    """A call. `raw` replaces the JSON text of the input, to send something that is not JSON."""

    name: str
    input: JsonObject = field(default_factory=dict)
    raw: str | None = None


@dataclass(frozen=True, slots=True)
class Thinking:
    """Thinking; left out of the reply when the request has switched it off. `tokens` None counts the text."""

    text: str = ""
    tokens: int | None = None


Part = Text | Cited | Data | ToolUse | Thinking


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer. Overrides: stop reason, its details, single usage figures, a lower limit of output tokens."""

    parts: tuple[Part, ...] = ()
    stop_reason: StopReason | None = None
    stop_details: JsonObject | None = None
    usage: Mapping[str, int] = field(default_factory=dict)
    max_tokens: int | None = None

    @classmethod
    def of(
        cls, *parts: Part | str, stop_reason: StopReason | None = None, usage: Mapping[str, int] | None = None
    ) -> "Reply":
        """A reply of these parts; a string counts as text."""
        whole = tuple(Text(part) if isinstance(part, str) else part for part in parts)
        return cls(whole, stop_reason, usage=usage or {})


Brain = Callable[[MessageRequest], Reply]


class BrainError(Exception):
    """The brain answered what no model could answer to this request, or a script ran out: the test is wrong."""
