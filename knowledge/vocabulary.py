"""The words and senses of one language's articles: how rare each is, and what those of a question mean to them.

Why: a rare word of a question says more than "how do I"; a misspelt one means its neighbour; senses (senses.toml) tie
"my ride was nicked" to an article about theft. They are signs: a word stands for itself as a stem, a sense behind "§".
"""

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Self

from knowledge.corpus_files import Article
from knowledge.senses import find_senses
from knowledge.spelling import Spelling
from knowledge.subject import Subject, elsewhere
from knowledge.topics import NO_TOPIC, find_topics
from knowledge.words import Words

SENSE = "§"
_MISSPELT = 0.6  # how far a misspelt word counts as said; set by `python -m bench.retrieval`
_TINY, _TINY_LETTERS = 0.5, 3  # how much an unknown word of so few letters weighs: "wat", "bot"
_SPELLINGS = 3
_SURE_LETTERS = 6  # a shorter word may be another one as well as a misspelt one
_TOPICAL = 0.4  # how far a word that speaks for the articles' subjects draws more than one that does not
_LONGEST_QUESTION_WORDS = 40
_COVERED = 4.0  # what it speaks for an article to have all words of the question
_LEAST = 2.0


@dataclass(frozen=True, slots=True)
class Said:
    """What an article says and what customers say who ask for it.

    Attributes:
        text: All of it, the title twice because it weighs more.
        lines: The signs of its title, of each heading, and of each question of customers.
        signs: All signs in it.
    """

    text: str
    lines: tuple[frozenset[str], ...]
    signs: frozenset[str]

    @classmethod
    def by(cls, article: Article, words: Words) -> Self:
        """Take the article apart."""
        headings = dict.fromkeys(heading for heading, _ in article.parts if heading)
        body = (passage.text for _, passage in article.parts)
        text = "\n".join((article.title, article.title, *headings, *article.asked, *body))
        lines = tuple(signs_of(line, words) for line in (article.title, *headings, *article.asked))
        return cls(text, lines, frozenset(words.stems(text)).union(*lines))

    def senses(self) -> Iterator[str]:
        """The senses of each line."""
        return (sign for line in self.lines for sign in line if sign.startswith(SENSE))


@dataclass(frozen=True, slots=True)
class Term:
    """A word or a sense of a question.

    Attributes:
        sign: As it was said.
        found_as: The signs it is looked up by; none when no article has anything like it.
        weight: How rare it is.
        pull: How far it draws the articles that have it to the front: more when it is rare and of their subjects.
        trust: How far a hit counts (0 to 1).
    """

    sign: str
    found_as: tuple[str, ...]
    weight: float
    pull: float
    trust: float = 1.0

    @property
    def is_sense(self) -> bool:
        """Whether it is a sense, not a word."""
        return self.sign.startswith(SENSE)


@dataclass(frozen=True, slots=True)
class Question:
    """What a question says, each word and sense once, and how far it sounds like the articles' subjects (0: unclear)."""

    terms: tuple[Term, ...]
    sounds_ours: float

    def covered(self, signs: frozenset[str]) -> float:
        """How much of the question, weighted by rarity, an article with these signs speaks of (0 to 1)."""
        total = sum(term.weight for term in self.terms)
        hit = sum(term.weight * term.trust for term in self.terms if not signs.isdisjoint(term.found_as))
        return hit / total if total else 0.0

    def is_answered_by(self, signs: frozenset[str]) -> bool:
        """Whether an article with these signs speaks of the question, and the question of the articles' subjects."""
        return self.sounds_ours + _COVERED * self.covered(signs) >= _LEAST


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Built once with the articles, then only read."""

    words: Words
    rarity: Mapping[str, float]
    rarest: float
    spelling: Spelling
    subject: Subject

    @classmethod
    def of(cls, words: Words, said: Sequence[Said]) -> Self:
        """The vocabulary of these articles."""
        rarity = _rarity(said)
        known = {word for each in said for word in words.of(each.text)}
        return cls(
            words=words,
            rarity=rarity,
            rarest=max(rarity.values(), default=1.0),
            spelling=Spelling(folded for word in known if words.stems(folded := words.fold(word))),
            subject=Subject.learn(
                [line for each in said for line in each.lines],
                _elsewhere(words.language),
                rarity,
            ),
        )

    @property
    def foreign(self) -> float:
        """How much a word or sense weighs that questions about other things have and no article has."""
        return self.rarest * self.subject.trust

    def read(self, question: str, language: str) -> Question:
        """What the question says, which is in this language."""
        words = self.words.of(question)[:_LONGEST_QUESTION_WORDS]
        meant = {word: self._meant(word) for word in dict.fromkeys(words)}
        sure = (meant[word] if len(word) >= _SURE_LETTERS else word for word in words)
        said = tuple(self._words(meant))  # without a word that says something, nothing is asked
        terms = (*said, *self._senses(" ".join(sure), language)) if said else ()
        return Question(terms, self.subject.judge((*term.found_as, term.sign)[0] for term in terms))

    def _meant(self, word: str) -> str:
        """The word, or the most common one of those that it may be a misspelling of."""
        stems = self.words.stems(word)
        if not stems or stems[0] in self.rarity or self.subject.knows(stems[0]):
            return word
        near = self.spelling.nearest(self.words.fold(word), _SPELLINGS)
        return min(near, key=lambda known: min(map(self._rarity, self.words.stems(known))), default=word)

    def _rarity(self, sign: str) -> float:
        return self.rarity.get(sign, self.rarest)

    def _words(self, meant: Mapping[str, str]) -> Iterator[Term]:
        said = {stem: word for word in meant for stem in self.words.stems(word)}
        for stem, word in said.items():
            if stem in self.rarity:
                yield self._term(stem, (stem,), self.rarity[stem])
            elif self.subject.knows(stem):
                yield self._term(stem, (), self.foreign)
            elif meant[word] != word:
                known = self.words.stems(meant[word])[0]
                yield self._term(stem, (known,), self._rarity(known), _MISSPELT)
            else:
                yield self._term(stem, (), self.rarest * (_TINY if len(word) <= _TINY_LETTERS else 1))

    def _senses(self, question: str, language: str) -> Iterator[Term]:
        for sense in dict.fromkeys(_senses(question, language)):
            if sense == SENSE + NO_TOPIC:  # tells what a question is not about, and finds nothing
                yield self._term(sense, (), self.rarity.get(sense, self.foreign))
            elif sense in self.rarity:
                yield self._term(sense, (sense,), self.rarity[sense])
            else:
                yield self._term(sense, (), self.foreign)

    def _term(self, sign: str, found_as: tuple[str, ...], weight: float, trust: float = 1.0) -> Term:
        odds = self.subject.odds.get((*found_as, sign)[0], 0.0)
        pull = math.sqrt(weight / self.rarest) * (1 + _TOPICAL * max(-1.0, min(1.0, odds)))
        return Term(sign, found_as, weight, pull, trust)


def signs_of(line: str, words: Words) -> frozenset[str]:
    """The stems and senses in a line."""
    return frozenset((*words.stems(line), *_senses(line, words.language)))


@cache
def _elsewhere(language: str) -> tuple[frozenset[str], ...]:
    """What questions about other things say in this language, made once a process."""
    words = Words(language)
    return tuple(signs_of(line, words) for line in elsewhere(language))


def _senses(text: str, language: str) -> list[str]:
    return [SENSE + sense for sense in (*find_senses(text, language), *sorted(find_topics(text, language)))]


def _rarity(said: Sequence[Said]) -> Mapping[str, float]:
    """Rarity of every sign: 0 for one that all articles have."""
    counts = Counter(sign for each in said for sign in each.signs)
    return {sign: math.log(1 + (len(said) - count + 0.5) / (count + 0.5)) for sign, count in counts.items()}
