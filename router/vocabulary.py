"""Number the features that occur in the training lines, and tell how strongly each counts in a message.

Why: words that everybody uses say little (inverse document frequency), and a long message must not count more than a
short one (each kind of feature is scaled to a fixed length).
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import log, sqrt
from typing import Self

from router.features import Features
from router.regression import Row

_RARITY_DIGITS = 5


@dataclass(frozen=True, slots=True)
class Strengths:
    """How much each kind of feature counts: the length of its part of a row.

    Attributes:
        words: Of words and pairs of words.
        letters: Of runs of letters.
        signs: Of each sign (they are not scaled together: two concepts say more than one).
        least_lines: Training lines in which a word or a run of letters must occur to be kept.
    """

    words: float = 1.0
    letters: float = 1.0
    signs: float = 1.0
    least_lines: int = 2


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Features by kind -> their ids, and the rarity of each id.

    Attributes:
        words: Word or pair of words -> id.
        letters: Run of letters -> id.
        signs: Sign -> id.
        rarity: Inverse document frequency by id; 1 for signs.
        strengths: How much each kind counts.
    """

    words: Mapping[str, int]
    letters: Mapping[str, int]
    signs: Mapping[str, int]
    rarity: Sequence[float]
    strengths: Strengths

    @classmethod
    def learn(cls, lines: Sequence[Features], strengths: Strengths) -> Self:
        """Vocabulary of the training lines; ids follow the order in which features appear."""
        words = _kept((line.words for line in lines), strengths.least_lines)
        letters = _kept((line.letters for line in lines), strengths.least_lines)
        signs = _kept((line.signs for line in lines), 1)
        counts = [*words.values(), *letters.values()]
        rarity = [round(log((1 + len(lines)) / (1 + count)) + 1, _RARITY_DIGITS) for count in counts]
        return cls.numbered(list(words), list(letters), list(signs), rarity + [1.0] * len(signs), strengths)

    @classmethod
    def numbered(
        cls,
        words: Sequence[str],
        letters: Sequence[str],
        signs: Sequence[str],
        rarity: Sequence[float],
        strengths: Strengths,
    ) -> Self:
        """Vocabulary of features named in the order of their ids: words, then letters, then signs."""
        ids = iter(range(len(rarity)))
        return cls(
            words={name: next(ids) for name in words},
            letters={name: next(ids) for name in letters},
            signs={name: next(ids) for name in signs},
            rarity=rarity,
            strengths=strengths,
        )

    def __len__(self) -> int:
        return len(self.rarity)

    def row(self, features: Features) -> Row:
        """A message as numbers; features that no training line has are left out."""
        strengths = self.strengths
        terms = [
            *_scaled(self._known(features.words, self.words), strengths.words),
            *_scaled(self._known(features.letters, self.letters), strengths.letters),
            *((self.signs[sign], strengths.signs) for sign in features.signs if sign in self.signs),
        ]
        return Row(ids=tuple(at for at, _ in terms), values=tuple(value for _, value in terms))

    def _known(self, counts: Counter[str], ids: Mapping[str, int]) -> Iterator[tuple[int, float]]:
        for name, count in counts.items():
            if (at := ids.get(name)) is not None:
                yield at, self.rarity[at] * (1 + log(count))


def _kept(lines: Iterable[Iterable[str]], least_lines: int) -> dict[str, int]:
    """Features of enough lines, with the number of lines that have them."""
    counts: Counter[str] = Counter()
    for names in lines:
        counts.update(dict.fromkeys(names, 1))
    return {name: count for name, count in counts.items() if count >= least_lines}


def _scaled(terms: Iterator[tuple[int, float]], length: float) -> Iterator[tuple[int, float]]:
    """Terms with their strengths multiplied so that they are, as a vector, of the given length."""
    known = list(terms)
    norm = sqrt(sum(value * value for _, value in known))
    return ((at, length * value / norm) for at, value in known)
