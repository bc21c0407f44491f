"""Read the details of a quote out of one customer message: make, model, year, mileage, the driver's age.

Why: inside a quote most messages are answers ("2019", "unos 40 mil", "I'm 34"). Reading them here takes no time,
needs no model, and tells the router that the message belongs to the quote. What is not certain is left out: a wrong
detail makes a wrong price, a missing one only a question.
How: numbers in words become digits (numbers.py), vehicles are found by their names (mentions.py), what only looks like an
answer is blanked (traps.py), and every number left is given to a slot (figures.py). A message is read boldly first, as if
it were nothing but an answer; if any of its words says more, it is read again with caution.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import pairwise

from knowledge.lexicon import fold
from knowledge.slots.births import age_by_birth
from knowledge.slots.commands import Command, command_of
from knowledge.slots.drivers import names_person, somebody_drives
from knowledge.slots.figures import full_year, slots_of_numbers
from knowledge.slots.mentions import read_vehicle
from knowledge.slots.message import Message, Note
from knowledge.slots.numbers import in_digits
from knowledge.slots.ranges import with_middles
from knowledge.slots.surroundings import adds_nothing, is_denied
from knowledge.slots.tokens import FOREIGN, VALUE, Token, tokens_of
from knowledge.slots.traps import without_names, without_traps
from knowledge.slots.words import PEOPLE
from knowledge.vehicles import Vehicles

_READ_CHARACTERS = 600
_TRIM_LETTERS = 3
_PLAIN_SIGNS = str.maketrans("‘’´`" + VALUE + FOREIGN, "''''  ")
_ZERO = re.compile(r"\b(?:zero|cero)\b")
_THIS_YEAR = re.compile(r"\bthis year's\b|\bde este ano\b")
_LAST_YEAR = re.compile(r"\blast year's\b|\bdel ano pasado\b")
_THANKS = re.compile(r"\bmil gracias\b")
_CORRECTION = re.compile(
    r"^\W*(?:no|nope|nah|nein|non|nao)\b(?!\W*(?:more|less|mas|menos|se|lo|idea|tengo|estoy|me|recuerdo|problem))"
    r"|\b(?:i meant?|meant|sorry|correction|actually|oops|wait|my (?:mistake|bad)|i was (?:wrong|mistaken)|instead|i said\b.{1,30}\bbut"
    r"|(?:it's|is|was|it) not|isn't|not (?:a |the )?(?=\d)"
    r"|change (?:it|that|the|my)|make (?:it|that)|perdona?e?|perdon|disculp[ae]|lo siento|(?:quise|queria) decir"
    r"|mejor dicho|en realidad|digo|corrijo|correccion|me equivoque|me confundi|dije mal|rectifico|sino|mas bien|cambia(?:lo)?"
    r"|pardon|je voulais dire|plutot|desole|entschuldigung|ich meinte|eigentlich|sondern"
    r"|scus[ai]|volevo dire|anzi|in realta|desculp[ae]|quis dizer|na verdade|alias)\b"
)


@dataclass(frozen=True, slots=True)
class Reading:
    """What one message says about the quote.

    Attributes:
        values: Slot -> value. Makes and models by the names of vehicles.toml; mileage in miles; age in full years.
        whole: The message is nothing but an answer or a command inside the quote.
        command: What the customer wants done with the open question, or with the quote.
        correction: The values replace what was said before.
    """

    values: Mapping[str, str | int]
    whole: bool
    command: Command | None = None
    correction: bool = False


def read_slots(
    text: str, vehicles: Vehicles, awaiting: str | None, known: Mapping[str, str | int], today: date
) -> Reading:
    """What a customer's message says about their quote. Never raises; takes well under a millisecond for an answer.

    Args:
        text: The message; its first 600 characters are read.
        vehicles: Names of makes and models.
        awaiting: Slot that was asked for last, or None outside a quote.
        known: Slots known so far.
        today: The customer's date; it tells which century '19 belongs to.
    """
    plain = _plain(text, awaiting, today)
    unborn, age_by_birth_years = age_by_birth(plain, today)
    named = without_names(unborn)
    make = known.get("make")
    mentions = vehicles.mentions(named, make if isinstance(make, str) else None)
    corrects = _CORRECTION.search(plain) is not None
    message = Message(
        named, awaiting, known, today, mentions, corrects, age_by_birth_years=age_by_birth_years
    )
    reading = _read(message)
    if not reading.whole:
        reading = _read(replace(message, bold=False))
    if len(text) > _READ_CHARACTERS:
        return replace(reading, whole=False)
    command = command_of(plain)
    if command == "start_over":
        return replace(reading, command=command, whole=awaiting is not None or bool(known))
    if command is not None and not reading.values:
        return replace(reading, command=command, whole=awaiting is not None)
    return reading


def _plain(text: str, awaiting: str | None, today: date) -> str:
    """Folded text with straight apostrophes, and digits for numbers in words."""
    folded = fold(text[:_READ_CHARACTERS].translate(_PLAIN_SIGNS))[:_READ_CHARACTERS]
    if awaiting == "mileage":
        folded = _ZERO.sub("0", folded)
    if awaiting == "year":
        folded = _LAST_YEAR.sub(str(today.year - 1), _THIS_YEAR.sub(str(today.year), folded))
    return with_middles(in_digits(_THANKS.sub("gracias", folded)), awaiting)


def _read(message: Message) -> Reading:
    text, notes = read_vehicle(message)
    tokens = tokens_of(without_traps(text))
    slots = slots_of_numbers(tokens, message, frozenset(note.slot for note in notes))
    for at, slot in slots.items():
        if slot is not None:
            value = full_year(tokens[at], message.today) if slot == "year" else tokens[at].value
            notes.append(Note(slot, value, is_denied(tokens[:at])))
    age = message.age_by_birth_years
    if age is not None and "driver_age" not in slots.values() and _is_driver(tokens):
        notes.append(Note("driver_age", age))
    if not message.bold and _speaks_of_two_ages(tokens, age):
        notes = [note for note in notes if note.slot != "driver_age"]
    correction = message.correction or any(note.denied for note in notes)
    values, is_clear = _settle(notes, correction=correction)
    whole = bool(values) and is_clear and None not in slots.values() and _is_answer(tokens)
    return Reading(values, whole, None, correction and bool(values))


def _settle(notes: Sequence[Note], *, correction: bool) -> tuple[dict[str, str | int], bool]:
    """One value a slot, and whether the message was clear about it. In a correction the last word counts."""
    values: dict[str, str | int] = {}
    is_clear = True
    for slot in dict.fromkeys(note.slot for note in notes):
        said = [note.value for note in notes if note.slot == slot and not note.denied]
        if said and (correction or len(set(said)) == 1):
            values[slot] = said[-1]
        else:
            is_clear = False
    if {note.slot for note in notes} >= {"make", "model"} and "make" not in values:
        values.pop("model", None)  # a model of which of the makes?
    return values, is_clear


def _is_answer(tokens: Sequence[Token]) -> bool:
    """Whether the message says nothing beside its values; the trim of a vehicle ("Leaf SV") is no more than that."""
    trims = {
        at
        for at, (before, token) in enumerate(pairwise(tokens), start=1)
        if before.kind == "value" and token.kind == "word" and len(token.text) <= _TRIM_LETTERS
    }
    return all(at in trims or adds_nothing(token) for at, token in enumerate(tokens))


def _is_driver(tokens: Sequence[Token]) -> bool:
    """Whether who was born is the one who drives: the customer, or another driver."""
    return somebody_drives(tokens) or not names_person(tokens)


def _speaks_of_two_ages(tokens: Sequence[Token], age_by_birth_years: int | None) -> bool:
    """Whether it is open whose age is whose: "55, pero maneja mi hijo de 22"."""
    ages = {token.value for token in tokens if token.is_likely("driver_age") and token.unit in {"", "years"}}
    if age_by_birth_years is not None:
        ages.add(age_by_birth_years)
    return len(ages) > 1 and any(token.text.removesuffix("'s") in PEOPLE for token in tokens)
