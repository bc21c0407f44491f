"""Ops see every turn; nobody else sees any."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest
import pytest_asyncio

from tests.serving import Running, client_of, local_settings, running
from tests.waiting import soon, until

TOKEN = "the-token-of-ops"
PATHS = ("/ops/turns", "/ops/turns/stream", "/ops/turns/unknown")
in_module_loop = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def desk_with_token(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    """A desk with an ops token."""
    settings = local_settings(tmp_path_factory.mktemp("desk"), FRONTDESK_OPS_TOKEN=TOKEN)
    async with running(settings) as started:
        yield started


@pytest.mark.parametrize(
    ("headers", "is_let_in"),
    [
        ({}, True),
        ({"Host": "localhost"}, True),
        ({"Host": "LOCALHOST:8080"}, True),
        ({"Host": "127.0.0.1:1"}, True),
        ({"Host": "[::1]:8080"}, True),
        ({"Host": "desk.example.com"}, False),
        ({"Host": "localhost.example.com"}, False),
        ({"Host": "127.0.0.1.example.com:80"}, False),
        ({"Host": "localhost@example.com"}, False),
        ({"Host": "localhost:80:80"}, False),
        ({"X-Forwarded-For": "10.0.0.1"}, False),
        ({"X-Forwarded-Host": "localhost"}, False),
        ({"X-Forwarded-Proto": "https"}, False),
        ({"Forwarded": "for=10.0.0.1"}, False),
        ({"Via": "1.1 proxy"}, False),
        ({"X-Real-IP": "127.0.0.1"}, False),
        ({"CF-Connecting-IP": "10.0.0.1"}, False),
    ],
    ids=str,
)
@in_module_loop
async def test_without_a_token_only_this_machine_may_look(
    headers: dict[str, str], is_let_in: bool, server: Running
) -> None:
    """A desk behind a proxy, or on a name that an attacker points at 127.0.0.1, shows nothing."""
    async with client_of(server.url) as client:
        listed = await client.get("/ops/turns", headers=headers)
        one = await client.get("/ops/turns/unknown", headers=headers)
        streamed = 401 if not is_let_in else 200
        async with client.stream("GET", "/ops/turns/stream", headers=headers) as stream:
            assert stream.status_code == streamed

    assert (listed.status_code, one.status_code) == ((200, 404) if is_let_in else (401, 401))
    if not is_let_in:
        assert listed.json()["error"]["code"] == "unauthorized"


async def test_a_desk_that_listens_to_the_world_needs_a_token(tmp_path: Path) -> None:
    """HOST=0.0.0.0 without a token must not open the traces to the network."""
    async with running(local_settings(tmp_path, HOST="0.0.0.0")) as server:  # noqa: S104 - this is what is tested
        for path in PATHS:
            assert (await server.client.get(path)).status_code == 401


@pytest.mark.parametrize(
    ("header", "is_let_in"),
    [
        (f"Bearer {TOKEN}", True),
        (f"bearer {TOKEN}", True),
        (f"Bearer {TOKEN}x", False),
        (f"Bearer {TOKEN[:-1]}", False),
        (f"Basic {TOKEN}", False),
        (TOKEN, False),
        ("Bearer", False),
    ],
)
@in_module_loop
async def test_with_a_token_it_is_the_token_that_counts(
    header: str, is_let_in: bool, desk_with_token: Running
) -> None:
    """Being on the same machine is no longer enough, and being behind a proxy no longer matters."""
    async with client_of(desk_with_token.url) as client:
        headers = {"Authorization": header, "X-Forwarded-For": "10.0.0.1", "Host": "desk.example.com"}
        response = await client.get("/ops/turns", headers=headers)

    assert response.status_code == (200 if is_let_in else 401)


async def _talk(client: httpx2.AsyncClient) -> list[dict[str, str]]:
    said = ("hello", "does collision cover hail?", "I want to talk to a person please")
    return [(await client.post("/chat", json={"message": text})).json() for text in said]


async def test_turns_can_be_found(tmp_path: Path) -> None:
    """Somebody who gets a complaint with an id finds the turn; a weak spot is one filter away."""
    async with running(local_settings(tmp_path)) as server:
        replies = await _talk(server.client)

        async def found(**query: str | float) -> list[str]:
            response = await server.client.get("/ops/turns", params=query)
            assert response.status_code == 200, response.text
            return [line["turn_id"] for line in response.json()["turns"]]

        ids = [reply["turn_id"] for reply in replies]
        assert await found() == ids[::-1]
        assert await found(limit=1) == ids[2:]
        assert await found(intent="greeting") == ids[:1]
        assert await found(outcome="escalated") == ids[2:]
        assert await found(engine="claude") == []
        assert await found(decided_by="local", intent="product_info") == ids[1:2]
        assert await found(text=ids[1][3:12]) == ids[1:2]
        assert await found(text=replies[2]["conversation_id"]) == ids[2:]
        assert await found(since="2999-01-01T00:00:00Z") == []
        assert await found(since="2000-01-01T00:00:00Z") == ids[::-1]
        assert await found(low_confidence="true") == []
        for wrong in ({"limit": 0}, {"limit": "many"}, {"since": "yesterday"}, {"low_confidence": "maybe"}):
            response = await server.client.get("/ops/turns", params=wrong)
            assert response.status_code == 422
            assert f"`{next(iter(wrong))}`" in response.json()["error"]["message"]


async def test_a_turn_shows_its_whole_trace(tmp_path: Path) -> None:
    """Ops see every step in order, with numbers and times."""
    async with running(local_settings(tmp_path)) as server:
        reply = (await server.client.post("/chat", json={"message": "hello"})).json()
        trace = (await server.client.get(f"/ops/turns/{reply['turn_id']}")).json()
        missing = await server.client.get("/ops/turns/unknown")

    assert [item["seq"] for item in trace["events"]] == list(range(1, len(trace["events"]) + 1))
    assert trace["events"][0]["event"]["type"] == "turn.accepted"
    assert trace["events"][-1]["event"]["type"] == "turn.finished"
    assert trace["routing"]["turn_id"] == reply["turn_id"]
    assert (missing.status_code, missing.json()["error"]["message"]) == (404, "There is no such turn.")


async def test_turns_are_told_as_they_end(tmp_path: Path) -> None:
    """The live page shows a turn a moment after its customer read the answer."""
    async with running(local_settings(tmp_path)) as server:
        told: list[dict[str, str]] = []

        async def watch() -> None:
            async with server.client.stream("GET", "/ops/turns/stream") as stream:
                lines = stream.aiter_lines()
                async for line in lines:
                    if line.startswith("data: "):
                        told.append(json.loads(line.removeprefix("data: ")))
                    if len(told) == 3:
                        return

        watching = asyncio.ensure_future(watch())
        await until(lambda: server.followers)
        replies = await _talk(server.client)
        await soon(watching)

    assert [line["turn_id"] for line in told] == [reply["turn_id"] for reply in replies]
    assert [line["outcome"] for line in told] == ["answered", "answered", "escalated"]
