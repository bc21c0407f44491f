"""Fixtures of the tests around prompt files."""

from pathlib import Path

import pytest

from tests.agents.folders import copied


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the shipped prompts that a test may spoil."""
    return copied(tmp_path)
