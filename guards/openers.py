"""How much of an answer's beginning may be shown before it is known whether it will promise something.

Why: half of all sentences begin with a word that a promise may begin with too ("Your", "We", "The"). The word itself
promises nothing, and customers wait for the first one most. Where a promise follows all the same, its truth stands
behind that word.
Made once with the patterns, shared by all answers.
"""

import re
from collections.abc import Iterable

from guards.wordpaths import plain


class Openers:
    """The words that say nothing by themselves, among those with which something that is held may begin.

    Args:
        harmless: Words that may be shown at the beginning of an answer, whatever follows.
        starters: All words with which something that is held may begin.
        letter: A pattern for one letter of a word; a word is at most `longest` of them.
    """

    def __init__(self, harmless: frozenset[str], starters: frozenset[str], letter: str, longest: int) -> None:
        self._harmless = harmless
        self._begun = _beginnings(starters)
        self._held = _beginnings(starters - harmless)
        self._first = re.compile(rf"(?:(?!{letter}).)*({letter}{{1,{longest}}})", re.DOTALL)
        self._longest = longest

    def shown(self, text: str) -> tuple[int, bool]:
        """Up to where the beginning of this answer may be shown at once, and whether more of it would say no more."""
        first = self._first.match(text)
        if first is None:
            return 0, False
        word, is_whole = plain(first[1]), first.end() < len(text) or len(first[1]) == self._longest
        is_free = word in self._harmless if is_whole else word not in self._held
        return first.end() if is_free else 0, is_whole

    def is_starting(self, letters: str) -> bool:
        """Whether a word that begins with these letters may be one with which something begins that is held."""
        return plain(letters) in self._begun


def _beginnings(words: Iterable[str]) -> frozenset[str]:
    return frozenset(word[:end] for word in words for end in range(1, len(word) + 1))
