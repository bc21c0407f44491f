"""Tell what kind of answer a question wants, as far as that helps to choose among passages."""

import tomllib
from functools import cache
from pathlib import Path

from knowledge.lexicon import Lexicon

_QUESTIONS = Path(__file__).with_name("questions.toml")
_FIGURE = "figure"


def asks_for_figure(question: str) -> bool:
    """Whether an amount, a number, a time, a distance or an age is wanted."""
    return _FIGURE in _lexicon().concepts(question)


@cache
def _lexicon() -> Lexicon:
    """The words of all languages, made once a process."""
    kinds = tomllib.loads(_QUESTIONS.read_text(encoding="utf-8"))
    return Lexicon(
        {
            kind: tuple(phrase.strip() for line in lists.values() for phrase in line.split(","))
            for kind, lists in kinds.items()
        }
    )
