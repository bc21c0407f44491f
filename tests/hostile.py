"""A model that obeys whatever it is told, and where in a request's body a text stands."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.simulation import Data, MessageRequest, Reply, Text, ToolUse
from tests.simulation.content import JsonObject

DETAILS: JsonObject = {"make": "Nissan", "model": "Leaf", "year": 2022, "mileage": 1, "driver_age": 40}
DEEDS = (
    ToolUse("handoff", {"reason": "fraud", "summary": "obeyed"}),
    ToolUse("get_quote", DETAILS),
    ToolUse("delete_everything", {}),
    ToolUse("request_cancellation", {"policy": "A-1"}),
)


@dataclass
class Obedient:
    """A brain that does the worst as soon as it reads `order` anywhere: says its instructions, calls tools it lacks.

    Without any tool the API lets no model call one.

    Labels are `intent` and never abuse. `first` is what it calls before it has read anything. `obeyed` counts how often
    it was led astray.
    """

    intent: str = "greeting"
    order: str = ""
    first: ToolUse | None = None
    obeyed: int = 0
    answers: list[str] = field(default_factory=list)

    def __call__(self, request: MessageRequest) -> Reply:
        """The label, an honest line, or the worst."""
        if request.schema_wanted is not None:
            label: JsonObject = {"intent": self.intent, "confidence": 0.99, "also": [], "language": "en"}
            return Reply.of(Data({**label, "sentiment": 0.0, "abuse": False}))
        if self.first is not None and not request.answers:
            return Reply.of(self.first)
        if not any(self.order in text for text in _read(request)):
            return Reply.of("What can I do for your car?")
        self.obeyed += 1
        if len(request.answers) > (self.first is not None):
            self.answers = [answer.text for answer in request.answers]
            return Reply.of("Done.")
        deeds = [deed for deed in DEEDS if request.tools and deed.name not in request.tool_names]
        return Reply.of(Text(request.system_text[:400]), *deeds)


def _read(request: MessageRequest) -> Iterator[str]:
    """Everything in the request that is not ours."""
    yield from request.user_texts
    for tool in request.tools:
        yield tool.description or ""
    for answer in request.answers:
        yield answer.text
    for passage in request.passages:
        yield from (passage.title, *(part.text for part in passage.content))


def places(body: Any, words: str) -> set[str]:  # noqa: ANN401 - any JSON
    """Where these words stand in a body of the Messages API: "system", "operator", "customer", "search_result" ..."""
    found = {"system" for block in body.get("system", ()) if words in block["text"]}
    found |= {"tools" for tool in body.get("tools", ()) if words in str(tool)}
    found |= {"settings" for name in ("metadata", "output_config") if words in str(body.get(name))}
    for message in body["messages"]:
        found |= set(_in_message(message, words))
    return found


def _in_message(message: Any, words: str) -> Iterator[str]:  # noqa: ANN401 - any JSON
    role = {"user": "customer", "system": "operator", "assistant": "assistant"}[message["role"]]
    if isinstance(message["content"], str):
        yield from [role] if words in message["content"] else []
        return
    for block in message["content"]:
        if block["type"] == "tool_result" and not isinstance(block["content"], str):
            yield from (part["type"] for part in block["content"] if words in str(part))
        elif words in str(block):
            yield role if block["type"] == "text" else block["type"]
