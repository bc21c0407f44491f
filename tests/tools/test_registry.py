"""A typed function is a tool: words from its docstring, arguments checked, errors for the model to read."""

from dataclasses import replace
from typing import Annotated

import pytest
from pydantic import Field

from errors import ToolError
from tests.agents.scripts import NoRecords
from tests.tools.places import context
from tools.registry import Toolbox, ToolContext, ToolOutcome, tool


@tool(effect="write", lead="form", values=("price",))
async def price(
    context: ToolContext,
    year: Annotated[int, Field(ge=1900, le=2200)],
    make: str,
    colour: str = "any",
) -> ToolOutcome:
    """Price a vehicle.

    Ask for what is missing.
    """
    return ToolOutcome(f"{context.conversation_id} {year} {make} {colour}")


def test_the_function_says_everything() -> None:
    """The model would read something else than what the function does."""
    assert price.name == "price"
    assert price.description == "Price a vehicle.\n\nAsk for what is missing."
    assert (price.effect, price.lead, price.values) == ("write", "form", ("price",))
    assert price.slots == ("year", "make")


def test_the_context_is_not_for_the_model() -> None:
    """A message could make the model name another customer."""
    assert list(price.schema["properties"]) == ["year", "make", "colour"]


def test_only_forms_ask_for_slots() -> None:
    """A search would open a form that asks for its query."""

    @tool(effect="read", lead="search")
    async def look(context: ToolContext, query: str) -> ToolOutcome:
        """Look."""
        return ToolOutcome(query)

    assert look.slots == ()


async def test_arguments_are_taken_as_meant() -> None:
    """A model that writes "2022" or `Year` would be sent away."""
    outcome = await price.call(context(NoRecords()), {"Year": "2022", "make": "Kia"})

    assert outcome.text == "conv 2022 Kia any"
    assert price.read({"Year": "2022", "make": "Kia"}) == {"year": 2022, "make": "Kia", "colour": "any"}


@pytest.mark.parametrize(
    ("arguments", "field", "says"),
    [
        ({"make": "Kia"}, "year", "year: is missing."),
        ({}, "year", "year: is missing; make: is missing."),
        ({"year": 2500, "make": "Kia"}, "year", "year: Input should be less than or equal to 2200 (given: 2500)."),
        ({"year": "new", "make": "Kia"}, "year", "year: Input should be a valid integer"),
        ({"year": 2022, "make": None}, "make", "make: Input should be a valid string (given: None)."),
        ({"year": 2022, "make": ["x" * 200]}, "make", f"(given: ['{'x' * 78}...)."),
        ({"year": 2022, "make": "Kia", "customer": "bob"}, "customer", "customer: is not an argument of this tool; it takes: year, make, colour."),
    ],
)  # fmt: skip
async def test_what_is_wrong_is_said_by_name(arguments: dict[str, object], field: str, says: str) -> None:
    """The model would ask the customer for the wrong thing, or for everything again."""
    with pytest.raises(ToolError) as refused:
        await price.call(context(NoRecords()), arguments)

    assert refused.value.field == field
    assert refused.value.code == "tool_args_invalid"
    assert says in str(refused.value)
    assert str(refused.value).endswith("Ask the customer if you do not know it.")


def test_a_tool_needs_words_for_the_model() -> None:
    """The model would have to guess from the name what a tool is for."""
    with pytest.raises(TypeError, match="tool silent: write a docstring"):

        @tool(effect="read")
        async def silent(context: ToolContext) -> ToolOutcome:
            return ToolOutcome("")


def test_a_toolbox_knows_its_tools() -> None:
    """Prompt files could name tools that are not there, or be refused those that are."""
    box = Toolbox.of(price)

    assert box.leads == {"price": "form"}
    assert box.slots == {"year", "make"}
    assert box.values == {"price"}
    assert box.find("Price", ("price",)) is price


def test_a_tool_is_found_only_by_those_who_have_it() -> None:
    """A greeting could give prices."""
    with pytest.raises(ToolError, match='there is no tool "price"; you have: none') as refused:
        Toolbox.of(price).find("price", ())

    assert refused.value.code == "tool_unknown"


def test_a_lent_tool_is_offered_while_it_is_there() -> None:
    """A server that is away would stop every answer of the specialist; one that is there would not be called."""
    lent = replace(price, name="crm__price", listed="mcp:crm/price")
    names = ("mcp:crm/price", "price")
    without, having = Toolbox.of(price), Toolbox.of(price).having([lent])

    assert without.offered(names) == (price,)
    assert having.offered(names) == (lent, price)
    assert having.find("CRM__price", names) is lent
    with pytest.raises(ToolError, match='there is no tool "crm__price"; you have: price'):
        without.find("crm__price", names)
    with pytest.raises(ToolError, match='there is no tool "mcp:crm/price"; you have: crm__price, price'):
        having.find("mcp:crm/price", names)


def test_two_tools_of_one_name_are_a_mistake() -> None:
    """One of them would silently never be called."""
    with pytest.raises(ValueError, match="two tools have one name: price, price"):
        Toolbox.of(price, price)
