"""Turn a message into the signs that the local classifier weighs.

Why: letters and words alone need thousands of examples; concepts, the shape of the message and the question that is open
carry what a few hundred examples cannot ("2019" is nothing, unless a quote waits for the year).
Everything here is plain text in, names of features out: no state, no order that depends on hashing.
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations, pairwise

from knowledge.lexicon import Lexicon, fold, words

READ_CHARACTERS = 600
"""Longest part of a message that is read; what a customer wants stands in the first lines."""

_LONGEST_WORD = 24
_GRAM_LENGTHS = (2, 3, 4, 5)
_STRETCHED = re.compile(r"([^\W\d_])\1{2,}")
_DIGITS = re.compile(r"\d+(?:[.,\s]\d{3})*(?!\d)")
_YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")
_LENGTHS = (1, 2, 3, 5, 8, 13, 21, 40)
_NUMBER_WORDS = 3
_SHOUTED_LETTERS = 6


@dataclass(frozen=True, slots=True)
class Features:
    """Features of one message by kind.

    Attributes:
        words: Words and pairs of neighbours, with how often they occur.
        letters: Runs of 2 to 5 letters within a word (its borders are blanks), with how often they occur.
        signs: Concepts, shape and what is awaited, alone and crossed; each is there or not.
    """

    words: Counter[str]
    letters: Counter[str]
    signs: tuple[str, ...]


def extract(text: str, awaiting: str | None, lexicon: Lexicon) -> Features:
    """Features of a message.

    Args:
        text: What the customer wrote; the first 600 characters are read.
        awaiting: Detail that an open quote has asked for, such as "year"; None outside a quote.
        lexicon: Words and phrases of the concepts.
    """
    text = text[:READ_CHARACTERS]
    concepts = sorted(lexicon.concepts(text))
    tokens = [_plain(word) for word in words(_STRETCHED.sub(r"\1", fold(text)))]
    letters = Counter(gram for word in tokens for gram in _grams(word))
    shape = list(_shape(text, len(tokens)))
    return Features(
        words=Counter([*tokens, *map(" ".join, pairwise(["^", *tokens, "$"]))]),
        letters=letters,
        signs=tuple(_signs(concepts, shape, awaiting)),
    )


def _plain(word: str) -> str:
    """A number by its length only; a very long word by its beginning."""
    return "0" * len(word) if word.isdigit() else word[:_LONGEST_WORD]


def _grams(word: str) -> Iterator[str]:
    bordered = f" {word} "
    for length in _GRAM_LENGTHS:
        for at in range(len(bordered) - length + 1):
            yield bordered[at : at + length]


def _shape(text: str, count: int) -> Iterator[str]:
    """How a message looks, whatever it says."""
    yield f"length {sum(count > limit for limit in _LENGTHS)}"
    if "?" in text or "？" in text or "؟" in text:
        yield "question"
    if "!" in text or "！" in text:
        yield "exclaimed"
    if _DIGITS.search(text):
        yield "digits"
        if count <= _NUMBER_WORDS:
            yield "number only"
    if _YEAR.search(text):
        yield "year"
    if text.isupper() and len(text) > _SHOUTED_LETTERS:
        yield "shouted"


def _signs(concepts: list[str], shape: list[str], awaiting: str | None) -> Iterator[str]:
    yield "any message"
    said = [f"says {concept}" for concept in concepts] or ["says nothing known"]
    yield from said
    yield from (f"{one} + {other}" for one, other in combinations(said, 2))
    yield from shape
    state = f"awaiting {awaiting}" if awaiting else "awaiting nothing"
    flow = "in a quote" if awaiting else "outside a quote"
    yield state
    yield flow
    for sign in (*said, *shape):
        yield f"{flow}: {sign}"
        if awaiting:
            yield f"{state}: {sign}"
