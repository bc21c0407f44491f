"""Waiting in tests: for facts, never for a while.

Law: a test waits for what it needs and goes on in that moment, so it is as fast as the machine and never too fast.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

Result = TypeVar("Result")

PATIENCE_S = 120.0
"""After so long a test says that what it waits for never comes. No test that passes ever waits so long."""

_LOOK_AGAIN_S = 0.005


async def until(holds: Callable[[], object]) -> None:
    """Return as soon as it holds.

    Raises:
        TimeoutError: It does not come to hold.
    """
    async with asyncio.timeout(PATIENCE_S):
        while not holds():  # noqa: ASYNC110 - what is waited for tells nobody
            await asyncio.sleep(_LOOK_AGAIN_S)


async def soon(wanted: Awaitable[Result]) -> Result:
    """What this gives, which must not take for ever.

    Raises:
        TimeoutError: It does.
    """
    async with asyncio.timeout(PATIENCE_S):
        return await wanted
