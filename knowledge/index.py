"""Find the passages that answer a question, in memory, with tantivy.

Why: an answer about the company may only lean on what the company published. Each language has its own index:
accents folded before stemming ("bateria" finds "baterías"), titles and headings weighted, misspelt words matched
by one or two letters. A question whose words the best passages hardly contain has found nothing, and says so.
Made at start; replaced as a whole when the folder changes.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
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

from knowledge.corpus_files import Article, read_corpus
from knowledge.language import detect_language
from knowledge.passages import Passage

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
_FUZZY_FROM, _FUZZY_TWO_FROM = 4, 8
_DEFAULT_LANGUAGE = "en"
_LONGEST_QUERY_WORDS = 40


@dataclass(frozen=True, slots=True)
class _LanguageIndex:
    """One language's passages, and how rare each word is."""

    index: Index
    analyzer: TextAnalyzer
    passages: tuple[Passage, ...]
    words_of: tuple[frozenset[str], ...]
    rarity: Mapping[str, float]
    rarest: float

    def search(self, query: str, limit: int) -> tuple[Passage, ...]:
        words = list(dict.fromkeys(self.analyzer.analyze(query)))[:_LONGEST_QUERY_WORDS]
        spelled = {word: self._spelling(word) for word in words}
        if not any(spelled.values()):
            return ()
        terms = [(Occur.Should, self._term(term)) for found in spelled.values() for term in found]
        hits = self.index.searcher().search(Query.boolean_query(terms), limit * 2).hits
        found = [(score, self.index.searcher().doc(address)["number"][0]) for score, address in hits]
        kept = [
            (score, number)
            for score, number in found
            if self._covered(spelled, self.words_of[number]) >= _LEAST_COVERED
        ]
        return tuple(_scored(self.passages[number], score) for score, number in kept[:limit])

    def _term(self, word: str) -> Query:
        fields = [
            Query.boost_query(Query.term_query(self.index.schema, name, word), boost)
            for name, boost in _BOOSTS.items()
        ]
        return Query.boolean_query([(Occur.Should, field) for field in fields])

    def _spelling(self, word: str) -> tuple[str, ...]:
        """The word itself when the articles know it, else the known words that differ by a letter or two."""
        if word in self.rarity:
            return (word,)
        if len(word) < _FUZZY_FROM or not word.isalpha():
            return ()
        reach = 2 if len(word) >= _FUZZY_TWO_FROM else 1
        near = [known for known in self.rarity if _within(word, known, reach)]
        return tuple(sorted(near, key=lambda known: (-self.rarity[known], known))[:3])

    def _covered(self, spelled: Mapping[str, tuple[str, ...]], words: frozenset[str]) -> float:
        """How much of the question, weighted by rarity, the passage's article speaks of (0 to 1)."""
        total = matched = 0.0
        for known in spelled.values():
            weight = max((self.rarity[word] for word in known), default=self.rarest)
            total += weight
            matched += weight if any(word in words for word in known) else 0.0
        return matched / total if total else 0.0


@dataclass(frozen=True, slots=True)
class KnowledgeIndex:
    """All passages of the company, searchable by language."""

    languages: Mapping[str, _LanguageIndex]
    articles: tuple[Article, ...]

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Index the articles below `folder`; an empty folder gives an index that finds nothing.

        Raises:
            ConfigError: An article cannot be read.
        """
        articles = read_corpus(folder)
        by_language: dict[str, list[Article]] = {}
        for article in articles:
            by_language.setdefault(article.language, []).append(article)
        return cls({language: _build(language, found) for language, found in by_language.items()}, articles)

    def search(self, query: str, language: str, limit: int) -> tuple[Passage, ...]:
        """The best passages for the question, best first; empty when nothing fits.

        Args:
            language: The customer's; the question is looked up in the language it is written in, if there are
                articles in it, else in the customer's, else in English.
        """
        for candidate in dict.fromkeys((detect_language(query, hint=language), language, _DEFAULT_LANGUAGE)):
            index = self.languages.get(candidate)
            found = index.search(query, limit) if index is not None else ()
            if found:
                return found
        return ()


def _build(language: str, articles: Sequence[Article]) -> _LanguageIndex:
    analyzer = _analyzer(language)
    builder = SchemaBuilder().add_integer_field("number", stored=True)
    for name in _BOOSTS:
        builder = builder.add_text_field(name, tokenizer_name=language)
    index = Index(builder.build())
    index.register_tokenizer(language, analyzer)
    passages: list[Passage] = []
    words_of: list[frozenset[str]] = []
    with index.writer(heap_size=15_000_000, num_threads=1) as writer:
        for article in articles:
            whole = " ".join(
                [article.title, *(f"{heading} {passage.text}" for heading, passage in article.parts)]
            )
            words = frozenset(analyzer.analyze(whole))
            for heading, passage in article.parts:
                fields = {"title": article.title, "heading": heading, "body": passage.text, "article": whole}
                writer.add_document(Document(number=len(passages), **fields))
                passages.append(passage)
                words_of.append(words)
        writer.commit()
        writer.wait_merging_threads()
    index.reload()
    rarity = _rarity(words_of)
    return _LanguageIndex(
        index, analyzer, tuple(passages), tuple(words_of), rarity, max(rarity.values(), default=1.0)
    )


def _analyzer(language: str) -> TextAnalyzer:
    """Lower case, no accents, no stop words, stemmed; the same for articles and questions."""
    builder = (
        TextAnalyzerBuilder(Tokenizer.simple()).filter(Filter.lowercase()).filter(Filter.remove_long(40))
    )
    stemmer = _STEMMERS.get(language)
    if stemmer is None:
        return builder.filter(Filter.ascii_fold()).build()
    builder = builder.filter(Filter.stopword(stemmer)).filter(Filter.ascii_fold())
    return builder.filter(Filter.stemmer(stemmer)).build()


def _rarity(words_of: Iterable[frozenset[str]]) -> Mapping[str, float]:
    known = list(words_of)
    counts = Counter(word for words in known for word in words)
    return {word: math.log(1 + len(known) / count) for word, count in counts.items()}


def _scored(passage: Passage, score: float) -> Passage:
    return Passage(passage.source, passage.title, passage.url, passage.language, passage.text, score)


def _within(left: str, right: str, reach: int) -> bool:
    """Whether two words differ by at most `reach` letters (insertion, deletion, exchange, swap of neighbours)."""
    if abs(len(left) - len(right)) > reach or left[0] != right[0]:
        return False
    before: list[int] = []
    row = list(range(len(right) + 1))
    for i, a in enumerate(left, start=1):
        above, row = row, [i] + [0] * len(right)
        for j, b in enumerate(right, start=1):
            row[j] = min(above[j] + 1, row[j - 1] + 1, above[j - 1] + (a != b))
            if i > 1 and j > 1 and a == right[j - 2] and left[i - 2] == b:
                row[j] = min(row[j], before[j - 2] + 1)
        before = above
        if min(row) > reach:
            return False
    return row[-1] <= reach
