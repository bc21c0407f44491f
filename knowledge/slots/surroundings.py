"""Judge a number or a name by the words around it.

Why: "I'm 34", "2 kids" and "not 2019" differ in the words beside the number only.
"""

import re
from collections.abc import Mapping, Sequence
from itertools import takewhile, zip_longest

from knowledge.slots.message import Message
from knowledge.slots.tokens import LIKELY_AGES, VALUE, Token
from knowledge.slots.words import (
    ARTICLES,
    COPULAS,
    DENIALS,
    FILLERS,
    FIRST_PERSON,
    LABELS,
    MERE_HEDGES,
    ON,
    PAST,
    PEOPLE,
    POLITE,
    SOFT_DENIALS,
    VEHICLE_WORDS,
)

_AROUND = 6  # tokens beside a number that may say what it is
_HUNDRED = 100
_SMALL_WORDS = COPULAS | ARTICLES
_AFTER_ANSWER = POLITE | {","}
_ODOMETERS = LABELS["mileage"] - {"marca"}
# Words that deny what follows, and the word that must stand between: "instead of 2019", "en vez de 2019".
_DENIALS: Mapping[str, frozenset[str]] = {
    **dict.fromkeys(DENIALS, frozenset[str]()),
    "instead": frozenset({"of"}),
    "rather": frozenset({"than"}),
    "vez": frozenset({"de"}),
    "lugar": frozenset({"de"}),
}
_DRAWL = re.compile(r"([^\W\d_])\1{2,}")


def label_of(token: Token, before: Sequence[str], message: Message) -> str | None:
    """Slot that the words before a number name: "año 2019", "mileage is about 40000", "I'm 34"."""
    is_age = token.is_possible("driver_age") and (
        message.awaiting == "driver_age" or PEOPLE.isdisjoint(before)
    )
    can_be = {
        "year": token.is_year or (token.value < _HUNDRED and not token.unit),
        "mileage": token.value >= _HUNDRED and not token.is_year and token.unit != "years",
        "driver_age": is_age,
    }
    for word, next_word in zip_longest(before, before[1:]):
        if slot := next((slot for slot, labels in LABELS.items() if word in labels and can_be[slot]), None):
            return slot
        if word in FIRST_PERSON or (word in PAST and next_word == "i"):
            is_said = token.unit == "years" or message.awaiting not in {"year", "mileage"}
            return "driver_age" if is_said and is_age and token.is_likely("driver_age") else None
        if word not in FILLERS:
            return None
    return None


def counts(token: Token, label: str | None, behind: Sequence[str]) -> bool:
    """Whether a number counts things ("2 kids", "3 cars"): it has no unit and a noun follows."""
    if token.unit or token.is_year or not behind:
        return False
    is_noun = behind[0] not in FILLERS and (behind[0].endswith("s") or token.value < LIKELY_AGES.start)
    return is_noun or (behind[0] in VEHICLE_WORDS and label is None and token.value < _HUNDRED)


def is_on_odometer(behind: Sequence[str]) -> bool:
    """Whether "on the clock", "de recorrido" or the like follows."""
    return bool(behind) and behind[0] in ON and not _ODOMETERS.isdisjoint(behind[:4])


def words_before(tokens: Sequence[Token], at: int) -> list[str]:
    """Words before a number, nearest first, without hedges, up to a comma or the first that adds something."""
    words: list[str] = []
    for token in reversed(tokens[max(0, at - _AROUND) : at]):
        if token.kind == "sign" and token.text in ":=-~(":
            continue
        if token.kind == "value":
            words.append(VALUE)
        if token.kind != "word":
            break
        if token.text not in MERE_HEDGES:
            words.append(token.text)
        if token.text not in FILLERS:
            break
    return words


def words_behind(tokens: Sequence[Token], at: int) -> list[str]:
    """Words right behind a number."""
    following = tokens[at + 1 : at + _AROUND]
    return [token.text for token in takewhile(lambda token: token.kind == "word", following)]


def is_asked_about(tokens: Sequence[Token], at: int, around: Sequence[str]) -> bool:
    """Whether a number belongs to a question ("cars from 2014?") and not to an answer before it ("19, is that ok?")."""
    ends = (token.text for token in tokens[at:] if token.kind == "sign" and token.text in ".;!?")
    if next(ends, "") != "?" or VALUE in around or not VEHICLE_WORDS.isdisjoint(around):
        return False
    is_answer = tokens[at + 1].text in _AFTER_ANSWER and all(map(adds_nothing, tokens[:at]))
    return not is_answer and all(token.kind != "value" for token in tokens)


def is_denied(before: Sequence[Token]) -> bool:
    """Whether what follows these tokens is what the customer does not mean: "not 2019", "no es el Leaf"."""
    skipped: set[str] = set()
    for token in reversed(before[-_AROUND:]):
        if token.kind != "word":
            return False
        if token.text in _DENIALS:
            return _DENIALS[token.text] <= skipped
        if token.text not in _SMALL_WORDS:
            return token.text in SOFT_DENIALS and not skipped.isdisjoint(COPULAS)
        skipped.add(token.text)
    return False


def adds_nothing(token: Token) -> bool:
    """Whether a token leaves the message a mere answer; "yeeeah" counts as "yeah"."""
    if token.kind == "word":
        word = _DRAWL.sub(r"\1", token.text)
        return word in FILLERS or FILLERS.issuperset(word.split("'"))
    return token.kind in {"value", "number"} or (token.kind == "sign" and token.text not in "?¿")
