"""Find the passages that answer a question, in memory, with tantivy.

Why: an answer about the company may only lean on what the company published. Each language has its own index:
accents folded, words stemmed ("bateria" finds "baterías"), titles and headings weighted, misspelt words matched by
one or two letters. A question whose words the best passages hardly contain has found nothing, and says so.
Made at start; replaced as a whole when the folder changes.
"""

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from tantivy import (
    Document,
    Filter,
    Index,
    Occur,
    Query,
    SchemaBuilder,
    TextAnalyzer,
    TextAnalyzerBuilder,
    Tokenizer,
)

from knowledge.corpus_files import Article, Corpus, read_corpus
from knowledge.language import detect_language
from knowledge.passages import Passage
from knowledge.spelling import Spelling

_STEMMERS = {
    "en": "english",
    "es": "spanish",
    "fr": "french",
    "de": "german",
    "it": "italian",
    "pt": "portuguese",
    "nl": "dutch",
}
_BOOSTS = {"title": 2.0, "heading": 1.5, "body": 1.0, "article": 0.6}
_LEAST_COVERED = 0.25
_MISSPELT = (
    0.6  # how far a misspelt word counts as said; with _LEAST_COVERED, set by `python -m bench.retrieval`
)
_TINY, _TINY_LETTERS = 0.5, 3  # how much an unknown word of so few letters weighs: "wat", "bot"
_SPELLINGS = 3
_DEFAULT_LANGUAGE = "en"
_LONGEST_QUERY_WORDS = 40


@dataclass(frozen=True, slots=True)
class _Term:
    """A word of the question: its stems as the articles know them, how much it weighs, how far a hit counts (0 to 1)."""

    stems: tuple[str, ...]
    weight: float
    trust: float = 1.0


@dataclass(frozen=True, slots=True)
class _LanguageIndex:
    """One language's passages, and how rare each word is."""

    index: Index
    words: "_Words"
    passages: tuple[Passage, ...]
    words_of: tuple[frozenset[str], ...]
    rarity: Mapping[str, float]
    rarest: float
    spelling: Spelling

    def search(self, query: str, limit: int) -> tuple[Passage, ...]:
        terms = list(self._terms(query))
        known = [self._by_field(stem) for term in terms for stem in term.stems]
        if not known:
            return ()
        searcher = self.index.searcher()
        hits = searcher.search(Query.boolean_query(known), limit * 2).hits
        scored = [(score, searcher.doc(address)["number"][0]) for score, address in hits]
        kept = [
            replace(self.passages[number], score=score)
            for score, number in scored
            if self._covered(terms, self.words_of[number]) >= _LEAST_COVERED
        ]
        return tuple(kept[:limit])

    def _terms(self, query: str) -> Iterator[_Term]:
        """The words of the question that say something, each once."""
        words = self.words.of(query)[:_LONGEST_QUERY_WORDS]
        said = {stem: word for word in words for stem in self.words.stems(word)}
        for stem, word in said.items():
            if (rarity := self.rarity.get(stem)) is not None:
                yield _Term((stem,), rarity)
            else:
                yield self._unknown(word)

    def _unknown(self, word: str) -> _Term:
        """A word that no article has: misspelt perhaps, else something that they do not speak of."""
        near = self.spelling.nearest(self.words.fold(word), _SPELLINGS)
        stems = {
            stem: self.rarity[stem]
            for other in near
            for stem in self.words.stems(other)
            if stem in self.rarity
        }
        weight = max(stems.values(), default=self.rarest * (_TINY if len(word) <= _TINY_LETTERS else 1))
        return _Term(tuple(stems), weight, _MISSPELT)

    def _by_field(self, stem: str) -> tuple[Occur, Query]:
        fields = [
            Query.boost_query(Query.term_query(self.index.schema, name, stem), boost)
            for name, boost in _BOOSTS.items()
        ]
        return Occur.Should, Query.boolean_query([(Occur.Should, field) for field in fields])

    def _covered(self, terms: Sequence[_Term], words: frozenset[str]) -> float:
        """How much of the question, weighted by rarity, the passage's article speaks of (0 to 1)."""
        total = sum(term.weight for term in terms)
        return sum(term.weight * term.trust for term in terms if not words.isdisjoint(term.stems)) / total


class _Words:
    """Takes text apart as one language needs it; the same for articles and questions."""

    def __init__(self, language: str) -> None:
        name = _STEMMERS.get(language)
        stem = (
            [Filter.stopword(name), Filter.ascii_fold(), Filter.stemmer(name)]
            if name
            else [Filter.ascii_fold()]
        )
        self.stemmed = _analyzer(*stem)
        self._plain = _analyzer()
        self._folded = _analyzer(Filter.ascii_fold())

    def of(self, text: str) -> list[str]:
        """The different words in order, in lower case."""
        return list(dict.fromkeys(self._plain.analyze(text)))

    def fold(self, word: str) -> str:
        """The word without accents."""
        return "".join(self._folded.analyze(word))

    def stems(self, word: str) -> list[str]:
        """What is looked up for one word; nothing for a word that says nothing, such as "the"."""
        return list(self.stemmed.analyze(word))


def _analyzer(*filters: Filter) -> TextAnalyzer:
    builder = TextAnalyzerBuilder(Tokenizer.simple())
    for step in (Filter.lowercase(), Filter.remove_long(40), *filters):
        builder = builder.filter(step)
    return builder.build()


@dataclass(frozen=True, slots=True)
class KnowledgeIndex:
    """All passages of the company, searchable by language. `rejected`: the articles that were left out, and why."""

    languages: Mapping[str, _LanguageIndex]
    articles: tuple[Article, ...]
    rejected: tuple[str, ...] = ()

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Index the articles below `folder`; an empty folder gives an index that finds nothing."""
        return cls.of(read_corpus(folder))

    @classmethod
    def of(cls, corpus: Corpus) -> Self:
        """Index these articles."""
        by_language: dict[str, list[Article]] = {}
        for article in corpus.articles:
            by_language.setdefault(article.language, []).append(article)
        languages = {language: _build(language, found) for language, found in by_language.items()}
        return cls(languages, corpus.articles, corpus.rejected)

    @property
    def passages(self) -> int:
        """How many passages there are."""
        return sum(len(article.parts) for article in self.articles)

    def search(self, query: str, language: str, limit: int) -> tuple[Passage, ...]:
        """The best passages for the question, best first; empty when nothing fits.

        Args:
            query: What the customer asks, or key words of it.
            language: The customer's; the question is looked up in the language it is written in, if there are
                articles in it, else in the customer's, else in English.
            limit: How many passages at most.
        """
        for candidate in dict.fromkeys((detect_language(query, hint=language), language, _DEFAULT_LANGUAGE)):
            index = self.languages.get(candidate)
            found = index.search(query, limit) if index is not None else ()
            if found:
                return found
        return ()


def _build(language: str, articles: Sequence[Article]) -> _LanguageIndex:
    words = _Words(language)
    builder = SchemaBuilder().add_integer_field("number", stored=True)
    for name in _BOOSTS:
        builder = builder.add_text_field(name, tokenizer_name=language)
    index = Index(builder.build())
    index.register_tokenizer(language, words.stemmed)
    passages: list[Passage] = []
    words_of: list[frozenset[str]] = []
    known: set[str] = set()
    with index.writer(heap_size=15_000_000, num_threads=1) as writer:
        for article in articles:
            whole = " ".join(
                [article.title, *(f"{heading} {passage.text}" for heading, passage in article.parts)]
            )
            known.update(words.of(whole))
            said = frozenset(words.stemmed.analyze(whole))
            for heading, passage in article.parts:
                fields = {"title": article.title, "heading": heading, "body": passage.text, "article": whole}
                writer.add_document(Document(number=len(passages), **fields))
                passages.append(passage)
                words_of.append(said)
        writer.commit()
        writer.wait_merging_threads()
    index.reload()
    rarity = _rarity(words_of)
    return _LanguageIndex(
        index=index,
        words=words,
        passages=tuple(passages),
        words_of=tuple(words_of),
        rarity=rarity,
        rarest=max(rarity.values(), default=1.0),
        spelling=Spelling(words.fold(word) for word in known if words.stems(word)),
    )


def _rarity(words_of: Sequence[frozenset[str]]) -> Mapping[str, float]:
    counts = Counter(word for words in words_of for word in words)
    return {word: math.log(1 + len(words_of) / count) for word, count in counts.items()}
