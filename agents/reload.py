"""Notice that files of a folder changed, and say so once they rest.

Why: a saved prompt is live within two seconds for the next turn. Editors write in steps; a change is reported only
when the folder looked the same twice in a row, so that half-written files are seldom read (and refused if they are).
"""

import asyncio
import time
from collections.abc import AsyncGenerator
from pathlib import Path

LOOK_EVERY_S = 0.4
_SHARE_OF_TIME = 0.1  # at most this share of the time is spent looking, however many files there are
Look = tuple[tuple[str, int, int, int], ...]


def look(folder: Path) -> Look:
    """Names, times and sizes of the Markdown files below `folder`; files whose name begins with a dot do not count.

    The time of the last change of the entry counts too: it moves when a file is replaced by an older one.
    """
    found: list[tuple[str, int, int, int]] = []
    for path in sorted(folder.rglob("*.md")):
        if path.name.startswith("."):
            continue
        try:
            stat = path.stat()
        except OSError:  # deleted between listing and asking, or not ours to read: loading says what is wrong
            continue
        found.append((str(path), stat.st_mtime_ns, stat.st_ctime_ns, stat.st_size))
    return tuple(found)


async def changes(folder: Path, known: Look, every_s: float = LOOK_EVERY_S) -> AsyncGenerator[Look, None]:
    """Yield whenever the folder differs from what was known, and rests.

    Args:
        folder: Where to look.
        known: How it looked last.
        every_s: Seconds between two looks; more when looking takes long.
    """
    before = known
    pause_s = every_s
    while True:
        await asyncio.sleep(pause_s)
        started = time.monotonic()
        now = await asyncio.to_thread(look, folder)
        pause_s = max(every_s, (time.monotonic() - started) / _SHARE_OF_TIME)
        if now != known and now == before:
            known = now
            yield now
        before = now
