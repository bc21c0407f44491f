"""Decide which names of vehicles in a message stand for the customer's vehicle.

Why: "quick", "mini" and "is" are models, and ordinary words. A name that may be one needs something to support it: a year
beside it, its make, or the question it answers.
"""

import re

from knowledge.lexicon import fold
from knowledge.slots.message import Message, Note
from knowledge.slots.surroundings import is_denied
from knowledge.slots.tokens import VALUE, tokens_of
from knowledge.slots.traps import is_month
from knowledge.slots.words import LINKS
from knowledge.vehicles import Mention

_NEAR = 24  # characters before a name in which a year or a preposition belongs to it
_PLACE = re.compile(r"\b(?:in|from|near|to|en|desde|hasta|nach|aus|em)\s{1,3}$")
_YEAR_BEFORE = re.compile(r"(?:\b(?:19|20)\d\d|'\d\d)\s{1,3}$")
_YEAR_BEHIND = re.compile(
    r"\s{0,3}[,(]?\s{0,3}(?:(?:del?|from|ano|modelo|vom|du|dal)\s{1,3}){0,2}(?:(?:19|20)\d\d\b|'\d\d\b)"
)


def read_vehicle(message: Message) -> tuple[str, list[Note]]:
    """The text with its vehicles blanked, and what they say."""
    text = message.text
    meant = [mention for mention in message.mentions if _is_meant(mention, message)]
    notes: list[Note] = []
    for mention in meant:
        denied = is_denied(tokens_of(text[max(0, mention.start - 2 * _NEAR) : mention.start]))
        if mention.is_full or mention.make != message.known.get("make"):
            notes.append(Note("make", mention.make, denied))
        is_link = mention.model is not None and fold(mention.model) in LINKS and message.awaiting != "model"
        if mention.model is not None and not is_link:
            notes.append(Note("model", mention.model, denied))
        text = text[: mention.start] + VALUE * (mention.end - mention.start) + text[mention.end :]
    said = [note.value for note in notes if note.slot == "make" and not note.denied]
    other = {mention.model for mention in meant if message.correction and said and mention.make != said[-1]}
    return text, [note for note in notes if note.slot == "make" or note.value not in other]


def _is_meant(mention: Mention, message: Message) -> bool:
    """Whether a name stands for a vehicle here. An everyday or misspelt word needs something to support it."""
    text, awaiting, is_model = message.text, message.awaiting, mention.model is not None
    name = text[mention.start : mention.end]
    before = text[max(0, mention.start - _NEAR) : mention.start]
    asked = awaiting == "model" and is_model and mention.make == message.known.get("make")
    words = {word for word in name.split() if word.isalpha()}
    if words and words <= LINKS:
        return asked and message.bold
    paired = any(other.make == mention.make and other is not mention for other in message.mentions)
    if not (mention.everyday or mention.misspelt):
        return mention.is_full or asked or message.bold or paired or _PLACE.search(before) is None
    if name.isdigit():
        return asked
    if mention.everyday and mention.misspelt:
        return paired
    dated = _YEAR_BEFORE.search(before) or (_YEAR_BEHIND.match(text, mention.end) and not is_month(name))
    answers = message.bold and (awaiting in {"make", "model"} or (awaiting is None and not mention.misspelt))
    return bool(dated) or paired or answers or (asked and not mention.misspelt)
