"""Prompt engineers try a message before it goes live."""

import io
from pathlib import Path

from rich.console import Console

from terminal.trial import run_trial
from tests.serving import local_settings


async def test_a_trial_shows_every_step_of_a_conversation(tmp_path: Path) -> None:
    """Label, route, tool, sources, faults and outcome: what an edit changed must be visible."""
    seen = io.StringIO()
    messages = [
        "does it cover the battery of my electric car?",
        "what would it cost for my Nissan Leaf?",
        "2019",
    ]

    await run_trial(local_settings(tmp_path), messages, Console(file=seen, width=160))

    shown = seen.getvalue()
    for words in (
        "local label",
        "product_info",
        "search_knowledge",
        "source:",
        "by flow",
        "answered",
    ):
        assert words in shown
    assert not (tmp_path / "desk.db").exists()
