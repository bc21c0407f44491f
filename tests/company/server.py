"""A company's own back end for tests: a real HTTP server on loopback that works, or fails as a test wants it to.

Why: prices and customers' data come from systems that are slow, down, lying or answering twice. What it does is a
function from a call to an answer; every call is kept, and effects are counted by Idempotency-Key, as a good service
does it: the same key again gets the first answer and has no second effect.
Life: one `async with` a test. `faults` come before the next calls, `always` before every call after them.
"""

import asyncio
import json
import time
from collections import Counter, deque
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import parse_qsl, unquote, urlsplit

from events import JsonObject
from tests.ports import free_port
from tests.simulation.acts import End, Head
from tests.simulation.connection import Connection, Incoming
from tests.waiting import PATIENCE_S

HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Call:
    """One request as it came. Header names are lower case; `at` is monotonic seconds."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes
    at: float

    @property
    def key(self) -> str | None:
        """Its Idempotency-Key."""
        return self.headers.get("idempotency-key")

    @property
    def json(self) -> JsonObject:
        """Its body."""
        read: JsonObject = json.loads(self.body)
        return read


@dataclass(frozen=True, slots=True)
class Answer:
    """What is sent back; `raw` goes out byte for byte as it is."""

    status: int = 200
    raw: bytes = b"{}"
    headers: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, body: object, status: int = 200) -> Self:
        """An answer in JSON; NaN and infinities are written as Python writes them."""
        return cls(status, json.dumps(body).encode())

    @classmethod
    def refusal(cls, code: str, status: int = 422, **more: object) -> Self:
        """An answer that says no, in the form of this house: `{"error": {"code": ...}}`."""
        return cls.of({"error": {"code": code, **more}}, status)

    @property
    def body(self) -> JsonObject:
        """Its body, to be changed by a service that lies."""
        read: JsonObject = json.loads(self.raw)
        return read


Work = Callable[[Call], Answer]


class Exchange:
    """One call and the ways to answer it. What is not ended by the fault is ended as HTTP wants it."""

    def __init__(self, company: "Company", connection: Connection, call: Call) -> None:
        self.call = call
        self._company = company
        self._connection = connection

    def act(self) -> Answer:
        """Do what is asked, once for each key; the answer is not sent."""
        return self._company.act(self.call)

    def send(self, *answers: Answer) -> None:
        """Send whole answers, in one piece."""
        for answer in answers:
            self._connection.begin(_head(answer, len(answer.raw)), {})
            self._connection.send(answer.raw)
        self._connection.flush()

    def begin(self, answer: Answer) -> None:
        """Send the head of an answer whose body comes in pieces."""
        self._connection.begin(_head(answer, None), {})
        self._connection.flush()

    def say(self, data: bytes) -> None:
        """Send a piece of the body."""
        self._connection.send(data)
        self._connection.flush()

    def end(self, how: End) -> None:
        """End it: "complete", "close" or "reset"."""
        self._connection.finish(how)


Fault = Callable[[Exchange], Coroutine[None, None, None]]


def _head(answer: Answer, length: int | None) -> Head:
    return Head(answer.status, "application/json", length, answer.headers)


async def plain(exchange: Exchange) -> None:
    """No fault: it does what is asked and answers."""
    exchange.send(exchange.act())
    exchange.end("complete")


class Company:
    """The back end.

    Args:
        work: What it does; called once for each key, and for each call without a key.
        token: The bearer token that callers must show, if any.
    """

    max_body_bytes = 1024 * 1024

    def __init__(self, work: Work, token: str | None = None) -> None:
        self.work = work
        self.calls: list[Call] = []
        self.effects: Counter[str] = Counter()
        self.faults: deque[Fault] = deque()
        self.always: Fault | None = None
        self._token = token
        self._answers: dict[str, Answer] = {}
        self._port = 0
        self._server: asyncio.Server | None = None
        self._connections: set[Connection] = set()
        self._running: dict[Connection, asyncio.Task[None]] = {}
        self._changed = asyncio.Event()
        self._failures: list[BaseException] = []

    async def __aenter__(self) -> Self:
        await self.up()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.down()
        if self._failures:
            raise self._failures[0]

    @property
    def url(self) -> str:
        """Its address; the same before and after `down`."""
        return f"http://{HOST}:{self._port}"

    @property
    def keys(self) -> list[str | None]:
        """The Idempotency-Key of each call."""
        return [call.key for call in self.calls]

    @property
    def open_calls(self) -> int:
        """Calls that are being answered."""
        return len(self._running)

    async def up(self) -> None:
        """Listen, on the same port as before if there was one."""
        loop = asyncio.get_running_loop()
        self._port = self._port or free_port()
        self._server = await loop.create_server(lambda: Connection(self), HOST, self._port, backlog=256)

    async def down(self) -> None:
        """Refuse connections and reset those there are."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for connection in tuple(self._connections):
            connection.reset()
        await self.until(lambda: not self._connections and not self._running)

    async def until(self, holds: Callable[[], bool], timeout_s: float = PATIENCE_S) -> None:
        """Wait until this holds; it is asked again after everything that happens here.

        Raises:
            TimeoutError: It did not hold in time.
        """
        async with asyncio.timeout(timeout_s):
            while not holds():
                self._changed.clear()
                await self._changed.wait()

    def forget(self) -> None:
        """Forget all calls, effects and faults."""
        self.calls.clear()
        self.effects.clear()
        self.faults.clear()
        self.always = None
        self._answers.clear()

    def act(self, call: Call) -> Answer:
        """The answer to a call; the same key has one effect, and another body under it is refused."""
        if self._token is not None and call.headers.get("authorization") != f"Bearer {self._token}":
            return Answer.refusal("unauthorized", 401)
        if call.key is None:
            return self.work(call)
        if call.key not in self._answers:
            self._answers[call.key] = self.work(call)
            self.effects[call.key] += 1
            self._changed.set()
        return self._answers[call.key]

    # Connections call these.

    def opened(self, connection: Connection) -> None:
        """Note a client."""
        self._connections.add(connection)
        if self._server is None:  # accepted before `down`, handed over after it
            connection.reset()
        self._changed.set()

    def closed(self, connection: Connection) -> None:
        """Note that a client is gone, and stop answering it."""
        self._connections.discard(connection)
        if connection in self._running:
            self._running[connection].cancel()
        self._changed.set()

    def start(self, connection: Connection, incoming: Incoming) -> None:
        """Answer one request in a task of its own; a failing `work` fails the test at its end."""
        target = urlsplit(incoming.path)
        query = dict(parse_qsl(target.query))
        call = Call(
            incoming.method, unquote(target.path), query, incoming.headers, incoming.body, time.monotonic()
        )
        self.calls.append(call)
        fault = self.faults.popleft() if self.faults else self.always
        exchange = Exchange(self, connection, call)
        task = asyncio.get_running_loop().create_task((fault or plain)(exchange))
        self._running[connection] = task
        task.add_done_callback(lambda done: self._ended(done, connection))
        self._changed.set()

    def _ended(self, task: asyncio.Task[None], connection: Connection) -> None:
        if self._running.get(connection) is task:
            del self._running[connection]
        if not task.cancelled() and (failure := task.exception()) is not None:
            self._failures.append(failure)
            connection.reset()
        self._changed.set()
