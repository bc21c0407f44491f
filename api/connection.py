"""One connection of a client, with an end to every wait: who sends nothing, sends slowly or does not read is cut.

Why: each open socket costs memory and a file descriptor, and whoever opens thousands of them must not keep others out. The
web server itself only ends connections that are idle between two requests. Here: the head of a request must be there soon
after its first byte (and a first byte soon after the connection), its body too, neither may be huge; and what we send must be
taken off our hands. Made by uvicorn, one for each socket.
"""

import asyncio
import resource
import socket
import sys
from contextlib import suppress
from typing import ClassVar

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_TOO_LARGE = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-type: application/json\r\nconnection: close\r\n"
    b"content-length: %d\r\n\r\n%s"
)
_TEXT = b'{"error":{"code":"headers_too_large","message":"The headers are over 32 KiB.","request_id":""}}'
_SPARE_FILES = 100  # for the database, the API and the log


class Connection(HttpToolsProtocol):
    """See above. All limits are plain figures of the class.

    Attributes:
        head_s: From the connection, or from the first byte of a later request, to the end of the headers.
        body_s: From there to the end of the body.
        unread_s: How long nothing of what waits to be sent may be taken.
        head_bytes: How large address and headers may be together.
        send_bytes: How much the system keeps for a client that does not read (and as much again is kept here).
        at_most: How many connections there may be; None: as many as there may be open files.
    """

    head_s: ClassVar[float] = 10.0
    body_s: ClassVar[float] = 20.0
    unread_s: ClassVar[float] = 30.0
    head_bytes: ClassVar[int] = 32 * 1024
    send_bytes: ClassVar[int] = 64 * 1024
    at_most: ClassVar[int | None] = None

    _deadline: asyncio.TimerHandle | None = None
    _unread: asyncio.TimerHandle | None = None
    _head_size = 0
    _is_in_head = True
    _is_refused = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        """Take the socket, if there is room for one more."""
        super().connection_made(transport)
        if len(self.connections) > (self.at_most or _most_connections()):
            transport.abort()
            return
        raw = transport.get_extra_info("socket")
        with suppress(OSError, AttributeError):  # a system that cannot do it still serves
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, self.send_bytes)
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, round(self.unread_s * 1000))
        self._expect(self.head_s)

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is expected any more."""
        self._expect(None)
        self._stop_unread()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Feed the parser, and of a head no more than it may have."""
        while data and not (self._is_refused or self.transport.is_closing()):
            room = len(data)
            if self._is_in_head:
                room = self.head_bytes - self._head_size
                self._head_size += min(room, len(data))
            super().data_received(data[:room])
            data = data[room:]
            if self._is_in_head and self._head_size >= self.head_bytes:
                self._refuse()

    def _refuse(self) -> None:
        """Say so, and read on without looking until the client has heard it: closing at once would break the line."""
        self._is_refused = True
        self._expect(self.head_s)
        self.transport.write(_TOO_LARGE % (len(_TEXT), _TEXT))
        self.transport.write_eof()

    def on_message_begin(self) -> None:
        """The first byte of a request is there; its head is next."""
        self._expect(self.head_s)
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """The head is there; the body is next."""
        self._is_in_head = False
        self._expect(self.body_s)
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """The request is there, and the next one may begin."""
        self._is_in_head, self._head_size = True, 0
        self._expect(None)
        super().on_message_complete()

    def pause_writing(self) -> None:
        """The client does not take what we send: it has so much time to begin again."""
        super().pause_writing()
        self._stop_unread()
        self._unread = self.loop.call_later(self.unread_s, self.transport.abort)

    def resume_writing(self) -> None:
        """It reads again."""
        self._stop_unread()
        super().resume_writing()

    def _expect(self, within_s: float | None) -> None:
        """Close the connection unless the next step comes in time; None: nothing is expected now."""
        if self._deadline is not None:
            self._deadline.cancel()
        self._deadline = None if within_s is None else self.loop.call_later(within_s, self._too_slow)

    def _too_slow(self) -> None:
        self._deadline = None
        self.transport.abort()

    def _stop_unread(self) -> None:
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None


def raise_file_limit() -> None:
    """Allow this process as many open files as the system lets it have."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _most_connections() -> int:
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return sys.maxsize if files == resource.RLIM_INFINITY else files - _SPARE_FILES
