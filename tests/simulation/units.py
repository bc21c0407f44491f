"""The prompt as a row of units in the order the cache hashes them: tools, system, messages.

Why: token counts, the prompt cache and the binding of thinking blocks all stand on the same bytes, so that they
can never disagree. Marks, citations and thinking are not part of the bytes.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel

from tests.simulation.content import (
    Block,
    CacheMark,
    Message,
    RedactedThinkingBlock,
    ResultPart,
    SearchResultBlock,
    TextBlock,
    ThinkingBlock,
    ToolResultBlock,
    ToolUseBlock,
)
from tests.simulation.json_text import compact
from tests.simulation.prompt import Prompt, ToolDef

BYTES_A_TOKEN = 4
Section = Literal["tools", "system", "messages"]


@dataclass(frozen=True, slots=True)
class Unit:
    """One step of the prompt: its bytes, the message it stands in (-1 before all), and its cache mark if any."""

    section: Section
    kind: str
    data: bytes
    message: int = -1
    mark: CacheMark | None = None


def tokens(size_bytes: int) -> int:
    """Tokens of so many bytes of UTF-8: a quarter, rounded up."""
    return -(-size_bytes // BYTES_A_TOKEN)


def units_of(prompt: Prompt) -> list[Unit]:
    """All units, marks included; a mark on the whole request stands on the last unit."""
    units = [Unit("tools", "tool", _tool(tool), mark=tool.cache_control) for tool in prompt.tools]
    units += [
        Unit("system", "text", block.text.encode(), mark=block.cache_control)
        for block in prompt.system_blocks
    ]
    for index, message in enumerate(prompt.messages):
        units.extend(_message(index, message))
    if prompt.cache_control is not None and units and units[-1].mark is None:
        last = units[-1]
        units[-1] = Unit(last.section, last.kind, last.data, last.message, prompt.cache_control)
    return units


def _tool(tool: ToolDef) -> bytes:
    return compact(
        [tool.name, tool.description, tool.input_schema, tool.strict, tool.input_examples]
    ).encode()


def _message(index: int, message: Message) -> Iterator[Unit]:
    for block in message.blocks:
        yield from _block(index, message.role, block)


def _block(index: int, role: str, block: Block) -> Iterator[Unit]:
    match block:
        case ThinkingBlock() | RedactedThinkingBlock():
            return
        case ToolResultBlock():
            head = f"{block.tool_use_id} {'error' if block.is_error else 'ok'}".encode()
            yield Unit("messages", "tool_result", head, index)
            for part in block.parts:
                yield _part(index, role, part)
            if block.cache_control is not None:
                yield Unit("messages", "end", b"", index, block.cache_control)
        case ToolUseBlock():
            data = compact([block.id, block.name, block.input]).encode()
            yield Unit("messages", "tool_use", data, index, block.cache_control)
        case _:
            yield _part(index, role, block)


def _part(index: int, role: str, part: ResultPart) -> Unit:
    match part:
        case TextBlock():
            return Unit("messages", role, part.text.encode(), index, part.cache_control)
        case SearchResultBlock():
            data = compact([part.source, part.title, *(block.text for block in part.content)]).encode()
            return Unit("messages", "search_result", data, index, part.cache_control)
        case BaseModel():
            data = part.model_dump_json(exclude={"cache_control"}, exclude_none=True).encode()
            return Unit("messages", part.type, data, index, part.cache_control)
