"""Read the files of patterns: the built-in guards/screen.toml, and the company's own.

Each rule says what a hostile message says in one of its ways; a misspelt one is refused with file, pattern and remedy.
The patterns of guards/promises.toml are written in the same way, but without "&".
A pattern is read from left to right:
    word            this word
    one|two         one of these words
    <name>          one of the words of that list
    ~3              up to three other words may stand here, within the sentence
    ^               the next word begins a sentence
    first & second  both patterns, anywhere in the message
"""

import re
import tomllib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from errors import ConfigError
from guards.screen_rules import Level, Rule, Rules, Step
from guards.screen_words import bare, pieces, undressed

_NAME = re.compile(r"<([a-z_]+)>")
_GAP = re.compile(r"~(\d)")


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Group(_Strict):
    """Patterns of one class, as the file has them.

    Attributes:
        kind: The class, as events name it.
        level: "act": the message goes to the specialist for such messages. "note": it is only recorded.
        not_between: Words that may not stand in a gap.
        not_before: Words of which none may be among the two before the pattern.
        not_after: Words of which none may follow the pattern at once.
    """

    kind: Annotated[str, StringConstraints(pattern="^[a-z][a-z_]{2,30}$")]
    level: Level = "act"
    find: Annotated[list[str], Field(min_length=1)]
    not_between: str = ""
    not_before: str = ""
    not_after: str = ""


class _File(_Strict):
    lists: dict[Annotated[str, StringConstraints(pattern="^[a-z_]+$")], str] = {}
    groups: list[Group] = []


def load_rules(*files: Path) -> Rules:
    """The patterns of these files; lists of earlier ones may be used in later ones.

    Raises:
        ConfigError: A file cannot be read, or a pattern is not understood: file, pattern, what is known.
    """
    lists: dict[str, frozenset[str]] = {}
    rules: list[Rule] = []
    for file in files:
        read = _read(file)
        lists |= {name: word_set(words) for name, words in read.lists.items()}
        rules += [_rule(file, group, text, lists) for group in read.groups for text in group.find]
    return Rules(rules)


def _read(file: Path) -> _File:
    try:
        return _File.model_validate(tomllib.loads(file.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as exc:
        raise ConfigError(f"{file}: cannot be read: {exc}") from exc
    except ValidationError as exc:
        first = exc.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ConfigError(f"{file}: {where}: {first['msg']}, not {first['input']!r}") from exc


def _rule(file: Path, group: Group, text: str, lists: Mapping[str, frozenset[str]]) -> Rule:
    parts = tuple(read_steps(file, text, part, lists) for part in text.split("&"))
    between, before, after = (
        word_set(words) for words in (group.not_between, group.not_before, group.not_after)
    )
    return Rule(group.kind, group.level, text, parts, between, before, after)


def read_steps(file: Path, text: str, part: str, lists: Mapping[str, frozenset[str]]) -> tuple[Step, ...]:
    """The steps of a pattern, or of one of its parts.

    Args:
        file: Where it stands, for the error.
        text: The whole pattern, for the error.

    Raises:
        ConfigError: It is not understood: file, pattern, what is known.
    """
    steps: list[Step] = []
    gap, is_first = 0, False
    for sign in part.split():
        if sign == "^":
            is_first = True
        elif number := _GAP.fullmatch(sign):
            gap = int(number[1])
        else:
            steps.append(Step(_one_of(file, text, sign, lists), gap, is_first))
            gap, is_first = 0, False
    if not steps or gap or is_first:
        raise ConfigError(f'{file}: pattern "{text}": a word is missing, at the latest at its end')
    return tuple(steps)


def _one_of(file: Path, text: str, sign: str, lists: Mapping[str, frozenset[str]]) -> frozenset[str]:
    """The words that one sign of a pattern stands for."""
    words: frozenset[str] = frozenset()
    for choice in sign.split("|"):
        name = _NAME.fullmatch(choice)
        if name is not None and name[1] not in lists:
            known = ", ".join(sorted(lists)) or "none"
            raise ConfigError(f'{file}: pattern "{text}": list <{name[1]}> is unknown; known: {known}')
        words |= lists[name[1]] if name is not None else word_set(choice)
    if not words:
        raise ConfigError(f'{file}: pattern "{text}": "{sign}" holds no word')
    return words


@lru_cache(maxsize=10_000)  # patterns say the same words again and again
def word_set(words: str) -> frozenset[str]:
    """The words of a list, as `bare` writes them."""
    return frozenset(pieces(bare(undressed(words))).words)
