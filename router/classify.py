"""Ask Haiku for the label: one structured call with a deadline.

Called by turn.py beside the local classifier. In: the message, the last turns, the open form, similar training
lines. Out: a Label whose intent is in the catalogue. Everything the customer said goes in as JSON data in the user
message, so it cannot pass for an instruction. Raises EngineError; the turn then goes by the local label.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from agents.specialist import Catalogue
from engine.base import Engine, EngineRequest, Said
from engine.hearing import hear
from events import Event, Flow, JsonObject, Label
from router.local import Example
from router.readlabel import read_label

_SAID_SHOWN = 6
_CHARACTERS_SHOWN = 600


@dataclass(frozen=True, slots=True)
class Question:
    """What the classifier sees. `language` is the conversation's so far, as an ISO 639-1 code."""

    message: str
    history: tuple[Said, ...]
    flow: Flow | None
    person_offered: bool
    similar: Sequence[Example]
    customer_hash: str
    language: str = "en"


async def ask_haiku(
    engine: Engine, catalogue: Catalogue, question: Question, emit: Callable[[Event], None]
) -> Label:
    """Haiku's label.

    Raises:
        EngineError: No answer within the deadline, no answer at all, or one that is not a known intent.
    """
    deadline_s = catalogue.classifier.settings.deadline_s
    text = await hear(engine, label_request(catalogue, question), deadline_s, "classifier", emit)
    return read_label(text, catalogue, question.language)


def label_request(catalogue: Catalogue, question: Question) -> EngineRequest:
    """The classifier's request: the cached prompt, then one user message of JSON data."""
    settings = catalogue.classifier.settings
    return EngineRequest(
        purpose="label",
        model=settings.model,
        max_tokens=settings.max_tokens,
        effort=settings.effort,
        thinking=settings.thinking,
        system=(catalogue.classifier.system,),
        message=json.dumps(_data(question), ensure_ascii=False),
        schema=label_schema(catalogue.intents),
        customer_hash=question.customer_hash,
    )


def label_schema(intents: Sequence[str]) -> JsonObject:
    """The structured output: one enum first, everything required, no bounds (the API takes none)."""
    choice = {"type": "string", "enum": list(intents)}
    return {
        "type": "object",
        "properties": {
            "intent": choice,
            "confidence": {"type": "number", "description": "0 to 1"},
            "also": {"type": "array", "items": choice},
            "language": {"type": "string", "description": "ISO 639-1 code"},
            "sentiment": {"type": "number", "description": "-1 to 1"},
            "abuse": {"type": "boolean"},
        },
        "required": ["intent", "confidence", "also", "language", "sentiment", "abuse"],
        "additionalProperties": False,
    }


def _data(question: Question) -> JsonObject:
    flow = question.flow
    return {
        "conversation": [
            {"from": said.role, "text": said.text[-_CHARACTERS_SHOWN:]}
            for said in question.history[-_SAID_SHOWN:]
        ],
        "language_of_the_conversation": question.language,
        "open_quote": None if flow is None else {"known": flow.slots, "asked_for": flow.awaiting},
        "a_person_was_just_offered": question.person_offered,
        "similar_messages": [
            {"text": example.text, "intent": example.intent} for example in question.similar
        ],
        "message": question.message,
    }
