"""Words and schemas of somebody else's server: harmless before a model reads them."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from errors import ToolError
from events import JsonObject
from tools.mcp_schema import Arguments, clean, clean_schema

ORDER: JsonObject = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "Order",
    "type": "object",
    "properties": {
        "title": {"type": "string", "description": "The \x1b[31mtitle\u202e", "pattern": "^(a+)+$"},
        "kind": {"enum": ["a\u200b", "b"], "default": "b"},
        "address": {"$ref": "#/$defs/Address"},
        "lines": {
            "type": "array",
            "items": {"type": "integer", "examples": [1]},
            "prefixItems": [{"title": "x"}],
        },
        "flag": True,
    },
    "$defs": {"Address": {"type": "object", "properties": {"zip": {"type": "string", "format": "zip"}}}},
    "required": ["title"],
    "additionalProperties": False,
}


def test_what_a_model_does_not_need_is_left_out() -> None:
    """A pattern of others could take for ever to check, and an unknown keyword cost the specialist every answer."""
    assert clean_schema(ORDER) == {
        "type": "object",
        "properties": {
            "title": {"type": "string", "description": "The [31mtitle"},
            "kind": {"enum": ["a\u200b", "b"], "default": "b"},
            "address": {"$ref": "#/$defs/Address"},
            "lines": {"type": "array", "items": {"type": "integer"}, "prefixItems": [{}]},
            "flag": True,
        },
        "$defs": {"Address": {"type": "object", "properties": {"zip": {"type": "string", "format": "zip"}}}},
        "required": ["title"],
        "additionalProperties": False,
    }


@pytest.mark.parametrize(
    ("schema", "says"),
    [
        ({"type": "string"}, "no object"),
        ({"properties": {}}, "no object"),
        ({"type": "object", "anyOf": [{"required": ["a"]}]}, '"anyOf" at the top'),
        ({"type": "object", "$ref": "#/$defs/A", "$defs": {"A": {}}}, r'"\$ref" at the top'),
        ({"type": "object", "properties": {"a b": {}}}, "no property called 'a b'"),
        ({"type": "object", "$defs": {"A": {"properties": {"ä": {}}}}}, "no property called 'ä'"),
        (
            {"type": "object", "properties": {"a": {"$ref": "http://127.0.0.1/x"}}},
            "refers to another document",
        ),
        ({"type": "object", "properties": {"a": {"type": "number", "minimum": "low"}}}, "no JSON schema"),
        (
            {"type": "object", "properties": {f"a{number}": {"type": "string"} for number in range(900)}},
            "at most",
        ),
        ({"type": "object", "properties": {"a": {"const": {1}}}}, "nested too deeply|cannot"),
    ],
)
def test_a_schema_that_the_api_would_refuse_is_not_taken(schema: JsonObject, says: str) -> None:
    """One tool of one server would cost every customer of the specialist Claude's answer."""
    with pytest.raises(ValueError, match=says):
        clean_schema(schema)


def test_a_schema_without_bottom_is_not_taken() -> None:
    """A hostile server would crash the desk by the depth of its schema."""
    deep: JsonObject = {}
    for _ in range(100_000):
        deep = {"items": deep}

    with pytest.raises(ValueError, match="nested too deeply"):
        clean_schema({"type": "object", "properties": {"a": deep}})


@given(st.text())
def test_cleaned_text_holds_nothing_that_is_not_seen(text: str) -> None:
    """Orders in invisible letters would reach the model; control characters the terminal of whoever reads the log."""
    cleaned = clean(text, 50)

    assert len(cleaned) <= 50
    assert not {"\x00", "\x1b", "\u200b", "\u202e", "\ufeff", "\x9b"} & set(cleaned)
    assert clean(cleaned, 50) == cleaned


def test_lines_and_accents_stay() -> None:
    """A list of orders would run together; a name be misspelt."""
    assert clean(" Zoë:\n\t1. ñandú\r\n ", 100) == "Zoë:\n\t1. ñandú"
    assert clean("word " * 10, 20) == "word word word [cut]"


def test_arguments_are_checked_by_the_schema() -> None:
    """The model would hear what is wrong from a server that words it in its own way, or does it all the same."""
    read = Arguments(clean_schema(ORDER)).read

    assert read({"title": "x", "address": {"zip": "1"}}) == {"title": "x", "address": {"zip": "1"}}
    with pytest.raises(ToolError) as refused:
        read({"address": {"zip": 1}, "more": 2})
    assert refused.value.code == "tool_args_invalid"
    assert refused.value.field in {"address.zip", "arguments"}
    assert "'title' is a required property" in str(refused.value)
    assert "address.zip: 1 is not of type 'string'" in str(refused.value)


def test_null_is_nothing_where_the_schema_has_no_null() -> None:
    """A model that says null for what it does not know would be refused, and ask the customer for it."""
    schema = clean_schema(
        {
            "type": "object",
            "properties": {"note": {"type": "string"}, "day": {"$ref": "#/$defs/Day"}, "any": True},
            "$defs": {"Day": {"anyOf": [{"type": "string"}, {"type": "null"}]}},
            "required": ["day"],
        }
    )
    read = Arguments(schema).read

    assert read({"note": None, "day": None, "any": None}) == {"day": None, "any": None}
    assert clean_schema({"type": "object"}) == {"type": "object", "properties": {}}


def test_a_hostile_pattern_costs_no_time() -> None:
    """One argument would stand the whole desk still."""
    started = time.process_time()

    Arguments(clean_schema(ORDER)).read({"title": "a" * 5000 + "b"})

    assert time.process_time() - started < 5
