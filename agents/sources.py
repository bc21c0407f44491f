"""What an answer leans on: citations that point at words which exist, and whose sentences the customer read.

Made by Speech, one for each answer. Law: a citation shown points at text that exists (design.md, section 6).
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from engine.base import Cited
from events import Citation, Proof
from knowledge.excerpts import Excerpt, alone, excerpts
from knowledge.passages import Passage

_SENTENCE_END = re.compile(r"(?<=[.!?…])\s+|\n+")


@dataclass(frozen=True, slots=True)
class _Leaning:
    """Words of the answer, as the engine said them, and the words of a passage that they lean on."""

    words: str
    passage: Passage
    quote: str


class Sources:
    """The passages that were found in this turn (`excerpts`: as the engine saw them), and what the answer cites of them."""

    def __init__(self) -> None:
        self._passages: dict[str, Passage] = {}
        self.excerpts: list[Excerpt] = []
        self._leanings: list[_Leaning] = []

    def learn(self, passages: Iterable[Passage]) -> None:
        """These passages may be cited, with their neighbours."""
        found = tuple(passages)
        self._passages |= {passage.source: passage for passage in found}
        self.excerpts += excerpts(found)

    def cite(self, cited: Cited) -> bool:
        """Keep a citation; false when it does not point at words that were found in this turn."""
        start, end = cited.blocks or (0, 1)
        for excerpt in self._shown(cited):
            quoted = excerpt.quoted(cited.quote, start, end)
            self._leanings += [_Leaning(cited.words.strip(), passage, quote) for passage, quote in quoted]
            if quoted:
                return True
        return False

    def _shown(self, cited: Cited) -> Iterator[Excerpt]:
        """What the engine may mean: an excerpt of that source (after several searches there may be several), or a passage."""
        if cited.blocks is not None:
            yield from (excerpt for excerpt in self.excerpts if excerpt.source == cited.source)
        elif cited.source in self._passages:
            yield alone(self._passages[cited.source])

    def proofs(self, text: str) -> tuple[Proof, ...]:
        """What each cited sentence leans on, for the sentences that stand in the text that was shown."""
        found = [(_shown_of(leaning.words, text), leaning) for leaning in self._leanings]
        proofs = (
            proof_of(sentence, leaning.passage, leaning.quote)
            for sentence, leaning in found
            if sentence is not None
        )
        return tuple(dict.fromkeys(proofs))


def citations_of(proofs: Iterable[Proof]) -> tuple[Citation, ...]:
    """The pointers for the customer, each once."""
    pointers = (Citation(title=proof.title, url=proof.url, quote=proof.quote) for proof in proofs)
    return tuple(dict.fromkeys(pointers))


def _shown_of(words: str, text: str) -> str | None:
    """As much of the words as stands in the text: all, or whole sentences. None: a guard took them all away."""
    if words in text:
        return words
    return " ".join(part for part in sentences_of(words) if part in text) or None


def sentences_of(text: str) -> list[str]:
    """The sentences and lines of a text."""
    return [part for part in _SENTENCE_END.split(text) if part]


def proof_of(sentence: str, passage: Passage, quote: str) -> Proof:
    """These words of the answer beside those of the passage."""
    return Proof(
        sentence=sentence,
        source=passage.source,
        title=passage.title,
        url=passage.url,
        file=passage.file,
        version=passage.version,
        start=passage.start,
        end=passage.end,
        quote=quote,
    )
