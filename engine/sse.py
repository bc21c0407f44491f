"""Server-sent events out of the bytes of a stream, however those were cut: the data of each event.

Why not the SDK's own: it gives one event at a time, and makes and checks a model of each, which was most of what a turn
cost. Whoever sees that several have come at once can handle them at once. Source of the format: WHATWG HTML, 9.2.6.
"""


class SseReader:
    """Reads one stream; made for each."""

    def __init__(self) -> None:
        self._rest = b""
        self._data: list[bytes] = []

    def feed(self, received: bytes) -> list[bytes]:
        """The data of the events that are complete now; what is not is kept for the next call."""
        lines = (self._rest + received).splitlines(keepends=True)
        # A carriage return may be half of a line's end.
        self._rest = lines.pop() if lines and not lines[-1].endswith(b"\n") else b""
        complete = []
        for line in lines:
            text = line.rstrip(b"\r\n")
            if text.startswith(b"data:"):
                self._data.append(text[5:].removeprefix(b" "))
            elif not text and self._data:
                complete.append(b"\n".join(self._data))
                self._data = []
        return complete
