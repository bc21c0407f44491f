"""Read a vehicles file: every make and model by each key that it answers to.

Why: everything about makes lives in vehicles.toml; the program knows no make. A key is a name folded and without
spaces, hyphens and the like, so "F-150" and "f 150" are one. A key that two entries claim would hide one of them from
customers, so the file is refused.
Life: read once at start-up by `Vehicles.load`.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from errors import ConfigError
from knowledge.lexicon import fold
from knowledge.tables import read_table

ATOM = re.compile(r"[^\W\d_]+|\d+")


@dataclass(frozen=True, slots=True)
class Vehicle:
    """One model as the tariff sees it, with its names as shown to the customer."""

    make: str
    model: str
    vehicle_class: str
    electric: bool


@dataclass(frozen=True, slots=True)
class Register:
    """A vehicles file by keys.

    Attributes:
        classes: Classes a vehicle may have, in the file's order.
        make_of: Key of a make -> its name.
        models_of: Name of a make -> key of a model -> vehicle.
        by_full_name: Key of a make and its model together -> vehicle.
        by_model: Key of a model -> the vehicles of all makes that use it.
        everyday: Keys that are ordinary words as well.
        words: Folded words of all names.
    """

    classes: tuple[str, ...]
    make_of: Mapping[str, str]
    models_of: Mapping[str, Mapping[str, Vehicle]]
    by_full_name: Mapping[str, Vehicle]
    by_model: Mapping[str, tuple[Vehicle, ...]]
    everyday: frozenset[str]
    words: frozenset[str]


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

    def entries(self) -> Iterator[_Named]:
        """Every make, each before its models."""
        for make in self.make:
            yield make
            yield from make.models


def read_register(path: Path) -> Register:
    """Register of a file.

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
    return Register(
        classes=tuple(file.classes),
        make_of=make_of,
        models_of=models_of,
        by_full_name=by_full_name,
        by_model=dict(by_model),
        everyday=frozenset(_everyday_keys(file)),
        words=frozenset(_words(file)),
    )


def key(text: str) -> str:
    """Letters and digits of a text, folded."""
    return "".join(filter(str.isalnum, fold(text)))


def _models(make: _Make, classes: Sequence[str], place: str) -> dict[str, Vehicle]:
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


def _claim(owners: dict[str, str], owner: str, names: Sequence[str], place: str) -> list[str]:
    """Keys of the names, now owned; a key that is empty or owned already is refused."""
    keys = [key(name) for name in names]
    for name, claimed in zip(names, keys, strict=True):
        if not claimed:
            raise ConfigError(f'{place}: "{name}" holds no letter or digit; give a name that does')
        if claimed in owners:
            raise ConfigError(f'{place}: "{name}" is taken by "{owners[claimed]}"; remove one of the two')
        owners[claimed] = owner
    return keys


def _everyday_keys(file: _File) -> Iterator[str]:
    """Keys that are ordinary words as well. One with a digit in it ("f150lightning") is not."""
    for entry in file.entries():
        yield from (name for name in map(key, entry.names()) if entry.everyday and name.isalpha())


def _words(file: _File) -> Iterator[str]:
    for entry in file.entries():
        for name in entry.names():
            yield from (*ATOM.findall(fold(name)), key(name))
