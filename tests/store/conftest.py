"""A database in the test's own folder, and the log on it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from store.database import Database
from store.log import EventLog
from store.wake import Wake


@pytest.fixture
def url(tmp_path: Path) -> str:
    """The address of a database that is not there yet."""
    return f"sqlite:///{tmp_path / 'desk.db'}"


@pytest.fixture
async def database(url: str) -> AsyncIterator[Database]:
    """An open database; a write gives up after half a second."""
    async with Database(url, write_patience_s=0.5) as opened:
        yield opened


@pytest.fixture
def wake() -> Wake:
    """Who follows on this server."""
    return Wake()


@pytest.fixture
def event_log(database: Database, wake: Wake) -> EventLog:
    """The log of a server named "here"."""
    return EventLog(database, wake, "here")
