"""P2, D3, L9 and I1 to I4 on PostgreSQL: a server that is killed at random moments, and a database that crashes too."""

import asyncio
import random
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.faults.plugin import Figure, Size
from tests.faults.scene import LIMIT_S, check_all, open_scene
from tests.postgres import Postgres


@pytest.mark.lab
@pytest.mark.fault("P2", "D3", "L9")
async def test_a_server_and_its_database_crash_again_and_again_and_nothing_is_lost_or_doubled(
    tmp_path: Path, stack: AsyncExitStack, size: Size, figure: Figure, postgres: Postgres, postgres_url: str
) -> None:
    """As when only a server is killed, and the database crashes at moments of its own: what it knows must survive both."""
    scene = await open_scene(stack, postgres_url, tmp_path, size)
    dice = random.Random(size.turns)

    async def crash() -> None:
        for number in range(1, size.crashes + 1):
            await scene.crowd.has_begun((number - 0.5) / (size.crashes + 1))
            await asyncio.to_thread(postgres.crash)
            await asyncio.sleep(dice.uniform(0.1, 3.0))
            await asyncio.to_thread(postgres.start)

    async with asyncio.timeout(LIMIT_S), asyncio.TaskGroup() as group:
        group.create_task(scene.crowd.run())
        group.create_task(scene.kill(size.kills, dice))
        group.create_task(crash())

    await check_all(scene, size, figure, f" and {size.crashes} crashes of PostgreSQL")
