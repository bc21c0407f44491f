"""What tests of the fault lab share."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest


@pytest.fixture
async def stack() -> AsyncIterator[AsyncExitStack]:
    """Closes everything at the end."""
    async with AsyncExitStack() as stack:
        yield stack
