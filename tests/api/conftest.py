"""One server for the tests of a module; every test is a visitor of its own."""

from collections.abc import AsyncIterator

import httpx2
import pytest
import pytest_asyncio

from engine.local import Local
from tests.engines import Swap, only
from tests.serving import Running, client_of, local_settings, running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    """A server on the local engine; tests that use it share its event loop."""
    async with running(local_settings(tmp_path_factory.mktemp("desk"))) as started:
        yield started


@pytest_asyncio.fixture(loop_scope="module")
async def visitor(server: Running) -> AsyncIterator[httpx2.AsyncClient]:
    """Somebody new with a browser that keeps cookies."""
    async with client_of(server.url) as client:
        yield client


@pytest_asyncio.fixture(loop_scope="module")
async def stranger(server: Running) -> AsyncIterator[httpx2.AsyncClient]:
    """Somebody else."""
    async with client_of(server.url) as client:
        yield client


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def scripted(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[Running, Swap]]:
    """A server whose answers are those of the engine that a test puts in place."""
    swap = Swap(Local())
    async with running(local_settings(tmp_path_factory.mktemp("desk")), only(swap)) as started:
        yield started, swap


@pytest_asyncio.fixture(loop_scope="module")
async def customer(scripted: tuple[Running, Swap]) -> AsyncIterator[httpx2.AsyncClient]:
    """Somebody new at the server with the scripted engine."""
    async with client_of(scripted[0].url) as client:
        yield client


@pytest.fixture
def swap(scripted: tuple[Running, Swap]) -> Swap:
    """Where a test puts its engine."""
    return scripted[1]
