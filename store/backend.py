"""What differs between the databases, in one place: connecting, locking, failing, and telling other servers.

Why: the tables, the queries and the laws are the same on SQLite and PostgreSQL. Everything that is not stands behind
this interface, in store/sqlite.py and store/postgres.py; store/address.py chooses.
"""

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Literal, Protocol

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, ProgrammingError

Fault = Literal["db_busy", "db_full", "db_reconnect", "db_error"]
PASSING: frozenset[Fault] = frozenset({"db_busy", "db_reconnect"})


class Backend(Protocol):
    """One database, as its address says."""

    searches_text: bool
    """Whether it can keep and search the company's articles."""

    def readers(self, connections: int) -> Engine:
        """For reading: a transaction sees one state of the database, however many statements it has."""
        ...

    def writer(self) -> Engine:
        """For the one writer of this server: what it commits survives a power cut."""
        ...

    def prepare(self) -> None:
        """Before the first connection.

        Raises:
            ConfigError: The address cannot be right.
        """
        ...

    def refusal(self, error: DBAPIError) -> str:
        """Why the database cannot be opened and what helps, in one line; never the address, which may hold a password."""
        ...

    def fault_of(self, error: DBAPIError) -> Fault | None:
        """What is wrong with the database; None when it is the statement that is wrong.

        `db_busy` (somebody else has a lock) and `db_reconnect` (the line broke) pass: the same may work in a moment.
        """
        ...

    def hold(self, connection: Connection, name: str) -> None:
        """Go on when no other server is at work on `name`; until the transaction ends, none will be."""
        ...

    def try_hold(self, connection: Connection, name: str) -> bool:
        """As `hold`, but without waiting: whether no other server is at work on it."""
        ...

    def overwrite(self) -> None:
        """After deletions: leave nothing of what was deleted beside the tables, as far as others are not at work there."""
        ...

    def back_up(self, target: Path) -> None:
        """Copy the database into this new file, while servers use it.

        Raises:
            ConfigError: It cannot be done so; the text says what can.
        """
        ...

    def announce(self, connection: Connection, notice: str) -> None:
        """Tell all servers this once the transaction is committed."""
        ...

    def announcements(self) -> AsyncGenerator[str | None, None]:
        """What servers announce from now on. First comes None, when announcements are heard; maybe it never does.

        Raises:
            Unavailable: The line broke, or there is none; some may have been missed.
        """
        ...


def is_statements_fault(error: DBAPIError) -> bool:
    """Whether the driver blames the statement or its data, and not the database."""
    return isinstance(error, IntegrityError | ProgrammingError | DataError)
