"""Notice that files of a folder changed, and say so once they rest.

Why: a saved prompt is live within two seconds for the next turn. Editors write in steps; a change is reported only
when the folder looked the same twice in a row, so that half-written files are seldom read (and refused if they are).
"""

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path

LOOK_EVERY_S = 0.4
Look = tuple[tuple[str, int, int], ...]


def look(folder: Path) -> Look:
    """Names, times and sizes of the Markdown files below `folder`."""
    found: list[tuple[str, int, int]] = []
    for path in sorted(folder.rglob("*.md")):
        try:
            stat = path.stat()
        except FileNotFoundError:  # deleted between listing and asking
            continue
        found.append((str(path), stat.st_mtime_ns, stat.st_size))
    return tuple(found)


async def changes(folder: Path, known: Look) -> AsyncGenerator[Look, None]:
    """Yield whenever the folder differs from what was known, and rests."""
    before = known
    while True:
        await asyncio.sleep(LOOK_EVERY_S)
        now = await asyncio.to_thread(look, folder)
        if now != known and now == before:
            known = now
            yield now
        before = now
