"""What a live desk feels of training: how late the event loop wakes up while the local classifier is retrained.

Compares training in a thread with training in a child, which is what deskkeeper.py does. Bounded: about 15 s on two cores.
"""

import asyncio
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from build import build_parts, examples_of, load_prompts
from router.local import LocalClassifier
from router.retrain import retrain
from settings import Settings

NAP_S = 0.005
IDLE_S = 3.0


async def _late_ms(work: Callable[[], Awaitable[object]]) -> tuple[float, list[float]]:
    """Seconds that the work took, and how late each short sleep beside it ended, in milliseconds, sorted."""
    late: list[float] = []

    async def nap() -> None:
        while True:
            started = time.perf_counter()
            await asyncio.sleep(NAP_S)
            late.append((time.perf_counter() - started - NAP_S) * 1000)

    async with asyncio.TaskGroup() as group:
        napping = group.create_task(nap())
        started = time.perf_counter()
        await work()
        took_s = time.perf_counter() - started
        napping.cancel()
    return took_s, sorted(late)


async def _report(name: str, work: Callable[[], Awaitable[object]]) -> None:
    took_s, late = await _late_ms(work)
    p50, p95 = late[len(late) // 2], late[int(len(late) * 0.95)]
    print(f"{name:<8} {took_s:5.2f} s   late p50 {p50:6.2f} ms  p95 {p95:6.2f} ms  worst {late[-1]:6.2f} ms")


async def _compare(folder: Path) -> None:
    settings = Settings.read(FRONTDESK_ENGINE="local")
    catalogue = load_prompts(settings, build_parts(settings))
    examples, lexicon = examples_of(catalogue), catalogue.lexicon
    print(f"{len(examples)} training lines, {len(catalogue.intents)} intents")
    await _report("idle", lambda: asyncio.sleep(IDLE_S))
    await _report("thread", lambda: asyncio.to_thread(LocalClassifier.train, examples, lexicon))
    await _report("child", lambda: retrain(examples, lexicon, folder))


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(_compare(Path(folder)))


if __name__ == "__main__":
    main()
