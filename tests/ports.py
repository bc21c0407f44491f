"""A port for a server in a process of its own, which must be told where to listen.

Why: a port that the system hands out for a probe may be handed out again, to any connection on this machine, before
the server has taken it. These lie below the range from which the system hands out ports by itself.
"""

import errno
import secrets
import socket

_FIRST, _LAST = 15_000, 32_000


def free_port() -> int:
    """A loopback port that nobody uses."""
    while True:
        port = _FIRST + secrets.randbelow(_LAST - _FIRST)
        try:
            socket.create_server(("127.0.0.1", port)).close()
        except OSError as exc:
            if exc.errno != errno.EADDRINUSE:
                raise
        else:
            return port
