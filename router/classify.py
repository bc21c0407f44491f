"""Ask Haiku for the label: one structured call with a deadline.

Called by turn.py beside the local classifier. In: the message, the last turns, the open form, similar training
lines. Out: a Label whose intent is in the catalogue. Everything the customer said goes in as JSON data in the user
message, so it cannot pass for an instruction. Raises EngineError; the turn then goes by the local label.
"""

import asyncio
import json
from collections.abc import Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, ValidationError, field_validator

from agents.specialist import Catalogue
from engine.base import Done, Engine, EngineRequest, Said, Text, Trouble
from errors import EngineDown
from events import EngineCalled, Event, FaultSeen, Flow, JsonObject, Label
from router.local import Example

_SAID_SHOWN = 6
_CHARACTERS_SHOWN = 600
_LANGUAGE_LETTERS = (2, 3)


@dataclass(frozen=True, slots=True)
class Question:
    """What the classifier sees."""

    message: str
    history: tuple[Said, ...]
    flow: Flow | None
    person_offered: bool
    similar: Sequence[Example]
    customer_hash: str


class _Answer(BaseModel):
    """The structured output, read leniently: letter case and ranges are not guaranteed."""

    model_config = ConfigDict(extra="ignore")

    intent: str
    confidence: float
    also: list[str] = []
    language: str = "en"
    sentiment: float = 0.0
    abuse: bool = False

    @field_validator("intent", "language")
    @classmethod
    def _lower(cls, value: str) -> str:
        return value.strip().casefold()


async def ask_haiku(
    engine: Engine, catalogue: Catalogue, question: Question, emit: Callable[[Event], None]
) -> Label:
    """Haiku's label.

    Raises:
        EngineError: No answer within the deadline, no answer at all, or one that is not a known intent.
    """
    settings = catalogue.classifier.settings
    text = ""
    try:
        async with (
            asyncio.timeout(settings.deadline_s),
            aclosing(engine.stream(label_request(catalogue, question))) as pieces,
        ):
            async for piece in pieces:
                match piece:
                    case Text():
                        text += piece.text
                    case Trouble():
                        emit(
                            FaultSeen(
                                code=piece.code,
                                where=settings.model,
                                retried=piece.retried,
                                waited_ms=piece.waited_ms,
                            )
                        )
                    case Done():
                        emit(_called(piece))
    except TimeoutError as exc:
        raise EngineDown(f"no label within {settings.deadline_s} s", fault="label_timeout") from exc
    return read_label(text, catalogue)


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


def read_label(text: str, catalogue: Catalogue) -> Label:
    """The label in this structured output.

    Raises:
        EngineDown: Not JSON, or not a known intent (fault intent_invalid).
    """
    try:
        answer = _Answer.model_validate_json(text)
    except ValidationError as exc:
        raise EngineDown("the label is not the JSON that was asked for", fault="intent_invalid") from exc
    if answer.intent not in catalogue.specialists:
        raise EngineDown("the label is not one of the intents", fault="intent_invalid")
    also = tuple(dict.fromkeys(name.casefold() for name in answer.also))
    return Label(
        intent=answer.intent,
        confidence=min(1.0, max(0.0, answer.confidence)),
        also=tuple(name for name in also if name in catalogue.specialists and name != answer.intent),
        language=answer.language
        if len(answer.language) in _LANGUAGE_LETTERS and answer.language.isalpha()
        else "en",
        sentiment=min(1.0, max(-1.0, answer.sentiment)),
        abuse=answer.abuse,
    )


def _data(question: Question) -> JsonObject:
    flow = question.flow
    return {
        "conversation": [
            {"from": said.role, "text": said.text[-_CHARACTERS_SHOWN:]}
            for said in question.history[-_SAID_SHOWN:]
        ],
        "open_quote": None if flow is None else {"known": flow.slots, "asked_for": flow.awaiting},
        "a_person_was_just_offered": question.person_offered,
        "similar_messages": [
            {"text": example.text, "intent": example.intent} for example in question.similar
        ],
        "message": question.message,
    }


def _called(done: Done) -> EngineCalled:
    return EngineCalled(
        purpose="label",
        engine=done.engine,
        model=done.model,
        usage=done.usage,
        stop_reason=done.stop_reason,
        took_ms=done.took_ms,
        request_id=done.request_id,
    )
