"""A desk on a small copy of the shipped prompts, kept up to date as a live one is."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from agents.reload import LOOK_EVERY_S
from api.house import House
from build import build_parts, open_accounts, open_engines
from deskkeeper import DeskKeeper
from settings import Settings
from store.database import Database
from store.records import StoredRecords
from tests.agents.folders import copied, english_only
from tests.router.room import unhurried
from tests.serving import local_settings

UTTERANCES = 12


def small_prompts(parent: Path, utterances: int = UTTERANCES) -> Path:
    """A copy of the shipped prompts with few utterances, so that training takes no time."""
    folder = copied(parent)
    for path in folder.glob("[a-z]*.md"):
        head, mark, rest = path.read_text(encoding="utf-8").partition("# Utterances\n")
        kept = [line for line in rest.splitlines() if line.strip()][:utterances]
        path.write_text(head + mark + "".join(f"{line}\n" for line in kept), encoding="utf-8")
    return english_only(folder)


@asynccontextmanager
async def kept_desk(
    settings: Settings, look_every_s: float = LOOK_EVERY_S
) -> AsyncGenerator[DeskKeeper, None]:
    """A keeper that watches its folders until the context is left."""
    database = Database(settings.database_url, reader_wait_s=settings.database_wait_s)
    parts = build_parts(settings, database)
    async with (
        open_engines(settings) as engines,
        database,
        open_accounts(settings, parts, database) as account_of,
    ):
        keeper = DeskKeeper(settings, parts, engines, StoredRecords(database), account_of, look_every_s)
        async with asyncio.TaskGroup() as group:
            watching = group.create_task(keeper.watch())
            yield keeper
            watching.cancel()


def take_your_time(house: House) -> None:
    """Give the house's desk deadlines that no machine is too slow for."""
    keeper = house.keeper
    assert isinstance(keeper, DeskKeeper)
    keeper._desk = unhurried(keeper.current())


def settings_for(folder: Path, **changes: object) -> Settings:
    """Local settings on the prompts in `folder`/prompts."""
    return local_settings(folder, **({"FRONTDESK_PROMPTS": folder / "prompts"} | changes))
