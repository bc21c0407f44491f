"""The articles in PostgreSQL: found as in memory, each server in its own folder, and nothing left behind."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest
from sqlalchemy import Connection, Table, func, select, text

from bench.retrieval import LIMIT, read_cases
from errors import ConfigError, Unavailable
from knowledge.corpus_files import Article, Corpus
from knowledge.index import KnowledgeIndex
from knowledge.passages import Passage
from settings import ROOT
from store.database import Database
from store.knowledge import StoredKnowledge
from store.schema import knowledge_articles, knowledge_folders, knowledge_passages, knowledge_shelves
from store.shelves import UNUSED_AFTER_S
from tests.postgres import Postgres
from tests.store.filling import patient
from tests.waiting import until

NOW_S = 1_000_000_000.0
SHIPPED = KnowledgeIndex.load(ROOT / "knowledge" / "corpus")
TABLES = (knowledge_folders, knowledge_shelves, knowledge_articles, knowledge_passages)


@pytest.fixture
def url(postgres_url: str) -> str:
    """The address of an empty database."""
    return postgres_url


def _article(name: str, *texts: str) -> Article:
    url = f"https://x.example/{name}"
    parts = tuple(
        ("", Passage(f"{url}#{number}", name, url, "en", text)) for number, text in enumerate(texts, start=1)
    )
    return Article(name, f"{name}.md", name, url, "en", parts)


BATTERY = _article("battery", "The batteries of electric cars are covered.", "A used battery needs a report.")
THEFT = _article("theft", "A stolen car is covered after a police report.")
QUOTES = _article("O'Brien \\ sons", "It's the driver's 'own' fault.")


def _index(*articles: Article) -> KnowledgeIndex:
    return KnowledgeIndex.of(Corpus(articles))


@asynccontextmanager
async def _kept(
    database: Database, index: KnowledgeIndex, now_s: float = NOW_S
) -> AsyncIterator[StoredKnowledge]:
    """A server whose folder is in the database."""
    stored = StoredKnowledge(database, lambda: now_s)
    stored.take(index)
    async with asyncio.TaskGroup() as group:
        keeping = group.create_task(stored.run())
        await until(lambda: stored.is_ready)
        yield stored
        keeping.cancel()


async def _found(stored: StoredKnowledge, query: str) -> list[str]:
    return [passage.title for passage in await stored.search(query, "en", LIMIT)]


async def _counts(database: Database, tables: Sequence[Table] = TABLES) -> list[int]:
    def work(connection: Connection) -> list[int]:
        return [connection.execute(select(func.count()).select_from(table)).scalar_one() for table in tables]

    return await database.read(work)


async def test_the_shipped_articles_are_found_as_well_as_in_memory(database: Database) -> None:
    """A company that grows out of one machine would get worse answers."""
    articles = {article.url: article.article_id for article in SHIPPED.articles}
    right = {"memory": 0, "database": 0}
    async with _kept(database, SHIPPED) as stored:
        for case in read_cases():
            in_memory = SHIPPED.search(case.question, case.language, LIMIT)
            in_database = await stored.search(case.question, case.language, LIMIT)
            assert bool(in_memory) == bool(in_database), case.question
            assert all(passage.text for passage in in_database)
            for where, passages in (("memory", in_memory), ("database", in_database)):
                first = list(dict.fromkeys(articles[passage.url] for passage in passages))[:3]
                right[where] += not {case.article, *case.also}.isdisjoint(first)

    assert right["database"] >= right["memory"] - 4 > 0.7 * len(read_cases())


@pytest.mark.parametrize(
    "query", ["", "?!", "the", "xyzzy plugh qwrtz", "recipe for paella", "x" * 5000, "\0 ' \\ :* & |"]
)
async def test_nonsense_finds_nothing(database: Database, query: str) -> None:
    """A customer would be shown an article that has nothing to do with the question."""
    async with _kept(database, SHIPPED) as stored:
        assert await stored.search(query, "en", LIMIT) == ()


async def test_words_with_signs_of_the_query_language_are_words(database: Database) -> None:
    """An article or a customer with an apostrophe would break the search for all."""
    async with _kept(database, _index(BATTERY, QUOTES)) as stored:
        assert (await _found(stored, "O'Brien & sons: the driver's own fault"))[0] == QUOTES.title


async def test_no_article_fills_the_answer(database: Database) -> None:
    """A long article would leave no room for a better short one."""
    long = _article("long", *(f"Batteries, batteries and batteries number {number}." for number in range(20)))
    async with _kept(database, _index(long, BATTERY)) as stored:
        found = await stored.search("are batteries covered", "en", 6)

    assert [passage.title for passage in found].count("long") <= 2


async def test_a_saved_article_replaces_the_old_one(database: Database) -> None:
    """A corrected sentence would be cited in its old form."""
    edited = _article("battery", "The batteries of electric bicycles are covered.")
    async with _kept(database, _index(BATTERY, THEFT)) as stored:
        stored.take(_index(edited, THEFT))
        await until(lambda: stored.is_ready)
        [first, *_] = await stored.search("batteries", "en", LIMIT)

        assert first.text == "The batteries of electric bicycles are covered."


async def test_servers_with_different_folders_each_search_their_own(url: str, database: Database) -> None:
    """While a new version is rolled out, no server cites what its own folder does not say."""
    newer = _article("battery", "Batteries are covered up to their value.")
    async with (
        patient(url) as other,
        _kept(database, _index(BATTERY, THEFT)) as old,
        _kept(other, _index(newer, THEFT)) as new,
    ):
        said = [(await stored.search("batteries", "en", 1))[0].text for stored in (old, new)]

        assert said == [BATTERY.parts[0][1].text, "Batteries are covered up to their value."]
        assert await _counts(database) == [2, 4, 3, 4]


async def test_servers_that_start_at_once_store_once(url: str, postgres: Postgres) -> None:
    """The second would fail over the first one's rows."""
    async with (
        patient(url) as one,
        patient(url) as other,
        patient(url) as third,
        _kept(one, SHIPPED),
        _kept(other, SHIPPED),
        _kept(third, SHIPPED),
    ):
        folders, shelves, articles, parts = await _counts(one)

    count = len(SHIPPED.articles)
    assert (folders, shelves, articles, parts) == (1, count, count, SHIPPED.passages)


async def test_what_no_server_uses_any_more_is_taken_away(database: Database) -> None:
    """Every saved comma would stay in the database for ever; what is in use would not."""
    async with _kept(database, _index(BATTERY, THEFT)):
        pass
    async with _kept(database, _index(THEFT), NOW_S + UNUSED_AFTER_S - 1):
        assert await _counts(database) == [2, 3, 2, 3]
    async with _kept(database, _index(QUOTES), NOW_S + 2 * UNUSED_AFTER_S - 2) as stored:
        assert await _counts(database) == [2, 2, 2, 2]
        assert await _found(stored, "driver's own fault") == [QUOTES.title]


async def test_an_article_that_was_taken_away_behind_our_back_comes_again(database: Database) -> None:
    """A server that was cut off for a day would find nothing for ever."""

    def empty(connection: Connection) -> None:
        for table in TABLES:
            connection.execute(table.delete())

    async with _kept(database, _index(BATTERY)) as stored:
        await database.write(empty)
        assert await _found(stored, "batteries") == []
        stored.take(_index(BATTERY))
        await until(lambda: stored.is_ready)

        assert await _found(stored, "batteries") == [BATTERY.title] * 2


async def test_an_empty_folder_finds_nothing(database: Database) -> None:
    """A company that begins without articles still gets a desk."""
    async with _kept(database, _index()) as stored:
        assert await _found(stored, "batteries") == []


async def test_a_database_that_is_away_is_told_and_stored_in_later(
    postgres: Postgres, url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The articles of a start during a restart of the database are there a moment later."""
    async with Database(url, reader_wait_s=0.2) as database, asyncio.TaskGroup() as group:
        stored = StoredKnowledge(database)
        postgres.crash()
        stored.take(_index(BATTERY))
        keeping = group.create_task(stored.run())
        said = ""
        while "knowledge.unstored" not in said:
            await asyncio.sleep(0.01)
            said += capsys.readouterr().out
        assert not stored.is_ready
        postgres.start()
        await until(lambda: stored.is_ready)
        assert await _found(stored, "batteries") == [BATTERY.title] * 2
        postgres.crash()
        with pytest.raises(Unavailable):
            await stored.search("batteries", "en", LIMIT)
        postgres.start()
        keeping.cancel()


async def test_sqlite_is_refused_in_one_line() -> None:
    """An operator reads which two settings do not go together."""
    with pytest.raises(ConfigError, match=r"^setting FRONTDESK_SEARCH: .*PostgreSQL"):
        StoredKnowledge(Database("sqlite:///any.db"))


async def test_a_large_folder_keeps_nobody_waiting(database: Database) -> None:
    """While articles are put into the database, customers' messages are stored as ever."""
    many = [_article(f"number{number}", f"Word{number} is covered.") for number in range(300)]
    stored = StoredKnowledge(database)
    stored.take(_index(*many))
    async with asyncio.TaskGroup() as group:
        keeping = group.create_task(stored.run())
        while not stored.is_ready:
            await database.write(lambda connection: connection.execute(text("SELECT 1")))
        keeping.cancel()

    assert await _found(stored, "word17") == ["number17"]
