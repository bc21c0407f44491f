"""What the reader of one message works with: the message made plain, and the notes taken from it.

Life: one Message per reading, made by `read_slots`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from knowledge.vehicles import Mention


@dataclass(frozen=True, slots=True)
class Message:
    """A message made plain, with what the quote knows.

    Attributes:
        text: Folded, with digits for numbers in words; asides and names of people are blanked.
        awaiting: Slot that was asked for last, or None.
        known: Slots known so far.
        today: The customer's date.
        mentions: Makes and models found in the text.
        correction: The message takes something back.
        bold: Read as if it were nothing but an answer.
        age_by_birth_years: Age that a year of birth means, or None.
    """

    text: str
    awaiting: str | None
    known: Mapping[str, str | int]
    today: date
    mentions: Sequence[Mention]
    correction: bool
    bold: bool = True
    age_by_birth_years: int | None = None


@dataclass(frozen=True, slots=True)
class Note:
    """A value said for a slot, or denied ("not 2019")."""

    slot: str
    value: str | int
    denied: bool = False
