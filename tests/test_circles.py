"""What a turn leaves behind: no objects that hold each other, which only the collector of cycles would free.

Why: it looks through all young objects while everybody waits. A busy server spent a twentieth of its time on it, and up to
65 ms at once, for three such circles a turn.
"""

import gc
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from settings import ROOT
from tests.model_like import ModelLike
from tests.serving import local_settings, running, streamed
from tests.simulation import Simulation
from tests.test_claude_conversation import ENGLISH

OURS = frozenset(
    path.name.removesuffix(".py")
    for path in ROOT.iterdir()
    if path.suffix == ".py" or (path / "__init__.py").exists()
) - {"tests", "bench"} | {"tenacity"}


@contextmanager
def left_behind() -> Iterator[Counter[str]]:
    """Counts what is left when the context ends: objects of our classes, and of tenacity's, by class."""
    found: Counter[str] = Counter()
    gc.collect()
    before = len(gc.garbage)
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        yield found
        gc.collect()
        classes = [type(item) for item in gc.garbage[before:]]
        found.update(
            f"{kind.__module__}.{kind.__qualname__}"
            for kind in classes
            if kind.__module__.split(".")[0] in OURS
        )
    finally:
        gc.set_debug(0)
        del gc.garbage[before:]


async def test_turns_leave_no_circles(tmp_path: Path) -> None:
    """Greetings, questions, quotes and a hand-over, as streams: what they were made of is freed as they end."""
    brain = ModelLike({step.says: (step.intent, "en") for step in ENGLISH})
    async with Simulation(brain) as simulation:
        settings = local_settings(tmp_path, **simulation.environment, FRONTDESK_ENGINE="auto")
        async with running(settings) as server:

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
