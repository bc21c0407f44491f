"""Words that the slot reader knows, by what they do in an answer.

Why: the rules are the same in every language, the words are not. They stand in slot_words.toml, language by language, so
that a translator need not read Python; each list is explained there. All are compared folded.
Life: read once, when the room is imported.
"""

from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from knowledge.tables import read_table


class _File(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    words: Mapping[str, Mapping[str, str]]
    phrases: Mapping[str, Mapping[str, list[str]]]


_FILE = read_table(Path(__file__).parents[1] / "slot_words.toml", _File)


def words(role: str) -> frozenset[str]:
    """Words of one list, of all languages."""
    return frozenset(word for text in _FILE.words[role].values() for word in text.split())


def phrases(role: str) -> tuple[str, ...]:
    """Phrases of one list, of all languages, longest first."""
    found = (phrase for row in _FILE.phrases[role].values() for phrase in row)
    return tuple(sorted(found, key=len, reverse=True))


LINKS, POLITE, VEHICLE_WORDS = words("links"), words("polite"), words("vehicle")
LABELS: Mapping[str, frozenset[str]] = {
    "year": words("year_labels"),
    "mileage": words("mileage_labels"),
    "driver_age": words("age_labels"),
}
_HEDGES = words("hedges")
FILLERS = (LINKS | _HEDGES | POLITE | words("correcting") | VEHICLE_WORDS | words("beside")).union(
    *LABELS.values()
)
OLD, FIRST_PERSON, PAST, PEOPLE = words("old"), words("first_person"), words("past"), words("people")
BOUNDS, COPULAS, ARTICLES, ON = words("bounds"), words("copulas"), words("articles"), words("on")
DENIALS, SOFT_DENIALS = words("denials"), words("soft_denials")
TIME_WORDS, SINCE, AFTER_YEARS = words("time"), words("since"), words("after_years")
DISTANCE = words("distance")
AGE_LINKS, DRIVES, NOT_DRIVING, SUPPOSING = (
    words("age_links"),
    words("drives"),
    words("not_driving"),
    words("supposing"),
)
# Pronoun or verb of somebody spoken of before -> "person", or "thing" when it may speak of a vehicle.
THEY: Mapping[str, str] = {
    **dict.fromkeys(words("they"), "person"),
    **dict.fromkeys(words("they_or_it"), "thing"),
}
MERE_HEDGES = _HEDGES - TIME_WORDS
