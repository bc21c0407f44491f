"""Name the topics a text speaks of: what customers of a vehicle insurer write about, whatever their words for it.

Why: an article is found by what it is about, not only by its own words. Unlike senses.toml, nothing but the search
reads topics.toml.
"""

import tomllib
from functools import cache
from pathlib import Path

from knowledge.lexicon import Lexicon

_TOPICS = Path(__file__).with_name("topics.toml")


NO_TOPIC = "no_topic"


def find_topics(text: str, language: str) -> frozenset[str]:
    """Topics of a text in this language, or NO_TOPIC; nothing in a language that topics.toml does not list."""
    lexicon = _lexicons().get(language)
    if lexicon is None:
        return frozenset()
    return lexicon.concepts(text) or frozenset({NO_TOPIC})


@cache
def _lexicons() -> dict[str, Lexicon]:
    """Phrases by language, made once a process."""
    phrases: dict[str, dict[str, tuple[str, ...]]] = {}
    for topic, lists in tomllib.loads(_TOPICS.read_text(encoding="utf-8")).items():
        for language, line in lists.items():
            phrases.setdefault(language, {})[topic] = tuple(phrase.strip() for phrase in line.split(","))
    return {language: Lexicon(topics) for language, topics in phrases.items()}
