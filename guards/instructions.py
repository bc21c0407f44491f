"""Keep the assistant's instructions to itself: a recital of its prompt ends before it is one.

Why: how a desk is set up is its company's business, and a recited prompt is the first thing attackers ask for. A few
words in common with the prompt are ordinary speech and flow on; from the sixth word in a row on the text is held, and
at the fourteenth it is a recital: the rest of it, to the end of its sentence, is replaced by an honest line.
What the company says in fixed texts anyway (replies, notices) is no secret, though the prompt says it too.
"""

import re
from collections import defaultdict, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from guards.stream import Guard, Scene, Segment
from knowledge.lexicon import fold

NOTICE = "not_for_telling"
HELD_FROM_WORDS = 6
RECITAL_WORDS = 14
_NEAR = HELD_FROM_WORDS - 2  # pairs of words with which the word that comes may begin a row
_LONGEST_WORD = 64  # a longer one counts as several
_WORD = re.compile(r"[^\W_]{1,64}")
_folded = lru_cache(maxsize=4096)(fold)


@lru_cache(maxsize=8_192)
def _heard(written: str) -> tuple[str, ...]:
    """The words in it, as they are compared."""
    return tuple(_folded(word) for word in _WORD.findall(written))


_WORD_OR_END = re.compile(r"([^\W_]{1,64})|[.!?…\n]")


@dataclass(frozen=True, slots=True)
class _Secret:
    """The secret words in order, which words follow each other in it, and where each row of HELD_FROM_WORDS begins."""

    words: Sequence[str]
    pairs: frozenset[tuple[str, str]]
    places: Mapping[tuple[str, ...], Sequence[int]]


@lru_cache(maxsize=64)
def _read(secret: str, sayable: str) -> _Secret:
    words = [fold(word) for word in _WORD.findall(secret)]
    known = [fold(word) for word in _WORD.findall(sayable)]
    said = {tuple(known[at : at + HELD_FROM_WORDS]) for at in range(len(known))}
    places: defaultdict[tuple[str, ...], list[int]] = defaultdict(list)
    for at in range(len(words) - HELD_FROM_WORDS + 1):
        row = tuple(words[at : at + HELD_FROM_WORDS])
        if row not in said:
            places[row].append(at)
    return _Secret(words, frozenset(pairwise(words)), dict(places))


class _Recital:
    """One answer, read word by word beside the secret."""

    trims = False

    def __init__(self, secret: _Secret, notice: str) -> None:
        self._secret = secret
        self._notice = notice
        self._open = ""  # a word that is still coming
        self._shown = 0  # how much of it is shown already
        self._last: deque[str] = deque([""], maxlen=HELD_FROM_WORDS)
        self._paired = 0  # how many words in a row follow each other in the secret as they do here
        self._ends: list[int] = []  # places in the secret behind what is being recited
        self._row = 0
        self._held = ""
        self._is_cut = False
        self._was_told = False
        self._ahead = ("", 0)  # the last word, and how many are paired, behind the words that pass unread
        self._begun = ""  # the word before them, which may go on

    @property
    def held(self) -> str:
        """What is held back."""
        return self._held + self._open[self._shown :]

    @property
    def is_free(self) -> bool:
        """Whether nothing is held back, and will not be with the next word."""
        return self._is_far and self._paired < _NEAR - 1

    def take_back(self) -> None:
        """Nothing is held back while this step is free."""

    def unread(self, _text: str) -> bool:
        """What has been heard cannot be unheard."""
        return False

    def begin(self) -> None:
        """What passes follows what has been heard; a word that was coming may go on with it."""
        self._ahead = (self._last[-1], self._paired)
        self._begun = self._open

    def passing(self, words: Sequence[str], _coming: str) -> int | None:
        """All of the words; None when they are near to a row."""
        pairs = self._secret.pairs
        last, paired = self._ahead
        if self._begun and words:
            words = [self._begun + words[0], *words[1:]]
            self._begun = ""
        for written in words:
            for word in _heard(written):
                paired = paired + 1 if (last, word) in pairs else 0
                if paired >= _NEAR:
                    return None
                last = word
        self._ahead = (last, paired)
        return len(words)

    def skip(self, text: str) -> None:
        """Hear words that are shown already."""
        self.push(text)

    def push(self, text: str) -> list[Segment]:
        """Take in text; a row that may become a recital is held."""
        text = self._open + text
        whole = len(text)
        while whole and text[whole - 1].isalnum():
            whole -= 1
        whole += (len(text) - whole) // _LONGEST_WORD * _LONGEST_WORD
        self._open = text[whole:]
        out = self._take(text[:whole]) if whole else []
        if self._open and self._is_far:
            out.append(Segment(self._open[self._shown :]))
            self._shown = len(self._open)
        return [segment for segment in out if segment.text or segment.fired]

    def end(self) -> list[Segment]:
        """What is held was no recital."""
        out = self._take(self._open)
        if self._held:
            out.append(Segment(self._held))
        self._open = self._held = ""
        return [segment for segment in out if segment.text or segment.fired]

    @property
    def _is_far(self) -> bool:
        """Whether a row is more than the next word away, so that this word need not be whole to be shown."""
        return not self._row and not self._is_cut and self._paired < _NEAR

    def _is_ordinary(self, text: str) -> bool:
        """Whether these words lead to no row, so that they need not be looked at one by one; then they have been heard."""
        if self._row or self._is_cut:
            return False
        words = [_folded(word) for word in _WORD.findall(text)]
        pairs, last, paired = self._secret.pairs, self._last[-1], self._paired
        for word in words:
            paired = paired + 1 if (last, word) in pairs else 0
            if paired >= HELD_FROM_WORDS - 1:
                return False
            last = word
        self._last += words
        self._paired = paired
        return True

    def _take(self, text: str) -> list[Segment]:
        out: list[Segment] = []
        free = min(self._shown, len(text))  # from here on the text is not decided
        self._shown -= free
        if self._is_ordinary(text):
            return [Segment(text[free:])]
        for found in _WORD_OR_END.finditer(text):
            if found[1] is None:
                if self._is_cut and not self._row:
                    self._is_cut, free = False, found.end()
                continue
            before = self._row
            self._hear(_folded(found[1]))
            if self._row != before and not self._is_cut:
                free = self._turn(text, free, found, before, out)
        rest = text[free:]
        if self._row and not self._is_cut:
            self._held += rest
        elif not self._is_cut:
            out.append(Segment(rest))
        return out

    def _turn(self, text: str, free: int, word: re.Match[str], before: int, out: list[Segment]) -> int:
        """A row begins, goes on or is over: show or hold what came before; returns from where the text is undecided."""
        if not before:
            out.append(Segment(text[free : word.start()]))
            return word.start()
        if not self._row:
            out.append(Segment(self._held))
            self._held = ""
        elif self._row >= RECITAL_WORDS:
            out.append(Segment("" if self._was_told else self._notice, "recital"))
            self._held, self._is_cut, self._was_told = "", True, True
        return free

    def _hear(self, word: str) -> None:
        """Compare one more word with the secret."""
        secret = self._secret
        self._paired = self._paired + 1 if (self._last[-1], word) in secret.pairs else 0
        self._last.append(word)
        if not self._paired:
            self._ends, self._row = [], 0
            return
        self._ends = [place + 1 for place in self._ends if secret.words[place : place + 1] == [word]]
        if self._ends:
            self._row += 1
            return
        places = secret.places.get(tuple(self._last), ()) if self._paired >= HELD_FROM_WORDS - 1 else ()
        self._ends = [place + HELD_FROM_WORDS for place in places]
        self._row = HELD_FROM_WORDS if self._ends else 0


def instructions_guard() -> Guard:
    """The guard over what the scene says is not for telling."""

    def make(scene: Scene) -> _Recital:
        return _Recital(_read(scene.secret, scene.sayable), scene.notice(NOTICE))

    return Guard("instructions", "The assistant's instructions are not recited.", make)
