"""Ready-made brains: echo, classifier, a script of replies, and how to put them together.

A brain is any function from a request to a reply; these are for tests that do not care much.
"""

import json
from collections.abc import Callable, Iterable, Mapping

from pydantic import JsonValue

from tests.simulation.content import JsonObject
from tests.simulation.reply import Brain, BrainError, Data, Reply
from tests.simulation.request import MessageRequest

LabelOf = Callable[[str], Mapping[str, JsonValue]]
TextOf = Callable[[MessageRequest], str]


def echo(request: MessageRequest) -> Reply:
    """The customer's last words, said back."""
    return Reply.of(f"You said: {request.last_user_text or '(nothing)'}")


def default(request: MessageRequest) -> Reply:
    """Plain values for a request with an output schema, echo for all others."""
    return (
        echo(request) if request.schema_wanted is None else Reply((Data(filled(request.schema_wanted, {})),))
    )


def message_text(request: MessageRequest) -> str:
    """The customer's last message; the field "message" of it when it is wrapped in a JSON object."""
    text = request.last_user_text
    if not text.startswith("{"):
        return text
    try:
        wrapped = json.loads(text)
    except ValueError:
        return text
    message = wrapped.get("message") if isinstance(wrapped, dict) else None
    return message if isinstance(message, str) else text


class Classifier:
    """Answers by the request's schema, with the label that belongs to the message.

    Args:
        label_of: From the message's text to a label (a function, or a mapping; what it lacks gets no hints).
        text_of: Where the message stands in the request; the default finds it as text or in a JSON object.
    """

    def __init__(
        self, label_of: LabelOf | Mapping[str, Mapping[str, JsonValue]], text_of: TextOf = message_text
    ) -> None:
        self._label_of = label_of
        self._text_of = text_of

    def __call__(self, request: MessageRequest) -> Reply:
        """The label as JSON; required fields that the label leaves out are filled with plain values."""
        text = self._text_of(request)
        label = self._label_of(text) if callable(self._label_of) else self._label_of.get(text, {})
        return Reply((Data(filled(request.schema_wanted or {}, label)),))


class Script:
    """Replies in order, one list per model ("*" for every other). Running out fails the test."""

    def __init__(self, replies: Mapping[str, Iterable[Reply | str]]) -> None:
        self._left = {model: list(row) for model, row in replies.items()}

    def __call__(self, request: MessageRequest) -> Reply:
        """The next reply of this model."""
        row = self._left.get(request.model, self._left.get("*", []))
        if not row:
            raise BrainError(f"the script holds no more replies for {request.model}")
        reply = row.pop(0)
        return Reply.of(reply) if isinstance(reply, str) else reply

    @property
    def left(self) -> int:
        """Replies not used yet."""
        return sum(map(len, self._left.values()))


def by_kind(*, classifier: Brain, otherwise: Brain) -> Brain:
    """One brain for requests with an output schema, another for all others."""
    return lambda request: (classifier if request.schema_wanted is not None else otherwise)(request)


def by_model(brains: Mapping[str, Brain], otherwise: Brain = echo) -> Brain:
    """One brain per model."""
    return lambda request: brains.get(request.model, otherwise)(request)


def filled(schema: JsonObject, hints: Mapping[str, JsonValue]) -> JsonObject:
    """An object that follows the schema: the hints as they are, plain values for what else is required."""
    properties = schema.get("properties")
    known = properties if isinstance(properties, dict) else {}
    required = schema.get("required")
    must = [str(name) for name in required] if isinstance(required, list) else list(known)
    plain = {name: _plain(known.get(name)) for name in must if name not in hints}
    return {**hints, **plain}


def _plain(node: JsonValue) -> JsonValue:
    """The least value a schema allows."""
    if not isinstance(node, dict):
        return None
    for key in ("default", "const"):
        if key in node:
            return node[key]
    for key in ("enum", "anyOf"):
        options = node.get(key)
        if isinstance(options, list) and options:
            return options[0] if key == "enum" else _plain(options[-1])
    plain: dict[str, JsonValue] = {"string": "", "integer": 0, "number": 0.0, "boolean": False, "array": []}
    kind = node.get("type")
    return filled(node, {}) if kind == "object" else plain.get(str(kind))
