"""Schemas that the model's grammar cannot hold are refused, in the output format and in strict tools."""

import re

import pytest
from anthropic import AsyncAnthropic, BadRequestError

from tests.simulation_tests.bodies import Body, body, label_format, object_schema, tool

TREE: Body = {
    **object_schema({"root": {"$ref": "#/$defs/node"}}),
    "$defs": {"node": object_schema({"child": {"$ref": "#/$defs/node"}})},
}
REFUSED: dict[str, tuple[Body, str]] = {
    "an open object": (
        {"type": "object", "properties": {}},
        "'additionalProperties' must be explicitly set to false",
    ),
    "an open object inside": (
        object_schema({"a": {"type": "object"}}),
        "schema.properties.a: For 'object' type",
    ),
    "an open object in a list": (
        object_schema({"a": {"type": "array", "items": {"type": "object"}}}),
        "schema.properties.a.items: For 'object' type",
    ),
    "an open object that may be null": (
        object_schema({"a": {"type": ["object", "null"]}}),
        "additionalProperties",
    ),
    "minimum": (object_schema({"a": {"type": "integer", "minimum": 1}}), "'minimum' is not supported"),
    "maximum": (object_schema({"a": {"type": "number", "maximum": 1}}), "'maximum' is not supported"),
    "multipleOf": (
        object_schema({"a": {"type": "number", "multipleOf": 5}}),
        "'multipleOf' is not supported",
    ),
    "minLength": (object_schema({"a": {"type": "string", "minLength": 1}}), "'minLength' is not supported"),
    "maxLength": (object_schema({"a": {"type": "string", "maxLength": 9}}), "'maxLength' is not supported"),
    "maxItems": (object_schema({"a": {"type": "array", "maxItems": 9}}), "'maxItems' is not supported"),
    "minItems 2": (object_schema({"a": {"type": "array", "minItems": 2}}), "only the values 0 and 1"),
    "oneOf": (object_schema({"a": {"oneOf": [{"type": "string"}]}}), "'oneOf' is not supported"),
    "an unknown type": (object_schema({"a": {"type": "date"}}), "unknown type 'date'"),
    "an unknown format": (
        object_schema({"a": {"type": "string", "format": "phone"}}),
        "'phone' is not supported",
    ),
    "an enum of objects": (object_schema({"a": {"enum": [{}]}}), "only strings, numbers, booleans and null"),
    "a look-ahead": (object_schema({"a": {"type": "string", "pattern": "(?=x)"}}), "lookaround"),
    "a word border": (object_schema({"a": {"type": "string", "pattern": r"\bx"}}), "word borders"),
    "recursion": (TREE, "recursive schemas are not supported"),
    "an external reference": (
        object_schema({"a": {"$ref": "https://example.com/s"}}),
        "only references to definitions",
    ),
    "a reference in allOf": (
        {**object_schema({"a": {"allOf": [{"$ref": "#/$defs/b"}]}}), "$defs": {"b": {"type": "string"}}},
        "$ref inside allOf",
    ),
    "required without a property": (object_schema({}, ["b"]), "names no property: b"),
    "a schema that is no object": (object_schema({"a": "string"}), "a schema must be an object"),
    "25 optional fields": (
        object_schema({f"f{at}": {"type": "string"} for at in range(25)}, []),
        "25 optional parameters > 24",
    ),
    "17 unions": (
        object_schema({f"f{at}": {"type": ["string", "null"]} for at in range(17)}),
        "17 parameters with union types > 16",
    ),
}
TAKEN: dict[str, Body] = {
    "24 optional fields": object_schema({f"f{at}": {"type": "string"} for at in range(24)}, []),
    "16 unions": object_schema(
        {f"f{at}": {"anyOf": [{"type": "string"}, {"type": "null"}]} for at in range(16)}
    ),
    "definitions": {
        **object_schema({"a": {"$ref": "#/$defs/b"}}),
        "$defs": {"b": {"type": "string", "format": "date"}},
    },
    "a simple pattern": object_schema({"a": {"type": "string", "pattern": "^[a-z]+$", "description": "x"}}),
}


@pytest.mark.parametrize(("schema", "words"), REFUSED.values(), ids=REFUSED.keys())
async def test_an_output_schema_the_grammar_cannot_hold_is_refused(
    client: AsyncAnthropic, schema: Body, words: str
) -> None:
    """A classifier schema that production refuses would take routing down at once."""
    with pytest.raises(BadRequestError, match=re.escape(words)):
        await client.messages.create(**body(output_config=label_format(schema)))


@pytest.mark.parametrize("schema", TAKEN.values(), ids=TAKEN.keys())
async def test_an_output_schema_within_the_limits_is_taken(client: AsyncAnthropic, schema: Body) -> None:
    """Limits are limits: what just fits must pass."""
    message = await client.messages.create(**body(output_config=label_format(schema)))

    assert message.stop_reason == "end_turn"


async def test_a_strict_tool_obeys_the_same_rules(client: AsyncAnthropic) -> None:
    """A range in a strict tool's schema fails every call of that specialist."""
    schema = object_schema({"year": {"type": "integer", "minimum": 1980}})

    with pytest.raises(BadRequestError, match=r"tools\.0\.custom\.input_schema\.properties\.year"):
        await client.messages.create(**body(tools=[tool(strict=True, input_schema=schema)]))


async def test_a_tool_that_is_not_strict_may_say_what_it_likes(client: AsyncAnthropic) -> None:
    """Ranges are fine where no grammar is built."""
    schema = {"type": "object", "properties": {"year": {"type": "integer", "minimum": 1980}}}

    assert await client.messages.create(**body(tools=[tool(input_schema=schema)]))


async def test_more_than_twenty_strict_tools_are_refused(client: AsyncAnthropic) -> None:
    """The limit is for all tools of a request together."""
    with pytest.raises(BadRequestError, match="21 > 20"):
        await client.messages.create(**body(tools=[tool(f"t{at}", strict=True) for at in range(21)]))


async def test_optional_fields_are_summed_over_format_and_tools(client: AsyncAnthropic) -> None:
    """Two halves that pass alone can fail together."""
    half = object_schema({f"f{at}": {"type": "string"} for at in range(13)}, [])

    with pytest.raises(BadRequestError, match="26 optional parameters"):
        await client.messages.create(
            **body(tools=[tool(strict=True, input_schema=half)], output_config=label_format(half))
        )
