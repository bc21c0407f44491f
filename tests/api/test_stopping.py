"""A server that is told to stop ends soon, loses nothing, and says so to everybody who waits."""

import asyncio
import signal
import threading
from pathlib import Path

import pytest

from tests.engines import Scripted, only
from tests.processes import ServerProcess
from tests.serving import STREAM, Frame, frames_of, local_settings, running, streamed, text_of
from tests.waiting import PATIENCE_S, soon, until

HELLO = {"message": "hello", "message_id": "m1"}


@pytest.mark.fault("P1")
async def test_whoever_waits_is_told_to_come_back_and_gets_the_rest(tmp_path: Path) -> None:
    """A restart in the middle of an answer costs a customer a moment, not the answer."""
    hold = asyncio.Event()
    async with running(local_settings(tmp_path), only(Scripted([hold])), patience_s=0.2) as server:
        client, got = server.client, list[Frame]()
        async with client.stream("POST", "/chat", json=HELLO, headers=STREAM) as response:
            frames = frames_of(response)
            got.append(await anext(frames))
            headers = {"X-Visitor-Token": response.headers["x-visitor-token"]}
            waiting = asyncio.ensure_future(client.post("/chat", json=HELLO))
            page = asyncio.ensure_future(client.get(f"/chat/{got[0].event['threadId']}/events"))
            ops = asyncio.ensure_future(client.get("/ops/turns/stream"))
            await until(lambda: server.followers == 4)
            server.house.stopping.ask()
            assert (await soon(page)).status_code == 200
            assert (await soon(ops)).status_code == 200
            refused = await client.post("/chat", json={"message": "hello", "message_id": "m2"})
            ready = await client.get("/readyz")
            got += [frame async for frame in frames]
        said = await waiting
    async with running(local_settings(tmp_path), only(Scripted(["Here I am."]))) as server:
        last = got[-1].event_id
        rest = await streamed(server.client, HELLO, {**headers, "Last-Event-ID": last})

    assert (refused.status_code, refused.json()["error"]["code"]) == (503, "unavailable")
    assert (ready.status_code, ready.json()["status"]) == (503, "draining")
    assert (got[-1].type, got[-1].event["code"]) == ("RUN_ERROR", "resume")
    assert (said.status_code, said.json()["error"]["code"]) == (503, "resume")
    assert int(said.headers["retry-after"]) > 0
    assert text_of(rest) == "Here I am."
    assert rest[-1].type == "RUN_FINISHED"
    assert last.partition(":")[0] == rest[-1].event["result"]["turn_id"]


@pytest.mark.fault("P1")
async def test_an_answer_under_way_is_finished_first(tmp_path: Path) -> None:
    """A restart waits for the customers who are being answered."""
    hold = asyncio.Event()
    engine = Scripted(["This ", hold, "was it."])
    async with (
        running(local_settings(tmp_path), only(engine), patience_s=PATIENCE_S) as server,
        server.client.stream("POST", "/chat", json=HELLO, headers=STREAM) as response,
    ):
        frames = frames_of(response)
        got = [await anext(frames)]
        server.house.stopping.ask()
        await until(lambda: server.house.runner.is_draining)
        hold.set()
        got += [frame async for frame in frames]

    assert text_of(got) == "This was it."
    assert got[-1].type == "RUN_FINISHED"


async def test_a_message_that_is_just_being_stored_is_answered_too(tmp_path: Path) -> None:
    """Whoever presses Enter in the moment of a restart gets the answer, and not a request to come back."""
    disk = threading.Event()
    async with running(local_settings(tmp_path), only(Scripted(["Yes."])), patience_s=PATIENCE_S) as server:
        writing = asyncio.ensure_future(server.house.database.write(lambda _: disk.wait(PATIENCE_S)))
        answer = asyncio.ensure_future(streamed(server.client, HELLO))
        await until(lambda: server.house.runner._arriving)
        server.house.stopping.ask()
        await until(lambda: server.house.runner.is_draining)
        disk.set()
        await writing
        frames = await answer

    assert text_of(frames) == "Yes."
    assert frames[-1].type == "RUN_FINISHED"


@pytest.mark.fault("P1")
async def test_a_signal_ends_the_process_in_order(tmp_path: Path) -> None:
    """Whoever supervises the process sees it end soon, with exit code 0, although pages are open."""
    async with ServerProcess(tmp_path) as process:
        reply = (await process.client.post("/chat", json=HELLO)).json()
        async with process.client.stream("GET", f"/chat/{reply['conversation_id']}/events") as page:
            lines = page.aiter_lines()
            assert await anext(lines) == ": keep-alive"
            process.signal(signal.SIGTERM)
            code = await process.ended()
            told = [line async for line in lines]  # to its end: it does not break off

    assert code == 0
    assert any(line.startswith("data: ") for line in told)
    assert [line["event"] for line in process.lines()][-2:] == ["drain.started", "drain.ended"]
