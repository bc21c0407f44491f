"""A turn has exactly one end, whatever breaks on the way; what was read stays, and no log line holds its words."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, func, select, update

from engine.base import ToolUse
from errors import EngineDown
from events import (
    Event,
    HandoffRequested,
    RouteDecided,
    SpecialistStarted,
    TextDelta,
    TextEnded,
    TextStarted,
    TurnFailed,
    TurnFinished,
    TurnRecovered,
    TurnRef,
    recorded_list,
)
from readers.reply import fold_reply, fold_text
from router import attempt as attempt_module
from server import House
from store.log import EventLog, NewMessage
from store.rows import recorded_in
from store.schema import events, tickets, turns
from store.wake import Wake
from tests.engines import Scripted, Swap
from tests.router.running import (
    ASKED_FOR_PERSON,
    CANARY,
    HANDOFF,
    HELLO,
    house_of,
    in_module_loop,
    kinds,
    only_of,
    until,
    whole,
)
from tests.waiting import PATIENCE_S
from tests.waiting import until as comes

PERSON = replace(HELLO, text=ASKED_FOR_PERSON)
Lines = Callable[[], list[dict[str, Any]]]


def routed(lines: Lines, turn: TurnRef) -> list[dict[str, Any]]:
    """The routing lines of this turn."""
    return [line for line in lines() if line["event"] == "turn.routed" and line["turn_id"] == turn.turn_id]


@in_module_loop
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
    breaks: Exception, code: str, house: House, swap: Swap, hello: NewMessage, lines: Lines
) -> None:
    """A bug costs its own customer an apology in their language, and nobody's words reach the log."""
    engine = Scripted(lambda request: [breaks] if CANARY in request.message else ["fine"])
    swap.engine = engine
    message = replace(hello, text=f"hola, buenos días, ¿cómo estás? {CANARY}")
    turn = (await house.runner.start(message)).turn
    told = await whole(house, turn)
    after = replace(hello, message_id="m2", conversation_id=turn.conversation_id)
    assert isinstance((await whole(house, (await house.runner.start(after)).turn))[-1].event, TurnFinished)

    failed = only_of(told, TurnFailed)
    assert failed.code == code
    assert "Lo siento" in failed.message
    assert fold_text(item.event for item in told) == failed.message
    assert [line["outcome"] for line in routed(lines, turn)] == ["failed_with_notice"]
    assert routed(lines, turn)[0]["faults"] == [code]
    [line] = [line for line in lines() if line["event"] == "turn.failed"]
    assert "engines.py" in line["where"]


@in_module_loop
async def test_words_that_were_shown_stay_when_the_turn_breaks(
    house: House, swap: Swap, hello: NewMessage
) -> None:
    """A customer who has read half an answer keeps it, and is told that it is a half."""
    hold = asyncio.Event()
    swap.engine = Scripted(["Here is what we know. ", "as far ", "as it ", hold, ValueError("bug")])
    turn = (await house.runner.start(hello)).turn
    await until(house, turn, "text.delta")
    hold.set()
    told = await whole(house, turn)

    text = fold_text(item.event for item in told)
    assert text.startswith("Here is what we know.")
    assert "may be incomplete" in text
    assert kinds(told).count("text.started") == kinds(told).count("text.ended") == 1
    assert kinds(told)[-1] == "turn.failed"


@in_module_loop
@pytest.mark.fault("U10")
@pytest.mark.parametrize(
    ("said", "shown"),
    [
        (["Here is what we know. ", "You may also ask Gei"], "Here is what we know. You may also ask Gei"),
        (["Here is what we know. ", "It costs $9"], "Here is what we know. It costs "),
        (["Hello"], "Hello"),
    ],
    ids=["the beginning of a name", "half a price", "too little to know its language by"],
)
async def test_what_guards_hold_back_when_the_engine_breaks_is_shown_as_far_as_it_is_safe(
    said: list[str], shown: str, house: House, swap: Swap, hello: NewMessage, lines: Lines
) -> None:
    """A customer would lose the last words before the break, or read a half of what a guard was just about to stop."""
    swap.engine = Scripted([*said, EngineDown("the line broke")])
    turn = (await house.runner.start(hello)).turn
    told = await whole(house, turn)
    text = fold_text(item.event for item in told)
    before, _, notice = text.partition("\n\nThe connection to the assistant broke here")

    assert before.startswith(shown)
    assert "$9" not in before
    assert "may be incomplete" in notice
    assert fold_reply(turn, [item.event for item in told]).text == text  # saved as it was sent
    assert kinds(told).count("text.started") == kinds(told).count("text.ended") == 1
    await comes(lambda: routed(lines, turn))
    assert routed(lines, turn)[0]["outcome"] == "failed_with_notice"


@in_module_loop
@pytest.mark.fault("P7")
async def test_the_same_words_twice_within_a_moment_are_told_in_the_log(
    house: House, swap: Swap, hello: NewMessage, lines: Lines
) -> None:
    """Ops would not see that a page sends each message twice, and customers read two answers."""
    swap.engine = Scripted(["Hello."])
    first = (await house.runner.start(hello)).turn
    said = [("m2", hello.text), ("m3", "something else")]
    turns = [first]
    for message_id, text in said:
        message = replace(hello, text=text, message_id=message_id, conversation_id=first.conversation_id)
        turns.append((await house.runner.start(message)).turn)
    await comes(lambda: all(routed(lines, turn) for turn in turns))

    assert [line["faults"] for turn in turns for line in routed(lines, turn)] == [
        [],
        ["possible_duplicate"],
        [],
    ]


async def test_the_same_words_a_while_later_are_no_double_click(tmp_path: Path, lines: Lines) -> None:
    """Who says "yes" to two questions has not clicked twice."""
    async with house_of(tmp_path, Scripted(["Hello."])) as house:
        await whole(house, (first := (await house.runner.start(HELLO)).turn))
        earlier = datetime.now(UTC) - timedelta(seconds=3)

        def age(connection: Connection) -> None:
            [row] = connection.execute(select(events).where(events.c.first_seq == 1)).all()
            accepted = [item.model_copy(update={"at": earlier}) for item in recorded_in([row.payload])]
            payload = recorded_list.dump_json(accepted).decode()
            connection.execute(update(events).where(events.c.first_seq == 1).values(payload=payload))

        await house.database.write(age)
        again = replace(HELLO, message_id="m2", conversation_id=first.conversation_id)
        turn = (await house.runner.start(again)).turn
        await whole(house, turn)

    assert routed(lines, turn)[0]["faults"] == []


@in_module_loop
async def test_an_engine_that_says_nothing_gives_a_notice(
    house: House, swap: Swap, hello: NewMessage
) -> None:
    """Never an empty bubble."""
    swap.engine = Scripted([])
    told = await whole(house, (await house.runner.start(hello)).turn)

    assert only_of(told, TurnFailed).message == fold_text(item.event for item in told) != ""


async def test_no_log_line_ever_holds_what_customers_or_engines_say(tmp_path: Path, lines: Lines) -> None:
    """Operators may keep logs for years: names, words, tool arguments and made-up tool names are not in them."""
    use = ToolUse("call-1", f"tool_{CANARY}", {CANARY: CANARY})
    engine = Scripted([use], afterwards=[f"I repeat: {CANARY}"])
    async with house_of(tmp_path, engine) as house:
        turn = (await house.runner.start(replace(HELLO, text=f"hello, my name is {CANARY}"))).turn
        await whole(house, turn)
    async with house_of(tmp_path, Scripted([HANDOFF, use, TypeError(CANARY)])) as house:
        person = replace(PERSON, text=f"{ASKED_FOR_PERSON}, {CANARY}", message_id="m2")
        await whole(house, (await house.runner.start(person)).turn)

    [line] = routed(lines, turn)
    assert line["tools"] == ["unknown"]
    assert "tool_unknown" in line["faults"]


async def test_a_turn_cut_short_is_finished_by_the_next_server_on_its_old_route(
    tmp_path: Path, lines: Lines
) -> None:
    """After a restart the customer gets the answer that was on its way, and not another department's."""
    hold = asyncio.Event()
    async with house_of(tmp_path, Scripted([hold])) as house:
        turn = (await house.runner.start(replace(HELLO, text="how much for a Leaf?"))).turn
        await until(house, turn, "specialist.started")
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


async def test_a_turn_whose_server_died_without_a_trace_tells_that_it_was_taken_over(tmp_path: Path) -> None:
    """A message that kills each server while it is labelled would go round for ever; so attempts are counted."""
    async with house_of(tmp_path, Scripted(["Hello."])) as house:
        gone = EventLog(house.database, Wake(), "gone")
        turn = (await gone.accept(HELLO)).turn
        await gone.release_leases()
        told = await whole(house, turn)

    assert kinds(told)[:2] == ["turn.accepted", "turn.recovered"]
    assert kinds(told)[-1] == "turn.finished"


async def test_words_that_were_shown_before_a_restart_are_never_taken_back(
    tmp_path: Path, lines: Lines
) -> None:
    """What a customer has read stays; the turn is closed with an honest notice, not answered from the top."""
    async with house_of(
        tmp_path, Scripted(["Here is what we know. ", "A person ", asyncio.Event()])
    ) as house:
        turn = (await house.runner.start(HELLO)).turn
        await until(house, turn, "text.delta")
    engine = Scripted(["Something else."])
    async with house_of(tmp_path, engine) as house:
        told = await whole(house, turn)

    text = fold_text(item.event for item in told)
    assert text.startswith("Here is what")
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

        def forget_the_end(connection: Connection) -> None:
            rows = connection.execute(select(events).where(events.c.last_seq > 1)).all()
            kept = [item for item in told if 1 < item.seq <= end]
            payload = json.dumps([item.model_dump(mode="json") for item in kept])
            for row in rows[1:]:
                connection.execute(events.delete().where(events.c.first_seq == row.first_seq))
            first = {"first_seq": 2, "last_seq": end, "payload": payload}
            connection.execute(update(events).where(events.c.first_seq == rows[0].first_seq).values(first))
            connection.execute(update(turns).values(is_open=1, lease_until_s=0.0))

        await house.database.write(forget_the_end)
    async with house_of(tmp_path, Scripted(["Another."])) as house:
        again = await whole(house, turn)

    assert fold_text(item.event for item in again) == "A whole answer."
    assert only_of(again, TurnFinished).outcome == "answered_degraded"


@pytest.mark.fault("P3")
async def test_a_tool_that_had_its_effect_before_a_restart_has_no_second_one(tmp_path: Path) -> None:
    """Killed between the ticket and its record: the customer gets one ticket number, and one person."""
    hold = asyncio.Event()
    async with house_of(tmp_path, Scripted([HANDOFF], afterwards=[hold])) as house:
        turn = (await house.runner.start(PERSON)).turn
        await until(house, turn, "tool.called")
        async with asyncio.timeout(PATIENCE_S):
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


async def test_a_ticket_is_told_even_when_the_words_after_it_were_cut(tmp_path: Path) -> None:
    """A person is on the way: the reply and the history must say so, also after a restart in mid-sentence."""
    async with house_of(
        tmp_path, Scripted([HANDOFF], afterwards=["Here is what we know. ", "A person ", asyncio.Event()])
    ) as house:
        turn = (await house.runner.start(PERSON)).turn
        await until(house, turn, "text.delta")
    async with house_of(tmp_path, Scripted(["Another."])) as house:
        told = await whole(house, turn)
        made = await _tickets(house)

    assert [item.event.ticket_id for item in told if isinstance(item.event, HandoffRequested)] == made
    assert kinds(told).count("specialist.started") == kinds(told).count("specialist.finished")
    assert kinds(told)[-1] == "turn.failed"


async def _tickets(house: House) -> list[str]:
    query = select(tickets.c.ticket_id)
    return await house.database.read(lambda connection: list(connection.execute(query).scalars()))


@pytest.mark.fault("D6")
@in_module_loop
async def test_a_row_that_cannot_be_read_costs_only_its_own_conversation(
    house: House, swap: Swap, hello: NewMessage, lines: Lines
) -> None:
    """One damaged row: that customer gets a notice, everybody else their answer."""
    swap.engine = Scripted(["Hello."])
    broken = (await house.runner.start(hello)).turn
    await whole(house, broken)

    def damage(connection: Connection) -> None:
        payload = json.dumps([{"seq": 1, "at": "never", "event": {"text": CANARY}}])
        mine = (events.c.conversation_id == broken.conversation_id) & (events.c.first_seq > 1)
        connection.execute(update(events).where(mine).values(payload=payload))

    await house.database.write(damage)
    next_one = replace(hello, message_id="m2", conversation_id=broken.conversation_id)
    told = await whole(house, (await house.runner.start(next_one)).turn)
    other = await whole(house, (await house.runner.start(replace(hello, owner=f"{hello.owner}-b"))).turn)
    recent = [turn.conversation_id for turn, _ in await house.event_log.recent_turns(100)]

    assert only_of(told, TurnFailed).code == "row_unreadable"
    assert isinstance(other[-1].event, TurnFinished)
    assert recent.count(broken.conversation_id) == 1
    assert [line["event"] for line in lines() if line["level"] == "warning"] == ["row.unreadable"]


@pytest.mark.fault("D6")
async def test_a_turn_whose_own_record_is_damaged_still_ends(tmp_path: Path) -> None:
    """A message that can no longer be read is closed with a notice instead of being tried for ever."""
    async with house_of(tmp_path, Scripted([asyncio.Event()])) as house:
        turn = (await house.runner.start(HELLO)).turn

        def damage(connection: Connection) -> None:
            connection.execute(update(events).values(payload="[1]"))

        await house.database.write(damage)
    async with house_of(tmp_path, Scripted(["Hello."])) as house:
        async with asyncio.timeout(PATIENCE_S):
            while await _open_turns(house):  # noqa: ASYNC110 - this turn cannot be followed
                await asyncio.sleep(0.02)
        last = select(events.c.payload).order_by(events.c.last_seq.desc())
        assert "turn.failed" in await house.database.read(
            lambda connection: connection.execute(last).scalars().first() or ""
        )
    assert turn.ordinal == 1


async def _open_turns(house: House) -> int:
    query = select(func.count()).select_from(turns).where(turns.c.is_open == 1)
    return await house.database.read(lambda connection: connection.execute(query).scalar_one())


@pytest.mark.parametrize("handed_over", [True, False])
def test_after_its_end_a_turn_says_nothing_more(handed_over: bool, lines: Lines) -> None:
    """A late word of a cancelled guess, or a second end, never reaches the customer."""
    said: list[Event] = []
    told = attempt_module._Told(said.append)
    told.emit(TextStarted(message_id="a"))
    if handed_over:
        told.emit(HandoffRequested(ticket_id="T-1", reason="other"))
    told.emit(TextEnded(message_id="a"))
    told.emit(TurnFinished(outcome="answered"))
    told.emit(TextDelta(message_id="a", text=CANARY))
    told.emit(TurnFailed(code="late", message=CANARY))

    assert said[-1] == TurnFinished(outcome="answered")
    assert (told.text, told.handed_over) == ("complete", handed_over)
    assert [line["type"] for line in lines()] == ["text.delta", "turn.failed"]
