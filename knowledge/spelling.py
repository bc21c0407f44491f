"""Find the known words that a misspelt word may mean, fast enough for tens of thousands of words.

Why: customers write "vateria" and "deductable". A word of the articles is near when it differs by one letter, or by
two when it is long; letters may be missing, too many, exchanged or swapped with their neighbour.
"""

from collections import defaultdict
from collections.abc import Iterable

_ONE_FROM, _TWO_FROM = 4, 8


class Spelling:
    """Known words, ready to be looked up by what they almost are. Built once, then only read."""

    def __init__(self, known: Iterable[str]) -> None:
        """Index the words; the order does not matter."""
        self._buckets: defaultdict[str, list[tuple[str, int]]] = defaultdict(list)
        for word in sorted(set(known)):
            if len(word) >= _ONE_FROM - 1 and word.isalpha():
                for key in {word[0], word[1:3]}:
                    self._buckets[key].append((word, _letters(word)))

    def nearest(self, word: str, limit: int) -> tuple[str, ...]:
        """The nearest known words, nearest first; none when there is none, or the word is too short to tell."""
        if len(word) < _ONE_FROM or not word.isalpha():
            return ()
        reach = 2 if len(word) >= _TWO_FROM else 1
        found = {other: distance(word, other, reach) for other in self._alike(word, reach)}
        near = sorted((steps, other) for other, steps in found.items() if steps <= reach)
        return tuple(other for _, other in near[:limit])

    def _alike(self, word: str, reach: int) -> Iterable[str]:
        """Words worth a closer look: the same beginning (give or take its first letter), and much the same letters."""
        letters = _letters(word)
        for key in {word[0], word[1:3], word[0:2], word[2:4]}:
            for other, others in self._buckets.get(key, ()):
                if abs(len(other) - len(word)) <= reach and (letters ^ others).bit_count() <= 2 * reach:
                    yield other


def distance(left: str, right: str, reach: int) -> int:
    """Letters that must be put in, taken out, exchanged or swapped with a neighbour; `reach` + 1 stands for more."""
    too_far = reach + 1
    before: list[int] = []
    row = list(range(len(right) + 1))
    for i, a in enumerate(left, start=1):
        above, row = row, [i] + [0] * len(right)
        for j, b in enumerate(right, start=1):
            row[j] = min(above[j] + 1, row[j - 1] + 1, above[j - 1] + (a != b))
            if i > 1 and j > 1 and a == right[j - 2] and left[i - 2] == b:
                row[j] = min(row[j], before[j - 2] + 1)
        before = above
        if min(row) > reach:
            return too_far
    return min(row[-1], too_far)


def _letters(word: str) -> int:
    """Which letters occur, as bits."""
    bits = 0
    for letter in word:
        bits |= 1 << (ord(letter) % 64)
    return bits
