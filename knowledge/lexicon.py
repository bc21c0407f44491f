"""Find which concepts a customer's message speaks of, in any of the lexicon's languages.

Why: "I want to talk to a human" and "quiero hablar con una persona" share no letters but mean the same.
A concept is a row of words and phrases that prompt engineers edit; it feeds the local classifier, the triggers of a
specialist and the choice of local replies. Everything is compared folded, so accents and case never matter.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

_INVISIBLE = "\u00ad\u0640\u200b\u200c\u200d\u200e\u200f\u2060\ufe0e\ufe0f\ufeff"
_DROPPED = {ord(mark): None for mark in _INVISIBLE} | {
    point: None
    for first, last in ((0x300, 0x370), (0x591, 0x5C8), (0x64B, 0x660))
    for point in range(first, last)
}
# Letters that Unicode does not take apart, although people without that keyboard do.
_PLAIN = str.maketrans(
    {"ł": "l", "ø": "o", "đ": "d", "ı": "i", "æ": "ae", "œ": "oe", "’": "'", "‘": "'", "´": "'"}
)
# Indic and Thai vowel signs are marks, not letters, for `\w`; emoji are words of one character.
_A_WORD = r"(?:(?:[^\W_]|[\u0900-\u0963\u0966-\u0eff])+|[\u2600-\u27bf\U0001f000-\U0001faff])"
_WORD, _WORD_OR_STEM = re.compile(_A_WORD), re.compile(_A_WORD + r"\*?")
# Scripts in which a word is not set off by spaces, or carries its article and prepositions with it.
_UNSPACED = re.compile(r"[\u0590-\u06ff\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")


def fold(text: str) -> str:
    """Text in its plainest form: compatibility letters, no accents, no invisible marks, no case.

    Folding twice changes nothing. Positions are not kept.
    """
    if text.isascii():
        return text.lower()
    bare = unicodedata.normalize("NFKD", text).translate(_DROPPED).casefold()
    return unicodedata.normalize(
        "NFKC", unicodedata.normalize("NFKD", bare).translate(_DROPPED).translate(_PLAIN)
    )


def words(folded: str) -> list[str]:
    """Words of a folded text in order; an emoji is a word, punctuation is none."""
    return _WORD.findall(folded)


@dataclass(slots=True)
class _Node:
    """One step of the phrase tree: the next word by name or by its beginning, and what ends here."""

    exact: dict[str, Self] = field(default_factory=dict)
    stems: dict[str, Self] = field(default_factory=dict)
    stem_lengths: tuple[int, ...] = ()
    shortest: int = 0
    heads: frozenset[str] = frozenset()  # the first letters of all stems, as many as the shortest has
    concepts: set[str] = field(default_factory=set)

    def follow(self, word: str) -> list[Self]:
        """Nodes that this word leads to."""
        found = [self.exact[word]] if word in self.exact else []
        if word[: self.shortest] not in self.heads:  # nearly always
            return found
        for length in self.stem_lengths:
            if length > len(word):
                break
            if (node := self.stems.get(word[:length])) is not None:
                found.append(node)
        return found

    def grow(self, word: str) -> Self:
        """Node for one more word of a phrase; `*` at its end stands for any ending."""
        stem = word.removesuffix("*")
        branch = self.exact if stem == word else self.stems
        if stem not in branch:
            branch[stem] = type(self)()
            if branch is self.stems:
                self._note(stem)
        return branch[stem]

    def _note(self, stem: str) -> None:
        """Know the length and the first letters of one more stem."""
        if len(stem) not in self.stem_lengths:
            self.stem_lengths = tuple(sorted((*self.stem_lengths, len(stem))))
        if self.stem_lengths[0] == self.shortest:
            self.heads |= {stem[: self.shortest]}
        else:
            self.shortest = self.stem_lengths[0]
            self.heads = frozenset(known[: self.shortest] for known in self.stems)


@dataclass(frozen=True, slots=True)
class Lexicon:
    """Concepts with their phrases, ready to be found in a text. Built once, shared by all threads.

    Attributes:
        phrases: Concept -> its phrases, as written in the lexicon file. A word that ends with `*` stands for every
            word that begins so.

    Raises:
        ValueError: A phrase holds no word.
    """

    phrases: Mapping[str, tuple[str, ...]]
    _root: _Node = field(init=False, repr=False, compare=False, default_factory=_Node)
    _parts: list[tuple[str, str]] = field(init=False, repr=False, compare=False, default_factory=list)

    def __post_init__(self) -> None:
        for concept, phrases in self.phrases.items():
            for phrase in phrases:
                self._add(concept, _spaced(fold(phrase)))

    def concepts(self, text: str) -> frozenset[str]:
        """Concepts that the text speaks of. Time grows with its length only."""
        return frozenset(self.mentions(text))

    def mentions(self, text: str) -> list[str]:
        """Concepts in the order in which the text comes to speak of them; a repeated one is named again."""
        folded = fold(text)
        found: list[tuple[int, str]] = []
        if _UNSPACED.search(folded):
            found.extend((at, concept) for part, concept in self._parts if (at := folded.find(part)) >= 0)
        open_nodes: list[tuple[int, _Node]] = []
        for word in _WORD.finditer(folded):
            begun = self._root.follow(word[0])
            if not begun and not open_nodes:  # nearly always
                continue
            goes_on = [(start, after) for start, node in open_nodes for after in node.follow(word[0])]
            open_nodes = [*goes_on, *((word.start(), node) for node in begun)]
            for start, node in open_nodes:
                found.extend((start, concept) for concept in node.concepts)
        return [concept for _, concept in sorted(dict.fromkeys(found))]

    def says_only(self, text: str, concept: str) -> bool:
        """Whether the text says this and nothing else: each of its words belongs to a phrase of the concept."""
        folded = fold(text)
        if _UNSPACED.search(folded):
            parts = sorted((part for part, name in self._parts if name == concept), key=len, reverse=True)
            for part in parts:
                folded = folded.replace(part, " ")
            return not _WORD.search(folded)
        said = words(folded)
        open_nodes: list[_Node] = []
        is_end = bool(said)
        for word in said:
            begun = (*open_nodes, self._root) if is_end else open_nodes
            open_nodes = [after for node in begun for after in node.follow(word)]
            is_end = any(concept in node.concepts for node in open_nodes)
        return is_end

    def _add(self, concept: str, phrase: str) -> None:
        if _UNSPACED.search(phrase):
            self._parts.append((phrase.replace("*", ""), concept))
            return
        node = self._root
        steps = _WORD_OR_STEM.findall(phrase)
        if not steps:
            raise ValueError(f'lexicon, concept "{concept}": phrase "{phrase}" holds no word')
        for word in steps:
            node = node.grow(word)
        node.concepts.add(concept)


def _spaced(folded: str) -> str:
    return " ".join(folded.split())
