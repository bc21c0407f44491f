"""A database of the test's own, and the log on it: on SQLite and on PostgreSQL, unless a test says on which."""

import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest

from store.database import Database
from store.log import EventLog
from store.wake import Wake
from tests.postgres import Postgres
from tests.waiting import PATIENCE_S

NewUrl = Callable[[], AbstractContextManager[str]]


@contextmanager
def sqlite_url() -> Iterator[str]:
    """The address of a file that is not there yet."""
    with tempfile.TemporaryDirectory() as folder:
        yield f"sqlite:///{folder}/desk.db"


@pytest.fixture(scope="session", params=["sqlite", "postgres"])
def new_url(request: pytest.FixtureRequest) -> NewUrl:
    """Gives the address of another empty database each time, for as long as its context is open."""
    if request.param == "sqlite":
        return sqlite_url
    postgres: Postgres = request.getfixturevalue("postgres")
    return postgres.database


@pytest.fixture
def url(new_url: NewUrl) -> Iterator[str]:
    """The address of an empty database."""
    with new_url() as address:
        yield address


@pytest.fixture
async def database(url: str) -> AsyncIterator[Database]:
    """An open database; a write gives up after half a second."""
    async with Database(url, reader_wait_s=PATIENCE_S, write_patience_s=0.5) as opened:
        yield opened


@pytest.fixture
def wake() -> Wake:
    """Who follows on this server."""
    return Wake()


@pytest.fixture
def event_log(database: Database, wake: Wake) -> EventLog:
    """The log of a server named "here"."""
    return EventLog(database, wake, "here")
