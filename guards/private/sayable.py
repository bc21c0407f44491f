"""What may be said although it is personal data: the company's own contacts, and what is this customer's own.

Why: an answer that hides the company's phone number helps nobody, and a customer may want to hear their own number again.
Made by the guard, one for each answer; it reads what was said only when something has been found.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache

from guards.private.phones import national
from guards.private.plain import Plain
from guards.private.reading import Private, private_in
from guards.private.runs import WORDS
from guards.stream import Ground, Scene

_DIGIT_WORD = re.compile(rf"(?<![^\W_])(?:{'|'.join(WORDS)})(?![^\W_])")
_NO_LETTER_OR_DIGIT = re.compile(r"[\W_]+")
_AMERICAN = 11
_FEWEST_OF_NATIONAL = 7
_REMEMBERED = 4_096


@dataclass(frozen=True, slots=True)
class Contacts:
    """Phone numbers (digits) and e-mail addresses (small letters) of the company."""

    phones: frozenset[str] = frozenset()
    emails: frozenset[str] = frozenset()

    @classmethod
    def listed(cls, contacts: Iterable[str]) -> "Contacts":
        """Those of a list in which each stands for itself."""
        written = list(contacts)
        return cls(
            frozenset(_number("".join(filter(str.isdecimal, item))) for item in written if "@" not in item),
            frozenset(item.strip().lower() for item in written if "@" in item),
        )

    def __or__(self, other: "Contacts") -> "Contacts":
        """All of both."""
        return Contacts(self.phones | other.phones, self.emails | other.emails)

    def holds(self, found: Private) -> bool:
        """Whether this is one of them."""
        if found.kind == "email":
            return found.value in self.emails
        return found.kind == "phone" and _number(found.value) in self.phones


def contacts_in(published: Iterable[str]) -> Contacts:
    """The phone numbers and addresses that stand in texts that the company publishes; they are remembered."""
    found = {_contacts_of(text) for text in published}
    return Contacts(
        frozenset().union(*(item.phones for item in found)),
        frozenset().union(*(item.emails for item in found)),
    )


@lru_cache(maxsize=_REMEMBERED)
def _contacts_of(text: str) -> Contacts:
    found = list(private_in(text))
    return Contacts(
        frozenset(_number(item.value) for item in found if item.kind == "phone"),
        frozenset(item.value for item in found if item.kind == "email"),
    )


class Sayable:
    """What may be said in one answer."""

    def __init__(self, scene: Scene, contacts: Callable[[], Contacts]) -> None:
        self._scene = scene
        self._contacts = contacts
        self._read = 0
        self._emails: frozenset[str] = frozenset()
        self._said = ""
        self._company: Contacts | None = None

    def allows(self, found: Private) -> bool:
        """Whether it is the company's, or this customer's own where their own may be said back."""
        return self.is_company(found) or (found.kind in self._scene.says_back and self._is_own(found))

    def is_company(self, found: Private) -> bool:
        """Whether it is one of the company's own contacts."""
        if self._company is None:
            own = contacts_in(ground.text for ground in self._scene.grounds if ground.kind == "company")
            self._company = self._contacts() | own
        return self._company.holds(found)

    def _is_own(self, found: Private) -> bool:
        self._catch_up()
        if found.kind == "email":
            return found.value in self._emails
        at_home = national(found.value) if found.kind == "phone" else ""
        return found.value in self._said or (len(at_home) >= _FEWEST_OF_NATIONAL and at_home in self._said)

    def _catch_up(self) -> None:
        new = self._scene.grounds[self._read :]
        self._read += len(new)
        for ground in filter(_is_theirs, new):
            self._emails |= {item.value for item in private_in(ground.text) if item.kind == "email"}
            self._said += f" {_compact(ground.text)}"


def _is_theirs(ground: Ground) -> bool:
    return ground.is_own or ground.kind in {"customer", "answer"}


def _compact(text: str) -> str:
    """Letters and digits only, spelled digits as digits: so "600 123 456" and "six zero zero ..." are the same."""
    plain = _DIGIT_WORD.sub(lambda word: WORDS[word.group()], Plain.read(text, 0).text.lower())
    return _NO_LETTER_OR_DIGIT.sub("", plain)


def _number(digits: str) -> str:
    bare = digits.removeprefix("00")
    return bare[1:] if len(bare) == _AMERICAN and bare[0] == "1" else bare
