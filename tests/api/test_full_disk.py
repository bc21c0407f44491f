"""A disk that is full: a plain refusal, everything else goes on, and space is all it takes."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Connection, event

from store.database import Database
from tests.engines import Scripted, Swap, only
from tests.serving import local_settings, running
from tests.waiting import soon, until

_LONG = "Does collision cover hail? " + "I would like to know this. " * 250


@contextmanager
def full(database: Database) -> Iterator[None]:
    """The file cannot grow any more while the context is open."""

    def limit(connection: Connection) -> None:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")

    def lift(connection: Connection) -> None:
        connection.exec_driver_sql("PRAGMA max_page_count=1000000")

    event.listen(database.write_engine, "begin", limit)
    try:
        yield
    finally:
        event.remove(database.write_engine, "begin", limit)
        event.listen(database.write_engine, "begin", lift)


@pytest.mark.fault("D2")
async def test_a_full_disk_refuses_messages_keeps_what_there_is_and_recovers_by_itself(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Customers read why, the load balancer goes elsewhere, ops are woken once, and nobody has to restart anything."""
    hold = asyncio.Event()
    swap = Swap(Scripted(["Yes."]))
    async with running(local_settings(tmp_path), only(swap)) as server:
        client = server.client
        first = (await client.post("/chat", json={"message": "Hello?", "message_id": "m0"})).json()
        slow = swap.engine = Scripted([hold, _LONG])
        asked = {"message": "Does collision cover hail?", "message_id": "m1"}
        waiting = asyncio.ensure_future(client.post("/chat", json=asked))
        await until(lambda: slow.asked)
        swap.engine = Scripted(["Yes."])
        with full(server.house.database):
            hold.set()
            refused = [
                await client.post("/chat", json={"message": _LONG, "message_id": f"long-{number}"})
                for number in range(4)
            ]
            ready = [await client.get("/readyz") for _ in range(2)]
            history = await client.get(f"/chat/{first['conversation_id']}")
            alive = await client.get("/healthz")
        again = await client.get("/readyz")
        taken = await client.post("/chat", json={"message": _LONG, "message_id": "long-0"})
        answered = await soon(waiting)
    told = [line for line in capsys.readouterr().out.splitlines() if '"database.failed"' in line]

    assert [(item.status_code, item.json()["error"]["code"]) for item in refused] == [(503, "db_full")] * 4
    assert all(int(item.headers["retry-after"]) > 0 for item in refused)
    assert [(item.status_code, item.json()["database"]) for item in ready] == [(503, "db_full")] * 2
    assert (history.status_code, alive.status_code) == (200, 200)
    assert [message["role"] for message in history.json()["messages"]] == ["customer", "assistant"]
    assert (again.status_code, taken.status_code) == (200, 200)
    assert answered.json()["text"].startswith("Does collision")
    assert len(told) == 1
    assert '"level": "critical"' in told[0]
    assert '"fault": "db_full"' in told[0]
