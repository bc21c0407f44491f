"""Tell when a number is the age of another driver than the customer: "what if my son, 19, drives?".

Why: the price depends on who drives. Somebody's age counts if the message says that they drive, or says nothing else: "my
daughter turned 20 last week" is no answer.
"""

from collections.abc import Sequence

from knowledge.slots.surroundings import adds_nothing, counts, words_behind
from knowledge.slots.tokens import Token
from knowledge.slots.words import (
    AFTER_YEARS,
    AGE_LINKS,
    DRIVES,
    NOT_DRIVING,
    OLD,
    PEOPLE,
    SUPPOSING,
    THEY,
    VEHICLE_WORDS,
    words,
)

_AROUND = 8  # tokens beside an age in which its person stands
_SIGNS_BETWEEN = frozenset(",(-:")
_BESIDE = PEOPLE | AGE_LINKS | SUPPOSING | {"?", "¿"}
# "son 45" is Spanish for "they are 45"; a son is somebody's.
_BEFORE_SON = words("before_son")
_VEHICLE, _PERSON, _NEITHER = "vehicle", "person", ""


def is_age_of_driver(tokens: Sequence[Token], at: int) -> bool:
    """Whether a number is the age of somebody else who drives."""
    return _is_age(tokens, at) and _is_of_person(tokens, at) and _is_about_driving(tokens)


def names_person(tokens: Sequence[Token]) -> bool:
    """Whether somebody else is spoken of."""
    return any(_kind(tokens, at) == _PERSON for at in range(len(tokens)))


def somebody_drives(tokens: Sequence[Token]) -> bool:
    """Whether the message says that somebody drives, and of nobody that they do not."""
    verbs = [at for at, token in enumerate(tokens) if token.text in DRIVES]
    return bool(verbs) and not any(_is_denied(tokens, at) for at in verbs)


def is_old_vehicle(tokens: Sequence[Token], at: int) -> bool:
    """Whether a number of years is a vehicle's: "a 20 year old car"."""
    following = [other for other in tokens[at + 1 : at + 4] if other.text != "-"][:2]
    return (
        len(following) > 1
        and following[0].text in OLD
        and (following[1].kind == "value" or following[1].text in VEHICLE_WORDS)
    )


def _is_age(tokens: Sequence[Token], at: int) -> bool:
    token, behind = tokens[at], words_behind(tokens, at)
    if token.unit not in {"", "years"} or token.is_year or token.is_short_year or token.is_rate:
        return False
    if not token.is_likely("driver_age") or is_old_vehicle(tokens, at):
        return False
    if token.unit == "years":
        return not OLD.isdisjoint(behind[:1]) or AFTER_YEARS.isdisjoint(behind[:2])
    return not DRIVES.isdisjoint(behind[:1]) or not counts(token, None, behind)


def _is_of_person(tokens: Sequence[Token], at: int) -> bool:
    """Whether "my son", "my son, who is" or "my wife drives it, she is" stands before, or "year old" and a driver behind."""
    pronoun = ""
    for back in range(at - 1, max(-1, at - 1 - _AROUND), -1):
        text, kind = tokens[back].text, _kind(tokens, back)
        if kind == _PERSON:
            return True
        if text in THEY:
            pronoun = text
        elif not (pronoun or text in AGE_LINKS or text in _SIGNS_BETWEEN) or (
            kind == _VEHICLE and THEY.get(pronoun) != _PERSON
        ):
            break
    behind = [token.text for token in tokens[at + 1 : at + 6] if token.text != "-"]
    if tokens[at].unit != "years" or OLD.isdisjoint(behind[:1]):
        return False
    before = [token.text for token in tokens[max(0, at - 2) : at]]
    return before == ["by", "a"] or not (DRIVES | PEOPLE).isdisjoint(behind[1:4])


def _is_about_driving(tokens: Sequence[Token]) -> bool:
    if any(token.text in DRIVES for token in tokens):
        return somebody_drives(tokens)
    return all(token.text in _BESIDE or adds_nothing(token) for token in tokens)


def _kind(tokens: Sequence[Token], at: int) -> str:
    """Whether a token names a person, a vehicle, or neither."""
    token = tokens[at]
    if token.kind == "value" or token.text in VEHICLE_WORDS:
        return _VEHICLE
    name = token.text.removesuffix("'s")
    is_son = name != "son" or (at > 0 and tokens[at - 1].text in _BEFORE_SON)
    return _PERSON if name in PEOPLE and is_son else _NEITHER


def _is_denied(tokens: Sequence[Token], at: int) -> bool:
    """Whether this verb is denied: "doesn't drive", "no lo conduce", "fährt nicht"."""
    for token in reversed(tokens[max(0, at - 3) : at]):
        if token.kind != "word":
            break
        if token.text in NOT_DRIVING:
            return True
    return any(token.text in {"nicht", "pas"} for token in tokens[at + 1 : at + 3])
