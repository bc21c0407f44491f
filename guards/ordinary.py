"""Tell which words of an answer are ordinary: with none of them anything begins that a lookout looks for.

Why: nearly all words of an answer matter to no guard, and asking every guard about every piece of text costs more than
all that they find. So what guards say of a word (`Begins`) is remembered, and a piece of known words costs one look into
a set, however many guards there are.
Law: a word is called ordinary only if every lookout would let it pass unchanged, whatever stands before it and whatever
ordinary word follows. What is no plain word (figures, links, letters of other scripts) is never ordinary.
Made once for the guards that stand in a row (guards/chain.py); what it remembers says nothing about who said it.
"""

import re
from collections.abc import Callable, Collection, Sequence

Begins = Callable[[str, str], bool]
"""Whether what a lookout looks for may begin with this word (in small letters) when that one follows.

While nothing is known of the second, it is ""; then the answer is yes if there is any word with which it would be.
"""
_WORDS = re.compile(r"\W*(?:[\w'’]+|\Z)")
_SIGNS = re.compile(r"\A\W+")
# Signs between words that have a blank between them.
_APART = r"[.,;:!?…)”\"»*]{0,4}\s+(?:[-–—•*]\s+)?[(“\"«¿¡*]{0,3}"
_BETWEEN_WORDS, _IN_WORD = re.compile(_APART), re.compile(rf"{_APART}|[-–—]?")
# Before a word of which its follower tells whether it begins something.
_PAUSE = re.compile(r"(?:[.,;:!?…]?\s+)?")
_ENDS_WORD = re.compile(r"[\"”»)]?[,;:!?]")
_WORD = re.compile(r"[A-Za-zÀ-ÖØ-öø-ÿ]+(?:['’][A-Za-zÀ-ÖØ-öø-ÿ]+)?")
_APOSTROPHE = re.compile(r"['’]")
REMEMBERS = 20_000


def words_of(text: str) -> tuple[list[str], str]:
    """The whole words of a text, each with the signs before it; and what comes behind them: signs, perhaps letters."""
    words = _WORDS.findall(text)
    words.pop()  # the end of the text matches, too
    coming = words.pop() if words else ""
    return words, coming


def parted(written: str) -> tuple[str, str]:
    """The signs before a word, and the word."""
    word = written.lstrip(" ")
    if word.isalpha():  # nearly always
        return written[: len(written) - len(word)], word
    size = len(_SIGNS.sub("", written, count=1))
    return written[: len(written) - size], written[len(written) - size :]


class Ordinary:
    """What is ordinary for all of these lookouts.

    Args:
        begins: What each says of a word and its follower.
        joins: Words that may make something of whatever word stands before them.
        remembers: How many words, and pairs of words, are known before all is forgotten and learned anew.
    """

    def __init__(self, begins: Sequence[Begins], joins: Collection[str], remembers: int = REMEMBERS) -> None:
        self._remembers = remembers
        self._begins = begins
        self._joins = frozenset(joins)
        self._joining = frozenset(word[:end] for word in joins for end in range(1, len(word) + 1))
        self._known: set[str] = set()  # ordinary words, and pairs of words, with the signs before them
        self._odd: set[str] = set()  # words and pairs that are not
        self._apart: set[str] = set()  # what comes behind a word and makes nothing of it

    def begin(self) -> None:
        """Nothing is kept of one answer."""

    def passing(self, words: Sequence[str], coming: str) -> int | None:
        """How many of these words are ordinary, whatever follows; None: they have to be looked at closely."""
        if not words:
            return 0
        count = len(words)
        waits = not self._known.issuperset(words) and self._waits(words)
        if waits is None:
            return None
        if waits or not self._is_apart(coming):
            count -= 1
            while count and words[count].startswith(("-", "–", "—")):  # one word with the last
                count -= 1
        return count

    def _is_apart(self, coming: str) -> bool:
        """Whether what comes makes nothing of the word before it."""
        if coming in self._apart:
            return True
        signs, letters = parted(coming)
        is_next = (
            letters != ""
            and letters.lower() not in self._joining
            and _BETWEEN_WORDS.fullmatch(signs) is not None
        )
        if not is_next and _ENDS_WORD.match(signs) is None:
            return False
        self._remember(self._apart, coming)
        return True

    def _waits(self, words: Sequence[str]) -> bool | None:
        """Whether the last of these words may begin something; None: one of them does."""
        last = len(words) - 1
        for at, written in enumerate(words):
            if written in self._known or (at < last and written + words[at + 1] in self._known):
                continue
            if self._learn(written):
                continue
            signs, word = parted(written)
            is_plain = _PAUSE.fullmatch(signs) is not None and _WORD.fullmatch(word) is not None
            if not is_plain or word.lower() in self._joins:
                return None
            if at == last:
                return True
            following = words[at + 1]
            if written + following not in self._known and not self._learn(written, following):
                return None
        return False

    def _learn(self, written: str, following: str = "") -> bool:
        """Whether this word is ordinary when that one follows ("": any that is); if so it is remembered."""
        if written + following in self._odd:
            return False
        signs, word = parted(written)
        gap, then = parted(following)
        if _IN_WORD.fullmatch(signs) is None or _WORD.fullmatch(word) is None:
            return False
        if following and (not gap.isspace() or _WORD.fullmatch(then) is None):
            return False
        said, then = word.lower(), then.lower()
        may_begin = {said, *_APOSTROPHE.split(said)[1:]}
        is_ordinary = not any(begins(each, then) for begins in self._begins for each in may_begin)
        self._remember(self._known if is_ordinary else self._odd, written + following)
        return is_ordinary

    def _remember(self, remembered: set[str], written: str) -> None:
        if len(remembered) >= self._remembers:
            remembered.clear()
        remembered.add(written)
