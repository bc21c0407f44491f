"""A conversation for tools to work in, on a real SQLite file."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from knowledge.customers import Customers
from settings import ROOT
from store.accepting import NewMessage, accept_message
from store.accounts import StoredAccounts
from store.actions import StoredActions
from store.database import Database
from store.records import StoredRecords
from tests.store.filling import patient
from tools.account import Account, Accounts
from tools.registry import Records, ToolContext

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@asynccontextmanager
async def records_in(folder: Path) -> AsyncGenerator[StoredRecords, None]:
    """Records on a database of the test's own."""
    async with patient(f"sqlite:///{folder / 'desk.db'}") as database:
        await _begin(database)
        yield StoredRecords(database)


async def _begin(database: Database) -> None:
    """The conversations of `context` and of tests/router/room.py, with turns that are open."""
    turns = {"conv": ("turn", "turn2"), "talk": tuple(f"turn{number}" for number in range(1, 10))}
    for conversation_id, turn_ids in turns.items():
        for turn_id in turn_ids:
            message = NewMessage("customer:C-1001", "hola", turn_id, conversation_id, may_start=True)
            work = partial(accept_message, message=message, turn_id=turn_id, server_id="here", now_s=0.0)
            await database.write(work)


def context(records: Records, key: str = "k1", turn_id: str = "turn", **more: Any) -> ToolContext:  # noqa: ANN401 - any field
    """A call in a Spanish conversation."""
    fields: dict[str, Any] = {"language": "es", **more}
    return ToolContext("conv", turn_id, key, now=NOW, records=records, **fields)


@dataclass(frozen=True)
class Counter:
    """Where a customer is served: the desk's database, and the accounts behind it."""

    records: StoredRecords
    accounts: Accounts
    actions: StoredActions

    def call(self, customer_id: str | None, key: str = "k1", **more: Any) -> ToolContext:  # noqa: ANN401 - any field
        """A call by this customer, in English; None: by a visitor."""
        account = None if customer_id is None else Account(customer_id, self.accounts, self.actions)
        return context(self.records, key, **{"account": account, "language": "en", **more})


@asynccontextmanager
async def counter_in(folder: Path, accounts: Accounts | None = None) -> AsyncGenerator[Counter, None]:
    """A counter on a database of the test's own, with the demo customers or other accounts behind it."""
    async with patient(f"sqlite:///{folder / 'desk.db'}") as database:
        await _begin(database)
        stored = StoredAccounts(database, NOW.timestamp)
        await stored.load(Customers.read(ROOT / "knowledge" / "customers.toml", NOW.date()))
        yield Counter(StoredRecords(database), accounts or stored, StoredActions(database))
