"""The words that the screen's patterns are made of, found as they are, misspelt, glued together, reversed or in ROT13.

Why: only words that some pattern knows need to be told apart; every other word is just "a word". Most messages hold
no disguise, and a look at the beginnings of the longer words shows that at once.
Made with the rules, shared by all turns.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Self

from guards.screen_words import Words, rot13, undoubled

_ANCHOR = 6
_TYPED_WRONG = 7  # letters that a word needs for one of them to be missing
_SHUFFLED = 4
_STEM = 3
_GLUED = 14  # an unknown word from this length on may be several


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The words that patterns know, as `bare` writes them, and how to find them when they are dressed up.

    Attributes:
        spelt: Every spelling that looks like a word -> the word: i, l, 1 and | are hard to tell apart.
        wrong: Every spelling with one letter missing -> the word.
        shuffled: First letter, sorted middle and last letter -> the word: people read "isntructions" without noticing.
        lengths: Beginning of a word -> how long the words are that begin so, longest first.
        anchors: How a longer word begins in a text without spaces; as it is, from right to left, and in ROT13.
    """

    spelt: Mapping[str, str]
    wrong: Mapping[str, str]
    shuffled: Mapping[str, str]
    lengths: Mapping[str, tuple[int, ...]]
    anchors: Mapping[str, frozenset[str]]

    @classmethod
    def of(cls, words: Iterable[str]) -> Self:
        """The vocabulary of these words, written as `bare` writes them."""
        exact = sorted(set(words))
        spelt = {undoubled(word.replace(*pair)): word for word in exact for pair in (("l", "i"), ("i", "l"))}
        spelt |= {word: word for word in exact}
        long = [word for word in exact if len(word) >= _ANCHOR]
        return cls(
            spelt=spelt,
            wrong={
                word[:at] + word[at + 1 :]: word
                for word in exact
                if len(word) >= _TYPED_WRONG
                for at in range(1, len(word))
            },
            shuffled={_shuffle(word): word for word in exact if len(word) >= _SHUFFLED},
            lengths=_lengths(spelt),
            anchors={
                "spacing": frozenset(word[:_ANCHOR] for word in long),
                "reversed": frozenset(word[_ANCHOR - 1 :: -1] for word in long),
                "rot13": frozenset(undoubled(rot13(word))[:_ANCHOR] for word in long),
            },
        )

    def find(self, word: str) -> str | None:
        """The known word that this one is, or is meant to be."""
        found = self.spelt.get(word) or self.wrong.get(word)
        if found is None and len(word) >= _SHUFFLED:
            found = self.shuffled.get(_shuffle(word))
        return found

    def hides(self, letters: str, words: Iterable[str]) -> Iterator[str]:
        """The ways in which more known words seem to stand in these letters than in the words one by one."""
        there = {letters[at : at + _ANCHOR] for at in range(len(letters) - _ANCHOR + 1)}
        likely = self.anchors["spacing"] & there
        if likely:
            apart = " ".join(
                word if len(word) < _GLUED or word in self.spelt else word[:_ANCHOR] for word in words
            )
            if any(letters.count(anchor) > apart.count(anchor) for anchor in likely):
                yield "spacing"
        yield from (way for way in ("reversed", "rot13") if not self.anchors[way].isdisjoint(there))

    def cut(self, letters: str) -> Words:
        """The known words in letters without spaces, from left to right, the longest first; "" is what lies between."""
        return Words(tuple(self._cut(letters)))

    def _cut(self, letters: str) -> Iterator[str]:
        at = begin = 0
        while at < len(letters):
            length = self._length_at(letters, at)
            if length < (_STEM if begin < at else 1):  # "as" counts beside a known word, not in "please"
                at += 1
                continue
            if begin < at:
                yield ""
            yield letters[at : at + length]
            at = begin = at + length

    def _length_at(self, letters: str, at: int) -> int:
        """How long the longest known word is that begins there; 0 for none."""
        for size in (_STEM, _STEM - 1):
            for length in self.lengths.get(letters[at : at + size], ()):
                if letters[at : at + length] in self.spelt:
                    return length
        return 0


def _lengths(words: Iterable[str]) -> Mapping[str, tuple[int, ...]]:
    found: dict[str, set[int]] = {}
    for word in words:
        if len(word) >= _STEM - 1:
            found.setdefault(word[:_STEM], set()).add(len(word))
    return {stem: tuple(sorted(lengths, reverse=True)) for stem, lengths in found.items()}


def _shuffle(word: str) -> str:
    return word[0] + "".join(sorted({*word[1:-1]})) + word[-1]
