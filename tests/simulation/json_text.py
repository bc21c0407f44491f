"""JSON as the API writes it: no spaces, letters as they are (UTF-8, not escaped)."""

import json

_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


def compact(value: object) -> str:
    """The value as JSON text."""
    return _ENCODER.encode(value)
