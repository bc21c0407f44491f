"""A brain good enough to try the Claude path without a key: key words, the tools of the desk, two languages.

It labels by key words, searches once and quotes what it finds, prices a vehicle when the customer has told all five
details, looks up what a signed-in customer has, cancels on their yes, and hands over when a person is asked for. It
understands nothing else, and says so.
"""

from collections.abc import Mapping

from pydantic import JsonValue

from tests.simulation.brains import filled, message_text
from tests.simulation.content import JsonObject
from tests.simulation.demo_words import INTENTS, PHRASES, folded, is_spanish
from tests.simulation.ordering import resolved
from tests.simulation.own_account import OWN_WORDS, own_step
from tests.simulation.prompt import ToolAnswer
from tests.simulation.quote_details import NAMES, details_in
from tests.simulation.reply import Cited, Data, Part, Reply, Text, ToolUse
from tests.simulation.request import MessageRequest

CONFIDENCE = 0.93
FOR_MINUTES = "+".join(f"stall:5:{chunks}" for chunks in range(1, 31))
"""A fault that makes an answer go on for so long, in small chunks, and with less silence than the desk bears."""

_PASSAGES_QUOTED = 2


def demo(request: MessageRequest) -> Reply:
    """A label for a classifier request, a turn of the conversation for any other."""
    text = message_text(request)
    if request.schema_wanted is not None:
        return Reply((Data(filled(request.schema_wanted, _label(request.schema_wanted, text))),))
    own = own_step(request)
    if own is not None:
        return Reply((own if isinstance(own, ToolUse) else _say(own.phrase, text, own.value),))
    answered = {answer.name.casefold(): answer for answer in request.answers}
    return Reply(tuple(_conclusion(text, answered) or [_opening(request, text)]))


def guess(text: str) -> str:
    """The intent whose key words are in the text, off_topic when none is."""
    words = f" {folded(text)} "
    return next(
        (intent for intent, keys in INTENTS.items() if any(key in words for key in keys)), "off_topic"
    )


def _label(schema: JsonObject, text: str) -> JsonObject:
    """What the schema's own fields can say: the intent wherever it is a choice, confidence, language."""
    properties = schema.get("properties")
    label: JsonObject = {}
    for name, node in (properties if isinstance(properties, dict) else {}).items():
        options = resolved(node, schema).get("enum")
        if isinstance(options, list) and guess(text) in options:
            label[name] = guess(text)
        elif name == "confidence":
            label[name] = CONFIDENCE
        elif name == "language":
            label[name] = "es" if is_spanish(text) else "en"
    return label


def _conclusion(text: str, answered: Mapping[str, ToolAnswer]) -> list[Part]:
    """What is said once a tool has answered; nothing when none was called in this turn."""
    if "handoff" in answered:
        return [_say("handed_over", text, answered["handoff"].text)]
    if "get_quote" in answered:
        return [_say("quoted", text, answered["get_quote"].text)]
    return _found(text, answered["search_knowledge"]) if "search_knowledge" in answered else []


def _opening(request: MessageRequest, text: str) -> Part:
    """The first step of a turn: a call where one helps, else a sentence."""
    intent = guess(text)
    if intent == "escalate" and request.can_call("handoff"):
        return _call(request, "handoff", {"summary": text[:200]})
    if intent in {"quote", "off_topic"} and request.can_call("get_quote"):
        return _quote(request, text)
    if intent in {"quote", "product_info"} and request.can_call("search_knowledge"):
        return _call(request, "search_knowledge", {"query": text[:200]})
    return _say(intent, text)


def _quote(request: MessageRequest, text: str) -> Part:
    details = details_in(request.user_texts)
    missing = [name for name in NAMES if name not in details]
    if missing:
        return _say("missing", text, ", ".join(name.replace("_", " ") for name in missing))
    return _call(request, "get_quote", details)


def _call(request: MessageRequest, name: str, hints: Mapping[str, JsonValue]) -> ToolUse:
    """A call with the hints its schema knows, and plain values for what else it requires."""
    tool = next(tool for tool in request.tools if tool.name == name)
    properties = tool.input_schema.get("properties")
    known = properties if isinstance(properties, dict) else {}
    return ToolUse(
        name, filled(tool.input_schema, {key: value for key, value in hints.items() if key in known})
    )


def _found(text: str, answer: ToolAnswer) -> list[Part]:
    if not answer.passages:
        return [_say("nothing_found", text)]
    parts: list[Part] = [_say("found", text)]
    for passage in answer.passages[:_PASSAGES_QUOTED]:
        blocks = [Cited(block.text, passage.source, at) for at, block in enumerate(passage.content)]
        parts += [max(blocks, key=lambda block: _in_common(text, block.text)), Text("\n\n")]
    return parts[:-1]


def _in_common(text: str, other: str) -> int:
    return len(set(folded(text).split()) & set(folded(other).split()))


def _say(phrase: str, text: str, value: str = "") -> Text:
    if phrase in OWN_WORDS:
        return Text(OWN_WORDS[phrase][is_spanish(text)].format(value))
    return Text(PHRASES[phrase]["es" if is_spanish(text) else "en"].format(value))
