"""Read what a message tells for a tool's arguments without Claude: a day, and a number of a policy or a claim."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from knowledge.days import find_day
from knowledge.lexicon import fold, words
from knowledge.slots.numbers import in_digits
from knowledge.slots.words import FILLERS

_READ_CHARACTERS = 600
# A number has three digits in a row or more, perhaps letters and dashes; a lone year is none.
_NUMBER = re.compile(
    r"(?<![\w$€.,/-])#?(?P<number>(?=[a-z0-9-]*\d{3})(?!(?:19|20)\d\d(?![\w-]))[a-z0-9]+(?:-[a-z0-9]+)*)(?![\w%€-]|[.,]\d)"
)
_AROUND = frozenset(
    """
    policy policies claim number no nr ref day date last first until till end ends ending cancel starting effective one
    poliza polizas siniestro reclamo reclamacion numero dia fecha ultimo ultima hasta termine terminar acabe partir para fin
    """.split()  # noqa: SIM905 - a list of words reads best as words
)


@dataclass(frozen=True, slots=True)
class Details:
    """What one message tells.

    Attributes:
        number: A number of a policy, claim or the like, folded; None: it names none.
        day: A day; None: it names none.
        is_whole: It tells nothing else, so it is the answer to a question.
    """

    number: str | None = None
    day: date | None = None
    is_whole: bool = False

    def argument(self, name: str, schema: Mapping[str, object]) -> str | None:
        """What it tells for the argument of a tool: a date by its schema's format, a number by its name `..._number`."""
        choices = schema.get("anyOf")
        formats = [schema, *(choices if isinstance(choices, list) else [])]
        if any(choice.get("format") == "date" for choice in formats):
            return self.day.isoformat() if self.day is not None else None
        return self.number if name.endswith("_number") else None


def read_details(text: str, today: date, language: str) -> Details:
    """What the message tells; its first 600 characters are read. Never raises.

    Args:
        language: ISO 639-1 code; days in figures are written differently in different languages.
    """
    folded = in_digits(fold(text[:_READ_CHARACTERS])[:_READ_CHARACTERS])
    named = find_day(folded, today, language)
    rest = folded if named is None else f"{folded[: named.start]} {folded[named.end :]}"
    number = _NUMBER.search(rest)
    if number is not None:
        rest = f"{rest[: number.start()]} {rest[number.end() :]}"
    tells = named is not None or number is not None
    return Details(
        number=number["number"] if number else None,
        day=named.day if named else None,
        is_whole=tells and not {"?", "¿"} & set(text) and FILLERS.union(_AROUND).issuperset(words(rest)),
    )
