"""Correct one wrong letter in a long word: "corola" is "corolla".

Why: people type makes and models from memory, on a phone. A short word is never corrected: too many are one letter
apart. Doubled letters count once on both sides ("corrola").
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Self

_LEAST_LETTERS = 5


@dataclass(frozen=True, slots=True)
class Typos:
    """Known words, found by words one edit away from them."""

    _near: Mapping[str, frozenset[str]]

    @classmethod
    def of(cls, words: Iterable[str]) -> Self:
        """Typos of folded words; those with a digit or of fewer than five letters are left out."""
        near: defaultdict[str, set[str]] = defaultdict(set)
        for word in set(words):
            if len(word) >= _LEAST_LETTERS and word.isalpha():
                for shape in _shapes(_undoubled(word)):
                    near[shape].add(word)
        return cls({shape: frozenset(known) for shape, known in near.items()})

    def correct(self, word: str) -> str:
        """The only known word within one edit, or the word as it is."""
        bare = _undoubled(word)
        near = {known for shape in _shapes(bare) for known in self._near.get(shape, ())}
        if word in near:
            return word
        near = {known for known in near if _is_one_edit(bare, _undoubled(known))}
        return near.pop() if len(near) == 1 else word


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
