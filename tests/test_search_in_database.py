"""A desk that looks its articles up in PostgreSQL, by words and by meaning, and in memory while that is away."""

from pathlib import Path

import pytest
from sqlalchemy import text

from build import build_parts
from errors import ConfigError
from liveknowledge import LiveKnowledge
from settings import ROOT, Settings
from store.database import Database
from tests.desks import kept_desk, settings_for, small_prompts
from tests.embeddings import KEY, vendor
from tests.postgres import Postgres
from tests.serving import local_settings, running
from tests.store.filling import patient
from tests.waiting import until

CORPUS = ROOT / "knowledge" / "corpus"


def _settings(folder: Path, url: str, **changes: object) -> Settings:
    small_prompts(folder)
    return settings_for(folder, FRONTDESK_DATABASE_URL=url, FRONTDESK_SEARCH="database", **changes)


async def test_a_product_question_is_answered_from_the_database(postgres_url: str, tmp_path: Path) -> None:
    """From the setting to the citation that the customer reads."""
    settings = local_settings(tmp_path, FRONTDESK_DATABASE_URL=postgres_url, FRONTDESK_SEARCH="database")
    async with running(settings) as server:
        knowledge = server.house.keeper.parts.knowledge
        await until(lambda: knowledge.searched_in == "database")
        reply = (await server.client.post("/chat", json={"message": "What does collision cover?"})).json()
        ready = (await server.client.get("/readyz")).json()

    assert reply["intent"] == "product_info"
    assert reply["citations"]
    assert all(citation["quote"] in reply["text"] for citation in reply["citations"])
    assert ready["knowledge"]["searched_in"] == "database"


async def test_while_the_database_is_away_articles_are_found_in_memory(
    postgres: Postgres, postgres_url: str, tmp_path: Path
) -> None:
    """A restart of the database is no reason to say that nothing was found."""
    settings = _settings(tmp_path, postgres_url, FRONTDESK_DATABASE_WAIT_S=1)
    async with kept_desk(settings) as keeper:
        knowledge = keeper.parts.knowledge
        await until(lambda: knowledge.searched_in == "database")
        before = await knowledge.search("what does collision cover", "en", 6)
        postgres.crash()
        during = await knowledge.search("what does collision cover", "en", 6)
        postgres.start()

    assert {passage.url for passage in before} & {passage.url for passage in during}


async def test_vectors_are_kept_where_the_words_are(postgres_url: str, tmp_path: Path) -> None:
    """Servers that share a database would each pay the vendor."""
    articles = tmp_path / "articles"
    articles.mkdir()
    for name in ("collision", "claims"):
        (articles / f"{name}.md").write_bytes((CORPUS / "en" / f"{name}.md").read_bytes())
    async with vendor() as there:
        settings = _settings(
            tmp_path,
            postgres_url,
            FRONTDESK_KNOWLEDGE=articles,
            FRONTDESK_EMBEDDINGS_URL=there.url,
            VOYAGE_API_KEY=KEY,
        )
        async with kept_desk(settings) as keeper:
            knowledge = keeper.parts.knowledge
            await until(lambda: knowledge.by_meaning == "ok")
    query = text("SELECT count(*) FROM knowledge_vectors")
    async with patient(postgres_url) as database:
        count = await database.read(lambda connection: connection.execute(query).scalar_one())

    assert count == len(there.texts) == LiveKnowledge(articles).passages > 5


def test_a_database_that_cannot_search_is_refused_in_one_line(tmp_path: Path) -> None:
    """An operator reads which two settings do not go together."""
    settings = local_settings(tmp_path, FRONTDESK_SEARCH="database")

    with pytest.raises(ConfigError, match=r"^setting FRONTDESK_SEARCH: .*FRONTDESK_DATABASE_URL"):
        build_parts(settings, Database(settings.database_url))
    assert build_parts(settings).knowledge.searched_in == "memory"
