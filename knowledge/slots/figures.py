"""Give every number of a message to the slot it answers: year, mileage, the driver's age, or none.

Why: a wrong detail makes a wrong price. A number counts by its unit or its label; without both it is the answer to the
open question, or the only thing it can be.
"""

from collections.abc import Mapping, Sequence
from datetime import date

from knowledge.slots.drivers import is_age_of_driver, is_old_vehicle
from knowledge.slots.message import Message
from knowledge.slots.surroundings import (
    adds_nothing,
    counts,
    is_asked_about,
    is_on_odometer,
    label_of,
    words_before,
    words_behind,
)
from knowledge.slots.tokens import VALUE, Token
from knowledge.slots.words import (
    AFTER_YEARS,
    ARTICLES,
    BOUNDS,
    DISTANCE,
    FILLERS,
    LABELS,
    OLD,
    SINCE,
    SUPPOSING,
    TIME_WORDS,
    VEHICLE_WORDS,
)

_BARE = "bare"  # without unit and label
_OLDEST_SHORT_YEAR = 50  # years ago; '34 is no model year
_HUNDRED = 100
_BEFORE_YEAR = ARTICLES | {"the", "el", "de", "le", "il", "das", "o"}
_AROUND_YEAR = SUPPOSING | {"?", "¿"}
_VEHICLES_AND_IT = VEHICLE_WORDS | {"it", "it's"}


def slots_of_numbers(
    tokens: Sequence[Token], message: Message, said: frozenset[str]
) -> Mapping[int, str | None]:
    """Place of every number among the tokens -> its slot, or None for one that counts something else.

    Args:
        tokens: The message, with its vehicles and traps blanked.
        message: What the quote knows.
        said: Slots that the message's vehicles fill.
    """
    slots = {at: _slot(tokens, at, message) for at, token in enumerate(tokens) if token.kind == "number"}
    bare = [at for at, slot in slots.items() if slot == _BARE]
    taken = {*said, *slots.values()} - {None, _BARE}
    for at in bare:
        slot = slots[at] = _slot_of_bare(tokens, at, message, taken, alone=len(bare) == 1)
        taken |= {slot} - {None}
    listed = [at for at, slot in slots.items() if slot is None and _is_listed_age(tokens, at)]
    if len(listed) == 1 and taken and "driver_age" not in taken:
        slots[listed[0]] = "driver_age"
    return slots


def full_year(token: Token, today: date) -> int:
    """The year that a number means: two digits are at most next year, else of the century before."""
    if token.value >= _HUNDRED:
        return token.value
    century = today.year // _HUNDRED * _HUNDRED
    return token.value + (century if century + token.value <= today.year + 1 else century - _HUNDRED)


def _slot(tokens: Sequence[Token], at: int, message: Message) -> str | None:
    """Slot of a number by its unit or label; "bare" if it has neither; None if it counts something else."""
    token, before, behind = tokens[at], words_before(tokens, at), words_behind(tokens, at)
    if _is_year_of_vehicle(tokens, at):
        return "year" if token.is_short_year or _is_recent(token, message.today) else None
    if (slot := _slot_by_whole_message(tokens, at, message)) is not None:
        return slot
    label = label_of(token, before, message)
    if token.is_rate or counts(token, label, behind):
        return None
    is_asked = not message.bold and is_asked_about(tokens, at, before + behind)
    if token.unit in {"km", "miles"}:
        near = {token.text for token in tokens[max(0, at - 3) : at]}
        is_limit = is_asked and not BOUNDS.isdisjoint(near)
        return None if is_limit or not DISTANCE.isdisjoint(before) else "mileage"
    if token.unit == "years" and not token.is_year:
        return None if is_old_vehicle(tokens, at) else _slot_of_years(token, before, behind, label, message)
    if label is None and token.is_likely("mileage") and is_on_odometer(behind):
        return "mileage"
    if label is None and token.unit == "thousand":
        has_vehicle = any(other.kind == "value" for other in tokens) and not is_asked
        return "mileage" if message.bold or has_vehicle or message.awaiting == "mileage" else None
    return label or (None if is_asked else _BARE)


def _slot_by_whole_message(tokens: Sequence[Token], at: int, message: Message) -> str | None:
    """Slot of a number that words far from it explain: another driver's age, another year."""
    if _is_age_by_birth(tokens[at], message) or is_age_of_driver(tokens, at):
        return "driver_age"
    return "year" if message.known and _is_year_instead(tokens, at) else None


def _slot_of_years(
    token: Token, before: Sequence[str], behind: Sequence[str], label: str | None, message: Message
) -> str | None:
    """A number of years is the driver's age, if it is not the age of a car or a stretch of time."""
    if not TIME_WORDS.isdisjoint(before[:1]) or not AFTER_YEARS.isdisjoint(behind[:2]):
        return None
    if label == "driver_age":
        return label
    asked = message.awaiting == "driver_age"
    of_vehicle = before[-1:] == [VALUE] or not _VEHICLES_AND_IT.isdisjoint(before)
    of_another = not (message.bold or asked or FILLERS.issuperset(before))
    if of_vehicle or of_another or not token.is_possible("driver_age"):
        return None
    is_age = token.is_likely("driver_age") and (message.bold or not OLD.isdisjoint(behind[:2]))
    is_answer = asked and (token.is_likely("driver_age") or not before)  # "tiene 5 años" is a car's
    return "driver_age" if is_answer or is_age else None


def _slot_of_bare(
    tokens: Sequence[Token], at: int, message: Message, taken: set[str | None], *, alone: bool
) -> str | None:
    """Slot of a number without unit and label: the one asked for, or the only one that it can be."""
    token, before, awaiting = tokens[at], words_before(tokens, at), message.awaiting
    if token.is_year and _is_model_year(before, message, alone=alone and not taken):
        return "year"
    if message.correction and not token.is_year:
        changed = [slot for slot in _likely(token) if slot in message.known]
        if len(changed) == 1:
            return changed[0]
    is_open = awaiting not in taken or message.correction
    if awaiting is not None and is_open and _fits(token, awaiting, message):
        return awaiting
    if token.is_short_year:
        return "year"
    if message.bold and (taken or not alone) and not token.is_year:
        likely = [slot for slot in _likely(token) if slot not in taken]
        return likely[0] if len(likely) == 1 else None
    return None


def _is_year_of_vehicle(tokens: Sequence[Token], at: int) -> bool:
    """Whether two digits stand beside a vehicle as its year does: "leaf del 22", "civic lx del 19", "a '22 leaf"."""
    if tokens[at].is_short_year:
        beside = [*tokens[max(0, at - 1) : at], *tokens[at + 1 : at + 2]]
    elif at > 0 and tokens[at].has_two_digits and tokens[at - 1].text == "del":
        beside = [*tokens[max(0, at - 3) : at - 1]]
    else:
        return False
    return any(token.kind == "value" for token in beside)


def _is_year_instead(tokens: Sequence[Token], at: int) -> bool:
    """Whether nothing but another year is asked about: "and the 2019 model?", "¿y el de 2019?"."""
    before, behind = words_before(tokens, at)[:1], words_behind(tokens, at)[:1]
    is_named = not _BEFORE_YEAR.isdisjoint(before) or not LABELS["year"].isdisjoint(behind)
    return (
        tokens[at].is_year
        and is_named
        and all(token.text in _AROUND_YEAR or adds_nothing(token) for token in tokens)
    )


def _is_age_by_birth(token: Token, message: Message) -> bool:
    """Whether it says again what a year of birth means: "born in 1990, so I'm 35"; a birthday may be still to come."""
    age = message.age_by_birth_years
    return age is not None and token.unit in {"", "years"} and token.value in {age - 1, age}


def _is_listed_age(tokens: Sequence[Token], at: int) -> bool:
    """Whether a number of years stands alone behind a comma, as the age does in "40.000 km, 34 años"."""
    token, behind = tokens[at], tokens[at + 1 : at + 2]
    last, comma = [other.text for other in tokens[at - 2 : at]] if at > 1 else ("", "")
    is_alone = comma == "," and last not in VEHICLE_WORDS and all(other.kind == "sign" for other in behind)
    return is_alone and token.unit == "years" and token.is_likely("driver_age")


def _is_model_year(before: Sequence[str], message: Message, *, alone: bool) -> bool:
    """Whether 2019 is the year of the vehicle; it could be an odometer's figure or the year of an event."""
    if not SINCE.isdisjoint(before[:1]):
        return False
    if message.awaiting == "mileage" and alone and message.bold and not message.correction:
        return not ARTICLES.isdisjoint(before[:1])
    is_event = "year" in message.known and not message.correction and before[-1:] != [VALUE]
    return message.bold or message.awaiting == "year" or not is_event


def _fits(token: Token, slot: str, message: Message) -> bool:
    """Whether a bare number can answer this question; more is believed when the message is nothing but the answer."""
    if slot == "year":
        return message.bold and token.has_two_digits and _is_recent(token, message.today)
    if slot not in {"mileage", "driver_age"} or (slot == "mileage" and token.is_year and not message.bold):
        return False
    return token.is_possible(slot) if message.bold else token.is_likely(slot)


def _is_recent(token: Token, today: date) -> bool:
    return full_year(token, today) >= today.year - _OLDEST_SHORT_YEAR


def _likely(token: Token) -> list[str]:
    return [slot for slot in ("driver_age", "mileage") if token.is_likely(slot)]
