"""Claude through the official SDK: the only file that imports anthropic.

Takes an EngineRequest, sends the one request shape that caches well (tools, then system with a mark, then history
with a mark, then this turn), and yields pieces. Failures become EngineError with the routing log's fault code;
retries, deadlines and the breaker belong to engine/failover.py, so the SDK's own retries are off.
Source of what the API takes and refuses: the vendor's documentation for API version 2026-10-21.
"""

import json
import time
from collections.abc import AsyncGenerator, Iterator
from dataclasses import dataclass, field
from typing import Any

import anthropic
import httpx2
from anthropic import AsyncAnthropic

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
    ToolSpec,
    ToolUse,
)
from engine.models import priced
from errors import EngineBusy, EngineDown, EngineError, EngineRefused
from events import JsonObject, Usage

CONNECT_S = 3.0
SILENCE_S = 20.0
_STOPS: dict[str, StopReason] = {
    "end_turn": "end_turn",
    "stop_sequence": "end_turn",
    "pause_turn": "end_turn",
    "tool_use": "tool_use",
    "max_tokens": "max_tokens",
    "model_context_window_exceeded": "max_tokens",
    "refusal": "refusal",
}


class Claude:
    """The Claude engine. `base_url` None means the SDK's default (it honours ANTHROPIC_BASE_URL).

    Use as an async context manager; leaving it closes the connections.
    """

    def __init__(self, api_key: str, base_url: str | None = None) -> None:
        self._client = AsyncAnthropic(
            api_key=api_key,
            base_url=base_url,
            max_retries=0,
            timeout=anthropic.Timeout(SILENCE_S, connect=CONNECT_S),
        )

    async def __aenter__(self) -> "Claude":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.close()

    async def stream(self, request: EngineRequest) -> AsyncGenerator[Piece, None]:
        """Pieces of Claude's answer.

        Raises:
            EngineBusy: Rate limited or overloaded.
            EngineDown: Unreachable, hanging, failing, or cut before its end.
            EngineRefused: The credentials or the request will not be taken.
        """
        reply = _Reply(request.model, time.monotonic())
        try:
            async with await self._client.messages.create(**parameters(request), stream=True) as stream:
                reply.request_id = stream.response.headers.get("request-id")
                async for event in stream:
                    for piece in reply.take(event):
                        yield piece
        except anthropic.APIError as exc:
            raise _engine_error(exc, reply.request_id) from exc
        except httpx2.HTTPError as exc:
            raise EngineDown(
                f"stream: {type(exc).__name__}", fault="stream_cut", request_id=reply.request_id
            ) from exc
        except (json.JSONDecodeError, UnicodeDecodeError) as exc:
            raise EngineDown(
                "stream: not JSON", fault="stream_malformed", request_id=reply.request_id
            ) from exc
        for piece in reply.end():
            yield piece


@dataclass(slots=True)
class _Block:
    """One content block as it grows, in the form that may be sent back."""

    content: JsonObject
    partial_json: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Reply:
    """Claude's message as it grows."""

    model: str
    started: float
    request_id: str | None = None
    blocks: dict[int, _Block] = field(default_factory=dict)
    usage: Usage = field(default_factory=Usage)
    stop_reason: str | None = None
    spoke: bool = False

    def take(self, event: anthropic.types.RawMessageStreamEvent) -> Iterator[Piece]:
        """Pieces that this event brings; unknown events bring none."""
        match event.type:
            case "message_start":
                self._meter(event.message.usage)
                yield Metered(self.usage)
            case "content_block_start":
                content = event.content_block.model_dump(mode="json", exclude_none=True)
                self.blocks[event.index] = _Block(content)
            case "content_block_delta":
                yield from self._grow(self.blocks[event.index], event.delta)
            case "message_delta":
                self.stop_reason = event.delta.stop_reason or self.stop_reason
                self._meter(event.usage)
                yield Metered(self.usage)
            case _:
                return

    def _grow(self, block: _Block, delta: anthropic.types.RawContentBlockDelta) -> Iterator[Piece]:
        match delta.type:
            case "text_delta":
                block.content["text"] = block.content.get("text", "") + delta.text
                self.spoke = self.spoke or bool(delta.text.strip())
                yield Text(delta.text)
            case "citations_delta":
                found = delta.citation
                if found.type == "search_result_location":
                    block.content.setdefault("citations", []).append(found.model_dump(mode="json"))
                    yield Cited(found.source, found.cited_text)
            case "input_json_delta":
                block.partial_json.append(delta.partial_json)
            case "thinking_delta":
                block.content["thinking"] = block.content.get("thinking", "") + delta.thinking
            case "signature_delta":
                block.content["signature"] = delta.signature
            case _:
                return

    def _meter(self, usage: Any) -> None:
        """Take over the cumulative figures; a message_delta may leave the input figures out."""
        seen = {
            "input_tokens": usage.input_tokens,
            "output_tokens": usage.output_tokens,
            "cache_read_tokens": usage.cache_read_input_tokens,
            "cache_write_tokens": usage.cache_creation_input_tokens,
        }
        given = {name: count for name, count in seen.items() if count is not None}
        self.usage = priced(self.model, self.usage.model_copy(update=given))

    def end(self) -> Iterator[Piece]:
        """Tool requests and the end of the message.

        Raises:
            EngineDown: The stream ended without saying why: it was cut.
        """
        if self.stop_reason is None:
            raise EngineDown(
                "stream: ended without a stop reason", fault="stream_cut", request_id=self.request_id
            )
        uses = list(self._uses())
        stop = _STOPS.get(self.stop_reason, "end_turn")
        if stop == "max_tokens":
            uses = []  # a tool request that was cut is never run
        if stop in {"end_turn", "tool_use"} and not uses and not self.spoke:
            stop = "empty"
        yield from uses
        yield Done(
            stop_reason="tool_use" if uses else stop,
            engine="claude",
            model=self.model,
            took_ms=round((time.monotonic() - self.started) * 1000),
            usage=self.usage,
            request_id=self.request_id,
            native=[block.content for _, block in sorted(self.blocks.items())],
        )

    def _uses(self) -> Iterator[ToolUse]:
        for _, block in sorted(self.blocks.items()):
            content = block.content
            if content.get("type") != "tool_use":
                continue
            text = "".join(block.partial_json)
            try:
                arguments = json.loads(text) if text else content.get("input", {})
            except json.JSONDecodeError as exc:
                content["input"] = {}
                yield ToolUse(
                    content["id"], content["name"], {}, invalid=f"the arguments are not JSON: {exc.msg}"
                )
                continue
            valid = isinstance(arguments, dict)
            content["input"] = arguments if valid else {}
            problem = None if valid else "the arguments are not an object"
            yield ToolUse(content["id"], content["name"], content["input"], invalid=problem)


def parameters(request: EngineRequest) -> dict[str, Any]:
    """The API's parameters for this request: stable parts first, with cache marks at their ends."""
    sent: dict[str, Any] = {
        "model": request.model,
        "max_tokens": request.max_tokens,
        "system": _system(request.system),
        "messages": _messages(request),
        "thinking": {"type": request.thinking},
        "output_config": {"effort": request.effort},
    }
    if request.schema is not None:
        sent["output_config"]["format"] = {"type": "json_schema", "schema": request.schema}
    if request.tools:
        sent["tools"] = [_tool(spec) for spec in sorted(request.tools, key=lambda spec: spec.name)]
        sent["tool_choice"] = {"type": "none"} if request.final else {"type": "auto"}
    if request.customer_hash is not None:
        sent["metadata"] = {"user_id": request.customer_hash}
    return sent


def _system(blocks: tuple[str, ...]) -> list[JsonObject]:
    sent: list[JsonObject] = [{"type": "text", "text": block} for block in blocks if block]
    if sent:
        sent[-1]["cache_control"] = {"type": "ephemeral", "ttl": "1h"}
    return sent


def _tool(spec: ToolSpec) -> JsonObject:
    return {"name": spec.name, "description": spec.description, "input_schema": spec.schema, "strict": True}


def _messages(request: EngineRequest) -> list[JsonObject]:
    """History as plain text with a mark at its end, then the message, the operator's facts, and the rounds so far."""
    sent: list[JsonObject] = []
    for said in request.history:
        role = "user" if said.role == "customer" else "assistant"
        block = {"type": "text", "text": said.text}
        if sent and sent[-1]["role"] == role:
            sent[-1]["content"].append(block)
        elif sent or role == "user":
            sent.append({"role": role, "content": [block]})
    if sent:
        sent[-1]["content"][-1]["cache_control"] = {"type": "ephemeral", "ttl": "5m"}
    message = {"type": "text", "text": request.message}
    if sent and sent[-1]["role"] == "user":
        sent[-1]["content"].append(message)
    else:
        sent.append({"role": "user", "content": [message]})
    if request.facts:
        sent.append({"role": "system", "content": request.facts})
    for finished in request.rounds:
        sent += _round(finished)
    return sent


def _round(finished: Round) -> list[JsonObject]:
    spoken = [{"type": "text", "text": finished.text}] if finished.text.strip() else []
    asked = [
        {"type": "tool_use", "id": use.call_id, "name": use.name, "input": use.arguments}
        for use in finished.uses
    ]
    content = finished.native if finished.native is not None else [*spoken, *asked]
    return [
        {"role": "assistant", "content": content},
        {"role": "user", "content": [_tool_result(result) for result in finished.results]},
    ]


def _tool_result(result: ToolResult) -> JsonObject:
    if result.passages:
        content: str | list[JsonObject] = [
            {
                "type": "search_result",
                "source": passage.source,
                "title": passage.title,
                "content": [{"type": "text", "text": passage.text}],
                "citations": {"enabled": True},
            }
            for passage in result.passages
        ]
    else:
        content = result.text
    sent: JsonObject = {"type": "tool_result", "tool_use_id": result.call_id, "content": content}
    return sent if result.ok else {**sent, "is_error": True}


def _engine_error(error: anthropic.APIError, request_id: str | None) -> EngineError:
    """Our error for the SDK's, with the routing log's fault code."""
    if not isinstance(error, anthropic.APIStatusError):
        fault = "upstream_timeout" if isinstance(error, anthropic.APITimeoutError) else "upstream_unreachable"
        return EngineDown(f"connection: {type(error).__name__}", fault=fault, request_id=request_id)
    request_id = error.request_id or request_id
    status = error.status_code
    text = f"{status} {error.type or ''}".strip()
    if status == 200:
        return EngineDown(text, fault="stream_error_event", request_id=request_id)
    if status == 429 and error.error_code == "enforced_spend_limit_reached":
        return EngineRefused(text, fault="upstream_spend_cap", request_id=request_id)
    if status in {429, 529}:
        return EngineBusy(
            text, fault=f"upstream_{status}", retry_after_s=_retry_after(error), request_id=request_id
        )
    if status in {401, 402, 403, 404}:
        return EngineRefused(text, fault="upstream_auth", request_id=request_id)
    if status == 413:
        return EngineRefused(text, fault="request_too_large", request_id=request_id)
    if status >= 500 or status in {408, 409}:
        return EngineDown(text, fault="upstream_5xx", request_id=request_id)
    return EngineRefused(text, fault="upstream_400", request_id=request_id)


def _retry_after(error: anthropic.APIStatusError) -> float | None:
    try:
        return float(error.response.headers["retry-after"])
    except (KeyError, ValueError):
        return None
