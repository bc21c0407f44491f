"""Rules for calls and their results: every call answered in the next message, results first, nothing between."""

from collections.abc import Collection

from tests.simulation.content import Message, SearchResultBlock, TextBlock, ToolResultBlock, ToolUseBlock
from tests.simulation.errors import invalid
from tests.simulation.prompt import Prompt


def check(prompt: Prompt) -> None:
    """Refuse open calls, results without a call, and results that do not stand first."""
    seen: set[str] = set()
    calls: dict[str, ToolUseBlock] = {}
    for index, message in enumerate(prompt.messages):
        results = _results(message)
        _check_pairs(index, calls, results)
        _check_order(index, message)
        for at, block in enumerate(message.blocks):
            if isinstance(block, ToolResultBlock):
                _check_parts(f"messages.{index}.content.{at}.tool_result.content", block)
        calls = _calls(message)
        repeated = seen & set(calls)
        if repeated:
            raise invalid(
                f"messages.{index}: `tool_use` ids must be unique; repeated: {', '.join(sorted(repeated))}"
            )
        seen |= set(calls)


def check_declared(prompt: Prompt, invented: Collection[str]) -> None:
    """Refuse calls in the history whose tool is not declared; `invented` are calls the model made up itself."""
    declared = {name.casefold() for name in prompt.tool_names}
    for index, message in enumerate(prompt.messages):
        for block in message.blocks:
            if (
                isinstance(block, ToolUseBlock)
                and block.name.casefold() not in declared
                and block.id not in invented
            ):
                raise invalid(
                    f"messages.{index}: `tool_use` names the tool '{block.name}', which is not declared in `tools`; "
                    "declare it, or replay the turn as text"
                )


def _check_pairs(index: int, calls: dict[str, ToolUseBlock], results: list[ToolResultBlock]) -> None:
    answered = [result.tool_use_id for result in results]
    for name in answered:
        if name not in calls:
            raise invalid(
                f"messages.{index}: unexpected `tool_use_id` found in `tool_result` blocks: {name}. "
                "Each `tool_result` block must have a corresponding `tool_use` block in the previous message."
            )
    if len(set(answered)) != len(answered):
        raise invalid(f"messages.{index}: each `tool_use` must have a single result")
    missing = [name for name in calls if name not in answered]
    if missing:
        raise invalid(
            f"messages.{index - 1}: `tool_use` ids were found without `tool_result` blocks immediately after: "
            f"{', '.join(missing)}. Answer every call in the next message, declined ones with is_error."
        )


def _check_order(index: int, message: Message) -> None:
    other_seen = False
    for at, block in enumerate(message.blocks):
        if not isinstance(block, ToolResultBlock):
            other_seen = True
        elif other_seen:
            raise invalid(
                f"messages.{index}.content.{at}: `tool_result` blocks must come first in the message; put text after them"
            )


def _check_parts(place: str, result: ToolResultBlock) -> None:
    if isinstance(result.content, str):
        return
    kinds = {part.type for part in result.content}
    if "search_result" in kinds and len(kinds) > 1:
        raise invalid(
            f"{place}: search_result blocks cannot be mixed with other blocks ({', '.join(sorted(kinds))})"
        )
    for at, part in enumerate(result.content):
        if isinstance(part, TextBlock) and not part.text.strip():
            raise invalid(f"{place}.{at}: text content blocks must be non-empty")
        if isinstance(part, TextBlock) and part.citations:
            raise invalid(f"{place}.{at}.text.citations: citations are permitted on assistant turns only")
        if isinstance(part, SearchResultBlock) and result.is_error:
            raise invalid(f"{place}.{at}: a result with is_error may hold text only")


def _results(message: Message) -> list[ToolResultBlock]:
    return [block for block in message.blocks if isinstance(block, ToolResultBlock)]


def _calls(message: Message) -> dict[str, ToolUseBlock]:
    return {block.id: block for block in message.blocks if isinstance(block, ToolUseBlock)}
