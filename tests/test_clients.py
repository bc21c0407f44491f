"""Clients that others wrote read our stream: the official AG-UI client on Node, and plain curl."""

import asyncio
import json
import os
import shutil
from pathlib import Path

import pytest

from settings import ROOT, Settings
from tests.serving import serving

CLIENTS = ROOT / "tests" / "clients"
HAS_AGUI = shutil.which("node") is not None and (CLIENTS / "node_modules" / "@ag-ui").is_dir()
REQUIRED = "npm" in os.environ.get("FRONTDESK_TEST_REQUIRE", "")
needs_agui = pytest.mark.skipif(
    not HAS_AGUI and not REQUIRED, reason="the official AG-UI client needs node and npm"
)


def _settings(folder: Path) -> Settings:
    return Settings.read(FRONTDESK_ENGINE="local", FRONTDESK_DATABASE_URL=f"sqlite:///{folder / 'desk.db'}")


async def _run(*command: str) -> str:
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, cwd=CLIENTS
    )
    out, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    assert err.decode() == ""
    return out.decode()


@needs_agui
async def test_the_official_client_understands_every_turn(tmp_path: Path) -> None:
    """Somebody who builds a page with the published client gets text, sources, price and ticket without our help."""
    said = (
        "Hello!",
        "Does it cover my charger at home?",
        "Quote: 2022 Nissan Leaf, 30k miles, I am 40",
        "I want a human agent",
    )
    async with serving(_settings(tmp_path)) as client:
        printed = await _run("node", "agui.mjs", f"{client.base_url}/chat".replace("//chat", "/chat"), *said)
    talk = json.loads(printed)

    turns = talk["turns"]
    assert [turn["custom"]["frontdesk.route"]["intent"] for turn in turns] == [
        "greeting",
        "product_info",
        "quote",
        "escalate",
    ]
    assert all(turn["error"] is None and turn["text"] == turn["result"]["text"] for turn in turns)
    assert turns[1]["citations"][0]["url"].startswith("https://")
    assert turns[2]["custom"]["frontdesk.quote"]["monthly_premium_usd"] in turns[2]["text"]
    assert turns[3]["custom"]["frontdesk.handoff"]["ticket_id"] in turns[3]["text"]
    assert len({turn["result"]["conversation_id"] for turn in turns}) == 1


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
async def test_plain_curl_shows_the_stream(tmp_path: Path) -> None:
    """Somebody at a terminal sees frames with ids, beginning and end included."""
    async with serving(_settings(tmp_path)) as client:
        printed = await _run(
            "curl", "-sN", f"{client.base_url}/chat".replace("//chat", "/chat"),
            "-H", "Content-Type: application/json", "-H", "Accept: text/event-stream",
            "-d", json.dumps({"message": "what does collision cover?"}),
        )  # fmt: skip
    frames = [frame.splitlines() for frame in printed.strip().split("\n\n") if not frame.startswith(":")]

    types = [json.loads(lines[0].removeprefix("data: "))["type"] for lines in frames]
    ids = [lines[1].removeprefix("id: ") for lines in frames]
    assert (types[0], types[-1]) == ("RUN_STARTED", "RUN_FINISHED")
    assert len(set(ids)) == len(ids)
    assert len({event_id.partition(":")[0] for event_id in ids}) == 1
