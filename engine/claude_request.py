"""The Messages API's parameters for an engine request: stable parts first, with cache marks at their ends.

Why: tools, then system with a mark, then history with a mark, then this turn: two requests of one conversation and
specialist share everything up to the mark byte for byte, so it is paid once (design.md, law 7).
Source of what the API takes and refuses: the vendor's documentation for API version 2026-10-21.
"""

from typing import Any

from engine.base import EngineRequest, Round, ToolResult, ToolSpec
from events import JsonObject
from knowledge.excerpts import excerpts


def parameters(request: EngineRequest) -> dict[str, Any]:
    """The API's parameters for this request."""
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
    sent: JsonObject = {"name": spec.name, "description": spec.description, "input_schema": spec.schema}
    return {**sent, "strict": True} if spec.is_strict else sent


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
    told = request.facts
    for finished in request.rounds:
        sent += [*_operator(told, finished.afterthought), *_round(finished)]
        told = ""
    return [*sent, *_operator(told, request.afterthought)]


def _operator(*texts: str) -> list[JsonObject]:
    """What the operator says at this place; what came before stays as it was, because it is sealed and cached."""
    said = "\n\n".join(filter(None, texts))
    return [{"role": "system", "content": said}] if said else []


def _round(finished: Round) -> list[JsonObject]:
    """Claude's own message as it came (thinking must go back unchanged), and the results; results only."""
    spoken = [{"type": "text", "text": finished.text}] if finished.text.strip() else []
    asked = [
        {"type": "tool_use", "id": use.call_id, "name": use.name, "input": use.arguments}
        for use in finished.uses
    ]
    content = [*spoken, *asked] if finished.native is None else finished.native
    return [
        {"role": "assistant", "content": content},
        {"role": "user", "content": [_tool_result(result) for result in finished.results]},
    ]


def _tool_result(result: ToolResult) -> JsonObject:
    if result.passages:
        content: str | list[JsonObject] = [
            {
                "type": "search_result",
                "source": excerpt.source,
                "title": excerpt.title,
                "content": [{"type": "text", "text": passage.text} for passage in excerpt.passages],
                "citations": {"enabled": True},
            }
            for excerpt in excerpts(result.passages)
        ]
    else:
        content = result.text
    sent: JsonObject = {"type": "tool_result", "tool_use_id": result.call_id, "content": content}
    return sent if result.ok else {**sent, "is_error": True}
