"""Request bodies for the tests: a small legal one, and the pieces that are put into it.

Typed loosely on purpose: most of what the tests send, the SDK's own types would not let through.
"""

from typing import Any

HAIKU = "claude-haiku-5-5"
SONNET = "claude-sonnet-5-5"
OPUS = "claude-opus-5-5"
Body = dict[str, Any]

MARK: Body = {"type": "ephemeral"}
LONG_MARK: Body = {"type": "ephemeral", "ttl": "1h"}
ADAPTIVE: Body = {"type": "adaptive"}
LABEL_SCHEMA: Body = {
    "type": "object",
    "properties": {
        "note": {"type": "string"},
        "intent": {"type": "string", "enum": ["quote", "greeting"]},
        "confidence": {"type": "number"},
    },
    "required": ["intent", "confidence"],
    "additionalProperties": False,
}


def body(**changes: Any) -> Body:  # noqa: ANN401 - any field of a request
    """A legal request with some fields changed."""
    return {"model": HAIKU, "max_tokens": 300, "messages": [user("Hello there")], **changes}


def user(*content: str | Body) -> Body:
    """A user message of strings and blocks."""
    return {"role": "user", "content": [_block(part) for part in content]}


def assistant(*content: str | Body) -> Body:
    """An assistant message of strings and blocks."""
    return {"role": "assistant", "content": [_block(part) for part in content]}


def system(text: str) -> Body:
    """An operator's message in the middle of the conversation."""
    return {"role": "system", "content": text}


def text(words: str, **more: Any) -> Body:  # noqa: ANN401 - any field of a block
    """A text block."""
    return {"type": "text", "text": words, **more}


def tool(name: str = "get_quote", **changes: Any) -> Body:  # noqa: ANN401 - any field of a tool
    """A tool with one required string."""
    schema = {
        "type": "object",
        "properties": {"make": {"type": "string"}},
        "required": ["make"],
        "additionalProperties": False,
    }
    return {"name": name, "description": "Price one vehicle.", "input_schema": schema, **changes}


def call(call_id: str = "toolu_1", name: str = "get_quote") -> Body:
    """A call in the history."""
    return {"type": "tool_use", "id": call_id, "name": name, "input": {"make": "Nissan"}}


def result(call_id: str = "toolu_1", content: Any = "84.50 a month", **more: Any) -> Body:  # noqa: ANN401
    """A result in the history."""
    return {"type": "tool_result", "tool_use_id": call_id, "content": content, **more}


def passage(source: str = "kb://cover", *words: str, **more: Any) -> Body:  # noqa: ANN401 - any field of a block
    """A search result that can be cited."""
    blocks = [text(part) for part in words or ("Collision pays for your car. ", "Glass is part of it.")]
    return {
        "type": "search_result",
        "source": source,
        "title": "What is covered",
        "content": blocks,
        "citations": {"enabled": True},
        **more,
    }


def label_format(schema: Body | None = None) -> Body:
    """An output_config that asks for a label."""
    return {"format": {"type": "json_schema", "schema": schema or LABEL_SCHEMA}}


def object_schema(properties: Body, required: list[str] | None = None) -> Body:
    """A closed object; everything is required unless said otherwise."""
    must = list(properties) if required is None else required
    return {"type": "object", "properties": properties, "required": must, "additionalProperties": False}


def _block(part: str | Body) -> Body:
    return text(part) if isinstance(part, str) else part
