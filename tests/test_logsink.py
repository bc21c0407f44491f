"""Whatever becomes of the log, no turn waits for it; lines that were lost are counted and told."""

import asyncio
import json
import os
import signal
import sys
import threading
from pathlib import Path

import pytest

from logsink import LogSink
from tests.processes import ServerProcess
from tests.waiting import PATIENCE_S, until


@pytest.mark.fault("P13")
async def test_a_reader_that_stands_still_costs_lines_and_no_time() -> None:
    """The event loop that logs would stand still too, with everybody's answers; ops learn what they missed."""
    may_go_on, begun = threading.Event(), threading.Event()
    written: list[bytes] = []

    def slow(lines: bytes) -> None:
        begun.set()
        assert may_go_on.wait(PATIENCE_S)
        written.append(lines)

    with LogSink(slow, room=2) as sink:
        sink.put("a")
        await until(begun.is_set)
        for line in "bcdef":
            sink.put(line)
        assert sink.lost == 3
        may_go_on.set()
    [first, second] = b"".join(written).decode().split("c\n")

    assert first == "a\nb\n"
    assert json.loads(second) | {"logged_at": ""} == {
        "event": "log.lost", "lines": 3, "level": "warning", "logged_at": "",
    }  # fmt: skip


@pytest.mark.fault("P13")
async def test_lines_that_could_not_be_written_are_told_when_there_is_room_again() -> None:
    """A full disk is not the end of the log."""
    is_full = True
    written: list[bytes] = []

    def write(lines: bytes) -> None:
        if is_full:
            raise OSError(28, "No space left on device")
        written.append(lines)

    with LogSink(write) as sink:
        sink.put("a")
        await until(lambda: sink.lost == 1)
        is_full = False
        sink.put("b")
        await until(lambda: written)
    [line, told] = written[0].decode().splitlines()

    assert (line, json.loads(told)["lines"], sink.lost) == ("b", 1, 0)


def test_lines_go_to_standard_output_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Log collectors read them there; whoever stops the server still gets the last ones."""
    with (tmp_path / "out").open("w", encoding="utf-8") as out:
        monkeypatch.setattr(sys, "stdout", out)
        with LogSink() as sink:
            for number in range(500):
                sink.put(f"{number} ñ")

    assert (tmp_path / "out").read_text(encoding="utf-8") == "".join(f"{n} ñ\n" for n in range(500))


@pytest.mark.fault("P13")
async def test_a_log_that_was_closed_from_the_beginning_is_no_hindrance(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A supervisor may start the server without standard output; its number may be the database's."""
    monkeypatch.setattr(sys, "stdout", None)
    with LogSink() as sink:
        sink.put("a")
        await until(lambda: sink.lost == 1)


@pytest.mark.fault("P13")
async def test_a_server_answers_while_its_log_is_full_and_when_it_is_gone(tmp_path: Path) -> None:
    """A log collector that hangs or dies must not cost one customer an answer, nor the stop its order."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    filler = 0
    try:
        while True:
            filler += os.write(writing, b"\n" * 4096)
    except BlockingIOError:
        os.set_blocking(writing, True)
    async with ServerProcess(tmp_path, stdout=writing) as process:
        os.close(writing)
        for number in range(5):
            reply = await process.client.post("/chat", json={"message": "Hello!", "message_id": f"m{number}"})
            assert reply.status_code == 200
        read = b""
        while read.count(b"turn.routed") < 5:
            read += await asyncio.to_thread(os.read, reading, 65_536)
        os.close(reading)
        for number in range(5, 8):
            reply = await process.client.post("/chat", json={"message": "Hello!", "message_id": f"m{number}"})
            assert reply.status_code == 200
        process.signal(signal.SIGTERM)
        assert await process.ended() == 0

    assert len(read) > filler
    assert "Traceback" not in process.printed()
