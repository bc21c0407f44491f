"""The content blocks a request may hold, in the shapes the Messages API takes and nothing more.

Why: unknown keys and wrong types are refused here, by the parser; rules about where a block may stand, or beside
what, live in rules/.
"""

from functools import cached_property
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

JsonObject = dict[str, JsonValue]
Ttl = Literal["5m", "1h"]


class Shape(BaseModel):
    """A value read from a request body: immutable, unknown keys refused, no conversion of types."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class CacheMark(Shape):
    """A `cache_control` mark: the prompt up to and with this block may be cached."""

    type: Literal["ephemeral"]
    ttl: Ttl = "5m"


class CitationsSwitch(Shape):
    """Whether the model may cite this source; off when left out."""

    enabled: bool = False


class TextBlock(Shape):
    """Plain text. `citations` may be filled on assistant turns only."""

    type: Literal["text"]
    text: str
    cache_control: CacheMark | None = None
    citations: tuple[JsonObject, ...] | None = None


class ImageBlock(Shape):
    """A picture; its bytes are not looked at."""

    type: Literal["image"]
    source: JsonObject
    cache_control: CacheMark | None = None
    transformations: JsonObject | None = None


class DocumentBlock(Shape):
    """A document; its content is not looked at."""

    type: Literal["document"]
    source: JsonObject
    title: str | None = None
    context: str | None = None
    citations: CitationsSwitch | None = None
    cache_control: CacheMark | None = None


class SearchResultBlock(Shape):
    """One found source, in text blocks that can be cited."""

    type: Literal["search_result"]
    source: str
    title: str
    content: tuple[TextBlock, ...]
    citations: CitationsSwitch | None = None
    cache_control: CacheMark | None = None

    @property
    def is_citable(self) -> bool:
        """Whether citations are switched on for it."""
        return self.citations is not None and self.citations.enabled


class ThinkingBlock(Shape):
    """Thinking that an earlier reply held, sent back unchanged."""

    type: Literal["thinking"]
    thinking: str
    signature: str


class RedactedThinkingBlock(Shape):
    """Hidden thinking that an earlier reply held."""

    type: Literal["redacted_thinking"]
    data: str


class ToolUseBlock(Shape):
    """A call the model made in an earlier reply."""

    type: Literal["tool_use"]
    id: str = Field(pattern=r"^[a-zA-Z0-9_-]+$")
    name: str = Field(min_length=1, max_length=200)
    input: JsonObject
    caller: JsonObject | None = None
    toolset_name: str | None = None
    cache_control: CacheMark | None = None


class ToolReferenceBlock(Shape):
    """The name of a tool that was found by a search for tools."""

    type: Literal["tool_reference"]
    tool_name: str
    cache_control: CacheMark | None = None


ResultPart = Annotated[
    TextBlock | ImageBlock | SearchResultBlock | DocumentBlock | ToolReferenceBlock,
    Field(discriminator="type"),
]


class ToolResultBlock(Shape):
    """What a call gave back."""

    type: Literal["tool_result"]
    tool_use_id: str = Field(pattern=r"^[a-zA-Z0-9_-]+$")
    content: str | tuple[ResultPart, ...] = ()
    is_error: bool = False
    toolset_name: str | None = None
    cache_control: CacheMark | None = None

    @property
    def parts(self) -> tuple[ResultPart, ...]:
        """The content as blocks; a plain string counts as one text block."""
        if isinstance(self.content, str):
            return (TextBlock(type="text", text=self.content),) if self.content else ()
        return self.content


Block = Annotated[
    TextBlock
    | ImageBlock
    | DocumentBlock
    | SearchResultBlock
    | ThinkingBlock
    | RedactedThinkingBlock
    | ToolUseBlock
    | ToolResultBlock,
    Field(discriminator="type"),
]


class Message(Shape):
    """One message of the conversation; role system carries the operator's words in the middle of it."""

    role: Literal["user", "assistant", "system"]
    content: str | tuple[Block, ...]

    @cached_property
    def blocks(self) -> tuple[Block, ...]:
        """The content as blocks; a plain string counts as one text block."""
        if isinstance(self.content, str):
            return (TextBlock(type="text", text=self.content),)
        return self.content

    @property
    def text(self) -> str:
        """The message's own text blocks, one per line."""
        return "\n".join(block.text for block in self.blocks if isinstance(block, TextBlock))
