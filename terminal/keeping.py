"""Show and delete what the desk holds of somebody: for requests of the people it is about, and for old conversations."""

from collections import Counter
from dataclasses import astuple, dataclass
from datetime import UTC, datetime
from pathlib import Path

import typer

from api.callers import customer_owner, visitor_owner
from errors import ConfigError, FrontdeskError
from settings import Settings
from store.database import Database
from store.erase import erase
from store.held import conversations_of, read_held
from store.retention import Retention

PATIENCE_S = 30.0
"""How long an open turn, or a busy database, is waited for."""


@dataclass(frozen=True, slots=True)
class Whose:
    """Whose conversations are meant: exactly one of the three is given."""

    customer: str | None = None
    visitor: str | None = None
    conversation: str | None = None

    async def conversations(self, settings: Settings, database: Database) -> list[str]:
        """Their ids, oldest first.

        Raises:
            ConfigError: Not exactly one is given, or the visitor's token is not ours.
        """
        if sum(value is not None for value in astuple(self)) != 1:
            raise ConfigError(
                "name one of --customer ID, --visitor ID and --conversation ID (or, to delete, --older-than DAYS)"
            )
        if self.conversation is not None:
            return [self.conversation]
        if self.customer is not None:
            return await conversations_of(database, customer_owner(self.customer))
        return await conversations_of(database, visitor_owner(settings, self.visitor or ""))

    def refuse_any(self) -> None:
        """For a command that concerns everybody.

        Raises:
            ConfigError: Somebody is named.
        """
        if any(value is not None for value in astuple(self)):
            raise ConfigError(
                "--older-than concerns everybody; leave --customer, --visitor and --conversation out"
            )


async def show_held(settings: Settings, whose: Whose, output: Path | None) -> None:
    """Print everything that is held, or write it to a new file that only its owner can read.

    Raises:
        ConfigError: Nobody is named, or the file is there already or cannot be written.
        Unavailable: The database does not answer.
    """
    async with Database(settings.database_url, reader_wait_s=PATIENCE_S) as database:
        held = await read_held(database, await whose.conversations(settings, database), datetime.now(UTC))
    text = held.model_dump_json(indent=2)
    if output is None:
        typer.echo(text)
    else:
        _write(output, text)
    typer.echo(f"{len(held.conversations)} conversations", err=True)


def _write(output: Path, text: str) -> None:
    try:
        output.touch(mode=0o600, exist_ok=False)
        output.write_text(f"{text}\n", encoding="utf-8")
    except OSError as exc:
        raise ConfigError(f"{output}: {exc.strerror}; name a new file in a folder that is there") from exc


async def delete_held(
    settings: Settings, whose: Whose, *, is_agreed: bool, patience_s: float = PATIENCE_S
) -> None:
    """Ask, delete conversation by conversation, and print what went. A turn that is open is waited for.

    Raises:
        ConfigError: Nobody is named.
        FrontdeskError: A turn was open all the time; its conversation is as it was, the others are gone.
        Unavailable: The database does not answer; the others before it are gone.
    """
    async with Database(settings.database_url, reader_wait_s=PATIENCE_S) as database:
        ids = await whose.conversations(settings, database)
        _ask(f"Delete {len(ids)} conversations for good?", is_agreed=is_agreed)
        gone, still_open = Counter[str](), 0
        try:
            for each in ids:
                went = await erase(database, each, patience_s)
                still_open += went is None
                gone += went or Counter()
        finally:
            if gone:
                database.backend.overwrite()
            _tell(gone)
    if still_open:
        raise FrontdeskError(f"{still_open} conversations are being answered and were not deleted; try again")


async def delete_old(settings: Settings, days: int, *, is_agreed: bool) -> None:
    """Ask, delete what is older than so many days as retention does, and print what went.

    Raises:
        Unavailable: The database does not answer; what went before is gone.
    """
    async with Database(settings.database_url, reader_wait_s=PATIENCE_S) as database:
        retention = Retention(database, days)
        _ask(f"Delete {await retention.count()} conversations for good?", is_agreed=is_agreed)
        _tell(await retention.apply())


def _ask(question: str, *, is_agreed: bool) -> None:
    if not is_agreed:
        typer.confirm(question, abort=True, err=True)


def _tell(gone: Counter[str]) -> None:
    """The counts; "conversations" always, others where there are some."""
    counts = {"conversations": gone["conversations"], **dict(sorted(gone.items()))}
    typer.echo("deleted: " + ", ".join(f"{count} {name}" for name, count in counts.items()))
