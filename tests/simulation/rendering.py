"""Turn a reply into an answer in API terms: blocks, stop reason, output tokens.

Why: output limit, stop sequences, thinking switches and tool_choice are obeyed here, where the real model obeys
them, so that a careless brain cannot hide a mistake in the request.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from tests.simulation.blocks import (
    OutputBlock,
    call_block,
    citations_of,
    input_shown,
    text_block,
    thinking_block,
)
from tests.simulation.ids import Ids
from tests.simulation.json_text import compact
from tests.simulation.models import Model
from tests.simulation.ordering import ordered
from tests.simulation.prompt import Adaptive, Enabled
from tests.simulation.reply import BrainError, Cited, Data, Part, Reply, StopReason, Text, Thinking, ToolUse
from tests.simulation.request import MessageRequest
from tests.simulation.seals import Seals
from tests.simulation.units import BYTES_A_TOKEN, tokens


@dataclass(slots=True)
class Rendered:
    """An answer. Tokens are output tokens, thinking included; `calls` maps call ids to tool names."""

    blocks: list[OutputBlock] = field(default_factory=list)
    stop_reason: StopReason = "end_turn"
    stop_sequence: str | None = None
    tokens: int = 0
    thinking_tokens: int = 0
    calls: dict[str, str] = field(default_factory=dict)


class Renderer:
    """Renders the replies of one simulation; gives out call ids and signatures."""

    def __init__(self, seals: Seals, ids: Ids) -> None:
        self._seals = seals
        self._ids = ids

    def render(
        self, reply: Reply, request: MessageRequest, model: Model, key: str, chunk_chars: int
    ) -> Rendered:
        """The answer that this reply becomes for this request.

        Raises:
            BrainError: The reply is one that no model could give here.
        """
        limit = request.max_tokens if reply.max_tokens is None else min(reply.max_tokens, request.max_tokens)
        writing = _Writing(request, self._seals, key, chunk_chars, limit)
        parts = list(_possible(reply, request, model)) if request.max_tokens else []
        for part in parts:
            writing.add(part, self._ids.next("toolu") if isinstance(part, ToolUse) else "")
        rendered = writing.rendered
        rendered.stop_reason = reply.stop_reason or writing.stop_reason()
        return rendered


class _Writing:
    """One answer while it is written, with the room that is left for it."""

    def __init__(self, request: MessageRequest, seals: Seals, key: str, chunk_chars: int, limit: int) -> None:
        self.rendered = Rendered()
        self._request = request
        self._seals = seals
        self._key = key
        self._chunk_chars = chunk_chars
        self._limit = limit
        self._signatures: tuple[str, ...] = ()
        self._is_cut = limit == 0

    def stop_reason(self) -> StopReason:
        if self._is_cut:
            return "max_tokens"
        if self.rendered.stop_sequence is not None:
            return "stop_sequence"
        return "tool_use" if self.rendered.calls else "end_turn"

    def add(self, part: Part, call_id: str) -> None:
        if self.rendered.stop_sequence is not None:
            return
        if self._is_cut or self._limit <= self.rendered.tokens:
            self._is_cut = True
            return
        match part:
            case Thinking():
                self._think(part)
            case ToolUse():
                self._call(part, call_id)
            case Text() | Cited() | Data():
                self._say(part)

    def _think(self, part: Thinking) -> None:
        shown = part.text if _shows_thinking(self._request) else ""
        signature = self._seals.issue(self._key, self._request, shown, self._signatures)
        self._signatures = (*self._signatures, signature)
        self.rendered.blocks.append(thinking_block(shown, signature, self._chunk_chars))
        used = part.tokens if part.tokens is not None else tokens(len(part.text.encode()))
        room = self._limit - self.rendered.tokens
        self._is_cut = used > room
        self.rendered.thinking_tokens += min(used, room)
        self.rendered.tokens += min(used, room)

    def _call(self, part: ToolUse, call_id: str) -> None:
        whole = part.raw if part.raw is not None else compact(part.input)
        text = self._fitting(whole)
        self._seals.attach(call_id, self._signatures)
        self.rendered.calls[call_id] = part.name
        shown = input_shown(part, text, whole)
        self.rendered.blocks.append(call_block(call_id, part.name, text, shown, self._chunk_chars))

    def _say(self, part: Text | Cited | Data) -> None:
        request = self._request
        whole = compact(ordered(part.value, request.schema_wanted)) if isinstance(part, Data) else part.text
        text, self.rendered.stop_sequence = _stopped(whole, request.stop_sequences)
        citations = citations_of(part, request.passages) if isinstance(part, Cited) else ()
        self.rendered.blocks.append(text_block(self._fitting(text), citations, self._chunk_chars))

    def _fitting(self, text: str) -> str:
        """As much of the text as there is room for; counts it."""
        data = text.encode()
        room = (self._limit - self.rendered.tokens) * BYTES_A_TOKEN
        self.rendered.tokens += max(1, tokens(min(len(data), room)))
        self._is_cut = len(data) > room
        return data[:room].decode(errors="ignore") if self._is_cut else text


def _possible(reply: Reply, request: MessageRequest, model: Model) -> Iterator[Part]:
    """The parts the model can say here: thinking only where it is on, nothing before a forced call."""
    mode = request.thinking.type if request.thinking is not None else model.default_thinking
    calls = any(isinstance(part, ToolUse) for part in reply.parts)
    choice = request.tool_choice.type if request.tool_choice is not None else "auto"
    forced = choice in {"any", "tool"}
    if forced and reply.parts and not calls:
        raise BrainError("tool_choice forces a call, and the brain made none")
    if calls and (not request.tools or choice == "none"):
        raise BrainError("the brain called a tool where none may be called; ask request.can_call(name) first")
    thinks = not forced and (mode in {"adaptive", "enabled"} or (mode == "between_tools" and calls))
    for part in reply.parts:
        if isinstance(part, ToolUse) or (thinks if isinstance(part, Thinking) else not forced):
            yield part


def _shows_thinking(request: MessageRequest) -> bool:
    """Thinking text is hidden unless a summary was asked for."""
    thinking = request.thinking
    return isinstance(thinking, Adaptive | Enabled) and thinking.display == "summarized"


def _stopped(text: str, sequences: tuple[str, ...]) -> tuple[str, str | None]:
    found = [(text.find(sequence), sequence) for sequence in sequences if sequence in text]
    return (text[: min(found)[0]], min(found)[1]) if found else (text, None)
