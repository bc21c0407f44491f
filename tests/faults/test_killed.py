"""P2 and I1 to I4 on SQLite: a server that is killed at random moments."""

import asyncio
import random
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.faults.plugin import Figure, Size
from tests.faults.scene import LIMIT_S, check_all, open_scene


@pytest.mark.fault("P2")
async def test_killed_at_random_moments_nothing_is_lost_or_doubled(
    tmp_path: Path, stack: AsyncExitStack, size: Size, figure: Figure
) -> None:
    """Customers would lose what they had sent, or have two quotes and two tickets, after any crash of the server."""
    scene = await open_scene(stack, f"sqlite:///{tmp_path / 'desk.db'}", tmp_path, size)
    async with asyncio.timeout(LIMIT_S), asyncio.TaskGroup() as group:
        group.create_task(scene.crowd.run())
        group.create_task(scene.kill(size.kills, random.Random(size.turns)))

    await check_all(scene, size, figure)
