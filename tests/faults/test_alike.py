"""S6: what is somebody else's and what does not exist get the same answer, and take the same time.

Over real HTTP against a server of its own. The times are told, not tested tightly: a machine that does other things
too would fail an honest server.
"""

import random
import statistics
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

import httpx2
import pytest
import pytest_asyncio

from tests.faults.crowd import DESK, signed_in
from tests.faults.plugin import Figure, Size
from tests.processes import ServerProcess
from tests.serving import client_of

pytestmark = pytest.mark.asyncio(loop_scope="module")
SAID = {"message": "does collision cover hail?", "message_id": "their-key-1"}
_OWN = ("x-request-id", "date", "content-length")
Ask = Callable[[str], Awaitable[httpx2.Response]]


@dataclass(frozen=True)
class Desk:
    """A server, somebody with a conversation there, and somebody else who is curious."""

    curious: httpx2.AsyncClient
    own: str
    theirs: str
    turn: str

    def ways(self) -> dict[str, tuple[Ask, str, str]]:
        """Ways to ask, each with what is somebody else's and what does not exist."""
        client, theirs, nobodys = self.curious, self.theirs, "A" * len(self.theirs)
        turn, no_turn = self.turn, "B" * len(self.turn)

        async def read(name: str) -> httpx2.Response:
            return await client.get(f"/chat/{name}")

        async def follow(name: str) -> httpx2.Response:
            return await client.get(f"/chat/{name}/events", headers={"Last-Event-ID": f"{turn}:2"})

        async def say(name: str) -> httpx2.Response:
            return await client.post("/chat", json={**SAID, "conversation_id": name})

        async def rate(name: str) -> httpx2.Response:
            return await client.post(f"/chat/{name}/feedback", json={"rating": 5, "turn_id": turn})

        async def event(name: str) -> httpx2.Response:
            return await client.get(f"/chat/{self.own}/events", headers={"Last-Event-ID": f"{name}:1"})

        async def rate_turn(name: str) -> httpx2.Response:
            return await client.post(f"/chat/{self.own}/feedback", json={"rating": 5, "turn_id": name})

        return {
            "conversation": (read, theirs, nobodys),
            "its stream": (follow, theirs, nobodys),
            "a message in it": (say, theirs, nobodys),
            "a rating of it": (rate, theirs, nobodys),
            "event id": (event, turn, no_turn),
            "turn id": (rate_turn, turn, no_turn),
        }


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def desk(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Desk]:
    """The server as operators run it."""
    async with (
        ServerProcess(tmp_path_factory.mktemp("desk"), DESK) as process,
        client_of(process.url, signed_in("C-1001")) as theirs,
        client_of(process.url, signed_in("C-1002")) as curious,
    ):
        said = (await theirs.post("/chat", json=SAID)).json()
        own = (await curious.post("/chat", json={"message": "hello"})).json()
        yield Desk(curious, own["conversation_id"], said["conversation_id"], said["turn_id"])


def _shown(response: httpx2.Response) -> tuple[int, dict[str, str], dict[str, str]]:
    """All that could tell two answers apart, but for the request's own id and the time of day."""
    headers = {name: value for name, value in response.headers.items() if name not in _OWN}
    error = {name: value for name, value in response.json()["error"].items() if name != "request_id"}
    return response.status_code, headers, error


@pytest.mark.fault("S6")
async def test_what_is_somebody_elses_cannot_be_told_from_what_does_not_exist(
    desk: Desk, size: Size, figure: Figure
) -> None:
    """Who tries ids would learn which of them are real, from the words or from the clock."""
    for way, (ask, theirs, nobodys) in desk.ways().items():
        took: dict[str, list[float]] = {theirs: [], nobodys: []}
        shown = set()
        for _ in range(size.pairs):
            for name in random.sample([theirs, nobodys], 2):
                started = time.perf_counter()
                response = await ask(name)
                took[name].append((time.perf_counter() - started) * 1000)
                shown.add(repr(_shown(response)))
        assert len(shown) == 1, (way, shown)
        assert "404" in shown.pop()
        one, other = (statistics.median(took[name]) for name in (theirs, nobodys))
        assert max(one, other) < 3 * min(one, other) + 5
        figure(f"{way} {one:.2f}/{other:.2f} ms")


@pytest.mark.fault("S6")
async def test_somebody_elses_key_is_as_good_as_a_new_one(desk: Desk, size: Size, figure: Figure) -> None:
    """A key that somebody else has used would be refused, or would bring their answer."""
    took: dict[bool, list[float]] = {True: [], False: []}
    words = {"message": SAID["message"]}
    first = await desk.curious.post("/chat", json=words, headers={"Idempotency-Key": SAID["message_id"]})
    again = await desk.curious.post("/chat", json=words, headers={"Idempotency-Key": SAID["message_id"]})
    for number in range(max(5, size.pairs // 10)):
        for is_theirs in random.sample([True, False], 2):
            key = SAID["message_id"] if is_theirs else f"new-key-{number}"
            async with client_of(
                str(desk.curious.base_url), signed_in(f"C-2{number:03}{is_theirs:d}")
            ) as new:
                started = time.perf_counter()
                response = await new.post("/chat", json=words, headers={"Idempotency-Key": key})
                took[is_theirs].append((time.perf_counter() - started) * 1000)
            assert response.status_code == 200
            assert response.json()["conversation_id"] not in {desk.theirs, first.json()["conversation_id"]}

    assert first.json()["conversation_id"] != desk.theirs
    assert first.json() == again.json()
    one, other = (statistics.median(took[is_theirs]) for is_theirs in (True, False))
    assert max(one, other) < 3 * min(one, other) + 20
    figure(f"key {one:.1f}/{other:.1f} ms")
