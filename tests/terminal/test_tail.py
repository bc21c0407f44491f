"""Ops watch the routing lines in a terminal."""

import asyncio
import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from errors import FrontdeskError
from terminal.tail import follow_pipe, follow_server
from tests.serving import local_settings, running
from tests.waiting import until

LINE = {
    "event": "turn.routed",
    "at": "2026-11-22T10:11:12.5Z",
    "intent": "quote",
    "confidence": 0.97,
    "decided_by": "haiku",
    "agreed": False,
    "speculated": "wrong",
    "label_ms": 350,
    "first_text_ms": 810,
    "total_ms": 1900,
    "engine": "claude",
    "tools": ["get_quote"],
    "cost_usd": 0.00123,
    "faults": ["upstream_529"],
    "outcome": "answered",
}


def _console(*, is_terminal: bool = False) -> tuple[Console, io.StringIO]:
    seen = io.StringIO()
    return Console(file=seen, width=220, force_terminal=is_terminal), seen


def test_a_log_that_is_piped_in_becomes_a_table() -> None:
    """Other lines of the log, and lines that are no JSON, do not disturb."""
    out, seen = _console()

    follow_pipe(io.StringIO(f"noise\n{json.dumps({'event': 'drain.started'})}\n{json.dumps(LINE)}\n"), out)

    shown = seen.getvalue()
    for words in (
        "10:11:12",
        "quote",
        "0.97",
        "haiku",
        "350 ms",
        "get_quote",
        "0.00123",
        "upstream_529",
        "answered",
    ):
        assert words in shown
    assert "noise" not in shown


async def test_the_table_follows_a_running_server(tmp_path: Path) -> None:
    """Turns before and after the start of the table are in it."""
    out, seen = _console(is_terminal=True)
    async with running(local_settings(tmp_path)) as server:
        await server.client.post("/chat", json={"message": "hello"})
        watching = asyncio.create_task(asyncio.to_thread(follow_server, server.url, None, 5, out))
        await until(lambda: "greeting" in seen.getvalue() and server.followers)
        await server.client.post("/chat", json={"message": "I want to talk to a person"})
        await until(lambda: "escalated" in seen.getvalue())
    await watching


async def test_without_the_token_the_server_does_not_let_the_table_in(tmp_path: Path) -> None:
    """The remedy is named: which setting to set."""
    out, _ = _console()
    async with running(local_settings(tmp_path, FRONTDESK_OPS_TOKEN="a-token-of-ops")) as server:
        with pytest.raises(FrontdeskError, match="FRONTDESK_OPS_TOKEN"):
            await asyncio.to_thread(follow_server, server.url, "wrong", 5, out)


def test_an_address_of_another_kind_is_refused() -> None:
    """`file:///etc/passwd` is not a server."""
    out, _ = _console()
    with pytest.raises(FrontdeskError, match="http://host:port"):
        follow_server("file:///etc/passwd", None, 5, out)
