"""Number the features that occur in the training lines, and tell how strongly each counts in a message.

Why: words that everybody uses say little (inverse document frequency), and a long message must not count for more than
a short one (each kind of feature is scaled to a fixed length). How many of its words are strange to the training lines
is a feature too: what nobody ever asked an insurer is mostly off topic.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import log, sqrt
from typing import Self, get_args

from router.features import Features, Kind
from router.regression import Row

KINDS: tuple[Kind, ...] = get_args(Kind)
"""Kinds of features, in the order of their ids."""

# Length of each kind's part of a row. Signs are not scaled together: two of them say more than one.
_STRENGTHS: Mapping[Kind, float] = {"words": 1.0, "letters": 1.0, "senses": 2.0, "signs": 1.0}
_LEAST_LINES: Mapping[Kind, int] = {"words": 2, "letters": 2, "senses": 2, "signs": 1}
_STRANGE_STEPS = 5
_STRANGE = tuple(f"strange words {step}" for step in range(_STRANGE_STEPS + 1))


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Known features and in how many training lines each occurs.

    Attributes:
        names: Kind -> its features in the order of their ids; ids go on from kind to kind.
        lines: Training lines with a feature, by id.
        size: Training lines altogether.
    """

    names: Mapping[Kind, Sequence[str]]
    lines: Sequence[int]
    size: int
    _ids: Mapping[Kind, Mapping[str, int]] = field(init=False, repr=False, compare=False)
    _rarity: Sequence[float] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        ids = iter(range(len(self.lines)))
        object.__setattr__(
            self, "_ids", {kind: dict(zip(self.names[kind], ids, strict=False)) for kind in KINDS}
        )
        rarity = [log((1 + self.size) / (1 + count)) + 1 for count in self.lines]
        object.__setattr__(self, "_rarity", rarity)

    @classmethod
    def learn(cls, lines: Sequence[Features]) -> Self:
        """Vocabulary of the training lines; ids follow the order in which features first appear."""
        names: dict[Kind, list[str]] = {}
        counts: list[int] = []
        for kind in KINDS:
            found = Counter(name for line in lines for name in line.counts[kind])
            kept = {name: count for name, count in found.items() if count >= _LEAST_LINES[kind]}
            if kind == "signs":
                kept |= dict.fromkeys(_STRANGE, 1)
            names[kind] = list(kept)
            counts += kept.values()
        return cls(names=names, lines=counts, size=len(lines))

    def __len__(self) -> int:
        return len(self.lines)

    def row(self, features: Features, *, is_training_line: bool = False) -> Row:
        """A message as numbers; features that the training lines do not have are left out.

        Args:
            features: What the message shows.
            is_training_line: The message was learnt from: its own words do not count as known because of itself.
        """
        terms = [term for kind in KINDS[:-1] for term in self._scaled(kind, features.counts[kind])]
        signs = self._ids["signs"]
        strange = self._strange(features.words, 2 + is_training_line)
        terms += [
            (signs[sign], _STRENGTHS["signs"])
            for sign in (*features.counts["signs"], strange)
            if sign in signs
        ]
        return Row(ids=tuple(at for at, _ in terms), values=tuple(value for _, value in terms))

    def _scaled(self, kind: Kind, counts: Counter[str]) -> Iterator[tuple[int, float]]:
        """Features of one kind with their strengths; as a vector they have the kind's length."""
        ids = self._ids[kind]
        known = [
            (at, (1 + log(count)) * self._rarity[at])
            for name, count in counts.items()
            if (at := ids.get(name)) is not None
        ]
        norm = sqrt(sum(value * value for _, value in known)) / _STRENGTHS[kind]
        return ((at, value / norm) for at, value in known)

    def _strange(self, words: Sequence[str], least_lines: int) -> str:
        """Sign for the share of words that fewer training lines than that have."""
        ids = self._ids["words"]
        different = set(words)
        known = sum((at := ids.get(word)) is not None and self.lines[at] >= least_lines for word in different)
        return _STRANGE[int((1 - known / len(different)) * _STRANGE_STEPS) if different else 0]
