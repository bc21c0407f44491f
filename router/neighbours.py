"""Find the training lines most like a message.

Why: the Claude classifier decides better with a few labelled lines of the same kind before its eyes.
Words, their beginnings and concepts are compared; whoever has more rare ones in common is nearer.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from math import log, sqrt

from knowledge.lexicon import Lexicon, fold, words
from router.features import READ_CHARACTERS

_BEGINNING = 4


class Neighbours:
    """An index of texts by what they say. Built once (about 0.1 ms a text), then only read."""

    def __init__(self, texts: Sequence[str], lexicon: Lexicon) -> None:
        """Index the texts; they are named by their place in the sequence."""
        self._lexicon = lexicon
        self._size = len(texts)
        self._places: defaultdict[str, list[int]] = defaultdict(list)
        lines = [dict.fromkeys(self._keys(text)) for text in texts]
        for at, line in enumerate(lines):
            for key in line:
                self._places[key].append(at)
        self._weights = {key: self._rarity(key) ** 2 for key in self._places}
        self._lengths = [sqrt(sum(self._weights[key] for key in line)) for line in lines]

    def nearest(self, text: str, n: int) -> list[int]:
        """Places of the `n` texts nearest to this one, nearest first; fewer when fewer share anything with it."""
        shared: defaultdict[int, float] = defaultdict(float)
        for key in dict.fromkeys(self._keys(text)):
            weight = self._weights.get(key, 0.0)
            for at in self._places.get(key, ()):
                shared[at] += weight
        scores = sorted((-weight / self._lengths[at], at) for at, weight in shared.items())
        return [at for _, at in scores[:n]]

    def _rarity(self, key: str) -> float:
        return log((1 + self._size) / (1 + len(self._places[key]))) + 0.1

    def _keys(self, text: str) -> Iterator[str]:
        read = text[:READ_CHARACTERS]
        for word in words(fold(read)):
            yield word
            if len(word) > _BEGINNING:
                yield f"{word[:_BEGINNING]}*"
        for concept in sorted(self._lexicon.concepts(read)):
            yield f"= {concept}"
