"""Vectors in PostgreSQL: one server asks, all find; and what is of no use any more goes."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url

from knowledge import meaning
from knowledge.meaning import Meaning
from knowledge.passages import Passage
from knowledge.voyage import Voyage
from store.database import Database
from store.vectors import UNUSED_AFTER_S, StoredVectors
from tests.embeddings import KEY, Vendor, vendor
from tests.postgres import Postgres
from tests.store.filling import patient
from tests.waiting import until

NOW_S = 1_000_000_000.0
SAME = {"juice": "charge", "cargar": "carga"}


@pytest.fixture
def url(postgres_url: str) -> str:
    """The address of an empty database."""
    return postgres_url


def _passage(number: int, text: str, language: str = "en") -> Passage:
    return Passage(f"https://a/{number}#1", "Help", f"https://a/{number}", language, text)


CHARGE = _passage(1, "How to charge at home")
STOLEN = _passage(2, "When the car was stolen")
CARGA = _passage(3, "Cómo se carga en casa", "es")


@asynccontextmanager
async def _learning(
    there: Vendor,
    database: Database,
    passages: Sequence[Passage],
    now_s: float = NOW_S,
    clock: Callable[[], float] = lambda: 0.0,
) -> AsyncIterator[Meaning]:
    """A server that learns these passages."""
    asked, shelf = Voyage(there.url, KEY, "voyage-4"), StoredVectors(database, "voyage-4", lambda: now_s)
    async with Meaning(asked, shelf, 0.3, clock) as made, asyncio.TaskGroup() as group:
        made.take(passages)
        running = group.create_task(made.run())
        await until(lambda: made.state == "ok")
        yield made
        running.cancel()


async def _sources(made: Meaning, query: str, language: str = "en") -> list[str]:
    return [passage.source for passage in await made.search(query, language, 5)]


async def _do(database: Database, statement: str) -> None:
    await database.write(lambda connection: connection.execute(text(statement)))


async def _count(database: Database) -> int:
    query = text("SELECT count(*) FROM knowledge_vectors")
    return await database.read(lambda connection: connection.execute(query).scalar_one())


async def test_what_one_server_learned_all_find(url: str, database: Database) -> None:
    """Ten servers would pay the vendor ten times."""
    async with (
        vendor(same=SAME) as there,
        patient(url) as other,
        _learning(there, database, [CHARGE, STOLEN, CARGA]),
    ):
        asked = len(there.texts)
        async with _learning(there, other, [CHARGE, STOLEN, CARGA]) as second:
            assert len(there.texts) == asked == 3
            assert (await _sources(second, "juice at home"))[0] == CHARGE.source
            assert await _sources(second, "¿Cómo se puede cargar en mi casa?", "es") == [CARGA.source]
            assert await _sources(second, "weather in Denver tomorrow") == []


async def test_a_server_finds_only_what_its_own_folder_says(url: str, database: Database) -> None:
    """An older version of a sentence, which another server still has, must not be cited."""
    edited = _passage(1, "How to charge at your home")
    async with (
        vendor() as there,
        patient(url) as other,
        _learning(there, database, [CHARGE, STOLEN]) as old,
        _learning(there, other, [edited]) as new,
    ):
        assert [passage.text for passage in await old.search("charge at home", "en", 5)] == [CHARGE.text]
        assert [passage.text for passage in await new.search("charge at home", "en", 5)] == [edited.text]


async def test_vectors_that_nobody_wants_are_taken_away(database: Database) -> None:
    """Every edit would stay in the database for ever."""
    async with vendor() as there:
        async with _learning(there, database, [CHARGE, STOLEN]):
            assert await _count(database) == 2
        async with _learning(there, database, [CHARGE], NOW_S + UNUSED_AFTER_S):
            assert await _count(database) == 2
        async with _learning(there, database, [CHARGE], NOW_S + UNUSED_AFTER_S + 1):
            assert await _count(database) == 1


async def test_vectors_of_another_size_replace_the_old_ones(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The vendor may change its mind; numbers of two kinds cannot be compared."""
    monkeypatch.setattr(meaning, "LEARN_AGAIN_S", 0.01)
    async with vendor() as there:
        async with _learning(there, database, [CHARGE]) as made:
            there.size = 3_000
            assert await _sources(made, "something else") == []
            assert made.state == "embedding_failed"
        async with _learning(there, database, [CHARGE, STOLEN]) as made:
            assert await _sources(made, "charge at home") == [CHARGE.source]
            assert await _count(database) == 2


async def test_a_database_that_is_away_costs_only_the_search_by_meaning(
    postgres: Postgres, url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Words may still be found in memory, and ops see what is wrong."""
    now_s = 0.0
    async with (
        vendor() as there,
        Database(url, reader_wait_s=0.2) as database,
        _learning(there, database, [CHARGE], clock=lambda: now_s) as made,
    ):
        await _sources(made, "charge at home")
        postgres.crash()
        assert await _sources(made, "charge at home") == []
        states = [made.state]
        made.take([CHARGE, STOLEN])
        await until(lambda: capsys.readouterr().out.count('"during": "load"'))
        postgres.start()
        made.take([CHARGE, STOLEN])
        now_s = 1_000.0
        await until(lambda: made.state == "ok")
        assert await _sources(made, "stolen car") == [STOLEN.source]

    assert states == ["embedding_failed"]


async def test_without_the_right_to_have_the_extension_ops_read_who_can_help(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The desk goes on with words alone; a line says what to do."""
    role = f"plain_{os.getpid()}"
    async with patient(url) as database:
        schema = await database.read(
            lambda connection: connection.execute(text("SELECT current_schema()")).scalar_one()
        )
        for statement in (f"CREATE ROLE {role} LOGIN", f"GRANT ALL ON SCHEMA {schema} TO {role}"):
            await _do(database, statement)
        plain = make_url(url).set(username=role).render_as_string(hide_password=False)
        async with vendor() as there, asyncio.TaskGroup() as group:
            shelf = StoredVectors(Database(plain), "voyage-4")
            made = Meaning(Voyage(there.url, KEY, "voyage-4"), shelf, 0.3)
            made.take([CHARGE])
            running = group.create_task(made.run())
            await until(lambda: made.state == "embedding_failed")
            running.cancel()
        for statement in (f"DROP OWNED BY {role}", f"DROP ROLE {role}"):
            await _do(database, statement)

    assert "CREATE EXTENSION vector" in capsys.readouterr().out
