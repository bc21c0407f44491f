"""Everything a request may need, in one value that lives as long as the server. Made by server.py."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from fastapi import Request

from api.callers import Caller, Callers
from api.stopping import Stopping
from errors import NotFound
from events import JsonObject
from readers.metrics import Metrics
from router.desk import Desk
from router.runner import TurnRunner
from settings import Settings
from store.database import Database
from store.log import EventLog
from store.records import StoredRecords


class _Knowledge(Protocol):
    @property
    def passages(self) -> int:
        """How many passages there are."""
        ...

    @property
    def searched_in(self) -> str:
        """Where they are looked up by their words."""
        ...

    @property
    def by_meaning(self) -> str:
        """How the search by meaning is."""
        ...


class _Parts(Protocol):
    @property
    def knowledge(self) -> _Knowledge:
        """The company's articles."""
        ...

    def lenders(self) -> Mapping[str, JsonObject]:
        """The state of each server that lends tools."""
        ...


class Keeper(Protocol):
    """Holds the current desk; `stale` says why a newer prompt file was refused."""

    stale: str | None

    @property
    def parts(self) -> _Parts:
        """What does not change while the server runs."""
        ...

    def current(self) -> Desk:
        """The desk for the next turn."""
        ...


@dataclass(frozen=True, slots=True)
class House:
    """The parts of the running server."""

    settings: Settings
    callers: Callers
    event_log: EventLog
    records: StoredRecords
    runner: TurnRunner
    keeper: Keeper
    database: Database
    stopping: Stopping
    metrics: Metrics


def house_of(request: Request) -> House:
    """The house of the server that got this request."""
    house: House = request.app.state.house
    return house


async def caller_of(request: Request) -> Caller:
    """Who sent it.

    Raises:
        Unauthorized: The credentials are not valid.
    """
    return await house_of(request).callers.find(request.headers, request.cookies)


async def owned(request: Request, conversation_id: str) -> House:
    """The house, if the conversation is the caller's.

    Raises:
        NotFound: Unknown or somebody else's: the same answer, after the same look-up.
    """
    house, caller = house_of(request), await caller_of(request)
    if await house.event_log.owner(conversation_id) != caller.owner:
        raise NotFound
    return house
