"""A brain for the simulated API that behaves like a model: it uses only what stands in the request.

It labels by a script (what a good classifier would say), searches and cites what came back, asks for what is missing,
prices with the details of the conversation, repeats the tool's price digit by digit, and hands over. What is the
customer's own it looks up, and it cancels in two steps: it shows the preview, and goes on when the operator's note says yes.
"""

import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from knowledge.questions import asks_for_figure
from tests.simulation import BrainError, Cited, Data, MessageRequest, Reply, Text, Thinking, ToolUse
from tests.simulation.content import JsonObject
from tests.simulation.own_account import OWN_WORDS, own_step
from tests.simulation.quote_details import details_in
from tests.simulation.reply import Part

_PRICE = re.compile(r"(\d+\.\d\d) US dollars per month")
_TICKET = re.compile(r"T-\w+")
_FACT = re.compile(r"(make|model|year|mileage|driver_age) ([^,;]+)")
_GIVEN = re.compile(r"(\d{4}) (\S+) ([^,]+), (\d+) miles, driver aged (\d+)")
_WORDS: Mapping[str, tuple[str, str]] = {
    "hello": ("Hello, I'm Eva. How can I help?", "Hola, soy Eva. ¿En qué te ayudo?"),
    "found": ("Here is what I know. ", "Esto es lo que sé. "),
    "nothing": ("I could not find that.", "No encontré eso."),
    "ask": ("I only need: ", "Solo me falta: "),
    "price": ("It is **${0} a month**.", "Son **{0} dólares al mes**."),
    "no price": (
        "I cannot get a price right now; I have your details. Shall someone call you, or shall I try again?",
        "Ahora no puedo obtener el precio; tengo tus datos. ¿Quieres que alguien te llame, o lo intento de nuevo?",
    ),
    "kept": (
        "Your price stands. Call us to take it up.",
        "Tu precio sigue en pie. Llámanos para contratarlo.",
    ),
    "person": ("A person takes over, ticket {0}.", "Te atiende una persona, ticket {0}."),
}


@dataclass(frozen=True, slots=True)
class ModelLike:
    """The brain. `labels`: message -> (intent, language). `seen` keeps the label requests' data."""

    labels: Mapping[str, tuple[str, str]]
    seen: list[Mapping[str, object]] = field(default_factory=list)

    def __call__(self, request: MessageRequest) -> Reply:
        """A label for the classifier, a step of the conversation for a specialist."""
        if request.schema_wanted is not None:
            return self._label(json.loads(request.last_user_text))
        parts = self._step(request)
        return Reply.of(Thinking("What is asked here?", tokens=12), *parts)

    def _label(self, data: Mapping[str, object]) -> Reply:
        self.seen.append(data)
        intent, language = self.labels[str(data["message"])]
        label: JsonObject = {"intent": intent, "confidence": 0.96, "also": [], "language": language}
        return Reply.of(Data({**label, "sentiment": 0.1, "abuse": False}))

    def _step(self, request: MessageRequest) -> list[Part]:
        answers = {answer.name: answer for answer in request.answers if not answer.is_error}
        if "handoff" in answers:
            return [_say(request, "person", _one(_TICKET, answers["handoff"].text))]
        if "get_quote" in answers:
            return [_say(request, "price", _one(_PRICE, answers["get_quote"].text))]
        if "search_knowledge" in answers:
            return _cited(request)
        if request.can_call("get_quote"):
            return _quote(request)
        if request.can_call("get_policy") and (own := _own(request)):
            return own
        if request.can_call("search_knowledge"):
            return [ToolUse("search_knowledge", {"query": request.last_user_text[:200]})]
        if request.can_call("handoff"):
            summary = f"The customer wrote: {request.last_user_text}"
            return [ToolUse("handoff", {"reason": "asked_for_person", "summary": summary})]
        return [_say(request, "hello")]


def _own(request: MessageRequest) -> list[Part]:
    """What the customer has, and its cancellation; nothing when the message is about something else."""
    step = own_step(request)
    if step is None or isinstance(step, ToolUse):
        return [] if step is None else [step]
    return [_say(request, step.phrase, step.value)]


def _quote(request: MessageRequest) -> list[Part]:
    """The operator's notes say what is known: of an open quote, or of the prices given so far."""
    for answer in request.answers:
        if answer.name == "get_quote":  # it failed: a good answer has been told before
            is_down = "Name no price" in answer.text
            return [_say(request, "no price")] if is_down else [_say(request, "ask"), Text(answer.text)]
    note = "\n".join(request.operator_texts)
    missing = re.search(r"missing: ([a-z_, ]+)", note)
    if missing is not None and missing[1].strip() != "nothing":
        return [_say(request, "ask"), Text(missing[1])]
    if missing is not None:
        known = dict(_FACT.findall(note[note.index("known:") : missing.start()]))
        return [ToolUse("get_quote", {name: _value(name, value) for name, value in known.items()})]
    changed = details_in([request.last_user_text])
    given = _GIVEN.findall(note)
    if not given or not changed:
        return [_say(request, "kept")]
    before = dict(zip(("year", "make", "model", "mileage", "driver_age"), given[-1], strict=True))
    details: JsonObject = {name: _value(name, value) for name, value in before.items()}
    return [ToolUse("get_quote", details | changed)]


def _value(name: str, value: str) -> str | int:
    return value.strip() if name in {"make", "model"} else int(value)


def _cited(request: MessageRequest) -> list[Part]:
    """The three passages that have most in common with the question, and a figure if one is asked for, word for word."""
    blocks = [
        Cited(block.text, passage.source, start=at)
        for passage in request.answers[-1].passages
        for at, block in enumerate(passage.content)
    ]
    if not blocks:
        return [_say(request, "nothing")]
    known = Counter(stem for block in blocks for stem in _stems(block.text))
    asked = _stems(request.last_user_text)

    def fit(block: Cited) -> tuple[bool, float]:
        lacks_figure = asks_for_figure(request.last_user_text) and not re.search(r"\d", block.text)
        return not lacks_figure, sum(1 / known[stem] for stem in asked & _stems(block.text))

    first, *others = sorted(blocks, key=fit, reverse=True)[:3]
    return [_say(request, "found"), first, *(part for block in others for part in (Text("\n\n"), block))]


def _stems(text: str) -> frozenset[str]:
    """The longer words of the text, by how they begin."""
    return frozenset(word[:5] for word in re.findall(r"\w{4,}", text.casefold()))


def _say(request: MessageRequest, phrase: str, value: str = "") -> Text:
    english, spanish = OWN_WORDS[phrase] if phrase in OWN_WORDS else _WORDS[phrase]
    is_spanish = any("Spanish" in text for text in request.operator_texts)
    return Text((spanish if is_spanish else english).format(value))


def _one(pattern: re.Pattern[str], text: str) -> str:
    found = pattern.search(text)
    if found is None:
        raise BrainError(f"nothing to repeat in {text!r}")
    return found[found.re.groups and 1]
