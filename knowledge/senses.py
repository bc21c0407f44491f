"""Name the senses of a message's words: what it is about and what it wants, whatever the language and the wording.

Why: the local classifier learns from a few thousand lines; it cannot meet every word of every language in them. Words
that mean much the same ("refund", "devolución", "my money back") are one sense of senses.toml, and what it learns of
one of them holds for all. Only words of the message's own language count, and English ones: Catalan "car" is "dear".
"""

import hashlib
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from knowledge.language import detect_language
from knowledge.lexicon import Lexicon

_SENSES = Path(__file__).with_name("senses.toml")
_VEHICLES = Path(__file__).with_name("vehicles.toml")
_READ_FOR_LANGUAGE = Path(__file__).with_name("languages.toml")
_ANY, _OTHER, _UNDECIDED = "any", "other", "und"
_FULLY_LISTED = ("en", "es")
_SHORTEST_NAME = 3


def find_senses(text: str, language: str | None = None) -> list[str]:
    """Senses of a text's words, in their order within each language list; a repeated one is named again.

    Args:
        text: A message, or a line of an article.
        language: Its language, if that is known.
    """
    tables = _tables()
    spoken = language or detect_language(text, hint=_UNDECIDED)
    return [sense for name in _lists(spoken) for sense in tables[name].mentions(text)]


def senses_fingerprint() -> str:
    """Hash of all files that decide which senses are found."""
    files = (_SENSES, _VEHICLES, _READ_FOR_LANGUAGE)
    return hashlib.sha256(b"\0".join(file.read_bytes() for file in files)).hexdigest()


@cache
def _tables() -> dict[str, Lexicon]:
    """Phrases by language, made once a process."""
    phrases: defaultdict[str, dict[str, tuple[str, ...]]] = defaultdict(dict)
    for sense, lists in tomllib.loads(_SENSES.read_text(encoding="utf-8")).items():
        for language, line in lists.items():
            phrases[language][sense] = tuple(phrase.strip() for phrase in line.split(","))
    phrases[_ANY] |= _vehicle_names()
    return {language: Lexicon(senses) for language, senses in phrases.items()}


def _lists(language: str) -> tuple[str, ...]:
    """Which lists of words to look at, for a message in this language."""
    if language == _UNDECIDED:
        return tuple(_tables())
    if language in _FULLY_LISTED:
        return tuple(dict.fromkeys((_ANY, "en", language)))
    return tuple(name for name in (_ANY, "en", language, _OTHER) if name in _tables())


def _vehicle_names() -> dict[str, tuple[str, ...]]:
    """Makes and models that can be insured, but for those that are ordinary words too ("mini")."""
    makes = tomllib.loads(_VEHICLES.read_text(encoding="utf-8"))["make"]
    return {
        "named_make": tuple(_names(makes)),
        "named_model": tuple(_names(model for make in makes for model in make["models"])),
    }


def _names(entries: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    for entry in entries:
        if not entry.get("everyday"):
            names = (entry["name"], *entry.get("aliases", ()))
            yield from (name for name in names if len(name) >= _SHORTEST_NAME and not name.isdigit())
