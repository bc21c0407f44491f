"""Accepted messages are answered in order within a conversation, apart from each other otherwise; and not too many."""

import asyncio
import threading
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, select, update

from errors import Busy, Unavailable
from events import TurnAccepted, TurnFinished, TurnRef, is_end
from readers.reply import fold_text
from router import runner as runner_module
from router.admission import Admission
from router.attempt import attempt
from router.company import Company
from router.desk import Desk
from router.runner import TurnRunner
from server import House
from store.database import READERS
from store.log import EventLog, NewMessage
from store.schema import turns
from tests.engines import Scripted, Swap, echo
from tests.router.running import CANARY, HELLO, house_of, in_module_loop, only_of, whole
from tests.waiting import PATIENCE_S, until

Lines = Callable[[], list[dict[str, Any]]]


@pytest.mark.fault("P8")
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

    assert [fold_text(item.event for item in recorded).split() for recorded in told] == [
        hello.text.split(),
        *(message.text.split() for message in more),
    ]
    assert [len(request.history) for request in engine.asked] == [2 * number for number in range(7)]


@pytest.mark.fault("P8")
@in_module_loop
async def test_how_long_a_message_waited_for_the_one_before_is_told_in_the_log(
    house: House, swap: Swap, hello: NewMessage, lines: Lines
) -> None:
    """Ops would take a customer's wait for their own earlier message for a slow model."""
    hold = asyncio.Event()
    swap.engine = Scripted(lambda request: [] if request.history else [hold])
    first = (await house.runner.start(hello)).turn
    again = replace(hello, message_id="m2", conversation_id=first.conversation_id)
    behind = (await house.runner.start(again)).turn
    await asyncio.sleep(0.05)
    hold.set()
    told: dict[str, int] = {}

    def is_told() -> bool:
        told.update((x["turn_id"], x["queued_ms"]) for x in lines() if x["event"] == "turn.routed")
        return behind.turn_id in told

    await until(is_told)
    assert told[behind.turn_id] >= 50


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


@pytest.mark.fault("P6")
@in_module_loop
async def test_a_message_sent_again_joins_its_turn(
    house: House, swap: Swap, hello: NewMessage, lines: Lines
) -> None:
    """A client that retries never pays for, or reads, two answers."""
    engine = Scripted([0.05, "Hello."])
    swap.engine = engine
    accepted = await asyncio.gather(*(house.runner.start(hello) for _ in range(20)))
    await whole(house, accepted[0].turn)
    again = await house.runner.start(hello)

    assert {item.turn for item in accepted} == {again.turn}
    assert len(engine.asked) == 1
    told = [line for line in lines() if line.get("fault") == "idempotent_hit"]
    assert [line["turn_id"] for line in told] == [again.turn.turn_id] * 20


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


@pytest.mark.fault("P8")
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
    engine = Scripted(echo)
    async with house_of(tmp_path, engine) as house:
        second = (
            await house.runner.start(NewMessage("visitor:a", "hello number two", "m2", first.conversation_id))
        ).turn
        told = [await whole(house, turn) for turn in (first, second)]

    assert [(request.message, len(request.history)) for request in engine.asked] == [
        ("hello", 0),
        ("hello number two", 2),
    ]
    assert all(isinstance(recorded[-1].event, TurnFinished) for recorded in told)


async def test_a_turn_that_another_server_took_is_left_to_it(tmp_path: Path) -> None:
    """A server that was frozen stops talking when it learns that its turn is somebody else's."""
    hold = asyncio.Event()
    engine = Scripted([hold, "Too late."])
    async with house_of(tmp_path, engine) as house:
        turn = (await house.runner.start(HELLO)).turn

        def take_away(connection: Connection) -> None:
            connection.execute(update(turns).values(lease_owner="ghost", lease_until_s=4_000_000_000.0))

        await until(lambda: engine.asked)
        house.runner._log._clock = lambda: 4_000_000_000.0 - 1  # a ghost that lives: its lease is valid
        await house.database.write(take_away)
        hold.set()
        await until(lambda: not house.runner.under_way)
        recorded = await house.event_log.read_turn(turn)

    assert not any(is_end(item.event) for item in recorded)
    assert "Too late." not in fold_text(item.event for item in recorded)


async def test_a_full_desk_refuses_before_acceptance(tmp_path: Path) -> None:
    """Overload is a plain no, never a message that was taken and not answered."""
    hold = asyncio.Event()
    async with house_of(tmp_path, Scripted([hold, "Yes."]), FRONTDESK_TURNS_AT_ONCE=3) as house:
        messages = [replace(HELLO, owner=f"visitor:{number}") for number in range(8)]
        outcomes = await asyncio.gather(*(house.runner.start(m) for m in messages), return_exceptions=True)
        hold.set()
        taken = [outcome.turn for outcome in outcomes if not isinstance(outcome, BaseException)]
        for turn in taken:
            await whole(house, turn)
        await until(lambda: not house.runner.under_way)
        assert (await house.runner.start(messages[-1])).is_new

    assert len(taken) == 3
    assert sum(isinstance(outcome, Unavailable) for outcome in outcomes) == 5


async def test_a_message_is_stored_at_the_door(tmp_path: Path) -> None:
    """A crowd that comes at once would keep the loop busy for a second, and everybody else would wait for it."""

    class Counting(Admission):
        inside: tuple[bool, ...] = ()

        @asynccontextmanager
        async def door(self) -> AsyncGenerator[None, None]:
            async with super().door():
                before = await stored()
                yield
                self.inside = (before, await stored())

    async def watch() -> None:
        await asyncio.Event().wait()

    admission = Counting()
    async with house_of(tmp_path, Scripted(["Hello."])) as house:

        async def stored() -> bool:
            return await house.event_log.find_accepted(HELLO) is not None

        async with TurnRunner(house.event_log, house.keeper.current, "here", watch, admission) as runner:
            await whole(house, (await runner.start(HELLO)).turn)

    assert admission.inside == (False, True)


async def test_a_background_task_that_fails_is_started_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lines: Lines
) -> None:
    """Prompts stay live and leases stay kept although a watcher met a bug."""
    monkeypatch.setattr(runner_module, "RENEW_S", 0.01)
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
        await until(lambda: tries > 1)

    assert [line["task"] for line in lines() if line["event"] == "task.failed"] == ["desk-watcher"] * tries


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
            await _until_it_is_renewed(house)
        house.runner._spawn(turn, HELLO.owner)
        hold.set()
        told = await whole(house, turn)
        await until(lambda: not house.runner.under_way)
        house.runner._spawn(turn, HELLO.owner)
        await until(lambda: not house.runner.under_way)
        assert await house.event_log.read_turn(turn) == told

    assert len(engine.asked) == 1
    assert [line["event"] for line in lines() if line["event"].startswith("turn.")] == ["turn.routed"]


async def _until_it_is_renewed(house: House) -> None:
    def lease_until_s(connection: Connection) -> float:
        return float(connection.execute(select(turns.c.lease_until_s)).scalar_one())

    async with asyncio.timeout(PATIENCE_S):
        while await house.database.read(lease_until_s) < time.time():  # noqa: ASYNC110 - the keeper tells nobody
            await asyncio.sleep(0.01)


@pytest.mark.fault("D5")
async def test_a_log_that_cannot_be_read_for_a_moment_delays_a_turn_and_does_not_end_it(
    tmp_path: Path, lines: Lines
) -> None:
    """An accepted message is answered although the database was too busy when its turn came."""
    held = threading.Event()
    async with house_of(tmp_path, Scripted(["Yes."])) as house:
        first = (await house.runner.start(HELLO)).turn
        await whole(house, first)
        house.database._reader_wait_s = 0.05
        slow = [asyncio.ensure_future(_hold_a_reader(house, held)) for _ in range(READERS)]
        again = replace(HELLO, message_id="m2", conversation_id=first.conversation_id)
        turn = (await house.runner.start(again)).turn
        await until(lambda: _interrupted(lines))
        house.database._reader_wait_s = PATIENCE_S
        held.set()
        told = await whole(house, turn)
        await asyncio.gather(*slow)

    assert isinstance(told[-1].event, TurnFinished)
    assert {line["code"] for line in _interrupted(lines)} == {"pool_exhausted"}


async def test_a_first_message_is_answered_without_reading_the_log(tmp_path: Path) -> None:
    """What was stored a moment ago is known; every turn would wait for a reader, and for nothing."""
    async with house_of(tmp_path, Scripted(["Yes."])) as house:
        house.database._reader_wait_s = 0.0
        accepted = await house.runner.start(HELLO)
        assert accepted.first is not None
        async with asyncio.timeout(PATIENCE_S):
            follower = house.event_log.follow_turn(accepted.turn, first=accepted.first)
            told = [item async for news in follower for item in news]

    assert isinstance(told[-1].event, TurnFinished)


async def test_what_was_stored_a_moment_ago_is_read_again_once_anything_may_have_come_since(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A turn that another server took over meanwhile, or a try that broke in the middle, would be begun anew."""
    told: dict[int, list[bool]] = {1: [], 2: []}

    async def breaks_once(log: EventLog, desk: Desk, turn: TurnRef, *rest: Any, **facts: Any) -> None:  # noqa: ANN401
        told[turn.ordinal].append(facts["first"] is not None)
        if len(told[1]) == 1:
            raise ValueError
        await attempt(log, desk, turn, *rest, **facts)

    monkeypatch.setattr(runner_module, "attempt", breaks_once)
    hold = asyncio.Event()
    async with house_of(tmp_path, Scripted([hold, "Yes."])) as house:
        first = (await house.runner.start(HELLO)).turn
        again = replace(HELLO, message_id="m2", conversation_id=first.conversation_id)
        behind = (await house.runner.start(again)).turn
        hold.set()
        await whole(house, behind)

    assert told == {1: [True, False], 2: [False]}


async def test_a_message_finds_company_before_it_is_stored(tmp_path: Path) -> None:
    """On a busy server each would begin alone, and cost more than it has to."""
    goes = asyncio.Event()
    found: list[int] = []

    class Waits(Company):
        async def join(self) -> None:
            found.append(house.runner.under_way)
            await goes.wait()

    async with house_of(tmp_path, Scripted(["Yes."])) as house:
        house.runner.admission.company = Waits()
        coming = [
            asyncio.create_task(house.runner.start(replace(HELLO, message_id=each))) for each in ("a", "b")
        ]
        await until(lambda: len(found) == len(coming))
        assert not house.runner.under_way
        goes.set()
        for each in coming:
            assert isinstance((await whole(house, (await each).turn))[-1].event, TurnFinished)


async def _hold_a_reader(house: House, held: threading.Event) -> None:
    with pytest.raises(Unavailable):  # nobody waits so long for it, but it is held
        await house.database.read(lambda _: held.wait(PATIENCE_S))


def _interrupted(lines: Lines) -> list[dict[str, Any]]:
    return [line for line in lines() if line["event"] == "turn.interrupted"]
