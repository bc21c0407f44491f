"""Read the address of the database and choose the driver for it.

Why: operators write `sqlite:///path`; which driver stands behind it is our business.
"""

from pathlib import Path

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from errors import ConfigError

_EXAMPLE = "use sqlite:///var/frontdesk.db"


def driver_url(url: str) -> str:
    """The same address with the driver we use.

    Raises:
        ConfigError: The address is of no database we know. The text never repeats the address: it may hold a password.
    """
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError) as exc:
        raise ConfigError(f"FRONTDESK_DATABASE_URL: this is not a database address; {_EXAMPLE}") from exc
    backend = parsed.get_backend_name()
    if backend != "sqlite":
        raise ConfigError(f"FRONTDESK_DATABASE_URL: {backend!r} is not supported yet; {_EXAMPLE}")
    if parsed.database in {None, "", ":memory:"}:
        raise ConfigError(f"FRONTDESK_DATABASE_URL: a database in memory loses accepted messages; {_EXAMPLE}")
    return parsed.set(drivername="sqlite").render_as_string(hide_password=False)


def check_file(url: str) -> None:
    """Make the folder of the database file if it is not there; the file itself is made by its first writer.

    Raises:
        ConfigError: It cannot be made, or the address names a folder.
    """
    path = str(make_url(url).database)
    try:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        raise ConfigError(f"FRONTDESK_DATABASE_URL: {Path(path).parent}: {exc.strerror}") from exc
    if Path(path).is_dir():
        raise ConfigError(f"FRONTDESK_DATABASE_URL: {path} is a folder; name a file in it")
