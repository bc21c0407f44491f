"""Bring a database to the newest schema, or refuse one that a newer version made."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from errors import ConfigError

_MIGRATIONS = Path(__file__).parent / "migrations"


def migrate(connection: Connection) -> None:
    """Run the migrations that this database has not seen yet; the caller commits.

    Raises:
        ConfigError: The database was made by a newer version of the program.
    """
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    current = MigrationContext.configure(connection).get_current_revision()
    scripts = ScriptDirectory.from_config(config)
    known = {script.revision for script in scripts.walk_revisions()}
    if current is not None and current not in known:
        raise ConfigError(
            f"schema_mismatch: the database has schema {current!r}, made by a newer version; update Frontdesk"
        )
    if current != scripts.get_current_head():
        command.upgrade(config, "head")
