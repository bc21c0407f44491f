"""The schema on disk is the one the program works with, and a newer one is left alone."""

import asyncio
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, text

from errors import ConfigError
from store.database import Database
from store.schema import metadata


async def test_the_migrations_lead_to_the_schema_of_the_program(database: Database) -> None:
    """A column that is in the code and in no migration would break the next upgrade of a running desk."""

    def differences(connection: Connection) -> list[object]:
        return list(compare_metadata(MigrationContext.configure(connection), metadata))

    assert await database.read(differences) == []


async def test_a_database_of_a_newer_version_is_refused_in_one_line(url: str) -> None:
    """An old program must not write into what a newer one understands differently."""
    newer = text("UPDATE alembic_version SET version_num = '9999'")
    async with Database(url) as database:
        await database.write(lambda connection: connection.execute(newer))

    with pytest.raises(ConfigError, match=r"^schema_mismatch: .*'9999'.*newer version.*$"):
        async with Database(url):
            pass


async def test_opening_again_changes_nothing(tmp_path: Path) -> None:
    """A restart must not run a migration twice."""
    url = f"sqlite:///{tmp_path / 'desk.db'}"
    async with Database(url):
        pass
    before = (tmp_path / "desk.db").read_bytes()
    async with Database(url) as database:
        assert await database.state() == "ok"

    assert (tmp_path / "desk.db").read_bytes() == before


async def test_two_servers_may_start_on_a_new_database_at_once(url: str) -> None:
    """The one that comes second waits for the tables of the first."""

    async def open_and_close() -> str:
        async with Database(url) as database:
            return await database.state()

    assert list(await asyncio.gather(open_and_close(), open_and_close(), open_and_close())) == [
        "ok",
        "ok",
        "ok",
    ]
