"""What the articles do not answer is listed for ops: over HTTP, and by the command beside the running server."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from structlog.testing import capture_logs

from settings import Settings
from terminal.gaps import show_gaps
from tests.model_like import ModelLike
from tests.serving import Running, client_of, local_settings, running
from tests.simulation import Simulation

ASKED = (
    "does my insurance cover trampolines?",
    "does it cover my zeppelin in a hangar?",
    "¿el seguro cubre trampolines?",
    "is a trampoline covered by the policy?",
    "does the policy cover a zeppelin?",
    "does it cover the battery?",
)
ARTICLE = """---
title: Battery
url: https://x.example/battery
language: en
---
The battery is part of it.
"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A desk that knows of batteries only."""
    (tmp_path / "articles").mkdir()
    (tmp_path / "articles" / "battery.md").write_text(ARTICLE, encoding="utf-8")
    return local_settings(tmp_path, FRONTDESK_KNOWLEDGE=tmp_path / "articles")


async def _ask(server: Running, *texts: str) -> list[dict[str, Any]]:
    return [(await server.client.post("/chat", json={"message": text})).json() for text in texts]


async def _shown(server: Running, *, as_json: bool = False) -> str:
    seen = io.StringIO()
    await show_gaps(server.house.settings, 30, Console(file=seen, width=200), as_json=as_json)
    return seen.getvalue()


async def test_gaps_are_listed_most_frequent_first(settings: Settings) -> None:
    """Whoever writes the articles would not know which one is missing, or would have to stop the server to see."""
    async with running(settings) as server:
        with capture_logs() as logged:
            replies = await _ask(server, *ASKED)
        listed = (await server.client.get("/ops/gaps", params={"days": 30})).json()
        as_json = json.loads(await _shown(server, as_json=True))
        table = await _shown(server)

    assert [bool(reply["citations"]) for reply in replies] == [False, False, False, False, False, True]
    offers = ("shall I pass your question on?", "¿le paso tu pregunta?")
    assert all(any(offer in reply["text"] for offer in offers) for reply in replies[:5])
    assert listed["questions"] == 5
    trampolines, zeppelins = listed["gaps"]
    assert (trampolines["count"], trampolines["nothing_found"], trampolines["languages"]) == (
        3,
        3,
        ["en", "es"],
    )
    assert [question["text"] for question in trampolines["examples"]] == [ASKED[3], ASKED[2]]
    assert (zeppelins["count"], zeppelins["examples"][0]["turn_id"]) == (2, replies[4]["turn_id"])
    assert as_json == listed
    assert table.index(ASKED[3]) < table.index(ASKED[2]) < table.index(ASKED[4])
    assert "zeppelin" not in str(logged)


async def test_without_gaps_that_is_said(settings: Settings) -> None:
    """An empty table would look like a fault."""
    async with running(settings) as server:
        assert "none in the last 30 days" in await _shown(server)
        assert (await server.client.get("/ops/gaps")).json() == {"questions": 0, "gaps": []}


async def test_a_question_cannot_steer_the_terminal(settings: Settings) -> None:
    """A customer could hide lines from ops, or colour them, with escape codes."""
    async with running(settings) as server:
        await _ask(server, f"does my insurance cover hail\x1b[2J [red]:boom:? {'and also theft ' * 20}")
        table = await _shown(server)

    assert "\x1b" not in table
    assert "[red]:boom:" in table
    assert "…" in table


async def test_claude_finding_nothing_is_a_gap_too(settings: Settings) -> None:
    """With a key the list would stay empty."""
    brain = ModelLike({ASKED[0]: ("product_info", "en")})
    async with Simulation(brain) as simulation:
        keys = {**simulation.environment, "FRONTDESK_ENGINE": "claude"}
        with_key = Settings.read(**settings.model_dump(by_alias=True) | keys)
        async with running(with_key) as server:
            await _ask(server, ASKED[0])
            listed = (await server.client.get("/ops/gaps")).json()

    (gap,) = listed["gaps"]
    assert (gap["count"], gap["nothing_found"], gap["examples"][0]["text"]) == (1, 1, ASKED[0])


async def test_days_have_limits(settings: Settings) -> None:
    """A typing error would read the whole database."""
    async with running(settings) as server:
        for days in ("0", "367", "many"):
            response = await server.client.get("/ops/gaps", params={"days": days})
            assert response.status_code == 422
            assert "`days`" in response.json()["error"]["message"]


async def test_nobody_else_sees_gaps(tmp_path: Path) -> None:
    """They hold customers' own words."""
    settings = local_settings(tmp_path, FRONTDESK_OPS_TOKEN="the-token-of-ops")
    async with running(settings) as server, client_of(server.url) as client:
        assert (await client.get("/ops/gaps")).status_code == 401
