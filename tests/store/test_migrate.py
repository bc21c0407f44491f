"""The schema on disk is the one the program works with, and a newer one is left alone."""

import asyncio
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, column, insert, text
from sqlalchemy import table as sql_table

from errors import ConfigError
from settings import ROOT
from store.address import backend_at
from store.database import Database
from store.log import EventLog
from store.migrate import revisions
from store.schema import metadata
from store.wake import Wake
from tests.store.filling import begin, patient


async def test_the_migrations_lead_to_the_schema_of_the_program(database: Database) -> None:
    """A column that is in the code and in no migration would break the next upgrade of a running desk."""

    def differences(connection: Connection) -> list[object]:
        return list(compare_metadata(MigrationContext.configure(connection), metadata))

    assert await database.read(differences) == []


def test_the_files_are_named_by_their_revisions() -> None:
    """What a database needs is decided by the names: a file with another one would be forgotten, or run for ever."""
    config = Config()
    config.set_main_option("script_location", str(ROOT / "store" / "migrations"))
    scripts = ScriptDirectory.from_config(config)

    assert [script.revision for script in scripts.walk_revisions()] == revisions()[::-1]


@pytest.mark.fault("D6")
async def test_a_database_of_a_newer_version_is_refused_in_one_line(url: str) -> None:
    """An old program must not write into what a newer one understands differently."""
    newer = text("UPDATE alembic_version SET version_num = '9999'")
    async with patient(url) as database:
        await database.write(lambda connection: connection.execute(newer))

    with pytest.raises(ConfigError, match=r"^schema_mismatch: .*'9999'.*newer version.*$"):
        async with patient(url):
            pass


async def test_opening_again_changes_nothing(tmp_path: Path) -> None:
    """A restart must not run a migration twice."""
    url = f"sqlite:///{tmp_path / 'desk.db'}"
    async with patient(url):
        pass
    before = (tmp_path / "desk.db").read_bytes()
    async with patient(url) as database:
        assert await database.state() == "ok"

    assert (tmp_path / "desk.db").read_bytes() == before


async def test_two_servers_may_start_on_a_new_database_at_once(url: str) -> None:
    """The one that comes second waits for the tables of the first."""

    async def open_and_close() -> str:
        async with patient(url) as database:
            return await database.state()

    assert list(await asyncio.gather(open_and_close(), open_and_close(), open_and_close())) == [
        "ok",
        "ok",
        "ok",
    ]


@pytest.mark.fault("D6")
async def test_a_database_of_the_first_version_is_brought_up_to_date_with_what_is_in_it(url: str) -> None:
    """An update of the program costs no conversation."""
    backend = backend_at(url)
    backend.prepare()
    engine = backend.writer()
    with engine.begin() as connection:
        config = Config()
        config.set_main_option("script_location", str(ROOT / "store" / "migrations"))
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        for table, row in _OF_THE_FIRST_VERSION.items():
            connection.execute(insert(sql_table(table, *map(column, row))), row)
    engine.dispose()
    async with patient(url) as database:
        event_log = EventLog(database, Wake(), "here")
        [(turn, recorded)] = await event_log.read_turns("c", 10)
        assert await database.state() == "ok"
        assert await event_log.owner("c") == "visitor:a"
        assert (await begin(event_log, 2, "c")).ordinal == 2

    assert (turn.turn_id, [item.event.type for item in recorded]) == ("t", ["turn.accepted"])


_ACCEPTED = (
    '[{"seq":1,"at":"2026-11-01T00:00:00Z","event":{"type":"turn.accepted","message_id":"m","text":"Hello"}}]'
)
_OF_THE_FIRST_VERSION: dict[str, dict[str, object]] = {
    "conversations": {"conversation_id": "c", "owner": "visitor:a", "created_at_s": 1.0},
    "turns": {
        "conversation_id": "c",
        "ordinal": 1,
        "turn_id": "t",
        "message_id": "m",
        "text_hash": "h",
        "is_open": 0,
        "lease_owner": "s",
        "lease_until_s": 0.0,
        "accepted_at_s": 1.0,
    },
    "events": {
        "conversation_id": "c",
        "ordinal": 1,
        "first_seq": 1,
        "last_seq": 1,
        "payload": _ACCEPTED,
    },
}
