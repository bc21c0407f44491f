"""Bring a database to the newest schema, or refuse one that a newer version made."""

from pathlib import Path

from sqlalchemy import Connection, column, inspect, select
from sqlalchemy import table as sql_table

from errors import ConfigError

_VERSIONS = Path(__file__).parent / "migrations" / "versions"
_TABLE = "alembic_version"


def migrate(connection: Connection) -> None:
    """Run the migrations that this database has not seen yet; the caller commits.

    Raises:
        ConfigError: The database was made by a newer version of the program.
    """
    known = revisions()
    current = _current(connection)
    if current == known[-1]:
        return
    if current is not None and current not in known:
        raise ConfigError(
            f"schema_mismatch: the database has schema {current!r}, made by a newer version; update Frontdesk"
        )
    from store.upgrade import upgrade  # noqa: PLC0415 - Alembic takes long to load, and is seldom needed

    upgrade(connection)


def revisions() -> list[str]:
    """Revisions that the program knows, oldest first: what the names of their files begin with."""
    return sorted(path.stem.partition("_")[0] for path in _VERSIONS.glob("[0-9]*.py"))


def _current(connection: Connection) -> str | None:
    """The database's revision; None for a new one."""
    if not inspect(connection).has_table(_TABLE):
        return None
    return connection.execute(select(column("version_num")).select_from(sql_table(_TABLE))).scalar()
