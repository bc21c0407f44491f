"""Rules for the row of messages: who may speak when, and which blocks each role may hold."""

from tests.simulation.content import (
    Block,
    DocumentBlock,
    Message,
    RedactedThinkingBlock,
    SearchResultBlock,
    TextBlock,
    ThinkingBlock,
    ToolResultBlock,
    ToolUseBlock,
)
from tests.simulation.errors import invalid
from tests.simulation.models import Model
from tests.simulation.prompt import Prompt


def check(prompt: Prompt, model: Model) -> None:
    """Refuse a conversation in a wrong order or with a block where it may not stand."""
    if not prompt.messages:
        raise invalid("messages: at least one message is required")
    for index, text in enumerate(prompt.system_blocks):
        _check_text(f"system.{index}", text)
    for index, message in enumerate(prompt.messages):
        if not message.blocks or not (message.text or message.content):
            raise invalid(f"messages.{index}: all messages must have non-empty content")
        if message.role == "system":
            _check_system_place(index, prompt.messages, model)
        for at, block in enumerate(message.blocks):
            _check_block(f"messages.{index}.content.{at}", message.role, block)
    if prompt.messages[0].role != "user":
        raise invalid("messages: first message must use the user role")
    if prompt.messages[-1].role == "assistant":
        raise invalid(
            "This model does not support assistant message prefill. The conversation must end with a user message."
        )


def _check_system_place(index: int, messages: tuple[Message, ...], model: Model) -> None:
    place = f"messages.{index}: role 'system'"
    if not model.mid_system:
        raise invalid(f"{place} is not supported on this model ({model.name})")
    if index == 0:
        raise invalid(f"{place} cannot be the first message; use the top-level `system` parameter")
    if messages[index - 1].role != "user":
        raise invalid(f"{place} must directly follow a user message")
    if index + 1 < len(messages) and messages[index + 1].role != "assistant":
        raise invalid(f"{place} must be the last message or be followed by an assistant message")


def _check_block(place: str, role: str, block: Block) -> None:
    match block:
        case TextBlock():
            _check_text(place, block)
            if block.citations and role != "assistant":
                raise invalid(f"{place}.text.citations: citations are permitted on assistant turns only")
        case _ if role == "system":
            raise invalid(f"{place}: a system message may hold text blocks only, not {block.type}")
        case ToolUseBlock() | ThinkingBlock() | RedactedThinkingBlock():
            if role != "assistant":
                raise invalid(f"{place}: `{block.type}` blocks can only be in `assistant` messages")
        case ToolResultBlock() | SearchResultBlock() | DocumentBlock():
            if role != "user":
                raise invalid(f"{place}: `{block.type}` blocks can only be in `user` messages")
        case _:
            if role != "user":
                raise invalid(f"{place}: `image` blocks can only be in `user` messages")


def _check_text(place: str, block: TextBlock) -> None:
    if not block.text:
        raise invalid(f"{place}: text content blocks must be non-empty")
    if not block.text.strip():
        raise invalid(f"{place}: text content blocks must contain non-whitespace text")
