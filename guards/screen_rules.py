"""Fit patterns of words to a message: each word may be one of several, with a few others between them.

Why: a company adds patterns of its own, and no pattern may be able to stall the server. The words of a message are
bits of one large number here, and a pattern is a few shifts of it: the time is the same for every text of that length.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from guards.screen_vocabulary import Vocabulary
from guards.screen_words import Words

Level = Literal["act", "note"]
_SHOWN_BEFORE = 10
_SHORTER = 3.0  # how many times as common a word is that is one letter shorter, roughly


@dataclass(frozen=True, slots=True)
class Step:
    """One word of a pattern: which it may be, how many others may stand before it, whether it begins a sentence."""

    words: frozenset[str]
    gap: int = 0
    is_first: bool = False


@dataclass(frozen=True, slots=True)
class Rule:
    """A pattern: parts that all must be there, and words that may not stand between, before or after.

    `text` is the pattern as its author wrote it.
    """

    kind: str
    level: Level
    text: str
    parts: tuple[tuple[Step, ...], ...]
    between: frozenset[str]
    before: frozenset[str]
    after: frozenset[str]

    @property
    def all_words(self) -> frozenset[str]:
        """Every word that matters to it."""
        steps = (step.words for part in self.parts for step in part)
        return frozenset().union(self.between, self.before, self.after, *steps)


@dataclass(frozen=True, slots=True)
class Hit:
    """A pattern that the words fit. `words` are those of the customer, for whoever tries patterns out."""

    kind: str
    level: Level
    pattern: str
    words: str


class _Placed:
    """Where the known words of a reading stand, as bits of one number for each word."""

    def __init__(self, reading: Words, vocabulary: Vocabulary) -> None:
        self.words = reading.words
        self.starts = reading.starts
        self.open = ~reading.walls  # a gap may not lead into a new sentence
        self.of_word: dict[str, int] = {}
        self._of_set: dict[frozenset[str], int] = {}
        for at, word in enumerate(reading.words):
            known = vocabulary.find(word)
            if known is not None:
                self.of_word[known] = self.of_word.get(known, 0) | 1 << at

    def of(self, words: frozenset[str]) -> int:
        """The places of all these words."""
        found = self._of_set.get(words)
        if found is None:
            found = 0
            for word in words & self.of_word.keys():
                found |= self.of_word[word]
            self._of_set[words] = found
        return found


class Rules:
    """All patterns, the built-in ones and the company's, with the words that they know."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self._rules = tuple(rules)
        self.vocabulary = Vocabulary.of(word for rule in self._rules for word in rule.all_words)
        self._by_word = _by_word(self._rules)

    def hits(self, reading: Words) -> list[Hit]:
        """What the words of this reading fit, in the order of the file."""
        placed = _Placed(reading, self.vocabulary)
        likely = sorted({at for word in placed.of_word for at in self._by_word.get(word, ())})
        return [hit for at in likely if (hit := _fit(self._rules[at], placed)) is not None]


def _by_word(rules: tuple[Rule, ...]) -> Mapping[str, list[int]]:
    """Word -> the rules to try when it is there: each rule stands under its rarest step, and short words are common."""
    found: defaultdict[str, list[int]] = defaultdict(list)
    for at, rule in enumerate(rules):
        steps = (step.words for part in rule.parts for step in part)
        for word in min(steps, key=lambda words: sum(_SHORTER ** -len(word) for word in words)):
            found[word].append(at)
    return found


def _fit(rule: Rule, placed: _Placed) -> Hit | None:
    ends = [_ends(part, rule, placed) for part in rule.parts]
    if not all(ends):
        return None
    shown = (_shown(placed.words, end, len(part)) for end, part in zip(ends, rule.parts, strict=True))
    return Hit(rule.kind, rule.level, rule.text, " ... ".join(shown))


def _ends(part: tuple[Step, ...], rule: Rule, placed: _Placed) -> int:
    """Places at which the part ends; 0 when it is not there."""
    steps = [placed.of(step.words) for step in part]
    if not all(steps):
        return 0
    reach = steps[0] & ~_behind(placed.of(rule.before), placed)
    passable = ~placed.of(rule.between)
    for step, there in zip(part, steps, strict=True):
        if step is not part[0]:
            reach = _ahead(reach, step.gap, passable, placed) & there
        if step.is_first:
            reach &= placed.starts
    return reach & ~((placed.of(rule.after) & placed.open) >> 1)


def _ahead(reach: int, gap: int, passable: int, placed: _Placed) -> int:
    """The places within the gap behind those reached, in the same sentence."""
    ahead = at = (reach << 1) & placed.open
    for _ in range(gap):
        at = ((at & passable) << 1) & placed.open
        ahead |= at
    return ahead


def _behind(words: int, placed: _Placed) -> int:
    """The two places behind each of these words, in the same sentence."""
    next_to = (words << 1) & placed.open
    return next_to | ((next_to << 1) & placed.open)


def _shown(words: tuple[str, ...], ends: int, steps: int) -> str:
    """The words around the first place where it fits."""
    end = (ends & -ends).bit_length()
    return " ".join(words[max(0, end - steps - _SHOWN_BEFORE // 2) : end])
