"""Train the local classifier in a process of its own, so that a live desk does not feel it.

Why: training is seconds of pure computing. In a thread it takes the interpreter away from the event loop, and every
wait of every turn ends about 5 ms late; beside a child it ends 0.1 ms late (`python -m bench.retrain`, two cores).
The child writes the file that `LocalClassifier.load_or_train` reads, at low priority. If there can be no child, or it
fails, training happens in a thread after all.
"""

import asyncio
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict

from knowledge.lexicon import Lexicon
from router.local import Example, LocalClassifier

PATIENCE_S = 60.0
_ROOT = Path(__file__).resolve().parent.parent
_NICE = 10


class Job(BaseModel):
    """What the child is told: training lines (text, intent, detail awaited), concepts, and where to write."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    examples: tuple[tuple[str, str, str | None], ...]
    phrases: dict[str, tuple[str, ...]]
    cache: Path

    @classmethod
    def of(cls, examples: Sequence[Example], lexicon: Lexicon, cache: Path) -> Self:
        """The job for these examples."""
        lines = tuple((example.text, example.intent, example.awaiting) for example in examples)
        return cls(examples=lines, phrases=dict(lexicon.phrases), cache=cache)

    def run(self) -> LocalClassifier:
        """Load the classifier from the cache, or train it and write it there."""
        examples = [Example(*line) for line in self.examples]
        return LocalClassifier.load_or_train(examples, Lexicon(self.phrases), self.cache)


async def retrain(examples: Sequence[Example], lexicon: Lexicon, cache: Path) -> LocalClassifier:
    """The classifier for these examples, without disturbing the event loop; cancelling it ends the child."""
    job = Job.of(examples, lexicon, cache)
    with suppress(OSError, TimeoutError):
        await _in_child(job)
    return await asyncio.to_thread(job.run)


async def _in_child(job: Job) -> None:
    """Let a child do the job.

    Raises:
        OSError: No process can be started.
        TimeoutError: It takes too long; it is ended.
    """
    quiet = asyncio.subprocess.DEVNULL
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "router.retrain",
        cwd=_ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=quiet,
        stderr=quiet,
    )
    try:
        async with asyncio.timeout(PATIENCE_S):
            await child.communicate(job.model_dump_json().encode())
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()


def main() -> None:  # pragma: no cover - runs in the child only
    """Do the job that stands on the standard input."""
    os.nice(_NICE)
    Job.model_validate_json(sys.stdin.buffer.read()).run()


if __name__ == "__main__":  # pragma: no cover - as above
    main()
