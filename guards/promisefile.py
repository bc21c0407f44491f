"""Read the patterns of commitments: the built-in guards/promises.toml, and what the company's brand.toml adds.

Patterns are written as for the input screen (guards/screen_rulefile.py), without "&". Read once at start.
"""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from guards.screen_rulefile import read_steps, word_set
from guards.screen_rules import Step
from knowledge.brand import Commitments

BUILT_IN = Path(__file__).with_name("promises.toml")
_BRAND = Path("brand.toml")
Words = frozenset[str]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Group(_Strict):
    """Patterns of one class, as the file has them.

    Attributes:
        kind: The class, as events name it; what stands instead is the notice `promise_<kind>`.
        conditional: Whether a condition ("if your claim is approved") makes it harmless.
        if_told: Words of which one in a tool's result makes it harmless: then it is a fact.
        not_between: Words that may not stand in a gap.
        not_before: Words of which none may be among the two before the pattern.
        not_after: Words of which none may follow the pattern at once.
    """

    kind: Annotated[str, StringConstraints(pattern="^[a-z][a-z_]{2,30}$")]
    find: Annotated[list[str], Field(min_length=1)]
    conditional: bool = False
    if_told: str = ""
    not_between: str = ""
    not_before: str = ""
    not_after: str = ""


class _File(_Strict):
    lists: dict[str, str]
    groups: list[_Group]


@dataclass(frozen=True, slots=True)
class Commitment:
    """A pattern of what may not be promised; the attributes are those of its group."""

    kind: str
    steps: tuple[Step, ...]
    between: Words
    before: Words
    after: Words
    is_conditional: bool
    if_told: Words


@dataclass(frozen=True, slots=True)
class PromiseWords:
    """All patterns and the lists that say when they are harmless; guards/promises.py says how."""

    commitments: tuple[Commitment, ...]
    lists: Mapping[str, Words]
    sayable: tuple[tuple[str, ...], ...]


def read_promises(own: Commitments) -> PromiseWords:
    """The built-in patterns and the company's own.

    Raises:
        ConfigError: A pattern is not understood: file, pattern, what is known.
    """
    file = _File.model_validate(tomllib.loads(BUILT_IN.read_text(encoding="utf-8")))
    lists = {name: word_set(words) for name, words in file.lists.items()}
    lists["us"] |= word_set(" ".join(own.we_are))
    lists["opener"] |= lists["us"]
    added = [_Group(kind=more.kind, find=list(more.find)) for more in own.never]
    commitments = [
        *_commitments(BUILT_IN, file.groups, lists),
        *_commitments(_BRAND, added, lists),
    ]
    sayable = tuple(tuple(phrase.split()) for phrase in map(_plainly, own.sayable))
    return PromiseWords(tuple(commitments), lists, sayable)


def _plainly(phrase: str) -> str:
    return " ".join(word for piece in phrase.split() for word in sorted(word_set(piece)))


def _commitments(file: Path, groups: Iterable[_Group], lists: Mapping[str, Words]) -> Iterable[Commitment]:
    for group in groups:
        between = word_set(group.not_between) | lists["negation"]
        rest = (
            word_set(group.not_before),
            word_set(group.not_after),
            group.conditional,
            word_set(group.if_told),
        )
        for text in group.find:
            yield Commitment(group.kind, read_steps(file, text, text, lists), between, *rest)
