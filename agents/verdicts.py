"""Read the verdicts of a second look: strict about what counts, lenient about everything else.

Why: a correction below a right answer harms as a wrong answer does. So a contradiction counts only for a sentence that
was shown, and only with words that stand in one of its passages; nothing else that the model writes is used.
"""

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError

from agents.claims import Claims
from agents.sources import proof_of
from errors import EngineDown
from events import JsonObject, Proof

_VERDICTS = ("supported", "contradicted", "not_stated", "no_policy")
Note = Literal["not_stated", "unproven"]
SCHEMA: JsonObject = {
    "type": "object",
    "properties": {
        "verdicts": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "id": {"type": "integer", "description": "of the sentence"},
                    "verdict": {"type": "string", "enum": list(_VERDICTS)},
                    "words": {
                        "type": "string",
                        "description": 'contradicted: the words of the passage; else ""',
                    },
                },
                "required": ["id", "verdict", "words"],
                "additionalProperties": False,
            },
        }
    },
    "required": ["verdicts"],
    "additionalProperties": False,
}
"""The structured output; the same for every answer, because a new schema costs a compilation."""


@dataclass(frozen=True, slots=True)
class Findings:
    """What came of it: the sentences that an article contradicts, and what is only noted, each class once."""

    contradicted: tuple[Proof, ...]
    notes: tuple[Note, ...]


def _word(value: object) -> str:
    return value.strip().casefold() if isinstance(value, str) else ""


class _Verdict(BaseModel):
    """The verdict about one sentence, as it came."""

    model_config = ConfigDict(extra="ignore")

    id: Annotated[int, BeforeValidator(lambda value: value if type(value) is int else 0)] = 0
    verdict: Annotated[str, BeforeValidator(_word)] = ""
    words: Annotated[str, BeforeValidator(lambda value: value if isinstance(value, str) else "")] = ""


def _objects(value: object) -> list[object]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


class _Answer(BaseModel):
    """The structured output as it came."""

    model_config = ConfigDict(extra="ignore")

    verdicts: Annotated[tuple[_Verdict, ...], BeforeValidator(_objects)] = ()


def read_verdicts(text: str, claims: Claims) -> Findings:
    """The findings in this structured output. A sentence with several different verdicts has none.

    Raises:
        EngineDown: Not JSON, or no verdict about a sentence that was shown (fault look_invalid).
    """
    try:
        given = _Answer.model_validate_json(text).verdicts
    except ValidationError as exc:
        raise EngineDown("the second look is not the JSON that was asked for", fault="look_invalid") from exc
    known = [item for item in given if item.id in claims.sentences and item.verdict in _VERDICTS]
    if not known:
        raise EngineDown("the second look says nothing about any sentence", fault="look_invalid")
    words = {item.id: {other.verdict for other in known if other.id == item.id} for item in known}
    agreed = {item.id: item for item in known if len(words[item.id]) == 1}
    proofs = [_proof(item, claims) for item in agreed.values() if item.verdict == "contradicted"]
    notes: list[Note] = []
    if any(item.verdict == "not_stated" for item in agreed.values()):
        notes.append("not_stated")
    if None in proofs:
        notes.append("unproven")
    return Findings(tuple(proof for proof in proofs if proof is not None), tuple(notes))


def _proof(verdict: _Verdict, claims: Claims) -> Proof | None:
    """The sentence and the passage that says otherwise; None: no passage has the words."""
    passage = claims.passage_with(verdict.words)
    return None if passage is None else proof_of(claims.sentences[verdict.id].text, passage, passage.text)
