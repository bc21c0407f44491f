"""Accepted messages are answered in order within a conversation, apart from each other otherwise; and not too many."""

import asyncio
import itertools
import threading
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, select, update

from errors import Busy, Unavailable
from events import TurnAccepted, TurnFinished, is_end
from readers.reply import fold_text
from router import runner as runner_module
from router.desk import Desk
from router.runner import TurnRunner
from server import House
from store.database import READERS
from store.log import NewMessage
from store.schema import turns
from tests.engines import Scripted, Swap, echo
from tests.router.running import CANARY, HELLO, house_of, in_module_loop, only_of, whole

Lines = Callable[[], list[dict[str, Any]]]


@in_module_loop
async def test_messages_of_one_conversation_are_answered_one_by_one_in_order(
    house: House, swap: Swap, hello: NewMessage
) -> None:
    """Two answers never talk over each other, and an answer knows all that was said before it."""
    engine = Scripted(lambda request: [0.01, *echo(request)])
    swap.engine = engine
    first = (await house.runner.start(hello)).turn
    more = [
        NewMessage(hello.owner, f"hello number {number}", f"n{number}", first.conversation_id)
        for number in range(6)
    ]
    accepted = [(await house.runner.start(message)).turn for message in more]
    told = [await whole(house, turn) for turn in [first, *accepted]]

    for earlier, later in itertools.pairwise(told):
        assert later[1].at >= earlier[-1].at
    assert [fold_text(item.event for item in recorded).split() for recorded in told] == [
        hello.text.split(),
        *(message.text.split() for message in more),
    ]
    assert [len(request.history) for request in engine.asked] == [2 * number for number in range(7)]


@in_module_loop
async def test_conversations_do_not_wait_for_each_other(house: House, swap: Swap, hello: NewMessage) -> None:
    """One customer's slow answer is nobody else's business."""
    hold = asyncio.Event()
    engine = Scripted(lambda request: [hold, "late"] if "slow" in request.message else ["soon"])
    swap.engine = engine
    slow = (await house.runner.start(replace(hello, text="hello, slow please"))).turn
    fast = (await house.runner.start(replace(hello, owner=f"{hello.owner}-b"))).turn

    assert isinstance((await whole(house, fast))[-1].event, TurnFinished)
    hold.set()
    assert isinstance((await whole(house, slow))[-1].event, TurnFinished)


@in_module_loop
async def test_a_message_sent_again_joins_its_turn(house: House, swap: Swap, hello: NewMessage) -> None:
    """A client that retries never pays for, or reads, two answers."""
    engine = Scripted([0.05, "Hello."])
    swap.engine = engine
    accepted = await asyncio.gather(*(house.runner.start(hello) for _ in range(20)))
    await whole(house, accepted[0].turn)
    again = await house.runner.start(hello)

    assert {item.turn for item in accepted} == {again.turn}
    assert len(engine.asked) == 1


@in_module_loop
async def test_a_message_knows_only_its_own_conversation(house: House, swap: Swap, hello: NewMessage) -> None:
    """No turn sees what another customer said."""
    engine = Scripted(echo)
    swap.engine = engine
    for owner in (f"{hello.owner}-a", f"{hello.owner}-b"):
        first = replace(hello, owner=owner, text=f"hello from {owner}")
        turn = (await house.runner.start(first)).turn
        await whole(house, turn)
        again = replace(first, message_id="m2", conversation_id=turn.conversation_id)
        told = await whole(house, (await house.runner.start(again)).turn)
        assert only_of(told, TurnAccepted).text == first.text

    for request in engine.asked:
        said = {said.text.split()[-1] for said in request.history} | {request.message.split()[-1]}
        assert len(said) == 1


@in_module_loop
async def test_too_many_messages_of_one_conversation_are_refused_before_acceptance(
    house: House, swap: Swap, hello: NewMessage
) -> None:
    """A customer who pastes a book line by line is asked to wait; what was taken is answered."""
    hold = asyncio.Event()
    swap.engine = Scripted([hold, "Yes."])
    first = (await house.runner.start(hello)).turn
    messages = [
        NewMessage(hello.owner, f"line {number}", f"n{number}", first.conversation_id) for number in range(22)
    ]
    outcomes = await asyncio.gather(*(house.runner.start(m) for m in messages), return_exceptions=True)
    hold.set()
    refused = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
    taken = [outcome.turn for outcome in outcomes if not isinstance(outcome, BaseException)]
    for turn in taken:
        assert is_end((await whole(house, turn))[-1].event)

    assert [type(error) for error in refused] == [Busy, Busy]
    assert len(taken) == 20


async def test_a_later_message_waits_for_one_that_a_dead_server_left(tmp_path: Path) -> None:
    """After a crash the answers still come in the order of the questions."""
    async with house_of(tmp_path, Scripted([asyncio.Event()])) as house:
        first = (await house.runner.start(HELLO)).turn
    async with house_of(tmp_path, Scripted(echo)) as house:
        second = (
            await house.runner.start(NewMessage("visitor:a", "hello number two", "m2", first.conversation_id))
        ).turn
        told = [await whole(house, turn) for turn in (first, second)]

    assert told[1][1].at >= told[0][-1].at
    assert all(isinstance(recorded[-1].event, TurnFinished) for recorded in told)


async def test_a_turn_that_another_server_took_is_left_to_it(tmp_path: Path) -> None:
    """A server that was frozen stops talking when it learns that its turn is somebody else's."""
    hold = asyncio.Event()
    async with house_of(tmp_path, Scripted([hold, "Too late."])) as house:
        turn = (await house.runner.start(HELLO)).turn

        def take_away(connection: Connection) -> None:
            connection.execute(update(turns).values(lease_owner="ghost", lease_until_s=4_000_000_000.0))

        await asyncio.sleep(0.2)
        house.runner._log._clock = lambda: 4_000_000_000.0 - 1  # a ghost that lives: its lease is valid
        await house.database.write(take_away)
        hold.set()
        async with asyncio.timeout(2):
            while house.runner.under_way:  # noqa: ASYNC110 - nobody is told of a turn that is left
                await asyncio.sleep(0.01)
        recorded = await house.event_log.read_turn(turn)

    assert not any(is_end(item.event) for item in recorded)
    assert "Too late." not in fold_text(item.event for item in recorded)


async def test_a_full_desk_refuses_before_acceptance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Overload is a plain no, never a message that was taken and not answered."""
    monkeypatch.setattr(runner_module, "TURNS_AT_ONCE", 3)
    hold = asyncio.Event()
    async with house_of(tmp_path, Scripted([hold, "Yes."])) as house:
        messages = [replace(HELLO, owner=f"visitor:{number}") for number in range(8)]
        outcomes = await asyncio.gather(*(house.runner.start(m) for m in messages), return_exceptions=True)
        hold.set()
        taken = [outcome.turn for outcome in outcomes if not isinstance(outcome, BaseException)]
        for turn in taken:
            await whole(house, turn)
        assert (await house.runner.start(messages[-1])).is_new

    assert len(taken) == 3
    assert sum(isinstance(outcome, Unavailable) for outcome in outcomes) == 5


async def test_a_desk_that_stops_takes_nothing_new_and_finishes_what_it_has(
    tmp_path: Path, lines: Lines
) -> None:
    """A restart during the day costs nobody an answer."""
    hold = asyncio.Event()
    async with house_of(tmp_path, Scripted([hold, "Yes."])) as house:
        turn = (await house.runner.start(HELLO)).turn
        draining = asyncio.ensure_future(house.runner.drain(5))
        await asyncio.sleep(0.05)
        with pytest.raises(Unavailable):
            await house.runner.start(replace(HELLO, message_id="m2"))
        hold.set()

        assert await draining == 0
        assert isinstance((await whole(house, turn))[-1].event, TurnFinished)
        assert await house.runner.drain(0.01) == 0
    assert [line["event"] for line in lines()][:1] == ["drain.started"]


async def test_a_background_task_that_fails_is_started_again(tmp_path: Path, lines: Lines) -> None:
    """Prompts stay live and leases stay kept although a watcher met a bug."""
    tries = 0

    async def watch() -> None:
        nonlocal tries
        tries += 1
        raise ValueError(CANARY)

    def no_desk() -> Desk:
        raise AssertionError("no turn runs here, so nobody asks for the desk")

    async with AsyncExitStack() as stack:
        house = await stack.enter_async_context(house_of(tmp_path, Scripted([])))
        runner = TurnRunner(house.event_log, no_desk, "here", watch)
        await stack.enter_async_context(runner)
        await asyncio.sleep(runner_module.RENEW_S + 0.2)

    assert tries == 2
    assert [line["task"] for line in lines() if line["event"] == "task.failed"] == ["desk-watcher"] * 2


async def test_a_long_answer_keeps_its_lease_and_is_never_begun_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lines: Lines
) -> None:
    """An answer that takes minutes, or a clock that jumps ahead, does not start a second answer."""
    monkeypatch.setattr(runner_module, "RENEW_S", 0.03)
    hold = asyncio.Event()
    engine = Scripted([hold, "Yes."])
    async with house_of(tmp_path, engine) as house:
        turn = (await house.runner.start(HELLO)).turn

        def run_out(connection: Connection) -> None:
            connection.execute(update(turns).values(lease_until_s=0.0))

        for _ in range(3):
            await house.database.write(run_out)
            await asyncio.sleep(0.08)
        house.runner._spawn(turn, HELLO.owner)
        lease = select(turns.c.lease_until_s)
        assert (
            await house.database.read(lambda connection: connection.execute(lease).scalar_one()) > time.time()
        )
        hold.set()
        told = await whole(house, turn)
        while house.runner.under_way:  # noqa: ASYNC110 - nobody is told when a task has ended
            await asyncio.sleep(0.01)
        house.runner._spawn(turn, HELLO.owner)
        await asyncio.sleep(0.1)
        assert await house.event_log.read_turn(turn) == told

    assert len(engine.asked) == 1
    assert [line["event"] for line in lines() if line["event"].startswith("turn.")] == ["turn.routed"]


async def test_a_log_that_cannot_be_read_for_a_moment_delays_a_turn_and_does_not_end_it(
    tmp_path: Path, lines: Lines
) -> None:
    """An accepted message is answered although the database was too busy when its turn came."""
    held = threading.Event()
    async with house_of(tmp_path, Scripted(["Yes."])) as house:
        house.database._reader_wait_s = 0.05
        slow = [asyncio.ensure_future(house.database.read(lambda _: held.wait(5))) for _ in range(READERS)]
        turn = (await house.runner.start(HELLO)).turn
        await asyncio.sleep(0.15)
        held.set()
        await asyncio.wait(slow)
        told = await whole(house, turn)
        assert all(isinstance(task.exception(), Unavailable) for task in slow)

    assert isinstance(told[-1].event, TurnFinished)
    codes = {line["code"] for line in lines() if line["event"] == "turn.interrupted"}
    assert codes == {"pool_exhausted"}
