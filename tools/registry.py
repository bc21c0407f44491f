"""Turn typed functions into tools: schema from the signature, words from the docstring, effect declared.

Why: a tool's contract stands in one place, its function. The model reads the docstring; the arguments are
validated before the function sees them; who the customer is comes from the server, never from the model.
"""

import inspect
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol, get_type_hints

from pydantic import BaseModel, ConfigDict, ValidationError, create_model

from errors import ToolError
from events import Event, JsonObject, Quote
from knowledge.passages import Passage

Effect = Literal["read", "write"]
Lead = Literal["form", "search", "handoff", "none"]
_UNSUPPORTED = frozenset(
    {"minimum", "maximum", "minLength", "maxLength", "title", "exclusiveMinimum", "exclusiveMaximum"}
)


class Records(Protocol):
    """Where tools keep what must last. Each call is idempotent under its key."""

    async def save_quote(self, key: str, conversation_id: str, quote: Quote) -> Quote:
        """Store the quote once per key; the stored one is returned."""
        ...

    async def save_ticket(
        self, key: str, conversation_id: str, turn_id: str, reason: str, summary: str
    ) -> str:
        """Store a ticket once per key; its id is returned."""
        ...


@dataclass(frozen=True, slots=True)
class ToolContext:
    """What the server knows about the call. `key` is the same for every retry of the same call."""

    conversation_id: str
    turn_id: str
    key: str
    language: str
    now: datetime
    records: Records
    customer_id: str | None = None


@dataclass(frozen=True, slots=True)
class ToolOutcome:
    """What a tool returns: words for the model, passages to cite, values for templates, events to record."""

    text: str
    passages: tuple[Passage, ...] = ()
    values: Mapping[str, str] = field(default_factory=dict)
    events: tuple[Event, ...] = ()


ToolFunction = Callable[..., Awaitable[ToolOutcome]]


@dataclass(frozen=True, slots=True)
class Tool:
    """A callable tool. `slots` are its required arguments in the order they are asked for."""

    name: str
    description: str
    schema: JsonObject
    effect: Effect
    lead: Lead
    slots: tuple[str, ...]
    values: tuple[str, ...]
    arguments: type[BaseModel]
    function: ToolFunction

    async def call(self, context: ToolContext, arguments: JsonObject) -> ToolOutcome:
        """Validate the arguments and run the tool.

        Raises:
            ToolError: An argument is missing or wrong, or the tool could not do it; the text is for the model.
        """
        try:
            valid = self.arguments.model_validate(arguments)
        except ValidationError as exc:
            raise _for_the_model(exc) from exc
        values = {name: getattr(valid, name) for name in type(valid).model_fields}
        return await self.function(context, **values)


def tool(
    *, effect: Effect, lead: Lead = "none", values: tuple[str, ...] = ()
) -> Callable[[ToolFunction], Tool]:
    """Declare a function as a tool. Its first parameter is the ToolContext; the others are the model's arguments.

    Args:
        effect: "write" when something lasts; such a tool waits until the route is certain.
        lead: What the local engine does with the tool.
        values: Names of the values that the outcome offers to reply templates.
    """

    def declare(function: ToolFunction) -> Tool:
        arguments = _arguments(function)
        schema = _schema(arguments)
        slots = tuple(schema["required"]) if lead == "form" else ()
        description = inspect.cleandoc(function.__doc__ or "")
        return Tool(function.__name__, description, schema, effect, lead, slots, values, arguments, function)

    return declare


def _arguments(function: ToolFunction) -> type[BaseModel]:
    hints = get_type_hints(function, include_extras=True)
    fields: dict[str, Any] = {}
    for name, parameter in list(inspect.signature(function).parameters.items())[1:]:
        default = ... if parameter.default is inspect.Parameter.empty else parameter.default
        fields[name] = (hints[name], default)
    return create_model(
        f"{function.__name__}_arguments", __config__=ConfigDict(extra="forbid", frozen=True), **fields
    )


def _schema(arguments: type[BaseModel]) -> JsonObject:
    schema = arguments.model_json_schema()
    properties = {name: _plain(value) for name, value in schema["properties"].items()}
    return {
        "type": "object",
        "properties": properties,
        "required": list(schema.get("required", [])),
        "additionalProperties": False,
    }


def _plain(value: JsonObject) -> JsonObject:
    """The schema without the keywords that structured output refuses; ranges are checked by us."""
    return {key: item for key, item in value.items() if key not in _UNSUPPORTED}


def _for_the_model(error: ValidationError) -> ToolError:
    first = error.errors()[0]
    name = str(first["loc"][0]) if first["loc"] else "arguments"
    given = "" if first["type"] == "missing" else f" (given: {first['input']!r})"
    return ToolError(
        f"{name}: {first['msg']}{given}. Ask the customer if you do not know it.",
        code="tool_args_invalid",
        field=name,
    )


@dataclass(frozen=True, slots=True)
class Toolbox:
    """All tools of the desk, by name."""

    tools: Mapping[str, Tool]

    @classmethod
    def of(cls, *tools: Tool) -> "Toolbox":
        """A toolbox of these tools."""
        return cls({item.name: item for item in tools})

    @property
    def leads(self) -> Mapping[str, Lead]:
        """What each tool is for, by name."""
        return {name: item.lead for name, item in self.tools.items()}

    @property
    def slots(self) -> frozenset[str]:
        """Arguments that forms ask for."""
        return frozenset(slot for item in self.tools.values() for slot in item.slots)

    @property
    def values(self) -> frozenset[str]:
        """Values that outcomes offer to reply templates."""
        return frozenset(value for item in self.tools.values() for value in item.values)

    def find(self, name: str, allowed: tuple[str, ...]) -> Tool:
        """The tool of this name (any letter case), if the specialist has it.

        Raises:
            ToolError: The specialist has no such tool; the text lists those it has.
        """
        for own in allowed:
            if own.casefold() == name.casefold():
                return self.tools[own]
        raise ToolError(
            f'there is no tool "{name}"; you have: {", ".join(allowed) or "none"}', code="tool_unknown"
        )
