"""Put JSON in the order of its schema, as constrained output comes out: required properties first."""

from pydantic import JsonValue

from tests.simulation.content import JsonObject


def ordered(value: JsonValue, schema: JsonValue, root: JsonObject | None = None) -> JsonValue:
    """The same value with the keys of every object in schema order; keys the schema does not know stay last."""
    top = root if root is not None else schema if isinstance(schema, dict) else {}
    node = resolved(schema, top)
    if isinstance(value, list):
        return [ordered(item, node.get("items"), top) for item in value]
    if not isinstance(value, dict):
        return value
    properties = node.get("properties")
    known = properties if isinstance(properties, dict) else {}
    return {name: ordered(value[name], known.get(name), top) for name in _names(node, known, value)}


def _names(node: JsonObject, known: JsonObject, value: JsonObject) -> list[str]:
    required = node.get("required")
    must = {str(name) for name in required} if isinstance(required, list) else set()
    first = [name for name in known if name in must]
    then = [name for name in known if name not in must]
    rest = [name for name in value if name not in known]
    return [name for name in (*first, *then, *rest) if name in value]


def resolved(schema: JsonValue, root: JsonObject) -> JsonObject:
    """The schema itself, or what its $ref points at; empty when that is nothing."""
    if not isinstance(schema, dict):
        return {}
    reference = schema.get("$ref")
    if not isinstance(reference, str):
        return schema
    node: JsonValue = root
    for step in reference.removeprefix("#/").split("/"):
        node = node.get(step) if isinstance(node, dict) else None
    return node if isinstance(node, dict) else {}
