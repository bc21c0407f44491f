"""Copy an SQLite database into another file while servers read and write it.

Why not `cp`: the newest messages are in the journal beside the file, and a copy taken in the middle of a write is damaged.
The copy is the state of one moment, checked, on disk, and readable by its owner only; servers go on meanwhile.
"""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from errors import ConfigError


def back_up_file(source: Path, target: Path) -> None:
    """Copy the database in `source` to `target`, whole or not at all.

    Raises:
        ConfigError: There is no database, `target` is there already, or it cannot be written.
    """
    if not source.is_file():
        raise ConfigError(f"FRONTDESK_DATABASE_URL: {source}: there is no database to back up")
    if target.exists():
        raise ConfigError(f"{target}: there is a file already; name another one")
    part = target.with_name(f"{target.name}.part")
    try:
        part.unlink(missing_ok=True)
        part.touch(mode=0o600)
        _copy(source, part)
        with part.open("rb") as written:
            os.fsync(written.fileno())
        part.rename(target)
    except (OSError, sqlite3.Error) as exc:
        part.unlink(missing_ok=True)
        raise ConfigError(
            f"{target}: the backup failed ({exc}); is the folder there, and has it room?"
        ) from exc


def _copy(source: Path, part: Path) -> None:
    """One step, so from one state; then a check of every page."""
    with closing(sqlite3.connect(source)) as old, closing(sqlite3.connect(part)) as new:
        old.backup(new)
        new.execute("PRAGMA journal_mode=DELETE")  # one file, without a journal beside it
        found = new.execute("PRAGMA integrity_check(1)").fetchone()[0]
    if found != "ok":
        raise sqlite3.DatabaseError(found)
