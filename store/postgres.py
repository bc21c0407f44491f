"""PostgreSQL: the engine of several servers.

Each server has one writing connection, some for reading, and one that hears what the others announce. Locks by name
keep servers off each other's place; a server that freezes in the middle of a transaction is cut off by the database,
and its locks with it. Text cannot hold a zero character here; it is stored, and looked for, as a replacement character.
"""

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from pathlib import Path

import psycopg
from psycopg.abc import Buffer
from psycopg.types.string import StrDumperUnknown
from sqlalchemy import URL, Connection, Engine, Text, cast, create_engine, event, func, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.exc import DBAPIError

from errors import ConfigError, Unavailable
from store.backend import Fault, is_statements_fault

CHANNEL = "frontdesk"
# Settings of a session that reads; of the one that writes; and of both.
_READING = {
    "statement_timeout": "5s",
    "plan_cache_mode": "force_custom_plan",  # when searching, one plan for any words is a bad one for most
}
_WRITING = {"lock_timeout": "250ms"}
_BOTH = {"idle_in_transaction_session_timeout": "10s"}  # a server that froze must not keep its locks
_SET = "SELECT set_config(name, value, false) FROM unnest(%s::text[], %s::text[]) AS given (name, value)"
# A commit must survive a power cut, also where the database's owner turned that off for others.
_SYNCED = """
    SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'
"""
_NOTICES = "frontdesk_notices"
# Notice a line that broke without a word, and do not wait for a machine that is not there.
_LINE = {
    "application_name": "frontdesk",
    "connect_timeout": "3",
    "keepalives_idle": "5",
    "keepalives_interval": "2",
    "keepalives_count": "3",
    "tcp_user_timeout": "10000",
}
# By SQLSTATE: first the whole, then its class (PostgreSQL's manual, appendix A).
_FAULTS: dict[str, Fault] = {
    "08": "db_reconnect",  # connection exception
    "57P01": "db_reconnect",  # shut down by an administrator
    "57P02": "db_reconnect",  # crashed
    "57P03": "db_reconnect",  # starting up
    "57P05": "db_reconnect",  # idle for too long
    "25P03": "db_reconnect",  # idle in a transaction for too long
    "40": "db_busy",  # deadlock, or could not be serialised
    "55P03": "db_busy",  # a lock was not to be had in time
    "57014": "db_busy",  # a statement took too long
    "53300": "db_busy",  # too many connections
    "53100": "db_full",
}
_REMEDIES = {
    "password": "check user and password; a special character in a password is written %40 for @, %2F for /",
    "no pg_hba.conf entry": "allow this machine and user in the server's pg_hba.conf",
    "does not exist": "create it first, or correct the name",
    "permission denied": "let its user create tables there",
}
_REMEDY = "is PostgreSQL running there, and are host and port right?"


class Postgres:
    """The database that the address names."""

    searches_text = True

    def __init__(self, url: URL) -> None:
        self._url = url.set(drivername="postgresql+psycopg", query={**_LINE, **url.query})

    def readers(self, connections: int) -> Engine:
        """See Backend."""
        engine = self._engine(connections, _READING)
        return engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)

    def writer(self) -> Engine:
        """See Backend."""
        engine = self._engine(1, _WRITING)
        event.listen(engine, "commit", _announce_all)
        event.listen(engine, "rollback", _forget)
        return engine

    def prepare(self) -> None:
        """Refuse an address whose password was taken for its host: that would end up in an error's text."""
        if "@" in str(self._url.host):
            raise ConfigError(f"FRONTDESK_DATABASE_URL: {_REMEDIES['password']}")

    def refusal(self, error: DBAPIError) -> str:
        """See Backend."""
        text = " ".join(str(error.orig).split())
        remedy = next((remedy for words, remedy in _REMEDIES.items() if words in text), _REMEDY)
        return f"the database cannot be opened ({text}); {remedy}"

    def fault_of(self, error: DBAPIError) -> Fault | None:
        """See Backend."""
        state: str | None = getattr(error.orig, "sqlstate", None)
        if state is None and isinstance(error.orig, psycopg.OperationalError | psycopg.InterfaceError):
            return "db_reconnect"
        known = _FAULTS.get(state or "") or _FAULTS.get((state or "")[:2])
        return known or (None if is_statements_fault(error) else "db_error")

    def hold(self, connection: Connection, name: str) -> None:
        """See Backend."""
        connection.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(name, 0))))

    def try_hold(self, connection: Connection, name: str) -> bool:
        """See Backend."""
        place = func.hashtextextended(name, 0)
        return bool(connection.execute(select(func.pg_try_advisory_xact_lock(place))).scalar())

    def overwrite(self) -> None:
        """Nothing to do: its own vacuum gives deleted rows' space to new ones."""

    def back_up(self, target: Path) -> None:
        """Its own tools do that better."""
        raise ConfigError(
            f"use PostgreSQL's own tools: pg_dump --format=custom --file={target} (docs/operations.md)"
        )

    def announce(self, connection: Connection, notice: str) -> None:
        """See Backend; all notices of a transaction go with one statement."""
        connection.info.setdefault(_NOTICES, []).append(notice)

    async def announcements(self) -> AsyncGenerator[str | None, None]:
        """See Backend."""
        _, where = self._url.get_dialect()().create_connect_args(self._url)
        try:
            async with await psycopg.AsyncConnection.connect(**where, autocommit=True) as connection:
                await connection.execute(f"LISTEN {CHANNEL}")
                yield None
                async with aclosing(connection.notifies()) as notices:
                    async for notice in notices:
                        yield notice.payload
        except psycopg.Error as exc:
            raise Unavailable(f"announcements: {type(exc).__name__}", code="db_reconnect") from exc

    def _engine(self, connections: int, settings: Mapping[str, str]) -> Engine:
        """An engine whose sessions have these settings."""
        given = {**_BOTH, **settings}
        engine = create_engine(self._url, pool_size=connections, max_overflow=0, hide_parameters=True)

        def on_connect(connection: psycopg.Connection, _: object) -> None:
            connection.adapters.register_dumper(str, _WithoutZeros)
            connection.autocommit = True
            connection.execute(_SET, (list(given), list(given.values())))
            connection.execute(_SYNCED)
            connection.autocommit = False

        event.listen(engine, "connect", on_connect)
        return engine


class _WithoutZeros(StrDumperUnknown):
    """Text as PostgreSQL can hold it: without zero characters, which only somebody up to no good sends."""

    def dump(self, obj: str) -> Buffer | None:
        return super().dump(obj.replace("\0", "\ufffd"))


def _announce_all(connection: Connection) -> None:
    notices = connection.info.pop(_NOTICES, None)
    if notices:
        connection.execute(select(func.pg_notify(CHANNEL, func.unnest(cast(notices, ARRAY(Text))))))


def _forget(connection: Connection) -> None:
    if not connection.invalidated:
        connection.info.pop(_NOTICES, None)
