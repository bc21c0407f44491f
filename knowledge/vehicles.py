"""Name the vehicle a customer means, however they write it: "chevy bolt", "F150", "un toyota corola".

Why: the tariff rates a class of vehicle, and people type makes and models from memory. Everything about makes lives in
vehicles.toml; this module knows no make. Text is compared folded (no case, accents, spaces or hyphens), and a word of
five letters or more may hold one wrong letter.
Life: loaded once at start-up, frozen, shared by all threads.
"""

import re
import tomllib
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby, pairwise
from pathlib import Path
from typing import NamedTuple, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from errors import ConfigError

_Table = TypeVar("_Table", bound=BaseModel)
_ATOM = re.compile(r"[^\W\d_]+|\d+")
# What may stand between two parts of a name: "F-150", "ID. Buzz", "Town & Country". Never "1.5" or the end of a sentence.
_JOINT = re.compile(r"[ \t]{0,2}[-/&'’]?[ \t]{0,2}|(?<![^\W\d_]{3})(?<!\d)\.[ \t]?")
_MOST_PARTS = 7
_LEAST_TYPO_LETTERS = 5
_SHORT_NAME_LETTERS = 2


@dataclass(frozen=True, slots=True)
class Vehicle:
    """One model as the tariff sees it, with its names as shown to the customer."""

    make: str
    model: str
    vehicle_class: str
    electric: bool


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


class _Named(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    name: str = Field(min_length=1)
    aliases: list[str] = []
    everyday: bool = False

    def names(self) -> list[str]:
        return [self.name, *self.aliases]


class _Model(_Named):
    vehicle_class: str = Field(alias="class")
    electric: bool = False


class _Make(_Named):
    models: list[_Model] = Field(min_length=1)


class _File(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    classes: list[str] = Field(min_length=1)
    make: list[_Make] = Field(min_length=1)


class _Atom(NamedTuple):
    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Vehicles:
    """Every make and model of one vehicles file, found by what customers call them.

    Attributes:
        classes: Classes a vehicle may have, in the file's order.
        makes: Names of the makes, in the file's order.
    """

    classes: tuple[str, ...]
    makes: tuple[str, ...]
    _make_of: Mapping[str, str]
    _models_of: Mapping[str, Mapping[str, Vehicle]]
    _by_full_name: Mapping[str, Vehicle]
    _by_model: Mapping[str, tuple[Vehicle, ...]]
    _everyday: frozenset[str]
    _near: Mapping[str, frozenset[str]]

    @classmethod
    def load(cls, path: Path) -> Self:
        """Vehicles of a file.

        Raises:
            ConfigError: The file cannot be read, a key is unknown or wrong, a class is not declared, or a name stands
                twice. The text names the file, the key and the remedy.
        """
        file = read_table(path, _File)
        make_of: dict[str, str] = {}
        models_of: dict[str, dict[str, Vehicle]] = {}
        by_full_name: dict[str, Vehicle] = {}
        by_model: defaultdict[str, tuple[Vehicle, ...]] = defaultdict(tuple)
        for make in file.make:
            place = f'{path}: make "{make.name}"'
            make_keys = _claim(make_of, make.name, make.names(), place)
            models = models_of[make.name] = _models(make, file.classes, place)
            for model_key, vehicle in models.items():
                by_model[model_key] += (vehicle,)
                by_full_name |= {make_key + model_key: vehicle for make_key in make_keys}
        return cls(
            classes=tuple(file.classes),
            makes=tuple(models_of),
            _make_of=make_of,
            _models_of=models_of,
            _by_full_name=by_full_name,
            _by_model=dict(by_model),
            _everyday=frozenset(_everyday_keys(file)),
            _near=_near_words(file),
        )

    def models_of(self, make: str) -> tuple[str, ...]:
        """Names of a make's models, in the file's order; none for an unknown make."""
        models = self._models_of.get(self.find_make(make) or "", {})
        return tuple(dict.fromkeys(vehicle.model for vehicle in models.values()))

    def find_make(self, text: str) -> str | None:
        """Name of the make that the text means ("chevy", "a Merc", "toyta"), or None."""
        if (make := self._make_of.get(_key(text))) is not None:
            return make
        return next((mention.make for mention in self.mentions(fold(text)) if mention.model is None), None)

    def find(self, make: str, model: str) -> Vehicle | None:
        """Vehicle that these words mean, or None. A trim behind the model ("Civic LX") is passed over."""
        if (name := self.find_make(make)) is None:
            return None
        if (vehicle := self._models_of[name].get(_key(model))) is not None:
            return vehicle
        mentions = self.mentions(f"{fold(name)} {fold(model)}", name)
        found = next((m.model for m in mentions if m.make == name and m.model is not None), None)
        return None if found is None else self._models_of[name][_key(found)]

    def mentions(self, folded: str, make: str | None = None) -> tuple[Mention, ...]:
        """Makes and models in a folded text, left to right, without overlap.

        Args:
            folded: The text after `fold`.
            make: The make already known; it decides between makes that share a model's name.
        """
        atoms = [_Atom(m.group(), m.start(), m.end()) for m in _ATOM.finditer(folded)]
        spelt = [atom._replace(text=self._spelling(atom.text)) for atom in atoms]
        keys = (key for at in range(len(atoms)) for _, key in _windows(folded, atoms, at))
        named = frozenset({make} | {self._make_of.get(key) for key in keys})
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
        start = atoms[at].start
        for end, key in _windows(text, atoms, at):
            if (vehicle := self._by_full_name.get(key)) is not None:
                return Mention(start, end, vehicle.make, vehicle.model)
            if (make := self._make_of.get(key)) is not None:
                return Mention(start, end, make, None, key in self._everyday, misspelt)
            if (vehicle := self._only(key, named)) is not None:
                everyday = key in self._everyday or key.isdigit() or len(key) <= _SHORT_NAME_LETTERS
                return Mention(start, end, vehicle.make, vehicle.model, everyday, misspelt, is_full=False)
        return None

    def _only(self, key: str, named: frozenset[str | None]) -> Vehicle | None:
        """The one vehicle of this model name: of a make named in the text, or else of any make."""
        vehicles = self._by_model.get(key, ())
        of_named = tuple(vehicle for vehicle in vehicles if vehicle.make in named)
        return next(iter(of_named or vehicles)) if len(of_named or vehicles) == 1 else None

    def _spelling(self, word: str) -> str:
        """The only known word within one edit, or the word as it is."""
        bare = _undoubled(word)
        near = {known for shape in _shapes(bare) for known in self._near.get(shape, ())}
        if word in near:
            return word
        near = {known for known in near if _is_one_edit(bare, _undoubled(known))}
        return near.pop() if len(near) == 1 else word


def fold(text: str) -> str:
    """Text without case, accents and invisible marks, with compatibility letters made plain."""
    if text.isascii():
        return text.lower()
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    return "".join(sign for sign in plain if unicodedata.category(sign) not in {"Mn", "Cf"})


def read_table(path: Path, table: type[_Table]) -> _Table:
    """A TOML file as a checked table; figures with a point are decimal.

    Raises:
        ConfigError: Unreadable, not TOML, or not as the table wants it; names file, key and remedy.
    """
    try:
        data: object = tomllib.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
    except (OSError, UnicodeDecodeError) as exc:
        raise ConfigError(f"{path}: cannot be read ({exc}); put a UTF-8 file there") from exc
    except tomllib.TOMLDecodeError as exc:
        raise ConfigError(f"{path}: not valid TOML: {exc}; correct that line") from exc
    try:
        return table.model_validate(data)
    except ValidationError as exc:
        problem = exc.errors(include_url=False)[0]
        remedy = {"extra_forbidden": "remove this key or correct its spelling", "missing": "add this key"}
        advice = remedy.get(problem["type"], f"correct this value: {problem.get('input')!r}")
        raise ConfigError(f"{path}: {_place(data, problem['loc'])}: {problem['msg']}; {advice}") from exc


def _place(data: object, loc: tuple[int | str, ...]) -> str:
    """Path to a key as a person reads it: a row goes by its name where it has one."""
    parts: list[str] = []
    for step in loc:
        row = data[step] if isinstance(data, list) and isinstance(step, int) else None
        data = data.get(step) if isinstance(data, dict) else row
        name = data.get("name") if isinstance(row, dict) and isinstance(data, dict) else None
        parts.append(f'"{name}"' if name else f"row {step + 1}" if isinstance(step, int) else f"{step}")
    return " / ".join(parts) or "the whole file"


def _models(make: _Make, classes: list[str], place: str) -> dict[str, Vehicle]:
    """Vehicles of a make by every key they answer to."""
    claimed: dict[str, str] = {}
    models: dict[str, Vehicle] = {}
    for model in make.models:
        if model.vehicle_class not in classes:
            raise ConfigError(
                f'{place} / model "{model.name}": class "{model.vehicle_class}" is unknown; '
                f"use one of {', '.join(classes)}, or add it to classes"
            )
        vehicle = Vehicle(make.name, model.name, model.vehicle_class, model.electric)
        keys = _claim(claimed, model.name, model.names(), f'{place} / model "{model.name}"')
        models |= dict.fromkeys(keys, vehicle)
    return models


def _claim(owners: dict[str, str], owner: str, names: list[str], place: str) -> list[str]:
    """Keys of the names, now owned; a key that is empty or owned already is refused."""
    keys = [_key(name) for name in names]
    for name, key in zip(names, keys, strict=True):
        if not key:
            raise ConfigError(f'{place}: "{name}" holds no letter or digit; give a name that does')
        if key in owners:
            raise ConfigError(f'{place}: "{name}" is taken by "{owners[key]}"; remove one of the two')
        owners[key] = owner
    return keys


def _everyday_keys(file: _File) -> Iterator[str]:
    """Keys that are ordinary words as well. One with a digit in it ("f150lightning") is not."""
    for make in file.make:
        for entry in (make, *make.models):
            yield from (key for key in map(_key, entry.names()) if entry.everyday and key.isalpha())


def _near_words(file: _File) -> Mapping[str, frozenset[str]]:
    """Known words of five letters or more, by their shapes; doubled letters count once ("corrola")."""
    near: defaultdict[str, set[str]] = defaultdict(set)
    for make in file.make:
        names = [name for entry in (make, *make.models) for name in entry.names()]
        for word in {word for name in names for word in (*_ATOM.findall(fold(name)), _key(name))}:
            if len(word) >= _LEAST_TYPO_LETTERS and word.isalpha():
                for shape in _shapes(_undoubled(word)):
                    near[shape].add(word)
    return {shape: frozenset(words) for shape, words in near.items()}


def _undoubled(word: str) -> str:
    return "".join(letter for letter, _ in groupby(word))


def _shapes(word: str) -> Iterator[str]:
    """The word, and the word without each of its letters: two words one edit apart share a shape."""
    yield word
    yield from (word[:at] + word[at + 1 :] for at in range(len(word)))


def _is_one_edit(word: str, other: str) -> bool:
    """One letter more, less, different, or two neighbours swapped."""
    head = 0
    while head < min(len(word), len(other)) and word[head] == other[head]:
        head += 1
    word, other = word[head:], other[head:]
    while word and other and word[-1] == other[-1]:
        word, other = word[:-1], other[:-1]
    return max(len(word), len(other)) <= 1 or (len(word) == 2 and word == other[::-1])  # noqa: PLR2004 - a pair


def _key(text: str) -> str:
    return "".join(filter(str.isalnum, fold(text)))


def _windows(text: str, atoms: list[_Atom], at: int) -> list[tuple[int, str]]:
    """Runs of joined atoms from this one on, longest first: where each ends, and its key."""
    runs = [(atoms[at].end, atoms[at].text)]
    for before, atom in pairwise(atoms[at : at + _MOST_PARTS]):
        if _JOINT.fullmatch(text, before.end, atom.start) is None:
            break
        runs.append((atom.end, runs[-1][1] + atom.text))
    return runs[::-1]
