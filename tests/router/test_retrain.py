"""Training beside a live desk: in a child, with the same result, and never in the way."""

import asyncio
import os
import sys
from pathlib import Path

import pytest

from knowledge.lexicon import Lexicon
from router.local import Example, LocalClassifier
from router.retrain import Job, retrain
from tests.waiting import until

LEXICON = Lexicon({"greeting": ("hello", "hi"), "price": ("price", "cost")})
EXAMPLES = [
    Example("hello there", "greeting"),
    Example("hi", "greeting"),
    Example("what is the price", "quote"),
    Example("2019", "quote", "year"),
]


def _names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


async def test_the_child_trains_what_a_thread_would(tmp_path: Path) -> None:
    """The desk would route differently after an edit than after a restart."""
    classifier = await retrain(EXAMPLES, LEXICON, tmp_path)
    here = LocalClassifier.train(EXAMPLES, LEXICON)

    assert classifier.classify("hello, what price?") == here.classify("hello, what price?")
    assert _names(tmp_path) == ["local-classifier.json"]


async def test_without_a_child_a_thread_does_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A desk in a narrow container would never learn a new intent."""
    monkeypatch.setattr(sys, "executable", str(tmp_path / "no-python-here"))

    classifier = await retrain(EXAMPLES, LEXICON, tmp_path)

    assert classifier.intents == ("greeting", "quote")


async def test_a_cancelled_training_leaves_no_child(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten quick edits would leave ten processes computing for nothing."""
    child, number = tmp_path / "child", tmp_path / "number"
    child.write_text(f"#!/bin/sh\necho $$ > {number}\nexec sleep 3600\n", encoding="utf-8")
    child.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(child))
    task = asyncio.ensure_future(retrain(EXAMPLES, LEXICON, tmp_path))
    await until(lambda: number.exists() and number.read_text(encoding="utf-8").endswith("\n"))
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
    with pytest.raises(ProcessLookupError):
        os.kill(int(number.read_text(encoding="utf-8")), 0)


def test_a_job_survives_its_way_to_the_child(tmp_path: Path) -> None:
    """The child would learn other lines than those in the prompts."""
    job = Job.of(EXAMPLES, LEXICON, tmp_path)

    assert Job.model_validate_json(job.model_dump_json()) == job
    assert job.run().intents == ("greeting", "quote")
