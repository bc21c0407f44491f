"""Find passages with PostgreSQL's text search, behind the same interface as the index in memory.

The vocabulary reads the question in memory (rarity, misspellings, senses, subjects); the database finds and ranks the
articles that have its words, and their passages. So both find nothing for the same questions.
Life: one StoredKnowledge per server; `run` keeps the folder's articles in the database.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace

import structlog
from sqlalchemy import Connection, text

from errors import ConfigError, Unavailable
from knowledge.corpus_files import Article
from knowledge.index import KnowledgeIndex
from knowledge.language import detect_language
from knowledge.passages import Passage
from knowledge.vocabulary import Question, Vocabulary
from store.database import Database
from store.lexemes import quoted
from store.shelves import by_key, folder_key, shelve

log = structlog.get_logger()
USED_EVERY_S = 3_600.0
_AGAIN_S = 1.0
_DEFAULT_LANGUAGE = "en"
_SENSE_BOOST = 1.5
_OF_ONE_ARTICLE = 1 / 3
_FOUND_AT_MOST = 60
_SIGNS = 8
_ANALYZE = text("ANALYZE knowledge_articles, knowledge_shelves, knowledge_passages")
_SEARCH = text("""
    WITH asked AS MATERIALIZED (
        SELECT CAST(sign AS tsquery) AS sign, weight
        FROM unnest(CAST(:signs AS text[]), CAST(:weights AS float8[])) AS signs (sign, weight)
    ), best AS MATERIALIZED (
        SELECT article, sum(weight * ts_rank('{0.25, 0.6, 0.6, 1.0}', words, sign)) AS score
        FROM knowledge_articles JOIN knowledge_shelves USING (article), asked
        WHERE folder = :folder AND language = :language AND words @@ CAST(:telling AS tsquery)
        GROUP BY article ORDER BY score DESC, article LIMIT :limit
    )
    SELECT article, number, score + 0.5 * sum(weight * ts_rank('{0.5, 0.5, 0.8, 0.8}', words, sign)) AS score
    FROM best JOIN knowledge_passages USING (article), asked
    GROUP BY article, number, score ORDER BY 3 DESC, article, number
""")


@dataclass(frozen=True, slots=True)
class _Shelf:
    """One language's articles of the folder, as they stand in the database, and what reads the questions to them."""

    vocabulary: Vocabulary
    articles: Mapping[str, Article]
    signs: Mapping[str, frozenset[str]]
    counts: Mapping[str, int]

    def telling(self, weights: Mapping[str, float]) -> str:
        """What an article must say to be looked at: one of the signs that weigh most, as many as few articles say.

        A question of common signs only: the first of them and one more.
        """
        first, *more = sorted(weights, key=lambda sign: -weights[sign])
        found = self.counts[first]
        if found > _FOUND_AT_MOST and more:
            return f"{quoted(first)} & ({' | '.join(map(quoted, more))})"
        told = [first]
        for sign in more:
            found += self.counts[sign]
            if found > _FOUND_AT_MOST:
                break
            told.append(sign)
        return " | ".join(map(quoted, told))


@dataclass(frozen=True, slots=True)
class _Folder:
    """What is in the database. `key` names it there."""

    key: str
    shelves: Mapping[str, _Shelf]

    @classmethod
    def of(cls, index: KnowledgeIndex) -> "_Folder":
        shelves = {}
        for language, own in index.languages.items():
            articles = by_key(tuple(own.said))
            signs = {key: own.said[article].signs for key, article in articles.items()}
            counts = Counter(sign for each in signs.values() for sign in each)
            shelves[language] = _Shelf(own.vocabulary, articles, signs, counts)
        folder = cls("", shelves)
        return replace(folder, key=folder_key(folder.articles))

    @property
    def articles(self) -> dict[str, Article]:
        """All articles by their keys."""
        return {key: article for shelf in self.shelves.values() for key, article in shelf.articles.items()}


class StoredKnowledge:
    """The folder's passages in PostgreSQL. `clock` gives seconds since 1970.

    Raises:
        ConfigError: The database is another one, which cannot search.
    """

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        if not database.backend.searches_text:
            raise ConfigError(
                "setting FRONTDESK_SEARCH: database needs PostgreSQL; set FRONTDESK_DATABASE_URL, or use memory"
            )
        self._database = database
        self._clock = clock
        self._wanted: KnowledgeIndex | None = None
        self._has_news = asyncio.Event()
        self._folder: _Folder | None = None

    @property
    def is_ready(self) -> bool:
        """Whether the newest articles are in the database."""
        return self._folder is not None and not self._has_news.is_set()

    def take(self, index: KnowledgeIndex) -> None:
        """These are the articles from now on."""
        self._wanted = index
        self._has_news.set()

    async def run(self) -> None:
        """Keep the articles that were taken in the database, and say now and then that they are used; until cancelled."""
        wait_s: float | None = None
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await self._has_news.wait()
            wait_s = await self._keep()

    async def _keep(self) -> float:
        """Store the folder; returns in how many seconds to come again."""
        index = self._wanted
        if index is None:
            return USED_EVERY_S
        folder = await asyncio.to_thread(_Folder.of, index)

        def work(connection: Connection) -> int:
            self._database.backend.hold(connection, "knowledge")
            stored = shelve(connection, folder.key, folder.articles, self._clock())
            if stored:  # how to search depends on what is there
                connection.execute(_ANALYZE)
            return stored

        try:
            stored = await self._database.apart(work)
        except Unavailable as exc:
            log.warning("knowledge.unstored", fault=exc.code)
            return _AGAIN_S
        if self._wanted is index:
            self._folder = folder
            self._has_news.clear()
        log.info("knowledge.stored", articles=len(folder.articles), new=stored)
        return USED_EVERY_S

    async def search(self, query: str, language: str, limit: int) -> tuple[Passage, ...]:
        """The best passages, best first; empty when nothing fits. See KnowledgeIndex.search.

        Raises:
            Unavailable: The database does not answer in time.
        """
        folder = self._folder
        spoken = detect_language(query, hint=language)
        for candidate in dict.fromkeys((spoken, language, _DEFAULT_LANGUAGE)):
            shelf = folder.shelves.get(candidate) if folder is not None else None
            if folder is None or shelf is None:
                continue
            question = shelf.vocabulary.read(query, spoken)
            found = await self._database.read(
                lambda connection: _search(connection, folder.key, candidate, shelf, question, limit)  # noqa: B023 - it is read at once
            )
            if found:
                return found
        return ()


def _search(
    connection: Connection, folder: str, language: str, shelf: _Shelf, question: Question, limit: int
) -> tuple[Passage, ...]:
    weights = {
        sign: shelf.vocabulary.rarity[sign] * term.pull * (_SENSE_BOOST if term.is_sense else 1)
        for term in question.terms
        for sign in term.found_as
    }
    if not weights:
        return ()
    weights = {sign: weights[sign] for sign in sorted(weights, key=lambda sign: -weights[sign])[:_SIGNS]}
    asked = {
        "signs": [quoted(sign) for sign in weights],
        "weights": list(weights.values()),
        "telling": shelf.telling(weights),
    }
    alone = connection.execution_options(
        isolation_level="AUTOCOMMIT"
    )  # one statement needs no transaction around it
    rows = alone.execute(_SEARCH, {**asked, "folder": folder, "language": language, "limit": limit}).all()
    speaking = {key for key, _, _ in rows if question.is_answered_by(shelf.signs[key])}
    found = [
        replace(shelf.articles[row.article].parts[row.number - 1][1], score=row.score)
        for row in rows
        if row.article in speaking
    ]
    return _shared_out(found, limit)


def _shared_out(passages: list[Passage], limit: int) -> tuple[Passage, ...]:
    """The first ones, of no article more than its share."""
    share = max(1, int(limit * _OF_ONE_ARTICLE))
    taken: Counter[str] = Counter()
    found: list[Passage] = []
    for passage in passages:
        taken[passage.url] += 1
        if taken[passage.url] <= share:
            found.append(passage)
    return tuple(found[:limit])
