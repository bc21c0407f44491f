"""Every accepted message ends exactly once, in order, whatever breaks on the way; and no log line holds its words."""

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from engine.base import ToolUse
from engine.local import Local
from errors import Busy, EngineDown, Unavailable
from events import (
    Frozen,
    HandoffRequested,
    Recorded,
    RouteDecided,
    SpecialistStarted,
    TextEnded,
    TurnAccepted,
    TurnFailed,
    TurnFinished,
    TurnRecovered,
    TurnRef,
    is_end,
)
from readers.reply import fold_text
from router import runner as runner_module
from router.desk import Desk, Engines
from router.runner import TurnRunner
from server import House, open_house
from store.log import NewMessage
from store.schema import events, tickets, turns
from tests.engines import Scripted, echo
from tests.serving import local_settings

CANARY = "zanzibar-canary"
HELLO = NewMessage("visitor:a", "hello", "m1")
PERSON = replace(HELLO, text="I want to talk to a person please")
HANDOFF = ToolUse("call-1", "handoff", {"reason": "asked_for_person", "summary": "They asked for a person."})
Lines = Callable[[], list[dict[str, Any]]]
Kind = TypeVar("Kind", bound=Frozen)


@asynccontextmanager
async def house_of(folder: Path, engine: Scripted | Local) -> AsyncIterator[House]:
    """A desk whose answers this engine gives, on the folder's database."""
    engines = Engines(answer=engine, label=None, expects_claude=False)
    async with open_house(local_settings(folder), engines) as house:
        yield house


async def whole(house: House, turn: TurnRef, within_s: float = 5) -> list[Recorded]:
    """All events of the turn, once it has ended."""
    async with asyncio.timeout(within_s), aclosing(house.event_log.follow_turn(turn)) as follower:
        return [item async for item in follower if item is not None]


def kinds(recorded: list[Recorded]) -> list[str]:
    """The types of the events."""
    return [item.event.type for item in recorded]


def only_of(recorded: list[Recorded], kind: type[Kind]) -> Kind:
    """The one event of this kind."""
    [found] = [item.event for item in recorded if isinstance(item.event, kind)]
    return found


@pytest.fixture
def lines(capsys: pytest.CaptureFixture[str]) -> Lines:
    """What was logged so far, as JSON; it is an error when a line holds a customer's words."""
    kept: list[str] = []

    def read() -> list[dict[str, Any]]:
        printed = capsys.readouterr()
        kept.extend(printed.out.splitlines())
        assert CANARY not in printed.out
        assert CANARY not in printed.err
        return [json.loads(line) for line in kept]

    return read


def routed(lines: Lines, turn: TurnRef) -> list[dict[str, Any]]:
    """The routing lines of this turn."""
    return [line for line in lines() if line["event"] == "turn.routed" and line["turn_id"] == turn.turn_id]


async def test_messages_of_one_conversation_are_answered_one_by_one_in_order(tmp_path: Path) -> None:
    """Two answers never talk over each other, and an answer knows all that was said before it."""
    engine = Scripted(lambda request: [0.01, *echo(request)])
    async with house_of(tmp_path, engine) as house:
        first = (await house.runner.start(HELLO)).turn
        more = [
            NewMessage("visitor:a", f"hello number {number}", f"n{number}", first.conversation_id)
            for number in range(6)
        ]
        accepted = [(await house.runner.start(message)).turn for message in more]
        told = [await whole(house, turn) for turn in [first, *accepted]]

    for earlier, later in itertools.pairwise(told):
        assert later[1].at >= earlier[-1].at
    assert [fold_text(item.event for item in recorded).split() for recorded in told] == [
        HELLO.text.split(),
        *(message.text.split() for message in more),
    ]
    assert [len(request.history) for request in engine.asked] == [2 * number for number in range(7)]


async def test_conversations_do_not_wait_for_each_other(tmp_path: Path) -> None:
    """One customer's slow answer is nobody else's business."""
    hold = asyncio.Event()
    engine = Scripted(lambda request: [hold, "late"] if "slow" in request.message else ["soon"])
    async with house_of(tmp_path, engine) as house:
        slow = (await house.runner.start(replace(HELLO, text="hello, slow please"))).turn
        fast = (await house.runner.start(replace(HELLO, owner="visitor:b"))).turn

        assert isinstance((await whole(house, fast))[-1].event, TurnFinished)
        hold.set()
        assert isinstance((await whole(house, slow))[-1].event, TurnFinished)


@pytest.mark.parametrize(
    ("breaks", "code"),
    [
        (ValueError(f"a bug that quotes {CANARY}"), "internal_error"),
        (EngineDown(f"no line, said {CANARY}"), "internal_error"),
        (ExceptionGroup("two", [KeyError(CANARY), ValueError(CANARY)]), "internal_error"),
    ],
    ids=["bug", "engine", "group"],
)
async def test_a_turn_that_breaks_ends_with_an_honest_notice(
    breaks: Exception, code: str, tmp_path: Path, lines: Lines
) -> None:
    """A bug costs its own customer an apology in their language, and nobody's words reach the log."""
    engine = Scripted(lambda request: [breaks] if CANARY in request.message else ["fine"])
    async with house_of(tmp_path, engine) as house:
        message = replace(HELLO, text=f"hola, buenos días, ¿cómo estás? {CANARY}")
        turn = (await house.runner.start(message)).turn
        told = await whole(house, turn)
        after = replace(HELLO, message_id="m2", conversation_id=turn.conversation_id)
        assert isinstance(
            (await whole(house, (await house.runner.start(after)).turn))[-1].event, TurnFinished
        )

    failed = only_of(told, TurnFailed)
    assert failed.code == code
    assert "Lo siento" in failed.message
    assert fold_text(item.event for item in told) == failed.message
    assert [line["outcome"] for line in routed(lines, turn)] == ["failed_with_notice"]
    assert routed(lines, turn)[0]["faults"] == [code]
    [line] = [line for line in lines() if line["event"] == "turn.failed"]
    assert "engines.py" in line["where"]


async def test_words_that_were_shown_stay_when_the_turn_breaks(tmp_path: Path) -> None:
    """A customer who has read half an answer keeps it, and is told that it is a half."""
    async with house_of(tmp_path, Scripted(["Half an ", "answer", 0.1, ValueError("bug")])) as house:
        told = await whole(house, (await house.runner.start(HELLO)).turn)

    text = fold_text(item.event for item in told)
    assert text.startswith("Half an answer\n\n")
    assert "may be incomplete" in text
    assert kinds(told).count("text.started") == kinds(told).count("text.ended") == 1
    assert kinds(told)[-1] == "turn.failed"


async def test_an_engine_that_says_nothing_gives_a_notice(tmp_path: Path) -> None:
    """Never an empty bubble."""
    async with house_of(tmp_path, Scripted([])) as house:
        told = await whole(house, (await house.runner.start(HELLO)).turn)

    assert only_of(told, TurnFailed).message == fold_text(item.event for item in told) != ""


async def test_no_log_line_ever_holds_what_customers_or_engines_say(tmp_path: Path, lines: Lines) -> None:
    """Operators may keep logs for years: names, words, tool arguments and made-up tool names are not in them."""
    use = ToolUse("call-1", f"tool_{CANARY}", {CANARY: CANARY})
    engine = Scripted([use], afterwards=[f"I repeat: {CANARY}"])
    async with house_of(tmp_path, engine) as house:
        turn = (await house.runner.start(replace(HELLO, text=f"hello, my name is {CANARY}"))).turn
        await whole(house, turn)
    async with house_of(tmp_path, Scripted([HANDOFF, use, TypeError(CANARY)])) as house:
        person = replace(PERSON, text=f"{PERSON.text}, {CANARY}", message_id="m2")
        await whole(house, (await house.runner.start(person)).turn)

    [line] = routed(lines, turn)
    assert line["tools"] == ["unknown"]
    assert "tool_unknown" in line["faults"]


async def test_a_message_sent_again_joins_its_turn(tmp_path: Path) -> None:
    """A client that retries never pays for, or reads, two answers."""
    engine = Scripted([0.05, "Hello."])
    async with house_of(tmp_path, engine) as house:
        accepted = await asyncio.gather(*(house.runner.start(HELLO) for _ in range(20)))
        await whole(house, accepted[0].turn)
        again = await house.runner.start(HELLO)

    assert {item.turn for item in accepted} == {again.turn}
    assert len(engine.asked) == 1


async def test_a_turn_cut_short_is_finished_by_the_next_server_on_its_old_route(
    tmp_path: Path, lines: Lines
) -> None:
    """After a restart the customer gets the answer that was on its way, and not another department's."""
    hold = asyncio.Event()
    async with house_of(tmp_path, Scripted([hold])) as house:
        turn = (await house.runner.start(replace(HELLO, text="how much for a Leaf?"))).turn
        async with aclosing(house.event_log.follow_turn(turn)) as follower:
            async for item in follower:
                if item is not None and isinstance(item.event, SpecialistStarted):
                    break
    async with house_of(tmp_path, Scripted(["Here you are."])) as house:
        told = await whole(house, turn)
        again = await house.runner.start(replace(HELLO, text="how much for a Leaf?"))

    assert again.turn == turn
    route = only_of(told, RouteDecided)
    assert only_of(told, TurnFinished).outcome == "answered"
    assert fold_text(item.event for item in told) == "Here you are."
    assert [e.event.intent for e in told if isinstance(e.event, SpecialistStarted)] == [route.intent] * 2
    assert kinds(told).count("specialist.finished") == 2
    assert only_of(told, TurnRecovered)
    assert [item.seq for item in told] == list(range(1, len(told) + 1))
    [line] = routed(lines, turn)
    assert line["faults"] == ["turn_recovered"]


async def test_words_that_were_shown_before_a_restart_are_never_taken_back(
    tmp_path: Path, lines: Lines
) -> None:
    """What a customer has read stays; the turn is closed with an honest notice, not answered from the top."""
    async with house_of(tmp_path, Scripted(["The price ", "is ", 10.0])) as house:
        turn = (await house.runner.start(HELLO)).turn
        async with aclosing(house.event_log.follow_turn(turn)) as follower:
            async for item in follower:
                if item is not None and item.event.type == "text.delta":
                    break
    engine = Scripted(["Something else."])
    async with house_of(tmp_path, engine) as house:
        told = await whole(house, turn)

    text = fold_text(item.event for item in told)
    assert text.startswith("The price")
    assert "may be incomplete" in text
    assert "Something else" not in text
    assert only_of(told, TurnFailed).code == "interrupted"
    assert engine.asked == []
    assert [line["outcome"] for line in routed(lines, turn)] == ["failed_with_notice"]


async def test_an_answer_that_was_complete_before_a_restart_stays_an_answer(tmp_path: Path) -> None:
    """A process that dies between the last word and the end of the turn leaves no apology below a good answer."""
    async with house_of(tmp_path, Scripted(["A whole answer."])) as house:
        turn = (await house.runner.start(PERSON)).turn
        told = await whole(house, turn)
        end = next(item.seq for item in told if isinstance(item.event, TextEnded))

        async def forget_the_end(connection: AsyncConnection) -> None:
            rows = (await connection.execute(select(events).where(events.c.last_seq > 1))).all()
            kept = [item for item in told if 1 < item.seq <= end]
            payload = json.dumps([item.model_dump(mode="json") for item in kept])
            for row in rows[1:]:
                await connection.execute(events.delete().where(events.c.first_seq == row.first_seq))
            first = {"first_seq": 2, "last_seq": end, "payload": payload}
            await connection.execute(
                update(events).where(events.c.first_seq == rows[0].first_seq).values(first)
            )
            await connection.execute(update(turns).values(is_open=1, lease_until_s=0.0))

        await house.database.write(forget_the_end)
    async with house_of(tmp_path, Scripted(["Another."])) as house:
        again = await whole(house, turn)

    assert fold_text(item.event for item in again) == "A whole answer."
    assert only_of(again, TurnFinished).outcome == "answered_degraded"


async def test_a_tool_that_had_its_effect_before_a_restart_has_no_second_one(tmp_path: Path) -> None:
    """Killed between the ticket and its record: the customer gets one ticket number, and one person."""
    hold = asyncio.Event()
    async with house_of(tmp_path, Scripted([HANDOFF], afterwards=[hold])) as house:
        turn = (await house.runner.start(PERSON)).turn
        async with aclosing(house.event_log.follow_turn(turn)) as follower:
            async for item in follower:
                if item is not None and item.event.type == "tool.called":
                    break
        while not await _tickets(house):  # noqa: ASYNC110 - the effect is not told to anybody before its record
            await asyncio.sleep(0)
    async with house_of(tmp_path, Scripted([HANDOFF], afterwards=["A person will come."])) as house:
        told = await whole(house, turn)
        made = await _tickets(house)

    shown = {item.event.ticket_id for item in told if isinstance(item.event, HandoffRequested)}
    assert len(made) == 1
    assert shown == set(made)
    assert only_of(told, TurnFinished).outcome == "escalated"
    assert kinds(told).count("tool.called") == kinds(told).count("tool.returned")


async def _tickets(house: House) -> list[str]:
    async with house.database.read() as connection:
        return list((await connection.execute(select(tickets.c.ticket_id))).scalars())


async def test_a_row_that_cannot_be_read_costs_only_its_own_conversation(
    tmp_path: Path, lines: Lines
) -> None:
    """One damaged row: that customer gets a notice, everybody else their answer."""
    async with house_of(tmp_path, Scripted(["Hello."])) as house:
        broken = (await house.runner.start(HELLO)).turn
        await whole(house, broken)

        async def damage(connection: AsyncConnection) -> None:
            payload = json.dumps([{"seq": 1, "at": "never", "event": {"text": CANARY}}])
            await connection.execute(update(events).where(events.c.first_seq > 1).values(payload=payload))

        await house.database.write(damage)
        next_one = replace(HELLO, message_id="m2", conversation_id=broken.conversation_id)
        told = await whole(house, (await house.runner.start(next_one)).turn)
        other = await whole(house, (await house.runner.start(replace(HELLO, owner="visitor:b"))).turn)
        recent = await house.event_log.recent_turns(10)

    assert only_of(told, TurnFailed).code == "row_unreadable"
    assert isinstance(other[-1].event, TurnFinished)
    assert len(recent) == 2
    assert [line["event"] for line in lines() if line["level"] == "warning"] == ["row.unreadable"]


async def test_a_turn_whose_own_record_is_damaged_still_ends(tmp_path: Path) -> None:
    """A message that can no longer be read is closed with a notice instead of being tried for ever."""
    async with house_of(tmp_path, Scripted([asyncio.Event()])) as house:
        turn = (await house.runner.start(HELLO)).turn

        async def damage(connection: AsyncConnection) -> None:
            await connection.execute(update(events).values(payload="[1]"))

        await house.database.write(damage)
    async with house_of(tmp_path, Scripted(["Hello."])) as house:
        async with asyncio.timeout(5):
            while await _open_turns(house):  # noqa: ASYNC110 - this turn cannot be followed
                await asyncio.sleep(0.02)
        async with house.database.read() as connection:
            last = (
                await connection.execute(select(events.c.payload).order_by(events.c.last_seq.desc()))
            ).scalars()
            assert "turn.failed" in str(last.first())
    assert turn.ordinal == 1


async def _open_turns(house: House) -> int:
    async with house.database.read() as connection:
        query = select(func.count()).select_from(turns).where(turns.c.is_open == 1)
        return (await connection.execute(query)).scalar_one()


async def test_a_turn_that_another_server_took_is_left_to_it(tmp_path: Path) -> None:
    """A server that was frozen stops talking when it learns that its turn is somebody else's."""
    hold = asyncio.Event()
    async with house_of(tmp_path, Scripted([hold, "Too late."])) as house:
        turn = (await house.runner.start(HELLO)).turn

        async def take_away(connection: AsyncConnection) -> None:
            await connection.execute(update(turns).values(lease_owner="ghost", lease_until_s=4_000_000_000.0))

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


async def test_too_many_messages_of_one_conversation_are_refused_before_acceptance(tmp_path: Path) -> None:
    """A customer who pastes a book line by line is asked to wait; what was taken is answered."""
    hold = asyncio.Event()
    async with house_of(tmp_path, Scripted([hold, "Yes."])) as house:
        first = (await house.runner.start(HELLO)).turn
        messages = [
            NewMessage("visitor:a", f"line {number}", f"n{number}", first.conversation_id)
            for number in range(22)
        ]
        outcomes = await asyncio.gather(*(house.runner.start(m) for m in messages), return_exceptions=True)
        hold.set()
        refused = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
        taken = [outcome.turn for outcome in outcomes if not isinstance(outcome, BaseException)]
        for turn in taken:
            assert is_end((await whole(house, turn, 20))[-1].event)

    assert [type(error) for error in refused] == [Busy, Busy]
    assert len(taken) == 20


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
        raise NotImplementedError

    async with AsyncExitStack() as stack:
        house = await stack.enter_async_context(house_of(tmp_path, Scripted([])))
        runner = TurnRunner(house.event_log, no_desk, "here", watch)
        await stack.enter_async_context(runner)
        await asyncio.sleep(runner_module.RENEW_S + 0.2)

    assert tries == 2
    assert [line["task"] for line in lines() if line["event"] == "task.failed"] == ["desk-watcher"] * 2


async def test_a_message_knows_only_its_own_conversation(tmp_path: Path) -> None:
    """No turn sees what another customer said."""
    engine = Scripted(echo)
    async with house_of(tmp_path, engine) as house:
        for owner in ("visitor:a", "visitor:b"):
            first = replace(HELLO, owner=owner, text=f"hello from {owner}")
            turn = (await house.runner.start(first)).turn
            await whole(house, turn)
            again = replace(first, message_id="m2", conversation_id=turn.conversation_id)
            told = await whole(house, (await house.runner.start(again)).turn)
            assert only_of(told, TurnAccepted).text == first.text

    for request in engine.asked:
        said = {said.text.split()[-1] for said in request.history} | {request.message.split()[-1]}
        assert len(said) == 1
