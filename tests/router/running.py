"""A desk in a folder with an engine of the test's choice, and what its turns left in the log."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import TypeVar

import pytest

from engine.base import Engine, ToolUse
from events import Frozen, Recorded, TurnRef
from server import House, open_house
from store.log import NewMessage
from tests.engines import only
from tests.serving import local_settings
from tests.waiting import PATIENCE_S

CANARY = "zanzibar-canary"
HELLO = NewMessage("visitor:a", "hello", "m1")
ASKED_FOR_PERSON = "I want to talk to a person please"
HANDOFF = ToolUse("call-1", "handoff", {"reason": "asked_for_person", "summary": "They asked for a person."})
Kind = TypeVar("Kind", bound=Frozen)
in_module_loop = pytest.mark.asyncio(loop_scope="module")


@asynccontextmanager
async def house_of(folder: Path, engine: Engine, **changes: object) -> AsyncIterator[House]:
    """A desk whose answers this engine gives, on the folder's database; leaving it cuts short what still runs.

    Args:
        changes: Of the settings.
    """
    async with open_house(local_settings(folder, **changes), only(engine)) as house:
        yield house


async def whole(house: House, turn: TurnRef) -> list[Recorded]:
    """All events of the turn, once it has ended."""
    async with asyncio.timeout(PATIENCE_S), aclosing(house.event_log.follow_turn(turn)) as follower:
        return [item async for news in follower for item in news]


async def until(house: House, turn: TurnRef, kind: str) -> None:
    """Return as soon as an event of this type is on disk."""
    async with asyncio.timeout(PATIENCE_S), aclosing(house.event_log.follow_turn(turn)) as follower:
        async for news in follower:
            if kind in kinds(news):
                return


def kinds(recorded: Sequence[Recorded]) -> list[str]:
    """The types of the events."""
    return [item.event.type for item in recorded]


def only_of(recorded: list[Recorded], kind: type[Kind]) -> Kind:
    """The one event of this kind."""
    [found] = [item.event for item in recorded if isinstance(item.event, kind)]
    return found
