"""Name the vehicle a customer means, however they write it: "chevy bolt", "F150", "un toyota corola".

Why: the tariff rates a class of vehicle, and people type makes and models from memory. Text is compared folded (no case,
accents, spaces or hyphens), and a word of five letters or more may hold one wrong letter.
Life: loaded once at start-up, frozen, shared by all threads.
"""

import re
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple, Self

from knowledge.lexicon import fold
from knowledge.vehicles.register import ATOM, Register, Vehicle, key, read_register
from knowledge.vehicles.typos import Typos

# What may stand between two parts of a name: "F-150", "ID. Buzz", "Town & Country". Never "1.5" or the end of a sentence.
_JOINT = re.compile(r"[ \t]{0,2}[-/&'’]?[ \t]{0,2}|(?<![^\W\d_]{3})(?<!\d)\.[ \t]?")
_MOST_PARTS = 7
_SHORT_NAME_LETTERS = 2


@dataclass(frozen=True, slots=True)
class Mention:
    """A make, or a make and model, found in a text at [start, end).

    `everyday` and `misspelt` ask for caution: the word may mean something else here ("mini", "quick", "911").
    A make with its model right behind it needs none. `is_full`: the make itself was named.
    """

    start: int
    end: int
    make: str
    model: str | None
    everyday: bool = False
    misspelt: bool = False
    is_full: bool = True


class _Atom(NamedTuple):
    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Vehicles:
    """Every make and model of one vehicles file, found by what customers call them."""

    _register: Register
    _typos: Typos

    @classmethod
    def load(cls, path: Path) -> Self:
        """Vehicles of a file.

        Raises:
            ConfigError: The file cannot be read, a key is unknown or wrong, a class is not declared, or a name stands
                twice. The text names the file, the key and the remedy.
        """
        register = read_register(path)
        return cls(register, Typos.of(register.words))

    @property
    def classes(self) -> tuple[str, ...]:
        """Classes a vehicle may have, in the file's order."""
        return self._register.classes

    @property
    def makes(self) -> tuple[str, ...]:
        """Names of the makes, in the file's order."""
        return tuple(self._register.models_of)

    def models_of(self, make: str) -> tuple[str, ...]:
        """Names of a make's models, in the file's order; none for an unknown make."""
        models = self._register.models_of.get(self.find_make(make) or "", {})
        return tuple(dict.fromkeys(vehicle.model for vehicle in models.values()))

    def find_make(self, text: str) -> str | None:
        """Name of the make that the text means ("chevy", "a Merc", "toyta"), or None."""
        if (make := self._register.make_of.get(key(text))) is not None:
            return make
        return next((mention.make for mention in self.mentions(fold(text)) if mention.model is None), None)

    def find(self, make: str, model: str) -> Vehicle | None:
        """Vehicle that these words mean, or None. A trim behind the model ("Civic LX") is passed over."""
        if (name := self.find_make(make)) is None:
            return None
        models = self._register.models_of[name]
        if (vehicle := models.get(key(model))) is not None:
            return vehicle
        mentions = self.mentions(f"{fold(name)} {fold(model)}", name)
        found = next((m.model for m in mentions if m.make == name and m.model is not None), None)
        return None if found is None else models[key(found)]

    def mentions(self, folded: str, make: str | None = None) -> tuple[Mention, ...]:
        """Makes and models in a folded text, left to right, without overlap.

        Args:
            folded: The text after `fold`.
            make: The make already known; it decides between makes that share a model's name.
        """
        atoms = [_Atom(m.group(), m.start(), m.end()) for m in ATOM.finditer(folded)]
        spelt = [atom._replace(text=self._typos.correct(atom.text)) for atom in atoms]
        keys = (name for at in range(len(atoms)) for _, name in _windows(folded, atoms, at))
        named = frozenset({make} | {self._register.make_of.get(name) for name in keys})
        found: list[Mention] = []
        for at, atom in enumerate(atoms):
            if found and atom.start < found[-1].end:
                continue
            exact = self._mention_at(folded, atoms, at, named)
            near = self._mention_at(folded, spelt, at, named, misspelt=True)
            found += sorted(filter(None, (exact, near)), key=lambda mention: -mention.end)[:1]
        return tuple(found)

    def _mention_at(
        self, text: str, atoms: list[_Atom], at: int, named: frozenset[str | None], *, misspelt: bool = False
    ) -> Mention | None:
        """Longest mention that begins at this atom."""
        register, start = self._register, atoms[at].start
        for end, name in _windows(text, atoms, at):
            if (vehicle := register.by_full_name.get(name)) is not None:
                return Mention(start, end, vehicle.make, vehicle.model)
            if (make := register.make_of.get(name)) is not None:
                return Mention(start, end, make, None, name in register.everyday, misspelt)
            if (vehicle := self._only(name, named)) is not None:
                everyday = name in register.everyday or name.isdigit() or len(name) <= _SHORT_NAME_LETTERS
                return Mention(start, end, vehicle.make, vehicle.model, everyday, misspelt, is_full=False)
        return None

    def _only(self, model: str, named: frozenset[str | None]) -> Vehicle | None:
        """The one vehicle of this model name: of a make named in the text, or else of any make."""
        vehicles = self._register.by_model.get(model, ())
        of_named = tuple(vehicle for vehicle in vehicles if vehicle.make in named)
        return next(iter(of_named or vehicles)) if len(of_named or vehicles) == 1 else None


def _windows(text: str, atoms: list[_Atom], at: int) -> list[tuple[int, str]]:
    """Runs of joined atoms from this one on, longest first: where each ends, and its key."""
    runs = [(atoms[at].end, atoms[at].text)]
    for before, atom in pairwise(atoms[at : at + _MOST_PARTS]):
        if _JOINT.fullmatch(text, before.end, atom.start) is None:
            break
        runs.append((atom.end, runs[-1][1] + atom.text))
    return runs[::-1]
