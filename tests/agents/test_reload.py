"""Changes of a folder are noticed once it rests."""

import asyncio
import os
from contextlib import aclosing
from pathlib import Path

import pytest

from agents.reload import changes, look

pytestmark = pytest.mark.quick_time
OFTEN_S = 0.02


def test_what_counts_is_names_times_and_sizes(tmp_path: Path) -> None:
    """An edit would go unnoticed, or an editor's own files would count as edits."""
    (tmp_path / "es").mkdir()
    for name in ("a.md", "es/b.md", ".#a.md", "a.md~", "c.txt"):
        (tmp_path / name).write_text(name, encoding="utf-8")
    (tmp_path / "gone.md").symlink_to("nowhere")

    assert [Path(name).relative_to(tmp_path).as_posix() for name, *_ in look(tmp_path)] == ["a.md", "es/b.md"]
    assert look(tmp_path / "nothing") == ()


def test_a_file_replaced_by_one_of_the_same_age_and_size_has_changed(tmp_path: Path) -> None:
    """A copy that keeps its date would be served only after a restart."""
    path = tmp_path / "a.md"
    path.write_text("one", encoding="utf-8")
    before, age = look(tmp_path), path.stat().st_mtime_ns
    other = tmp_path / "b.txt"
    other.write_text("two", encoding="utf-8")
    os.utime(other, ns=(age, age))
    other.replace(path)

    assert look(tmp_path) != before


async def test_a_change_is_told_once_the_folder_rests(tmp_path: Path) -> None:
    """A file would be read while an editor is still writing it."""
    path = tmp_path / "a.md"
    path.write_text("one", encoding="utf-8")
    told: list[int] = []

    async def listen() -> None:
        async with aclosing(changes(tmp_path, look(tmp_path), OFTEN_S)) as seen:
            async for now in seen:
                told.append(now[0][3])
                if now[0][3] == 40:
                    return

    async with asyncio.TaskGroup() as group:
        group.create_task(listen())
        for size in range(1, 41):
            path.write_text("x" * size, encoding="utf-8")
            await asyncio.sleep(0.005)

    assert told == [40]


async def test_a_folder_that_rests_is_not_told(tmp_path: Path) -> None:
    """The desk would read its prompts again and again."""
    (tmp_path / "a.md").write_text("one", encoding="utf-8")

    async with aclosing(changes(tmp_path, look(tmp_path), OFTEN_S)) as seen:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(3):
                await anext(seen)
