"""The JSON schema of a tool's arguments, in the words that the Claude API takes for strict tools.

Why: pydantic writes ranges and lengths into its schemas, which the API refuses with a 400. They are checked by us, so
here they are taken out; the field's description tells the model what is wanted.
Source: the vendor's documentation of structured outputs, API version 2026-10-21.
"""

from pydantic import BaseModel

from events import JsonObject

_REFUSED = frozenset(
    {
        "minimum",
        "maximum",
        "exclusiveMinimum",
        "exclusiveMaximum",
        "multipleOf",
        "minLength",
        "maxLength",
        "minItems",
        "maxItems",
        "uniqueItems",
    }
)
_NOISE = frozenset({"title", "default", "examples"})
_BY_NAME = frozenset({"properties", "$defs"})


def schema_of(arguments: type[BaseModel]) -> JsonObject:
    """The schema: nothing but the named properties, each required (the model says null where it has nothing)."""
    return _plain(arguments.model_json_schema())


def _plain(schema: JsonObject) -> JsonObject:
    plain: JsonObject = {
        key: _below(key, value) for key, value in schema.items() if key not in _REFUSED and key not in _NOISE
    }
    if plain.get("type") == "object":
        plain["required"] = list(plain.get("properties", {}))
        plain["additionalProperties"] = False
    return plain


def _below(key: str, value: object) -> object:
    """The same for schemas within this one; below `properties` and `$defs` the keys are names, not keywords."""
    match value:
        case dict() if key in _BY_NAME:
            return {name: _plain(inner) for name, inner in value.items()}
        case dict():
            return _plain(value)
        case list():
            return [_plain(inner) if isinstance(inner, dict) else inner for inner in value]
        case _:
            return value
