"""Pass log lines on in a thread of its own, so that no turn ever waits for whoever reads the log.

Why: a pipe that nobody empties blocks its writer, and the writer would be the event loop with all its turns. Lines
wait here instead, as many as there is room for; further ones are lost and counted, and the count is told as a line
(`log.lost`) as soon as lines go through again.
Life: one LogSink per server process, made by the command `serve`, a context manager; leaving it waits a moment for the
lines that are left.
"""

import json
import os
import sys
import threading
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Self

ROOM = 10_000
LAST_WORDS_S = 2.0


class LogSink:
    """Lines on their way out. `write` may take as long as it likes, and may raise OSError; `room` is in lines.

    `lost`: lines that were dropped, or could not be written, and of which nobody has been told yet.
    """

    def __init__(self, write: Callable[[bytes], None] | None = None, room: int = ROOM) -> None:
        self.lost = 0
        self._write = write or _stdout()
        self._room = room
        self._lines: deque[str] = deque()
        self._changed = threading.Condition()
        self._is_closed = False
        self._thread = threading.Thread(target=self._run, name="log-sink", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with self._changed:
            self._is_closed = True
            self._changed.notify()
        self._thread.join(LAST_WORDS_S)

    def put(self, line: str) -> None:
        """Take the line, or count it as lost; never waits for the reader."""
        with self._changed:
            if len(self._lines) >= self._room:
                self.lost += 1
            else:
                self._lines.append(line)
                self._changed.notify()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._lines or self._is_closed)
                if not self._lines:
                    return
                lines, lost = list(self._lines), self.lost
                self._lines.clear()
                self.lost = 0
            told = [*lines, _loss(lost)] if lost else lines
            try:
                self._write("".join(f"{line}\n" for line in told).encode())
            except OSError:
                with self._changed:
                    self.lost += lost + len(lines)


def _loss(lines: int) -> str:
    at = datetime.now(UTC).isoformat()
    return json.dumps({"event": "log.lost", "lines": lines, "level": "warning", "logged_at": at})


def _stdout() -> Callable[[bytes], None]:
    """Writes to standard output below Python's buffer, which could not be left while it is full."""
    if sys.stdout is None:  # closed before we began: its number may be another file's by now
        return _nowhere
    number = sys.stdout.fileno()

    def write(rest: bytes) -> None:
        while rest:
            rest = rest[os.write(number, rest) :]

    return write


def _nowhere(_: bytes) -> None:
    raise BrokenPipeError
