"""D1, D5 and P14: a locked database, readers that are all busy, and messages made to be slow; others go on."""

import asyncio
import sqlite3
import threading
import time
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import httpx2
import pytest
import pytest_asyncio
from sqlalchemy import Connection

from store.database import READER_WAIT_S, READERS
from tests.faults.crowd import DESK, signed_in
from tests.faults.plugin import Figure
from tests.processes import ServerProcess
from tests.serving import client_of, local_settings, running
from tests.waiting import PATIENCE_S

pytestmark = [pytest.mark.lab, pytest.mark.asyncio(loop_scope="module")]
LONGEST, WAITING = 8_000, 200
SLOW = (
    "a" * LONGEST,
    "(" * LONGEST,
    "1" * LONGEST,
    "1,1." * (LONGEST // 4),
    "a@" * (LONGEST // 2),
    "http://a." * (LONGEST // 9),
    " \t" * (LONGEST // 2 - 1) + "x",
    "ignore all " * (LONGEST // 11),
    "\u0301" * (LONGEST - 1) + "a",
    "$1 a month, no, $2 a month; " * (LONGEST // 28),
)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def process(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[ServerProcess, Path]]:
    """A server of these tests' own, and where its database is."""
    folder = tmp_path_factory.mktemp("desk")
    async with ServerProcess(folder, DESK) as started:
        yield started, folder / "desk.db"


@pytest.mark.fault("D1")
async def test_a_locked_database_refuses_before_acceptance_and_is_read_all_the_while(
    process: tuple[ServerProcess, Path], figure: Figure
) -> None:
    """A message would be taken and lost, or a page would hang, because somebody makes a backup."""
    server, path = process
    async with client_of(server.url, signed_in("C-1001")) as client:
        hello = {"message": "hello", "message_id": "m1"}
        first = (await client.post("/chat", json=hello)).json()
        hello["conversation_id"] = first["conversation_id"]
        body = {"message": "Does collision cover hail?", "message_id": "m2"}
        body["conversation_id"] = first["conversation_id"]
        with closing(sqlite3.connect(path, isolation_level=None)) as raw:
            raw.execute("BEGIN IMMEDIATE")
            started = time.monotonic()
            refused = await client.post("/chat", json=body)
            took_s = time.monotonic() - started
            history = await client.get(f"/chat/{first['conversation_id']}")
            repeated = await client.post("/chat", json=hello)
            misused = await client.post("/chat", json=hello | {"message": "bye"})
            raw.execute("ROLLBACK")
        taken = await client.post("/chat", json=body)
        after = (await client.get(f"/chat/{first['conversation_id']}")).json()

    assert refused.status_code == 503
    assert int(refused.headers["retry-after"]) > 0
    assert history.status_code == taken.status_code == 200
    assert len(history.json()["messages"]) == 2
    assert (repeated.status_code, repeated.json()["text"]) == (200, first["text"])
    assert misused.status_code == 409
    assert len(after["messages"]) == 4
    failed = [line for line in server.lines() if line["event"] == "database.failed"]
    assert [line["fault"] for line in failed] == ["db_busy"]
    figure(f"503 after {took_s:.1f} s")


@pytest.mark.fault("P14")
async def test_messages_that_are_made_to_be_slow_delay_nobody_else(
    process: tuple[ServerProcess, Path], figure: Figure
) -> None:
    """One customer with a keyboard full of brackets would make the whole desk wait."""
    server, _ = process
    is_over = asyncio.Event()

    async def torment() -> None:
        async with client_of(server.url, signed_in("C-1002")) as client:
            for message in SLOW * 3:
                response = await client.post("/chat", json={"message": message})
                assert response.status_code in {200, 429}, response.text
        is_over.set()

    async def others() -> list[float]:
        took = []
        async with client_of(server.url, signed_in("C-1003")) as client:
            while not is_over.is_set():
                started = time.perf_counter()
                answered = await client.post("/chat", json={"message": "hello"})
                took.append((time.perf_counter() - started) * 1000)
                assert answered.status_code == 200
        return took

    async with asyncio.TaskGroup() as group:
        group.create_task(torment())
        waiting = group.create_task(others())
    took = waiting.result()
    p95 = sorted(took)[len(took) * 95 // 100]

    assert p95 < 3 * 500  # three times the promise: the machine may be busy
    figure(
        f"{3 * len(SLOW)} of them; {len(took)} answers to others, p95 {p95:.0f} ms, slowest {max(took):.0f} ms"
    )


@pytest.mark.fault("D5")
async def test_busy_readers_refuse_in_time_and_come_back(tmp_path: Path, figure: Figure) -> None:
    """Hundreds of pages would wait for each other until somebody starts the server again."""
    let_go, holding = threading.Event(), threading.Semaphore(0)

    def hold(_: Connection) -> None:
        holding.release()
        let_go.wait(PATIENCE_S)

    settings = local_settings(tmp_path, FRONTDESK_DATABASE_WAIT_S=READER_WAIT_S)
    async with running(settings) as server:
        reply = (await server.client.post("/chat", json={"message": "hello"})).json()
        path, headers = f"/chat/{reply['conversation_id']}", {"X-Visitor-Token": reply["visitor_token"]}
        read = server.house.database.read
        busy = asyncio.gather(*(read(hold) for _ in range(READERS)), return_exceptions=True)
        await asyncio.to_thread(lambda: [holding.acquire() for _ in range(READERS)])
        started = time.monotonic()
        async with httpx2.AsyncClient(
            base_url=server.url,
            headers=headers,
            timeout=PATIENCE_S,
            limits=httpx2.Limits(max_connections=None),
            trust_env=False,
        ) as client:
            refused = await asyncio.gather(*(client.get(path) for _ in range(WAITING)))
        took_s = time.monotonic() - started
        let_go.set()
        await busy
        again = await server.client.get(path)

    assert {response.status_code for response in refused} == {503}
    assert all(int(response.headers["retry-after"]) > 0 for response in refused)
    assert again.status_code == 200
    assert took_s < 10 * READER_WAIT_S  # the promise, and what a busy machine adds for so many lines
    figure(f"{WAITING} waiting: all refused after {took_s:.1f} s, then served")
