"""Rules for the declared tools and for tool_choice."""

import re
from collections import Counter

from tests.simulation.errors import invalid
from tests.simulation.models import Model
from tests.simulation.prompt import Prompt, ToolDef

_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_NOT_ON_TOP = ("oneOf", "allOf", "anyOf")


def check(prompt: Prompt, model: Model) -> None:
    """Refuse bad declarations, and a forced choice where the model does not take one."""
    for index, tool in enumerate(prompt.tools):
        _check_declaration(f"tools.{index}.custom", tool)
    repeated = [name for name, count in Counter(prompt.tool_names).items() if count > 1]
    if repeated:
        raise invalid(f"tools: Tool names must be unique; repeated: {', '.join(repeated)}")
    _check_choice(prompt, model)


def _check_declaration(place: str, tool: ToolDef) -> None:
    if not _NAME.fullmatch(tool.name):
        raise invalid(
            f"{place}.name: String should match pattern '^[a-zA-Z0-9_-]{{1,64}}$' (given: {tool.name!r})"
        )
    if tool.input_schema.get("type") != "object":
        raise invalid(f"{place}.input_schema.type: Input should be 'object'")
    for keyword in _NOT_ON_TOP:
        if keyword in tool.input_schema:
            raise invalid(f"{place}.input_schema: input_schema does not support {keyword} at the top level")


def _check_choice(prompt: Prompt, model: Model) -> None:
    choice = prompt.tool_choice
    if choice is None:
        return
    if not prompt.tools:
        raise invalid("tool_choice: may only be specified while providing `tools`")
    if (choice.name is not None) != (choice.type == "tool"):
        raise invalid("tool_choice.name: must be given with type tool, and only there")
    if choice.type == "none" and choice.disable_parallel_tool_use is not None:
        raise invalid("tool_choice.none.disable_parallel_tool_use: Extra inputs are not permitted")
    if choice.is_forced and not model.forced_tools:
        raise invalid(
            f'tool_choice: forced tool use ("{choice.type}") is not supported for {model.name}; use auto or none'
        )
    if choice.name is not None and choice.name not in prompt.tool_names:
        raise invalid(f"tool_choice: Tool '{choice.name}' not found in provided tools")
