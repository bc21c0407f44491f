"""What a second look is shown: the sentences of an answer, and the passages that they may lean on.

Made by agents/second_look.py from a finished answer. Everything here is data for the model, as JSON in the user
message: neither a customer's words nor an article's can pass for an instruction.
"""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from agents.sources import Sources, sentences_of
from events import JsonObject, Proof
from knowledge.excerpts import Excerpt
from knowledge.passages import Passage

_MOST_SENTENCES = 40
_MOST_CHARACTERS = 24_000  # of passages: some 7,000 tokens
_QUESTION_CHARACTERS = 1_000
_LEAST_WORDS = 3
_LEAST_PROOF = 8  # letters and digits
_LIST_MARK = re.compile(r"^\s*(?:[-*+>#]+|\d+[.)])\s+")


@dataclass(frozen=True, slots=True)
class Claim:
    """One sentence of the answer, as a customer reads it, and the passages that it cites, by their ids."""

    text: str
    cites: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Claims:
    """Sentences and excerpts by the ids under which the model sees them. False when there is nothing to look at."""

    answer: str
    sentences: dict[int, Claim]
    excerpts: dict[str, Excerpt]

    def __bool__(self) -> bool:
        return bool(self.sentences)

    def data(self, question: str) -> str:
        """All of it as JSON, under the customer's question."""
        shown: JsonObject = {
            "question": question[:_QUESTION_CHARACTERS],
            "answer": self.answer,
            "passages": [
                {
                    "id": name,
                    "article": excerpt.title,
                    "text": "\n".join(passage.text for passage in excerpt.passages),
                }
                for name, excerpt in self.excerpts.items()
            ],
            "sentences": [
                {"id": number, "text": claim.text, "cites": list(claim.cites)}
                for number, claim in self.sentences.items()
            ],
        }
        return json.dumps(shown, ensure_ascii=False)

    def passage_with(self, words: str) -> Passage | None:
        """The passage in which these words stand, whatever their letter case and marks; None: they are made up."""
        core = _core(words)
        if len(core) < _LEAST_PROOF:
            return None
        passages = (passage for excerpt in self.excerpts.values() for passage in excerpt.passages)
        return next((passage for passage in passages if core in _core(passage.text)), None)


def claims_of(text: str, sources: Sources) -> Claims:
    """What is to be looked at in this answer. Nothing when no passage was found in its turn.

    A sentence that stands in a passage word for word needs no second look.
    """
    proofs = sources.proofs(text)
    cited = {(proof.source, proof.version) for proof in proofs}
    excerpts = {
        f"p{number}": excerpt for number, excerpt in enumerate(_shown(sources.excerpts, cited), start=1)
    }
    said = [_plain(sentence) for sentence in sentences_of(text)] if excerpts else []
    published = [_core(passage.text) for excerpt in excerpts.values() for passage in excerpt.passages]
    own = [
        sentence
        for sentence in dict.fromkeys(said)
        if len(sentence.split()) >= _LEAST_WORDS and not any(_core(sentence) in known for known in published)
    ]
    return Claims(
        text,
        {
            number: Claim(sentence, _cites(sentence, proofs, excerpts))
            for number, sentence in enumerate(own[:_MOST_SENTENCES], start=1)
        },
        excerpts,
    )


def _shown(found: Sequence[Excerpt], cited: set[tuple[str, str]]) -> list[Excerpt]:
    """The excerpts, each once, those that are cited first, and as many as fit."""
    each = {
        tuple((passage.source, passage.text) for passage in excerpt.passages): excerpt for excerpt in found
    }
    shown: list[Excerpt] = []
    room = _MOST_CHARACTERS
    for excerpt in sorted(each.values(), key=lambda excerpt: not _is_cited(excerpt, cited)):
        room -= sum(len(passage.text) for passage in excerpt.passages)
        if room < 0:
            break
        shown.append(excerpt)
    return shown


def _is_cited(excerpt: Excerpt, cited: set[tuple[str, str]]) -> bool:
    return any((passage.source, passage.version) in cited for passage in excerpt.passages)


def _cites(sentence: str, proofs: Iterable[Proof], excerpts: dict[str, Excerpt]) -> tuple[str, ...]:
    """Ids of the excerpts that this sentence's citations point at."""
    core = _core(sentence)
    pairs = ((_core(proof.sentence), (proof.source, proof.version)) for proof in proofs)
    cited = {pointer for words, pointer in pairs if core in words or words in core}
    return tuple(name for name, excerpt in excerpts.items() if _is_cited(excerpt, cited))


def _plain(sentence: str) -> str:
    """The sentence without the mark of a list and without bold."""
    return _LIST_MARK.sub("", sentence).replace("**", "").strip()


def _core(text: str) -> str:
    """Letters and digits only."""
    return "".join(character for character in text.casefold() if character.isalnum())
