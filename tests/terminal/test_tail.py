"""Ops watch the routing lines in a terminal."""

import asyncio
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO, cast

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


def _console(*, is_terminal: bool = False, width: int = 220) -> tuple[Console, io.StringIO]:
    seen = io.StringIO()
    return Console(file=seen, width=width, height=24, force_terminal=is_terminal), seen


def _log(lines: int) -> io.StringIO:
    """A log with so many turns, numbered by their cost."""
    turns = (LINE | {"cost_usd": number / 100_000, "total_ms": number} for number in range(lines))
    return io.StringIO("".join(json.dumps(turn) + "\n" for turn in turns))


@pytest.mark.parametrize("is_terminal", [True, False])
def test_a_log_that_is_piped_in_becomes_a_table(*, is_terminal: bool) -> None:
    """Other lines of the log, and lines that are no JSON, do not disturb."""
    out, seen = _console(is_terminal=is_terminal)

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


def test_the_newest_turns_are_on_the_screen() -> None:
    """With more turns than rows it is the old ones that make room."""
    out, seen = _console(is_terminal=True)

    follow_pipe(_log(60), out)

    last_screen = seen.getvalue().rpartition("at ")[2]
    assert "0.00059" in last_screen
    assert "0.00030" not in last_screen
    assert "..." not in last_screen


def test_a_narrow_terminal_shows_fewer_columns_whole() -> None:
    """At 80 characters: when, what, how sure, how long, and what came of it."""
    out, seen = _console(is_terminal=True, width=80)

    line = LINE | {"intent": "product_info", "faults": ["upstream_529", "first_token_timeout"]}
    follow_pipe(io.StringIO(json.dumps(line | {"outcome": "failed_with_notice"})), out)

    shown = seen.getvalue()
    for words in ("10:11:12", "product_info", "0.97", "1900 ms", "upstream_52…", "failed_with_notice"):
        assert words in shown
    assert "get_quote" not in shown


def test_elsewhere_than_on_a_terminal_each_turn_is_a_line_at_once() -> None:
    """`frontdesk tail | grep quote` hears of a turn when it ends."""
    out, seen = _console()
    shown: list[int] = []

    def log() -> Iterator[str]:
        for line in _log(3):
            shown.append(seen.getvalue().count("upstream_529"))
            yield line

    follow_pipe(cast("TextIO", log()), out)

    assert shown == [0, 1, 2]
    assert len(seen.getvalue().splitlines()) == 3


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
