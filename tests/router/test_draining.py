"""A desk that is told to stop finishes what it has, takes nothing more, and leaves the rest to the next server."""

import asyncio
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection

from errors import Unavailable
from events import TurnFinished
from readers.reply import fold_text
from router import runner as runner_module
from router import suspects as suspects_module
from store.log import LEASE_S, EventLog
from store.wake import Wake
from tests.engines import Scripted
from tests.router.running import HELLO, house_of, whole
from tests.waiting import PATIENCE_S, until

Lines = Callable[[], list[dict[str, Any]]]


async def test_a_desk_that_stops_takes_nothing_new_and_finishes_what_it_has(
    tmp_path: Path, lines: Lines
) -> None:
    """A restart during the day costs nobody an answer."""
    hold = asyncio.Event()
    async with house_of(tmp_path, Scripted([hold, "Yes."])) as house:
        turn = (await house.runner.start(HELLO)).turn
        draining = asyncio.ensure_future(house.runner.drain(PATIENCE_S))
        await until(lambda: house.runner.is_draining)
        with pytest.raises(Unavailable):
            await house.runner.start(replace(HELLO, message_id="m2"))
        hold.set()

        assert await draining == 0
        assert isinstance((await whole(house, turn))[-1].event, TurnFinished)
        assert await house.runner.drain(0.01) == 0
    assert [line["event"] for line in lines()][:1] == ["drain.started"]


async def test_a_message_that_is_just_being_accepted_when_the_desk_stops_is_finished_too(
    tmp_path: Path, lines: Lines
) -> None:
    """Whoever presses Enter in the moment of a restart is answered, and the log counts them."""
    disk = threading.Event()
    async with house_of(tmp_path, Scripted(["Yes."])) as house:
        writing = asyncio.ensure_future(house.database.write(lambda _: disk.wait(PATIENCE_S)))
        starting = asyncio.ensure_future(house.runner.start(HELLO))
        await until(lambda: house.runner._arriving)
        draining = asyncio.ensure_future(house.runner.drain(PATIENCE_S))
        await until(lambda: house.runner.is_draining)
        disk.set()

        assert await draining == 0
        assert isinstance((await house.event_log.read_turn((await starting).turn))[-1].event, TurnFinished)
        await writing
    told = [line for line in lines() if line["event"].startswith("drain.")]
    assert [(told[0]["turns"], told[0]["arriving"]), told[1]["handed_over"]] == [(0, 1), 0]


async def test_a_message_that_cannot_be_accepted_in_time_is_handed_over(tmp_path: Path) -> None:
    """A stop does not wait for ever; a message that was stored after all is the next server's."""
    disk = threading.Event()
    async with house_of(tmp_path, Scripted(["Too late."])) as house:
        writing = asyncio.ensure_future(house.database.write(lambda _: disk.wait(PATIENCE_S)))
        starting = asyncio.ensure_future(house.runner.start(HELLO))
        await until(lambda: house.runner._arriving)
        assert await house.runner.drain(0.01) == 1
        asyncio.get_running_loop().call_soon(disk.set)
    await writing
    turn = (await starting).turn
    async with house_of(tmp_path, Scripted(["Yes."])) as house:
        told = await whole(house, turn)

    assert isinstance(told[-1].event, TurnFinished)
    assert fold_text(item.event for item in told) == "Yes."


async def test_a_desk_that_stops_takes_over_nothing_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A customer of a dead server is not given to one that ends in a moment, and cut off once more."""
    monkeypatch.setattr(runner_module, "LOOK_S", 0.01)
    monkeypatch.setattr(suspects_module, "SURE_S", 0.0)
    engine = Scripted(["Too late."])
    disk, is_busy = threading.Event(), threading.Event()

    def keep_busy(_: Connection) -> None:
        is_busy.set()
        disk.wait(PATIENCE_S)

    async with house_of(tmp_path, engine) as house:
        await EventLog(house.database, Wake(), "ghost").accept(HELLO)
        writing = asyncio.ensure_future(house.database.write(keep_busy))
        await until(is_busy.is_set)
        house.event_log._clock = lambda: time.time() + 1.5 * LEASE_S
        await until(lambda: house.database.writer._waiting)  # taking over, but for the disk
        assert await house.runner.drain(PATIENCE_S) == 0
        disk.set()
        await writing
        await asyncio.sleep(0.2)  # nothing happens
        assert house.runner.under_way == 0

    assert engine.asked == []
