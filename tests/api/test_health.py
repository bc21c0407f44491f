"""A supervisor learns that the server lives, a load balancer whether to send it messages."""

import sqlite3
from pathlib import Path

from tests.serving import local_settings, running


async def test_a_ready_server_says_what_it_is_made_of(tmp_path: Path) -> None:
    """Somebody on call sees engine, database and prompts at a glance."""
    async with running(local_settings(tmp_path)) as server:
        alive = await server.client.get("/healthz")
        ready = await server.client.get("/readyz")

    assert alive.json() == {"status": "alive"}
    assert ready.status_code == 200
    state = ready.json()
    assert (state["status"], state["database"], state["turns_under_way"]) == ("ready", "ok", 0)
    assert state["engine"]["answers"] == "local"
    assert "quote" in state["prompts"]["intents"]
    assert state["prompts"]["state"] == "ok"
    assert state["knowledge"]["passages"] > 100
    assert state["mcp"] == {}
    assert state["knowledge"]["by_meaning"] == "off"


async def test_a_server_that_cannot_write_is_alive_and_not_ready(tmp_path: Path) -> None:
    """Messages go elsewhere until the disk takes them again; restarting would not help."""
    async with running(local_settings(tmp_path)) as server:
        server.house.database.writer.patience_s = 0.3
        with sqlite3.connect(tmp_path / "desk.db", isolation_level=None) as other:
            other.execute("BEGIN IMMEDIATE")
            refused = await server.client.post("/chat", json={"message": "hello", "message_id": "m"})
            ready = await server.client.get("/readyz")
            alive = await server.client.get("/healthz")
            other.execute("COMMIT")
        other.close()
        again = await server.client.get("/readyz")
        taken = await server.client.post("/chat", json={"message": "hello", "message_id": "m"})

    assert (refused.status_code, refused.json()["error"]["code"]) == (503, "db_busy")
    assert int(refused.headers["retry-after"]) > 0
    assert "set-cookie" not in refused.headers
    assert (ready.status_code, ready.json()["database"]) == (503, "db_busy")
    assert alive.status_code == 200
    assert again.status_code == 200
    assert taken.status_code == 200
