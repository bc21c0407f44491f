"""Tell whether a question is about what the articles speak of at all.

Why: every question shares some words with some article ("how do I ... my ..."). A question about the weather has found
nothing all the same, and must not be answered with whatever comes nearest. Each word and each sense of senses.toml
speaks for the articles or for the rest of the world, as far as it occurs in the one or in the other more often. The
rest of the world is elsewhere.toml; a language that it does not list is not judged.
"""

import math
import tomllib
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Self

_ELSEWHERE = Path(__file__).with_name("elsewhere.toml")
# Set on the `asked` lines of the shipped articles, each left out in turn, and the lines of elsewhere.toml likewise.
_UNSEEN = 0.003  # share of the questions that a word is taken to occur in before any was read
_UNKNOWN = -0.4  # what a word speaks for that was never read
_UNJUDGED = 0.9
_FEW = 200  # so many questions of customers prove half of what endless ones would
# A large company has many subjects, and each is a small part of what its articles say. So a word that many of their lines
# say, though few in a hundred, speaks for them as if there were no more lines than this, ...
_ENOUGH_LINES = 800
_SAID_OFTEN = 0.01  # ... but not as if it were a larger share of them; or the share that it has elsewhere, when that is larger


@dataclass(frozen=True, slots=True)
class Subject:
    """What words and senses speak for: above 0 for the articles, below 0 for something else.

    `trust` says how far to believe that (0 to 1): nothing was read, or endless questions were.
    """

    odds: Mapping[str, float]
    trust: float

    @classmethod
    def learn(
        cls, ours: Sequence[frozenset[str]], others: Sequence[frozenset[str]], known: Iterable[str]
    ) -> Self:
        """Learn from questions that the articles answer and from questions about other things.

        Args:
            ours, others: Words and senses of each question.
            known: All words and senses of the articles; those that no question has speak for nothing.
        """
        if not ours or not others:
            return cls({}, 0.0)
        here, there = (Counter(chain.from_iterable(lines)) for lines in (ours, others))
        enough = min(len(ours), _ENOUGH_LINES)
        odds = dict.fromkeys(known, 0.0)
        for sign in here.keys() | there.keys():
            share, others_share = here[sign] / len(ours), there[sign] / len(others)
            share = max(share, min(here[sign] / enough, max(others_share, _SAID_OFTEN)))
            odds[sign] = math.log((share + _UNSEEN) / (others_share + _UNSEEN))
        return cls(odds, len(ours) / (len(ours) + _FEW))

    def knows(self, sign: str) -> bool:
        """Whether this word or sense was ever read."""
        return sign in self.odds

    def judge(self, signs: Iterable[str]) -> float:
        """What a question with these words (as stems) and senses speaks for."""
        spoken = sum(self.odds.get(sign, _UNKNOWN) for sign in signs)
        return self.trust * spoken + (1 - self.trust) * _UNJUDGED


def elsewhere(language: str) -> Collection[str]:
    """Questions about other things in this language; none when elsewhere.toml does not list it."""
    subjects = tomllib.loads(_ELSEWHERE.read_text(encoding="utf-8"))
    return tuple(line for lines in subjects.values() for line in lines.get(language, ()))
