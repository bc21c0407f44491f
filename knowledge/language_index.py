"""Find passages in the articles of one language, in memory, with tantivy.

First the articles: by what they say and how customers ask for them, stemmed and without accents, and by senses. Then
the best passages of the best articles. An article that hardly speaks of the question is none of them.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from weakref import WeakValueDictionary

from tantivy import Document, Index, Occur, Query, SchemaBuilder, TextAnalyzerBuilder, Tokenizer

from knowledge.corpus_files import Article
from knowledge.passages import Passage
from knowledge.vocabulary import Question, Said, Vocabulary
from knowledge.words import Words

_WORDS, _WHOLE = "words", "whole"  # how a field is taken apart
_BOOSTS = {"text": 1.0, "senses": 1.5, "heading": 0.8, "body": 0.5}
_OF_ONE_ARTICLE = 1 / 3  # at most this share of the passages
_PASSAGES_WEIGHED = 100
_HEAP_BYTES = 15_000_000


@dataclass(frozen=True, slots=True, weakref_slot=True)
class LanguageIndex:
    """Built once from the articles, then only read; shared by all threads, and by all desks of a process."""

    vocabulary: Vocabulary
    said: Mapping[Article, Said]
    signs: tuple[frozenset[str], ...]
    passages: tuple[Passage, ...]
    article_of: tuple[int, ...]
    articles_index: Index
    passages_index: Index

    @staticmethod
    def of(language: str, articles: Sequence[Article], before: Mapping[Article, Said]) -> "LanguageIndex":
        """Index these articles; those that were taken apart `before` are not taken apart again."""
        key = language, tuple(articles)
        if (known := _in_use.get(key)) is not None:
            return known
        words = Words(language)
        said = [before.get(article) or Said.by(article, words) for article in articles]
        made = _in_use[key] = LanguageIndex(
            vocabulary=Vocabulary.of(words, said),
            said=dict(zip(articles, said, strict=True)),
            signs=tuple(each.signs for each in said),
            passages=tuple(passage for article in articles for _, passage in article.parts),
            article_of=tuple(number for number, article in enumerate(articles) for _ in article.parts),
            articles_index=_index_articles(said, words),
            passages_index=_index_passages(articles, words),
        )
        return made

    def search(self, question: str, language: str, limit: int) -> tuple[Passage, ...]:
        """The best passages for a question in this language, best first; empty when nothing fits."""
        asked = self.vocabulary.read(question, language)
        articles = dict(self._articles(asked, limit)) if asked.terms else {}
        if not articles:  # a query without a part would find everything
            return ()
        share = Counter(dict.fromkeys(articles, max(1, int(limit * _OF_ONE_ARTICLE))))
        found: list[Passage] = []
        for score, number in self._parts(asked, articles):
            article = self.article_of[number]
            if share[article]:
                share[article] -= 1
                found.append(replace(self.passages[number], score=score))
        return tuple(found[:limit])

    def _articles(self, question: Question, limit: int) -> Iterator[tuple[int, float]]:
        """The best articles that speak of the question, with their scores."""
        wanted = [
            _should(self.articles_index, "senses" if term.is_sense else "text", sign, term.pull)
            for term in question.terms
            for sign in term.found_as
        ]
        for score, number in _hits(self.articles_index, wanted, limit):
            if question.is_answered_by(self.signs[number]):
                yield number, score

    def _parts(self, question: Question, articles: Mapping[int, float]) -> list[tuple[float, int]]:
        """Scores and numbers of the best passages of these articles, with the articles' own scores in them."""
        schema = self.passages_index.schema
        theirs = [
            (Occur.Should, Query.const_score_query(Query.term_query(schema, "article", number), score))
            for number, score in articles.items()
        ]
        wanted = [
            _should(self.passages_index, field, sign, term.pull)
            for term in question.terms
            for sign in term.found_as
            for field in ("heading", "body")
        ]
        return _hits(
            self.passages_index, [(Occur.Must, Query.boolean_query(theirs)), *wanted], _PASSAGES_WEIGHED
        )


def _should(index: Index, field: str, sign: str, pull: float) -> tuple[Occur, Query]:
    return Occur.Should, Query.boost_query(Query.term_query(index.schema, field, sign), pull * _BOOSTS[field])


def _hits(index: Index, wanted: Sequence[tuple[Occur, Query]], limit: int) -> list[tuple[float, int]]:
    """Scores and numbers of what fits best, best first."""
    searcher = index.searcher()
    hits = searcher.search(Query.boolean_query(wanted), limit, count=False).hits
    numbers = searcher.fast_field_values("number", [address for _, address in hits])
    return [(float(score), int(number or 0)) for (score, _), number in zip(hits, numbers, strict=True)]


_in_use: WeakValueDictionary[tuple[str, tuple[Article, ...]], LanguageIndex] = WeakValueDictionary()


def _index_articles(said: Sequence[Said], words: Words) -> Index:
    schema = (
        SchemaBuilder()
        .add_integer_field("number", fast=True)
        .add_text_field("text", tokenizer_name=_WORDS)
        .add_text_field("senses", tokenizer_name=_WHOLE)
    )
    documents = (
        Document(number=number, text=each.text, senses=" ".join(each.senses()))
        for number, each in enumerate(said)
    )
    return _index(schema, words, documents)


def _index_passages(articles: Sequence[Article], words: Words) -> Index:
    schema = (
        SchemaBuilder()
        .add_integer_field("number", fast=True)
        .add_integer_field("article", indexed=True)
        .add_text_field("heading", tokenizer_name=_WORDS)
        .add_text_field("body", tokenizer_name=_WORDS)
    )
    parts = ((number, *part) for number, article in enumerate(articles) for part in article.parts)
    documents = (
        Document(number=number, article=article, heading=heading, body=passage.text)
        for number, (article, heading, passage) in enumerate(parts)
    )
    return _index(schema, words, documents)


def _index(schema: SchemaBuilder, words: Words, documents: Iterator[Document]) -> Index:
    index = Index(schema.build())
    index.register_tokenizer(_WORDS, words.stemmed)
    index.register_tokenizer(_WHOLE, TextAnalyzerBuilder(Tokenizer.whitespace()).build())
    with index.writer(heap_size=_HEAP_BYTES, num_threads=1) as writer:
        for document in documents:
            writer.add_document(document)
        writer.commit()
        writer.wait_merging_threads()
    index.reload()
    return index
