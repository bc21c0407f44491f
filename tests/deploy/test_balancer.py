"""The load balancer as it is shipped, before two servers on one PostgreSQL; one of them stops in the middle."""

import asyncio
import os
import shutil
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import httpx2
import pytest

from settings import ROOT
from tests.ports import free_port
from tests.processes import ServerProcess
from tests.serving import STREAM, client_of, frames_of, text_of
from tests.waiting import PATIENCE_S, soon

REQUIRED = "haproxy" in os.environ.get("FRONTDESK_TEST_REQUIRE", "")
HAPROXY = shutil.which("haproxy", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
pytestmark = pytest.mark.skipif(HAPROXY is None and not REQUIRED, reason="haproxy is not installed")
MESSAGES = 8


@asynccontextmanager
async def _balancer(*servers: ServerProcess) -> AsyncIterator[str]:
    """Its address."""
    port = free_port()
    names = {
        f"SERVER_{number}": server.url.removeprefix("http://") for number, server in enumerate(servers, 1)
    }
    process = await asyncio.create_subprocess_exec(
        HAPROXY or "haproxy",
        "-f",
        str(ROOT / "deploy" / "haproxy.cfg"),
        env={"BIND": f"127.0.0.1:{port}", **names},
        stdout=asyncio.subprocess.DEVNULL,
    )
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        with suppress(ProcessLookupError):
            process.terminate()
        await soon(process.wait())


async def test_a_server_that_stops_costs_no_customer_anything(postgres_url: str, tmp_path: Path) -> None:
    """Each update of the desk would show errors to those who write just then."""
    folders = [tmp_path / "one", tmp_path / "two"]
    for folder in folders:
        folder.mkdir()
    environment = {"FRONTDESK_DATABASE_URL": postgres_url}
    async with (
        ServerProcess(folders[0], environment) as one,
        ServerProcess(folders[1], environment) as two,
        _balancer(one, two) as url,
        client_of(url) as client,
    ):
        await _until_ready(url)
        first = await client.post("/chat", json={"message": "hello", "message_id": "m0"})
        headers = {"X-Visitor-Token": first.json()["visitor_token"]}
        place = {"conversation_id": first.json()["conversation_id"]}
        for number in range(1, MESSAGES):
            if number == MESSAGES // 2:
                one.signal(signal.SIGTERM)
            body = {"message": "What does collision cover?", "message_id": f"m{number}", **place}
            async with client.stream("POST", "/chat", json=body, headers=headers | STREAM) as response:
                assert response.status_code == 200
                frames = [frame async for frame in frames_of(response)]
            assert frames[-1].type == "RUN_FINISHED"
            assert text_of(frames) == frames[-1].event["result"]["text"]

        assert await one.ended() == 0
        history = (await client.get(f"/chat/{place['conversation_id']}", headers=headers)).json()
        ops = await client.get("/ops/turns")
        routed = [len(await server.routed(1)) for server in (one, two)]

    assert [message["role"] for message in history["messages"]] == ["customer", "assistant"] * MESSAGES
    assert sum(routed) == MESSAGES
    assert ops.status_code == 401


async def _until_ready(url: str) -> None:
    async with client_of(url) as client, asyncio.timeout(PATIENCE_S):
        while True:
            with suppress(httpx2.TransportError):
                if (await client.get("/healthz")).status_code == httpx2.codes.OK:
                    return
            await asyncio.sleep(0.05)
