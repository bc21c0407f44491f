"""Read the address of the database and choose what stands behind it.

Why: operators write `sqlite:///path` or `postgresql://...`; which driver stands behind it is our business.
"""

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from errors import ConfigError
from store.backend import Backend
from store.sqlite import Sqlite

_EXAMPLE = "use sqlite:///var/frontdesk.db or postgresql://user:password@host/database"


def backend_at(url: str) -> Backend:
    """The database at this address.

    Raises:
        ConfigError: The address is of no database we know. The text never repeats the address: it may hold a password.
    """
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError) as exc:
        raise ConfigError(f"FRONTDESK_DATABASE_URL: this is not a database address; {_EXAMPLE}") from exc
    kind = parsed.get_backend_name()
    if kind in {"postgresql", "postgres"}:
        if not parsed.database:
            raise ConfigError(f"FRONTDESK_DATABASE_URL: it names no database; {_EXAMPLE}")
        from store.postgres import Postgres  # noqa: PLC0415 - its driver costs a third of a second; only with PostgreSQL

        return Postgres(parsed)
    if kind != "sqlite":
        raise ConfigError(f"FRONTDESK_DATABASE_URL: {kind!r} is not supported; {_EXAMPLE}")
    if parsed.database in {None, "", ":memory:"}:
        raise ConfigError(f"FRONTDESK_DATABASE_URL: a database in memory loses accepted messages; {_EXAMPLE}")
    return Sqlite(parsed)
