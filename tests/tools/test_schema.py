"""Schemas are made of what the Claude API takes for strict tools, and of nothing else."""

from collections.abc import Iterator
from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, Field

from build import build_parts
from events import JsonObject
from settings import Settings
from tools.registry import ToolContext, ToolOutcome, tool
from tools.schema import schema_of

TAKEN = {"type", "properties", "required", "additionalProperties", "description", "enum", "const", "items", "anyOf", "$ref", "$defs"}  # fmt: skip


class Wheel(BaseModel):
    """A nested value with limits of its own."""

    inches: Annotated[int, Field(ge=10, le=30)]
    title: Annotated[str, Field(max_length=10)] = "plain"


@tool(effect="read")
async def everything(
    context: ToolContext,
    kind: Literal["car", "scooter"],
    wheels: Annotated[list[Wheel], Field(min_length=1, max_length=4)],
    share: Annotated[float | None, Field(description="A share.", gt=0, lt=1, multiple_of=0.1)] = None,
    minimum: int = 3,
) -> ToolOutcome:
    """Take every kind of argument."""
    return ToolOutcome(f"{kind} {wheels} {share} {minimum}")


def _keywords(schema: JsonObject) -> Iterator[tuple[str, JsonObject]]:
    """Each keyword, with the schema that it stands in; names of properties are no keywords."""
    for key, value in schema.items():
        yield key, schema
        if key in {"properties", "$defs"}:
            for inner in value.values():
                yield from _keywords(inner)
        elif key == "items":
            yield from _keywords(value)
        elif key == "anyOf":
            for inner in value:
                yield from _keywords(inner)


def _schemas() -> dict[str, JsonObject]:
    tools = build_parts(Settings.read(FRONTDESK_ENGINE="local")).toolbox.tools
    return {name: item.schema for name, item in tools.items()} | {"everything": everything.schema}


@pytest.mark.parametrize("name", ["get_quote", "search_knowledge", "handoff", "everything"])
def test_a_schema_is_one_that_the_api_takes(name: str) -> None:
    """Every request with this tool would be refused with a 400."""
    schema = _schemas()[name]

    assert {key for key, _ in _keywords(schema)} <= TAKEN
    for _, place in _keywords(schema):
        if place.get("type") == "object":
            assert place["additionalProperties"] is False
            assert place["required"] == list(place["properties"])


def test_nested_values_keep_their_shape() -> None:
    """A reference would point nowhere, or an argument named like a keyword would vanish."""
    schema = everything.schema

    assert list(schema["properties"]) == ["kind", "wheels", "share", "minimum"]
    assert schema["properties"]["kind"]["enum"] == ["car", "scooter"]
    assert schema["properties"]["wheels"]["items"] == {"$ref": "#/$defs/Wheel"}
    assert list(schema["$defs"]["Wheel"]["properties"]) == ["inches", "title"]
    assert schema["properties"]["share"]["description"] == "A share."


def test_a_tool_may_have_no_arguments() -> None:
    """A tool that only looks something up about the customer could not be declared."""

    class Nothing(BaseModel):
        pass

    assert schema_of(Nothing) == {
        "type": "object",
        "properties": {},
        "required": [],
        "additionalProperties": False,
    }
