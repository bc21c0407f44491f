"""What a turn leaves behind: no objects that hold each other, which only the collector of cycles would free.

Why: it looks through all young objects while everybody waits; for three such circles a turn it held up a busy server for
12 ms more than once a second, and once for 65 ms.
"""

import gc
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import pytest

from settings import ROOT
from tests.desks import take_your_time
from tests.model_like import ModelLike
from tests.serving import local_settings, running, streamed
from tests.simulation import Simulation
from tests.test_claude_conversation import ENGLISH

OURS = frozenset(
    path.name.removesuffix(".py")
    for path in ROOT.iterdir()
    if path.suffix == ".py" or (path / "__init__.py").exists()
) - {"tests", "bench"} | {"tenacity"}


def _module(item: object) -> str:
    """The module of its class, or in which it was defined: a function, or a frame that an error still holds."""
    if isinstance(item, FrameType):
        return str(item.f_globals["__name__"])
    return str(getattr(item, "__module__", None) or type(item).__module__)


@contextmanager
def left_behind() -> Iterator[Counter[str]]:
    """Counts what is left when the context ends: objects and functions of ours, and of tenacity's."""
    found: Counter[str] = Counter()
    gc.collect()
    before = len(gc.garbage)
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        yield found
        gc.collect()
        found.update(
            f"{type(item).__qualname__} {module}"
            for item in gc.garbage[before:]
            if (module := _module(item)).partition(".")[0] in OURS
        )
    finally:
        gc.set_debug(0)
        del gc.garbage[before:]


@pytest.mark.parametrize("surprise", ["", "greeting"], ids=["as guessed", "guessed wrong"])
async def test_turns_leave_no_circles(tmp_path: Path, surprise: str) -> None:
    """Greetings, questions, quotes and a hand-over, as streams: what they were made of is freed as they end."""
    brain = ModelLike({step.says: (surprise or step.intent, "en") for step in ENGLISH})
    async with Simulation(brain) as simulation:
        settings = local_settings(tmp_path, **simulation.environment, FRONTDESK_ENGINE="auto")
        async with running(settings) as server:
            take_your_time(server.house)

            async def hold() -> None:
                conversation: dict[str, str] = {}
                for step in ENGLISH:
                    frames = await streamed(server.client, {"message": step.says, **conversation})
                    assert frames[-1].type == "RUN_FINISHED"
                    conversation = {"conversation_id": frames[0].event["threadId"]}

            await hold()
            with left_behind() as found:
                await hold()

    assert not found
