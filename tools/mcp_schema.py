"""Make a server's own words and schemas harmless before a model reads them, and check arguments against the schema.

Why: a server is somebody else's program. Its words may be long, hold control characters or give orders; its schema may be
one that the Claude API refuses, which would cost the specialist every answer, or one that takes for ever to check.
"""

import json
import re
import unicodedata
from collections.abc import Iterable, Mapping

from jsonschema import Draft202012Validator, SchemaError
from referencing import Registry

from errors import ToolError
from events import JsonObject

_LONGEST_SCHEMA = 16_000
_LONGEST_WORDS = 300
_FAULTS_TOLD = 5
_KEY = re.compile(r"[a-zA-Z0-9_.-]{1,64}")
_NAMED = frozenset({"properties", "$defs", "definitions", "dependentSchemas"})
# Patterns of others can take for ever to check; the rest says nothing that a model needs.
_LEFT_OUT = frozenset({"pattern", "patternProperties", "title", "examples", "$schema", "$id", "$comment"})
_NOT_AT_TOP = ("anyOf", "oneOf", "allOf", "not", "if", "$ref")


def clean(text: str, longest: int) -> str:
    """The text without control and invisible characters, cut to so many characters."""
    kept = "".join(sign for sign in text if sign in "\n\t" or unicodedata.category(sign)[0] != "C").strip()
    return kept if len(kept) <= longest else f"{kept[: longest - 6].rstrip()} [cut]"


def clean_schema(schema: Mapping[str, object]) -> JsonObject:
    """The schema of a tool's arguments as the Messages API takes it for a tool that is not strict.

    Raises:
        ValueError: It cannot be taken; the text says why.
    """
    try:
        cleaned = _cleaned(dict(schema))
        size = len(json.dumps(cleaned))
    except (RecursionError, TypeError) as exc:
        raise ValueError("the schema is nested too deeply") from exc
    if size > _LONGEST_SCHEMA:
        raise ValueError(f"the schema has {size} characters; at most {_LONGEST_SCHEMA} are taken")
    cleaned.setdefault("properties", {})
    if cleaned.get("type") != "object":
        raise ValueError('the schema is no object; "type" must be "object"')
    if found := [key for key in _NOT_AT_TOP if key in cleaned]:
        raise ValueError(f'"{found[0]}" at the top of the schema is not taken by the API')
    try:
        Draft202012Validator.check_schema(cleaned)
    except SchemaError as exc:
        raise ValueError("it is no JSON schema") from exc
    return cleaned


def _cleaned(schema: JsonObject) -> JsonObject:
    reference = schema.get("$ref", "#")
    if not str(reference).startswith("#"):
        raise ValueError("the schema refers to another document")
    return {key: _below(key, value) for key, value in schema.items() if key not in _LEFT_OUT}


def _below(key: str, value: object) -> object:
    """The same for schemas within this one; below `properties` and the like the keys are names, not keywords."""
    match value:
        case dict() if key in _NAMED:
            if wrong := [name for name in value if not _KEY.fullmatch(str(name))]:
                raise ValueError(f"the API takes no property called {clean(str(wrong[0]), 40)!r}")
            return {
                name: _cleaned(inner) if isinstance(inner, dict) else inner for name, inner in value.items()
            }
        case dict() if key not in {"const", "default"}:
            return _cleaned(value)
        case list() if key != "enum":
            return [_cleaned(inner) if isinstance(inner, dict) else inner for inner in value]
        case str():
            return clean(value, _LONGEST_WORDS)
        case _:
            return value


class Arguments:
    """The arguments of one tool, checked against its cleaned schema."""

    def __init__(self, schema: JsonObject) -> None:
        self._validator = Draft202012Validator(schema, registry=Registry())  # nothing is fetched
        self._properties: JsonObject = schema["properties"]

    def read(self, given: JsonObject) -> JsonObject:
        """The arguments, if they fit; one that is null where the schema has no null is left out.

        Raises:
            ToolError: One is missing, wrong or unknown; the text is for the model.
        """
        told = {name: value for name, value in given.items() if value is not None or self._takes_none(name)}
        faults = list(self._validator.iter_errors(told))[:_FAULTS_TOLD]
        if not faults:
            return told
        texts = [f"{_place(fault.absolute_path)}: {clean(fault.message, _LONGEST_WORDS)}" for fault in faults]
        raise ToolError(
            f"{'; '.join(texts)}. Ask the customer if you do not know it.",
            code="tool_args_invalid",
            field=_place(faults[0].absolute_path),
        )

    def _takes_none(self, name: str) -> bool:
        schema = self._properties.get(name, True)
        return bool(self._validator.evolve(schema=schema).is_valid(None))


def _place(path: Iterable[str | int]) -> str:
    return ".".join(str(step) for step in path) or "arguments"
