"""Rules for JSON schemas that the model's grammar is built from: the output format and every strict tool.

Limits are summed over all of them in one request.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from pydantic import JsonValue

from tests.simulation.content import JsonObject
from tests.simulation.errors import ApiError, invalid
from tests.simulation.prompt import Prompt

MAX_STRICT_TOOLS = 20
MAX_OPTIONAL = 24
MAX_UNIONS = 16
_TYPES = {"object", "array", "string", "integer", "number", "boolean", "null"}
_KEYWORDS = {
    *("type", "properties", "required", "additionalProperties", "items", "enum", "const", "anyOf", "allOf"),
    *("$ref", "$defs", "definitions", "default", "format", "minItems", "pattern", "title", "description"),
    *("examples", "$schema", "$id", "$comment"),
}
_FORMATS = {"date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"}
_HARD_PATTERN = re.compile(r"\(\?[=!<]|\\[1-9]|\\[bB]")


@dataclass(slots=True)
class _Tally:
    """What counts towards the limits."""

    optional: int = 0
    unions: int = 0
    definitions: JsonObject = field(default_factory=dict)


def check(prompt: Prompt) -> None:
    """Refuse keywords the grammar cannot hold, open objects, recursion, and too much of everything."""
    strict = [(index, tool) for index, tool in enumerate(prompt.tools) if tool.strict]
    if len(strict) > MAX_STRICT_TOOLS:
        raise invalid(f"tools: too many strict tools: {len(strict)} > {MAX_STRICT_TOOLS}")
    tally = _Tally()
    if prompt.schema_wanted is not None:
        _check_root("output_config.format.schema", prompt.schema_wanted, tally)
    for index, tool in strict:
        _check_root(f"tools.{index}.custom.input_schema", tool.input_schema, tally)
    if tally.optional > MAX_OPTIONAL:
        raise _complex(f"{tally.optional} optional parameters > {MAX_OPTIONAL}; make some required")
    if tally.unions > MAX_UNIONS:
        raise _complex(f"{tally.unions} parameters with union types > {MAX_UNIONS}")


def _check_root(place: str, schema: JsonObject, tally: _Tally) -> None:
    definitions = {**_object(schema.get("definitions")), **_object(schema.get("$defs"))}
    tally.definitions = definitions
    _check_node(place, schema, tally, ())
    for name, definition in definitions.items():
        _check_node(f"{place}.$defs.{name}", definition, tally, (name,))


def _check_node(place: str, node: JsonValue, tally: _Tally, open_refs: tuple[str, ...]) -> None:
    if not isinstance(node, dict):
        raise invalid(f"{place}: a schema must be an object")
    unknown = sorted(set(node) - _KEYWORDS)
    if unknown:
        raise invalid(
            f"{place}: For '{node.get('type', 'schema')}' type, property '{unknown[0]}' is not supported"
        )
    _check_ref(place, node, tally, open_refs)
    _check_scalars(place, node)
    if "object" in _kinds(node) or "properties" in node:
        _check_object(place, node, tally)
    if isinstance(node.get("type"), list) or "anyOf" in node:
        tally.unions += 1
    for step, child in _children(node):
        _check_node(f"{place}.{step}", child, tally, open_refs)


def _check_ref(place: str, node: JsonObject, tally: _Tally, open_refs: tuple[str, ...]) -> None:
    reference = node.get("$ref")
    if reference is None:
        return
    name = str(reference).rpartition("/")[2]
    if not str(reference).startswith(("#/$defs/", "#/definitions/")) or name not in tally.definitions:
        raise invalid(
            f"{place}.$ref: only references to definitions of the same schema are supported: {reference}"
        )
    if name in open_refs:
        raise invalid(f"{place}.$ref: recursive schemas are not supported: {reference}")
    _check_node(
        f"{place}.$ref", tally.definitions[name], _Tally(definitions=tally.definitions), (*open_refs, name)
    )


def _check_object(place: str, node: JsonObject, tally: _Tally) -> None:
    if node.get("additionalProperties") is not False:
        raise invalid(f"{place}: For 'object' type, 'additionalProperties' must be explicitly set to false")
    names = set(_object(node.get("properties")))
    required = node.get("required", [])
    given = {str(name) for name in required} if isinstance(required, list) else set()
    if given - names:
        raise invalid(f"{place}.required: names no property: {', '.join(sorted(given - names))}")
    tally.optional += len(names - given)


def _check_scalars(place: str, node: JsonObject) -> None:
    unknown = sorted(set(_kinds(node)) - _TYPES)
    if unknown:
        raise invalid(f"{place}.type: unknown type {unknown[0]!r}")
    options = node.get("enum", [])
    if not isinstance(options, list) or any(isinstance(option, dict | list) for option in options):
        raise invalid(f"{place}.enum: only strings, numbers, booleans and null are supported")
    if str(node.get("format", "uuid")) not in _FORMATS:
        raise invalid(f"{place}.format: {node['format']!r} is not supported")
    if str(node.get("minItems", 0)) not in {"0", "1"}:
        raise invalid(f"{place}.minItems: For 'array' type, only the values 0 and 1 are supported")
    if _HARD_PATTERN.search(str(node.get("pattern", ""))):
        raise invalid(f"{place}.pattern: lookaround, backreferences and word borders are not supported")
    if "$ref" in str(node.get("allOf", "")):
        raise invalid(f"{place}.allOf: $ref inside allOf is not supported")


def _children(node: JsonObject) -> Iterator[tuple[str, JsonValue]]:
    for name, child in _object(node.get("properties")).items():
        yield f"properties.{name}", child
    if "items" in node:
        yield "items", node["items"]
    for keyword in ("anyOf", "allOf"):
        options = node.get(keyword, [])
        for index, child in enumerate(options if isinstance(options, list) else []):
            yield f"{keyword}.{index}", child


def _kinds(node: JsonObject) -> list[str]:
    kind = node.get("type", [])
    return [str(name) for name in kind] if isinstance(kind, list) else [str(kind)]


def _object(value: JsonValue) -> JsonObject:
    return value if isinstance(value, dict) else {}


def _complex(why: str) -> ApiError:
    return invalid(f"Schema is too complex for compilation: {why}")
