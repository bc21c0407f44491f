"""Fixtures of the tests around prompt files."""

from pathlib import Path

import pytest

from tests.agents.folders import copied, english_only


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the shipped prompts, with an English lexicon, that a test may spoil."""
    return english_only(copied(tmp_path))
