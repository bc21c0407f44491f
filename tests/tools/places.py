"""A conversation for tools to work in, on a real SQLite file."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

from store.database import Database
from store.records import StoredRecords
from tools.registry import Records, ToolContext

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@asynccontextmanager
async def records_in(folder: Path) -> AsyncGenerator[StoredRecords, None]:
    """Records on a database of the test's own."""
    async with Database(f"sqlite:///{folder / 'desk.db'}") as database:
        yield StoredRecords(database)


def context(records: Records, key: str = "k1", turn_id: str = "turn") -> ToolContext:
    """A call in a Spanish conversation."""
    return ToolContext("conv", turn_id, key, "es", NOW, records)
