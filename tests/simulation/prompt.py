"""The part of a request that is the prompt: tools, system, messages, and what a brain wants to read in them.

Why: a brain should ask "what did the customer say last", not walk through blocks. count_tokens takes the same part.
"""

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from tests.simulation.content import (
    CacheMark,
    JsonObject,
    Message,
    SearchResultBlock,
    Shape,
    TextBlock,
    ToolResultBlock,
    ToolUseBlock,
)

Effort = Literal["low", "medium", "high", "xhigh", "max"]


class ToolDef(Shape):
    """A client tool. Server tools are not simulated."""

    name: str
    input_schema: JsonObject
    description: str | None = None
    type: Literal["custom"] | None = None
    strict: bool = False
    input_examples: tuple[JsonObject, ...] | None = None
    eager_input_streaming: bool | None = None
    defer_loading: bool = False
    allowed_callers: tuple[str, ...] | None = None
    cache_control: CacheMark | None = None


class ToolChoice(Shape):
    """How the model may use the tools."""

    type: Literal["auto", "any", "tool", "none"]
    name: str | None = None
    disable_parallel_tool_use: bool | None = None

    @property
    def is_forced(self) -> bool:
        """Whether the model must call a tool."""
        return self.type in {"any", "tool"}


class Adaptive(Shape):
    """The model decides when and how much to think."""

    type: Literal["adaptive"]
    display: Literal["summarized", "omitted"] | None = None


class BetweenTools(Shape):
    """No thinking up front; takes no other field."""

    type: Literal["between_tools"]


class Disabled(Shape):
    """No thinking."""

    type: Literal["disabled"]


class Enabled(Shape):
    """Thinking with a budget, as models before 4.7 took it."""

    type: Literal["enabled"]
    budget_tokens: int
    display: Literal["summarized", "omitted"] | None = None


Thinking = Annotated[Adaptive | BetweenTools | Disabled | Enabled, Field(discriminator="type")]


class JsonFormat(Shape):
    """The schema that the answer's text must follow."""

    type: Literal["json_schema"]
    json_schema: JsonObject = Field(alias="schema")


class OutputConfig(Shape):
    """Effort and output format."""

    effort: Effort | None = None
    format: JsonFormat | None = None


@dataclass(frozen=True, slots=True)
class ToolAnswer:
    """A call of the current turn together with what it gave back."""

    id: str
    name: str
    input: JsonObject
    text: str
    is_error: bool
    passages: tuple[SearchResultBlock, ...]


class Prompt(Shape):
    """Tools, system and messages, with the settings that belong to them."""

    model: str
    messages: tuple[Message, ...]
    system: str | tuple[TextBlock, ...] = ""
    tools: tuple[ToolDef, ...] = ()
    tool_choice: ToolChoice | None = None
    thinking: Thinking | None = None
    output_config: OutputConfig | None = None
    cache_control: CacheMark | None = None
    speed: Literal["standard", "fast"] | None = None

    @property
    def system_blocks(self) -> tuple[TextBlock, ...]:
        """The system prompt as blocks; an empty string is none."""
        if isinstance(self.system, str):
            return (TextBlock(type="text", text=self.system),) if self.system else ()
        return self.system

    @property
    def system_text(self) -> str:
        """The whole system prompt."""
        return "\n".join(block.text for block in self.system_blocks)

    @property
    def schema_wanted(self) -> JsonObject | None:
        """The JSON schema the answer must follow, or None for free text."""
        output = self.output_config
        return output.format.json_schema if output is not None and output.format is not None else None

    @property
    def effort(self) -> Effort | None:
        """The effort asked for, None when left out."""
        return self.output_config.effort if self.output_config is not None else None

    @property
    def tool_names(self) -> tuple[str, ...]:
        """The declared tools, in order."""
        return tuple(tool.name for tool in self.tools)

    def can_call(self, name: str) -> bool:
        """Whether the model may call this tool now: declared, and tool_choice is not "none"."""
        return name in self.tool_names and not (
            self.tool_choice is not None and self.tool_choice.type == "none"
        )

    @property
    def user_texts(self) -> tuple[str, ...]:
        """What the customer wrote, one string a user message; messages of tool results only are left out."""
        return tuple(message.text for message in self.messages if message.role == "user" and message.text)

    @property
    def last_user_text(self) -> str:
        """The customer's last message, empty when there is none."""
        return self.user_texts[-1] if self.user_texts else ""

    @property
    def operator_texts(self) -> tuple[str, ...]:
        """The system messages in the middle of the conversation, in order."""
        return tuple(message.text for message in self.messages if message.role == "system")

    @property
    def passages(self) -> tuple[SearchResultBlock, ...]:
        """All search results, numbered as `search_result_index` counts them."""
        found: list[SearchResultBlock] = []
        for message in self.messages:
            for block in message.blocks:
                found.extend(_passages_in(block.parts if isinstance(block, ToolResultBlock) else (block,)))
        return tuple(found)

    @property
    def answers(self) -> tuple[ToolAnswer, ...]:
        """The calls made and answered since the customer's last message."""
        calls: dict[str, ToolUseBlock] = {}
        answers: list[ToolAnswer] = []
        for message in self.messages:
            if message.role == "user" and message.text:
                answers.clear()
            for block in message.blocks:
                if isinstance(block, ToolUseBlock):
                    calls[block.id] = block
                elif isinstance(block, ToolResultBlock) and block.tool_use_id in calls:
                    answers.append(_answer(calls[block.tool_use_id], block))
        return tuple(answers)


def _passages_in(blocks: tuple[object, ...]) -> list[SearchResultBlock]:
    return [block for block in blocks if isinstance(block, SearchResultBlock)]


def _answer(call: ToolUseBlock, result: ToolResultBlock) -> ToolAnswer:
    text = "\n".join(part.text for part in result.parts if isinstance(part, TextBlock))
    passages = tuple(_passages_in(result.parts))
    return ToolAnswer(call.id, call.name, call.input, text, result.is_error, passages)
