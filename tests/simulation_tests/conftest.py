"""A running simulation, and the real SDK pointed at it."""

from collections.abc import AsyncIterator

import pytest
from anthropic import AsyncAnthropic

from tests.simulation import Simulation
from tests.simulation_tests.sdk import client_of


@pytest.fixture
async def simulation() -> AsyncIterator[Simulation]:
    """A simulation with the default brain and no waits."""
    async with Simulation() as running:
        yield running


@pytest.fixture
async def client(simulation: Simulation) -> AsyncIterator[AsyncAnthropic]:
    """The SDK as the desk uses it: no retries of its own."""
    async with client_of(simulation) as sdk:
        yield sdk
