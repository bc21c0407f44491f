"""Turn a message into the features that the local classifier weighs.

Why: words and letters alone need many thousand examples. Senses (words that mean the same), concepts, the shape of the
message and the question that is open carry what a few thousand cannot: "2019" is nothing, unless a quote waits for the
year. Plain text in, names of features out: no state, and no order that depends on hashing.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from typing import Literal

from knowledge.lexicon import Lexicon, fold, words
from knowledge.senses import find_senses

READ_CHARACTERS = 600
"""Longest part of a message that is read; what a customer wants stands in its first lines."""

Kind = Literal["words", "letters", "senses", "signs"]
"""words: words and pairs of neighbours. letters: runs of a few letters within a word, a blank for its borders.
senses: senses, neighbouring and together, and by the length of the message. signs: concepts, shape, state of the quote."""

_LONGEST_WORD = 24
_GRAM_LENGTHS, _GRAM_LENGTHS_OF_SIGNS = (3, 4, 5), (2, 3, 4)  # a Chinese word is two signs long
_STRETCHED = re.compile(r"([^\W\d_])\1{2,}")
_DIGIT = re.compile(r"\d")
_YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")
_QUESTION = re.compile("[?¿？؟]")
_LENGTHS = (1, 2, 3, 5, 8, 13, 21, 40)
_ROUGH_LENGTHS = (3, 8, 20)
_NUMBER_ONLY_WORDS = 3
_SHOUTED_LETTERS = 6
_PAIRED_SENSES = 14


@dataclass(frozen=True, slots=True)
class Features:
    """What a message shows.

    Attributes:
        counts: Kind -> feature -> how often it occurs.
        words: Its words, in order.
    """

    counts: Mapping[Kind, Counter[str]]
    words: Sequence[str]


def extract(text: str, awaiting: str | None, lexicon: Lexicon) -> Features:
    """Features of a message.

    Args:
        text: What the customer wrote; the first 600 characters are read.
        awaiting: Detail that an open quote has asked for, such as "year"; None outside a quote.
        lexicon: Words and phrases of the concepts.
    """
    text = text[:READ_CHARACTERS]
    tokens = [_plain(word) for word in words(_STRETCHED.sub(r"\1", fold(text)))]
    return Features(
        counts={
            "words": Counter([*tokens, *map(" ".join, pairwise(["^", *tokens, "$"]))]),
            "letters": Counter(gram for word in tokens for gram in _grams(word)),
            "senses": Counter(_senses(text, len(tokens))),
            "signs": Counter(_signs(sorted(lexicon.concepts(text)), [*_shape(text, len(tokens))], awaiting)),
        },
        words=tokens,
    )


def _plain(word: str) -> str:
    """A word with its digits made equal; of a very long one the beginning."""
    return _DIGIT.sub("0", word[:_LONGEST_WORD])


def _grams(word: str) -> Iterator[str]:
    bordered = f" {word} "
    for length in _GRAM_LENGTHS if word.isascii() else _GRAM_LENGTHS_OF_SIGNS:
        for at in range(len(bordered) - length + 1):
            yield bordered[at : at + length]


def _senses(text: str, length: int) -> Iterator[str]:
    mentions = find_senses(text)
    once = sorted(set(mentions))
    yield from mentions
    yield from map(" > ".join, pairwise(["^", *mentions, "$"]))
    yield from map(" + ".join, combinations(once[:_PAIRED_SENSES], 2))
    rough = sum(length > limit for limit in _ROUGH_LENGTHS)
    yield from (f"{sense} in {rough}" for sense in once)
    if _QUESTION.search(text):
        yield from (f"{sense} ?" for sense in once)


def _shape(text: str, length: int) -> Iterator[str]:
    """How a message looks, whatever it says."""
    yield f"length {sum(length > limit for limit in _LENGTHS)}"
    if _QUESTION.search(text):
        yield "question"
    if "!" in text:
        yield "exclaimed"
    if _DIGIT.search(text):
        yield "digits"
        if length <= _NUMBER_ONLY_WORDS:
            yield "number only"
    if _YEAR.search(text):
        yield "year"
    if text.isupper() and len(text) > _SHOUTED_LETTERS:
        yield "shouted"


def _signs(concepts: list[str], shape: list[str], awaiting: str | None) -> Iterator[str]:
    said = [f"says {concept}" for concept in concepts] or ["says nothing known"]
    yield "any message"
    yield from said
    yield from map(" + ".join, combinations(said, 2))
    yield from shape
    flow = "asked" if awaiting else "not asked"
    yield flow
    yield from (f"{flow}: {sign}" for sign in (*said, *shape))
    if awaiting:
        yield f"asked for {awaiting}"
        yield from (f"asked for {awaiting}: {sign}" for sign in (*said, *shape))
