"""A desk that tests of a module share, a customer for each of them, and what the log says."""

import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import pytest_asyncio

from engine.local import Local
from server import House, open_house
from store.log import NewMessage
from tests.engines import Swap, only
from tests.router.running import CANARY
from tests.serving import local_settings


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[House, Swap]]:
    """A desk whose answers are those of the engine that a test puts in place."""
    swap = Swap(Local())
    async with open_house(local_settings(tmp_path_factory.mktemp("desk")), only(swap)) as house:
        yield house, swap


@pytest.fixture
def house(shared: tuple[House, Swap]) -> House:
    """The shared desk."""
    return shared[0]


@pytest.fixture
def swap(shared: tuple[House, Swap]) -> Swap:
    """Where a test puts its engine."""
    return shared[1]


@pytest.fixture
def hello(request: pytest.FixtureRequest) -> NewMessage:
    """The first message of a customer whom no other test knows."""
    return NewMessage(f"visitor:{request.node.name}", "hello", "m1")


@pytest.fixture
def lines(capsys: pytest.CaptureFixture[str]) -> Callable[[], list[dict[str, Any]]]:
    """What was logged so far, as JSON; it is an error when a line holds a customer's words."""
    kept: list[str] = []

    def read() -> list[dict[str, Any]]:
        printed = capsys.readouterr()
        kept.extend(printed.out.splitlines())
        assert CANARY not in printed.out
        assert CANARY not in printed.err
        return [json.loads(line) for line in kept]

    return read
