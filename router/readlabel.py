"""Read the classifier's structured output: strict about the intent, lenient about everything else.

Why: letter case and ranges are not guaranteed by the API, and a label that is lost for a stray `null` beside it costs
more than the field is worth. An intent that is not in the catalogue is no label at all.
"""

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError

from agents.specialist import Catalogue
from errors import EngineDown
from events import Label

_NO_CONFIDENCE = 0.5  # what a figure outside 0 to 1 is worth
_LETTERS_OF_A_CODE = 2


def _word(value: object) -> str:
    return value.strip().casefold() if isinstance(value, str) else ""


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _words(value: object) -> tuple[str, ...]:
    return tuple(dict.fromkeys(_word(item) for item in value)) if isinstance(value, list) else ()


_Word = Annotated[str, BeforeValidator(_word)]
_Number = Annotated[float | None, BeforeValidator(_number)]


class _Answer(BaseModel):
    """The structured output as it came."""

    model_config = ConfigDict(extra="ignore")

    intent: _Word
    confidence: _Number = None
    also: Annotated[tuple[str, ...], BeforeValidator(_words)] = ()
    language: _Word = ""
    sentiment: _Number = None
    abuse: Annotated[bool, BeforeValidator(lambda value: value is True)] = False


def read_label(text: str, catalogue: Catalogue, language: str = "en") -> Label:
    """The label in this structured output.

    Args:
        language: The language that holds when the output names none.

    Raises:
        EngineDown: Not JSON, or not a known intent (fault intent_invalid).
    """
    try:
        answer = _Answer.model_validate_json(text)
    except ValidationError as exc:
        raise EngineDown("the label is not the JSON that was asked for", fault="intent_invalid") from exc
    if answer.intent not in catalogue.specialists:
        raise EngineDown("the label is not one of the intents", fault="intent_invalid")
    return Label(
        intent=answer.intent,
        confidence=_share(answer.confidence),
        also=tuple(name for name in answer.also if name in catalogue.specialists and name != answer.intent),
        language=_code(answer.language) or language,
        sentiment=_feeling(answer.sentiment),
        abuse=answer.abuse,
    )


def _share(confidence: float | None) -> float:
    return confidence if confidence is not None and 0 <= confidence <= 1 else _NO_CONFIDENCE


def _feeling(sentiment: float | None) -> float:
    return sentiment if sentiment is not None and -1 <= sentiment <= 1 else 0.0


def _code(language: str) -> str | None:
    """The two-letter code of a language tag ("es" of "es-MX"); None when it is none."""
    code = language.replace("_", "-").split("-")[0]
    return code if len(code) == _LETTERS_OF_A_CODE and code.isascii() and code.isalpha() else None
