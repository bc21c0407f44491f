"""One HTTP/1.1 connection: requests in, one at a time; answers out, byte for byte as the acts want them.

Why not a web framework: half an event, a reset or one-byte segments must be possible, and the client's going away
must be seen at once. Made by the simulation, one for each accepted socket.
"""

import asyncio
import socket
import struct
from collections import deque
from dataclasses import dataclass
from typing import Protocol, cast

import httptools

from tests.simulation.acts import Cut, End, Head

_LINGER_RESET = struct.pack("ii", 1, 0)
_REASONS = {200: "OK", 400: "Bad Request", 401: "Unauthorized", 404: "Not Found", 429: "Too Many Requests"}


@dataclass(frozen=True, slots=True)
class Incoming:
    """One request as it came. Header names are lower case; `is_too_large`: the body was over the limit and dropped."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    is_too_large: bool
    keeps_alive: bool


class Host(Protocol):
    """What a connection needs from its owner."""

    max_body_bytes: int

    def opened(self, connection: "Connection") -> None:
        """The client has connected."""
        ...

    def closed(self, connection: "Connection") -> None:
        """The connection is gone."""
        ...

    def start(self, connection: "Connection", incoming: Incoming) -> None:
        """Answer this request; call `connection.done` or `finish` at the end."""
        ...


class Connection(asyncio.Protocol):
    """The transport side of one client."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._parser = httptools.HttpRequestParser(self)
        self._transport: asyncio.Transport | None = None
        self._waiting: deque[Incoming] = deque()
        self._is_answering = False
        self._keeps_alive = True
        self._is_chunked = False
        self._out: list[bytes] = []

    # asyncio calls these.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the socket."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is one in all but name
        self._host.opened(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the owner that the client is gone."""
        del exc
        self._transport = None
        self._host.closed(self)

    def data_received(self, data: bytes) -> None:
        """Feed the parser; nonsense ends the connection."""
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self.abort()

    # httptools calls these.

    def on_message_begin(self) -> None:
        """Forget the request before."""
        self._url = b""
        self._headers: dict[str, str] = {}
        self._body: list[bytes] = []
        self._size = 0

    def on_url(self, url: bytes) -> None:
        """Collect the target."""
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """Collect one header."""
        self._headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_body(self, body: bytes) -> None:
        """Collect a piece of the body, unless it is over the limit: then read on and drop it."""
        self._size += len(body)
        if self._size <= self._host.max_body_bytes:
            self._body.append(body)
        else:
            self._body.clear()

    def on_message_complete(self) -> None:
        """Hand the request over, or keep it until the one before is answered."""
        self._waiting.append(
            Incoming(
                self._parser.get_method().decode(),
                self._url.decode("latin-1"),
                self._headers,
                b"".join(self._body),
                self._size > self._host.max_body_bytes,
                self._parser.should_keep_alive(),
            )
        )
        self._take_next()

    # The owner calls these.

    def begin(self, head: Head, headers: dict[str, str]) -> None:
        """Put the status line and the headers into the buffer."""
        self._is_chunked = head.length is None
        reason = _REASONS.get(head.status, "Status")
        framing = "transfer-encoding: chunked" if self._is_chunked else f"content-length: {head.length}"
        lines = [f"HTTP/1.1 {head.status} {reason}", f"content-type: {head.content_type}", framing]
        lines += [f"{name}: {value}" for name, value in {**headers, **head.headers}.items()]
        if not self._keeps_alive:
            lines.append("connection: close")
        self._out.append(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1"))

    def send(self, data: bytes) -> None:
        """Put a piece of the body into the buffer."""
        self._out.append(self._framed(data))

    async def send_cut(self, data: bytes, cut: Cut) -> None:
        """Send a piece of the body in unkind segments, each by itself."""
        self.flush()
        for segment in _segments(self._framed(data), cut):
            if self._transport is not None:
                self._transport.write(segment)
            await asyncio.sleep(0)

    def flush(self) -> None:
        """Send what is in the buffer as one write."""
        if self._out and self._transport is not None:
            self._transport.write(b"".join(self._out))
        self._out.clear()

    def finish(self, how: End) -> None:
        """End the answer; the connection is free for the next request, closed or reset."""
        if how == "complete" and self._is_chunked:
            self._out.append(b"0\r\n\r\n")
        self.flush()
        self._is_answering = False
        if how == "reset":
            self.reset()
        elif how == "close" or not self._keeps_alive:
            self.close()
        else:
            self._take_next()

    def close(self) -> None:
        """Close after everything written has gone out."""
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """Close now."""
        if self._transport is not None:
            self._transport.abort()

    def reset(self) -> None:
        """Close with a TCP reset, as a crashed server or a dropped line does."""
        if self._transport is not None:
            raw: socket.socket = self._transport.get_extra_info("socket")
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_RESET)
            self._transport.abort()

    def _take_next(self) -> None:
        if self._waiting and not self._is_answering and self._transport is not None:
            incoming = self._waiting.popleft()
            self._is_answering = True
            self._keeps_alive = incoming.keeps_alive
            self._host.start(self, incoming)

    def _framed(self, data: bytes) -> bytes:
        return b"%x\r\n%b\r\n" % (len(data), data) if self._is_chunked and data else data


def _segments(data: bytes, cut: Cut) -> list[bytes]:
    """The same bytes in pieces: one by one, or divided inside every letter that takes several bytes."""
    if cut == "bytes":
        return [data[at : at + 1] for at in range(len(data))]
    borders = [at for at in range(1, len(data)) if cut == "utf8" and data[at] & 0xC0 == 0x80]
    return [data[start:end] for start, end in zip([0, *borders], [*borders, len(data)], strict=True)]
