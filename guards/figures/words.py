"""Words around figures, by what they do: units, currencies, months, and what says of an amount that it is a price.

Why: the rules are the same in every language, the words are not. They stand in words.toml, where each list is explained.
Life: read once, when the room is imported.
"""

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict

from knowledge.tables import read_table

Does = Literal[
    "currency", "cents", "percent", "scale", "unit", "business", "any_days", "month", "ordinal", "other"
]
BLANK = r"[ \t\u00a0\u2007-\u200b\u202f\u2060*_`]{0,4}"
"""Between the parts of a figure: blanks of any width, and Markdown around one of the parts."""
_PLAIN = dict(
    zip(
        "áàâäãåéèêëíìîïóòôöõøúùûüñçćčśšżźłęąşğőű’＄．，％：／（）－＋٫٬٪",
        "aaaaaaeeeeiiiioooooouuuuncccsszzleasgou'$.,%:/()-+.,%",
        strict=True,
    )
)
_NOT_ASCII = re.compile(r"[^\x00-\x7f]")


class _File(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    currencies: Mapping[str, str]
    cents: Mapping[str, str]
    units: Mapping[str, str]
    business: Mapping[str, str]
    any_days: Mapping[str, str]
    percent: Mapping[str, str]
    scales: Mapping[str, str]
    other_units: Mapping[str, str]
    months: Mapping[str, str]
    ordinals: Mapping[str, str]
    says: Mapping[str, list[str]]
    bare: Mapping[str, str]
    begins: Mapping[str, list[str]]


class Word(NamedTuple):
    """What a word does beside a number, and which one it is: ("unit", "day"), ("month", "12"), ("scale", "3")."""

    does: Does
    name: str


def fold(text: str) -> str:
    """The text without capitals, accents and wide signs, letter for letter: places in it stay the same."""
    lowered = text.lower()
    if lowered.isascii():
        return lowered
    if len(lowered) != len(text):  # a few capitals become two letters
        lowered = "".join(letter.lower()[0] for letter in text)
    return _NOT_ASCII.sub(lambda found: _PLAIN.get(found[0], found[0]), lowered)


_SIGNS = {"*": r"[^\W_]*", " ": rf"{BLANK}(?<=\W)"}
_FILE = read_table(Path(__file__).with_name("words.toml"), _File)


def _table(does: Does, rows: Mapping[str, str]) -> dict[str, Word]:
    return {fold(word): Word(does, name) for name, text in rows.items() for word in text.split()}


WORDS: Mapping[str, Word] = {
    **_table("ordinal", _FILE.ordinals),
    **_table("other", _FILE.other_units),
    **_table("any_days", _FILE.any_days),
    **_table("business", _FILE.business),
    **_table("month", _FILE.months),
    **_table("unit", _FILE.units),
    **_table("cents", _FILE.cents),
    **_table("percent", _FILE.percent),
    **_table("currency", _FILE.currencies),
    **_table("scale", _FILE.scales),
}
"""By their folded spelling. "second" is a unit, and an ordinal where a month follows."""
BEGINNINGS: tuple[str, ...] = (
    *(spelling for word in _FILE.begins["words"] for spelling in {word, fold(word)}),
    *(spelling for text in _FILE.months.values() for word in text.split() for spelling in {word, fold(word)}),
    *(word for text in _FILE.ordinals.values() for word in text.split()),
)
"""Words at which a figure may begin, besides those of numbers; with and without accents."""
ORDINALS: Mapping[str, int] = {
    word: int(item.name) for word, item in _table("ordinal", _FILE.ordinals).items()
}
SCALES: Mapping[str, Decimal] = {name: Decimal(10) ** int(name) for name in _FILE.scales}


def named(does: Does) -> tuple[str, ...]:
    """All words that do this, folded."""
    return tuple(word for word, item in WORDS.items() if item.does == does)


def says(role: str) -> re.Pattern[str]:
    """One of the phrases of a list, in folded text."""
    return re.compile(rf"(?<![^\W_])(?:{alternatives(_FILE.says[role])})(?![^\W_])")


def alternatives(phrases: Iterable[str]) -> str:
    """A pattern for one of the phrases, the longest that fits; `*` is any ending, a blank any gap.

    What phrases begin with in common is looked at once: a plain row of some hundred words takes far longer.
    """
    tree = _Tree()
    for phrase in phrases:
        branch = tree
        for sign in phrase:
            branch = branch.setdefault(_SIGNS.get(sign) or re.escape(sign), _Tree())
        branch.is_phrase = True
    return _pattern(tree)


class _Tree(dict[str, "_Tree"]):
    """What may follow the signs so far; `is_phrase` when they are a phrase."""

    is_phrase = False


def _pattern(tree: _Tree) -> str:
    if not tree:
        return ""
    branches = "|".join(sign + _pattern(rest) for sign, rest in tree.items())
    return f"(?:{branches}){'?' if tree.is_phrase else ''}"


def bare(role: str) -> str:
    """A pattern for one of the words of a list about numbers without a unit, in folded text."""
    return alternatives(_FILE.bare[role].split())


def roles(*names: str) -> re.Pattern[str]:
    """One of the phrases of these lists, in folded text; the group that matched is named as its list."""
    groups = "|".join(f"(?P<{name}>{alternatives(_FILE.says[name])})" for name in names)
    return re.compile(rf"(?<![^\W_])(?:{groups})(?![^\W_])")
