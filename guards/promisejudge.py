"""Say of a sentence that follows a pattern of promises whether it promises, or only speaks of promises.

Why: "I cannot say that your claim is paid", "ask whether it is covered" and "is it guaranteed?" promise nothing, and what
articles and tools truly say may be said. Patterns alone would stop all of them. guards/promises.py asks about whole sentences.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from guards.promisefile import Commitment, PromiseWords
from guards.stream import Scene
from guards.wordpaths import Match, plain

# Letters of all scripts that set words off by blanks: with the others (Thai, Chinese, Japanese) there is nothing to wait for.
LETTER = "[0-9A-Za-z_'’\u00c0-\u0dff\u1e00-\u1fff]"
LONGEST_WORD = 64
"""A longer one counts as several."""
WORD = re.compile(rf"{LETTER}{{1,{LONGEST_WORD}}}")
CLAUSE_ENDS = re.compile(r"[,;:—–(]| - ")
_MARKS_OPEN, _MARKS_CLOSED = "“«", "”»"
_COMPLEMENT = frozenset({"that", "que"})
_TOLD_FROM = 5  # so many words are no chance
_ASKED_FROM = 2  # "tell you if": an "if" behind so many words asks, one before them makes a condition


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence, or as much of it as has come: its text, and its words with their places."""

    text: str
    words: tuple[re.Match[str], ...]
    said: tuple[str, ...]

    @classmethod
    def of(cls, text: str) -> "Sentence":
        """Take the text apart."""
        words = tuple(WORD.finditer(text))
        return cls(text, words, tuple(plain(word.group()) for word in words))


@dataclass(frozen=True, slots=True)
class Found:
    """A pattern that has matched: its number, which words of the sentence it is, and how many before them lead to it."""

    path: int
    first: int
    last: int
    lead: int

    @classmethod
    def of(cls, match: Match, sentence: Sentence, at: int) -> "Found":
        """The match whose words, and those that lead to it, begin behind this place of the sentence."""
        held = next(number for number, word in enumerate(sentence.words) if word.start() >= at)
        first = held + match.lead
        return cls(match.path, first, first + match.words - 1, match.lead)


class Judge:
    """Says of a sentence whether it promises, or only speaks of promises."""

    def __init__(self, words: PromiseWords, scene: Scene) -> None:
        self._words = words
        self._scene = scene

    def commitment(self, path: int) -> Commitment:
        """The pattern of this number."""
        return self._words.commitments[path]

    def is_harmless(self, commitment: Commitment, found: Found, sentence: Sentence) -> bool:
        """Whether this pattern promises nothing in this sentence."""
        said = sentence.said
        before, after = said[: found.first], said[found.last + 1 :]
        return (
            not commitment.before.isdisjoint(before[-2:])
            or not commitment.after.isdisjoint(after[:1])
            or self._is_denied(found, sentence)
            or self._is_condition(commitment, found, sentence)
            or _is_question(found, sentence)
            or self._is_a_name(found, said)
            or self._is_told(commitment, found, sentence)
        )

    def _is_denied(self, found: Found, sentence: Sentence) -> bool:
        """A negation in the same clause: "I cannot say that your claim is paid"."""
        held = found.first - found.lead
        begin = 0
        if _COMPLEMENT.isdisjoint(sentence.said[held - 1 : held] if held else ()):
            before = sentence.text[: sentence.words[held].start()]
            begin = max([0, *(mark.end() for mark in CLAUSE_ENDS.finditer(before))])
        lists, said = self._words.lists, sentence.said
        return any(
            said[at] in lists["negation"] and said[at + 1] not in lists["affirming"]
            for at in range(held)
            if sentence.words[at].start() >= begin
        )

    def _is_condition(self, commitment: Commitment, found: Found, sentence: Sentence) -> bool:
        """What is true under a condition only, or what somebody is to say: "ask whether ...", "tell you if ..."."""
        lists, said = self._words.lists, sentence.said
        before, after = said[: found.first], said[found.last + 1 :]
        asks = max((at for at, word in enumerate(before) if word in lists["condition"]), default=-1)
        if asks >= 0 and (before[asks] == "whether" or commitment.is_conditional):
            return True
        if asks >= _ASKED_FROM:
            between = sentence.text[sentence.words[asks].end() : sentence.words[found.first].start()]
            return CLAUSE_ENDS.search(between) is None
        around = {*before, *after}
        return (
            commitment.is_conditional
            and not (lists["condition"] | lists["time"]).isdisjoint(around)
            and not lists["decider"].isdisjoint(around)
        )

    def _is_a_name(self, found: Found, said: Sequence[str]) -> bool:
        """Whether a phrase that the company lets pass begins or ends where the pattern does."""
        return any(
            said[at : at + len(phrase)] == phrase and at + len(phrase) > found.first
            for phrase in self._words.sayable
            for at in range(max(0, found.first - len(phrase) + 1), found.last + 1)
        )

    def _is_told(self, commitment: Commitment, found: Found, sentence: Sentence) -> bool:
        """Whether a tool or an article says so, or the words are the customer's own in quotation marks."""
        scene = self._scene
        told = [ground.text for ground in scene.grounds if ground.kind in {"tool", "price"}]
        if commitment.if_told and any(
            not commitment.if_told.isdisjoint(_plain(text).split()) for text in told
        ):
            return True
        told += [ground.text for ground in scene.grounds if ground.kind == "passage"]
        whole = " ".join(sentence.said[found.first :])
        if len(sentence.said) - found.first >= _TOLD_FROM and any(
            f" {whole} " in _plain(text) for text in [*told, scene.sayable]
        ):
            return True
        if not _is_quoted(sentence.text[: sentence.words[found.first].start()]):
            return False
        words = " ".join(sentence.said[found.first : found.last + 1])
        return any(
            f" {words} " in _plain(ground.text) for ground in scene.grounds if ground.kind == "customer"
        )


def _is_question(found: Found, sentence: Sentence) -> bool:
    """Whether the clause itself asks; a promise with a question behind it ("..., would you like that?") stays one."""
    after = sentence.text[sentence.words[found.last].end() :]
    return "?" in after and CLAUSE_ENDS.search(after.partition("?")[0]) is None and "¿" not in after


def _is_quoted(before: str) -> bool:
    opened = sum(before.count(mark) for mark in _MARKS_OPEN) - sum(
        before.count(mark) for mark in _MARKS_CLOSED
    )
    return opened > 0 or before.count('"') % 2 == 1


def _plain(text: str) -> str:
    """The words of a text, with a blank around each."""
    return f" {' '.join(plain(word) for word in WORD.findall(text))} "
