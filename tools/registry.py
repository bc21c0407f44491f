"""Turn typed functions into tools: schema from the signature, words from the docstring, effect declared.

Why: a tool's contract stands in one place, its function. The model reads the docstring; the arguments are
validated before the function sees them; who the customer is comes from the server, never from the model.
"""

import inspect
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol, get_type_hints

from pydantic import BaseModel, ConfigDict, ValidationError, create_model
from pydantic_core import ErrorDetails

from errors import ToolError
from events import Deed, JsonObject, Quote
from knowledge.passages import Passage
from tools.account import Account
from tools.schema import schema_of

Effect = Literal["read", "write"]
Lead = Literal["form", "search", "handoff", "none"]
_FAULTS_TOLD = 5
_LONGEST_SHOWN = 80


class Records(Protocol):
    """Where tools keep what must last. Each call is idempotent under its key."""

    def quote_id(self, key: str) -> str:
        """The number under which a quote of this key is stored; the customer is told it."""
        ...

    async def save_quote(self, key: str, conversation_id: str, turn_id: str, quote: Quote) -> Quote:
        """Store the quote once per key; the stored one is returned."""
        ...

    async def save_ticket(
        self, key: str, conversation_id: str, turn_id: str, reason: str, summary: str
    ) -> str:
        """Store a ticket once per key; its id is returned."""
        ...


@dataclass(frozen=True, slots=True)
class ToolContext:
    """What the server knows about the call.

    Attributes:
        key: The same for every retry of the same call.
        account: What the signed-in customer has; None for a visitor.
        consent: The preview that the customer's message is a plain yes to; None: it is no such yes.
        note: Tells the routing log of a fault that was dealt with by another try (its code).
    """

    conversation_id: str
    turn_id: str
    key: str
    language: str
    now: datetime
    records: Records
    customer_id: str | None = None
    account: Account | None = None
    consent: str | None = None
    note: Callable[[str], None] = lambda _: None


@dataclass(frozen=True, slots=True)
class ToolOutcome:
    """What a tool returns.

    Attributes:
        text: Words for the model.
        passages: What the answer may cite.
        values: Values for reply templates.
        deeds: What was done and lasts.
        code: How it came out, where a tool has several good ends; it chooses the local reply.
        fault: Code for the routing log, when something went wrong that is dealt with; "" otherwise.
    """

    text: str
    passages: tuple[Passage, ...] = ()
    values: Mapping[str, str] = field(default_factory=dict)
    deeds: tuple[Deed, ...] = ()
    code: str = ""
    fault: str = ""


ToolFunction = Callable[..., Awaitable[ToolOutcome]]
Read = Callable[[JsonObject], JsonObject]
Run = Callable[[ToolContext, JsonObject], Awaitable[ToolOutcome]]


@dataclass(frozen=True, slots=True)
class Tool:
    """A callable tool.

    Attributes:
        slots: A form's arguments that have no default, in the order they are asked for.
        values: Names of the values that its outcome offers to reply templates.
        read: The arguments as the tool takes them; raises ToolError, with a text for the model, when they do not fit.
        run: Does it, with arguments that were read; raises ToolError when it cannot.
        names_prices: Whether prices in its results may be told to the customer.
        own_data: Whether its results are the signed-in customer's own data, and nobody else's.
        is_strict: Whether its schema is one that Claude can be held to.
        listed: Its name in prompt files, where that is another one.
    """

    name: str
    description: str
    schema: JsonObject
    effect: Effect
    lead: Lead
    slots: tuple[str, ...]
    values: tuple[str, ...]
    read: Read
    run: Run
    names_prices: bool = False
    own_data: bool = False
    is_strict: bool = True
    listed: str = ""

    async def call(self, context: ToolContext, arguments: JsonObject) -> ToolOutcome:
        """Validate the arguments and run the tool.

        Raises:
            ToolError: An argument is missing or wrong, or the tool could not do it; the text is for the model.
        """
        return await self.run(context, self.read(arguments))


@dataclass(frozen=True, slots=True)
class _Typed:
    """A function with its arguments as a model."""

    arguments: type[BaseModel]
    function: ToolFunction

    def read(self, arguments: JsonObject) -> JsonObject:
        """The arguments as the tool takes them: "2022" is 2022, `Year` is `year`, what was left out has its default.

        Raises:
            ToolError: An argument is missing, wrong or unknown; the text is for the model.
        """
        names = {name.casefold(): name for name in self.arguments.model_fields}
        named = {names.get(str(name).casefold(), name): value for name, value in arguments.items()}
        try:
            return self.arguments.model_validate(named).model_dump(mode="json")
        except ValidationError as exc:
            raise _for_the_model(exc, self.arguments) from exc

    async def run(self, context: ToolContext, arguments: JsonObject) -> ToolOutcome:
        """Call the function with arguments that were read."""
        valid = self.arguments.model_validate(arguments)
        return await self.function(
            context, **{name: getattr(valid, name) for name in type(valid).model_fields}
        )


def tool(
    *,
    effect: Effect,
    lead: Lead = "none",
    values: tuple[str, ...] = (),
    names_prices: bool = False,
    own_data: bool = False,
) -> Callable[[ToolFunction], Tool]:
    """Declare a function as a tool. Its first parameter is the ToolContext; the others are the model's arguments.

    Args:
        effect: "write" when something lasts; such a tool waits until the route is certain.
        lead: What the local engine does with the tool.
        values: Names of the values that the outcome offers to reply templates.
        names_prices: Prices in its results may be told to the customer; no other tool is a source of prices.
        own_data: Its results are the signed-in customer's own data, which may be told to them where a prompt file says so.

    Raises:
        TypeError: The function has no docstring; the model would not know what it is for.
    """

    def declare(function: ToolFunction) -> Tool:
        name = function.__name__
        if not function.__doc__:
            raise TypeError(f"tool {name}: write a docstring, the model reads it")
        arguments = _arguments(function)
        typed = _Typed(arguments, function)
        wanted = tuple(key for key, field in arguments.model_fields.items() if field.is_required())
        slots = wanted if lead == "form" else ()
        description = inspect.cleandoc(function.__doc__)
        return Tool(
            name,
            description,
            schema_of(arguments),
            effect,
            lead,
            slots,
            values,
            typed.read,
            typed.run,
            names_prices,
            own_data,
        )

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


def _for_the_model(error: ValidationError, arguments: type[BaseModel]) -> ToolError:
    """All that is wrong, in one text; the field at fault is the first."""
    faults = error.errors()[:_FAULTS_TOLD]
    texts = [f"{_name_of(fault)}: {_problem(fault, arguments)}" for fault in faults]
    return ToolError(
        f"{'; '.join(texts)}. Ask the customer if you do not know it.",
        code="tool_args_invalid",
        field=_name_of(faults[0]),
    )


def _name_of(fault: ErrorDetails) -> str:
    return str(fault["loc"][0]) if fault["loc"] else "arguments"


def _problem(fault: ErrorDetails, arguments: type[BaseModel]) -> str:
    if fault["type"] == "missing":
        return "is missing"
    if fault["type"] == "extra_forbidden":
        return f"is not an argument of this tool; it takes: {', '.join(arguments.model_fields)}"
    given = repr(fault["input"])
    shown = given if len(given) <= _LONGEST_SHOWN else f"{given[:_LONGEST_SHOWN]}..."
    return f"{fault['msg']} (given: {shown})"


@dataclass(frozen=True, slots=True)
class Toolbox:
    """The tools that there are now, by their names in prompt files."""

    tools: Mapping[str, Tool]

    @classmethod
    def of(cls, *tools: Tool) -> "Toolbox":
        """A toolbox of these tools.

        Raises:
            ValueError: Two tools have one name.
        """
        known = {item.listed or item.name: item for item in tools}
        if len(known) < len(tools):
            raise ValueError(f"two tools have one name: {', '.join(item.name for item in tools)}")
        return cls(known)

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

    def having(self, tools: Iterable[Tool]) -> "Toolbox":
        """These tools too."""
        return Toolbox({**self.tools, **{item.listed or item.name: item for item in tools}})

    def offered(self, names: Iterable[str]) -> tuple[Tool, ...]:
        """Those of these tools that there are now; a lent one may be away."""
        return tuple(self.tools[name] for name in names if name in self.tools)

    def find(self, name: str, allowed: tuple[str, ...]) -> Tool:
        """The tool that an engine calls so (in any letter case), if the specialist has it.

        Raises:
            ToolError: The specialist has no such tool; the text lists those it has.
        """
        own = self.offered(allowed)
        for item in own:
            if item.name.casefold() == name.casefold():
                return item
        names = ", ".join(item.name for item in own) or "none"
        raise ToolError(f'there is no tool "{name}"; you have: {names}', code="tool_unknown")
