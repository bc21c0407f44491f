"""Claude's message as it grows: from the stream's events to pieces, and to the blocks that may be sent back.

Why apart from the connection: everything here is plain computing over JSON, whatever brought it. An event of another
shape raises KeyError, TypeError, AttributeError or ValueError; the connection makes a broken stream of it.
"""

import json
import operator
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from engine.base import Cited, Done, Metered, Piece, StopReason, Text, ToolUse
from engine.models import priced
from errors import EngineDown
from events import JsonObject, Usage

_STOPS: Mapping[str, StopReason] = {
    "end_turn": "end_turn",
    "stop_sequence": "end_turn",
    "pause_turn": "end_turn",  # only server tools pause, and we use none: what has come is the answer
    "tool_use": "tool_use",
    "max_tokens": "max_tokens",
    "model_context_window_exceeded": "max_tokens",
    "refusal": "refusal",
}
_COUNTS = {
    "input_tokens": "input_tokens",
    "output_tokens": "output_tokens",
    "cache_read_tokens": "cache_read_input_tokens",
    "cache_write_tokens": "cache_creation_input_tokens",
}


@dataclass(slots=True)
class _Block:
    """One content block as it grows, in the form that may be sent back."""

    content: JsonObject
    partial_json: list[str] = field(default_factory=list)
    cited: list[Cited] = field(default_factory=list)

    @property
    def is_blank(self) -> bool:
        """Text without a word: the API sends it, but does not take it back."""
        return self.content["type"] == "text" and not self.content.get("text", "").strip()

    def arguments(self) -> tuple[JsonObject, str | None]:
        """The arguments of a tool request, and what is wrong with them if they cannot be read."""
        text = "".join(self.partial_json)
        try:
            given = json.loads(text, parse_constant=_refuse) if text else self.content.get("input", {})
            json.dumps(given, ensure_ascii=False).encode()
        except ValueError as exc:
            return {}, f"the arguments are not JSON ({type(exc).__name__})"
        return (given, None) if isinstance(given, dict) else ({}, "the arguments are not an object")


@dataclass(slots=True)
class ClaudeReply:
    """One reply of `model`; `request_id` is the API's, once it is known. `started` is monotonic seconds."""

    model: str
    started: float = field(default_factory=time.monotonic)
    request_id: str | None = None
    _blocks: dict[int, _Block] = field(default_factory=dict)
    _usage: Usage = field(default_factory=Usage)
    _written_1h_tokens: int = 0
    _stop_reason: str | None = None
    _spoke: bool = False

    def take(self, event: JsonObject) -> Iterator[Piece]:
        """Pieces that this event brings; unknown events bring none.

        Raises:
            EngineDown: The API failed after it had begun to answer.
        """
        match event["type"]:
            case "message_start":
                usage = event["message"]["usage"]
                self._written_1h_tokens = (usage.get("cache_creation") or {}).get(
                    "ephemeral_1h_input_tokens", 0
                )
                yield self._meter(usage)
            case "content_block_start":
                given = {name: value for name, value in event["content_block"].items() if value is not None}
                self._blocks[event["index"]] = _Block({**given, "type": str(given["type"])})
            case "content_block_delta":
                yield from self._grow(self._blocks[event["index"]], event["delta"])
            case "content_block_stop":
                yield from _citations(self._blocks[event["index"]])
            case "message_delta":
                self._stop_reason = event["delta"].get("stop_reason") or self._stop_reason
                yield self._meter(event["usage"])
            case "error":
                error = event.get("error")
                kind = error.get("type") if isinstance(error, dict) else "error"
                raise EngineDown(f"200 {kind}", fault="stream_error_event", request_id=self.request_id)
            case _:
                return

    def _grow(self, block: _Block, delta: JsonObject) -> Iterator[Piece]:
        """What the delta adds; one that is not for the customer is at least a sign of life."""
        content = block.content
        match delta["type"]:
            case "text_delta":
                text = _sound(delta["text"])
                content["text"] = content.get("text", "") + text
                self._spoke = self._spoke or bool(text.strip())
                yield Text(text)
            case "citations_delta":
                found = delta["citation"]
                if found["type"] == "search_result_location":
                    content["citations"] = [*content.get("citations", []), found]
                    block.cited.append(_cited(found))
            case "input_json_delta":
                block.partial_json.append(delta["partial_json"])
                yield self._alive()
            case "thinking_delta":
                content["thinking"] = content.get("thinking", "") + delta["thinking"]
                yield self._alive()
            case "signature_delta":
                content["signature"] = delta["signature"]
            case _:
                return

    def _alive(self) -> Metered:
        return Metered(self._usage, self.request_id)

    def _meter(self, usage: JsonObject) -> Metered:
        """Take over the cumulative figures; a message_delta may leave the input figures out."""
        given = {ours: usage[theirs] for ours, theirs in _COUNTS.items() if usage.get(theirs) is not None}
        counted = Usage.model_validate(self._usage.model_dump() | given)
        self._usage = priced(self.model, counted, written_1h_tokens=self._written_1h_tokens)
        return self._alive()

    def end(self) -> Iterator[Piece]:
        """Tool requests and the end of the message.

        Raises:
            EngineDown: The stream ended without saying why: it was cut.
        """
        if self._stop_reason is None:
            raise EngineDown(
                "stream: ended without a stop reason", fault="stream_cut", request_id=self.request_id
            )
        stop = _STOPS.get(self._stop_reason, "end_turn")
        # A tool request that may have been cut is never run.
        uses = [] if stop in {"max_tokens", "refusal"} else list(self._uses())
        if stop in {"end_turn", "tool_use"} and not uses and not self._spoke:
            stop = "empty"
        yield from uses
        yield Done(
            stop_reason="tool_use" if uses else "end_turn" if stop == "tool_use" else stop,
            engine="claude",
            model=self.model,
            took_ms=round((time.monotonic() - self.started) * 1000),
            usage=self._usage,
            request_id=self.request_id,
            native=[block.content for _, block in sorted(self._blocks.items()) if not block.is_blank],
        )

    def _uses(self) -> Iterator[ToolUse]:
        for _, block in sorted(self._blocks.items()):
            if block.content["type"] == "tool_use":
                block.content["input"], problem = block.arguments()
                call_id, name = _sound(block.content["id"]), _sound(block.content["name"])
                yield ToolUse(call_id, name, block.content["input"], invalid=problem)


def _cited(found: JsonObject) -> Cited:
    """What a citation points at; the end of its blocks is exclusive."""
    blocks = operator.index(found["start_block_index"]), operator.index(found["end_block_index"])
    return Cited(_sound(found["source"]), _sound(found["cited_text"]), blocks=blocks)


def _citations(block: _Block) -> Iterator[Cited]:
    """The block's citations once it is complete: only then is it known which words lean on them."""
    yield from (replace(cited, words=_sound(block.content.get("text", ""))) for cited in block.cited)


def _sound(text: str) -> str:
    """The text without broken surrogates, which could be neither stored nor sent."""
    return text if text.isascii() else text.encode(errors="replace").decode()


def _refuse(constant: str) -> float:
    """NaN and Infinity are not JSON, whatever the parser says.

    Raises:
        ValueError: Always.
    """
    raise ValueError(constant)
