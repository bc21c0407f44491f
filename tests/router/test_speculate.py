"""Guessing: a right guess hides the label's time, a wrong one leaves nothing but its cost."""

import asyncio
from dataclasses import replace

import pytest

from engine.base import Done, EngineRequest, Metered, ToolUse
from errors import EngineDown
from events import EngineCalled, GuessDiscarded, RouteDecided, TextDelta, TextStarted
from router.speculate import Gate
from tests.router.room import (
    SPENT,
    Brain,
    Shelf,
    Step,
    Talk,
    Thinker,
    claude_engines,
    desk,
    label,
    said,
)

pytestmark = pytest.mark.quick_time
QUOTE = "How much would it cost to insure my 2022 Nissan Leaf with 20000 miles? I am 34."
PRICE = {"make": "Nissan", "model": "Leaf", "year": 2022, "mileage": 20000, "driver_age": 34}


def _intent(request: EngineRequest) -> str:
    return request.brief.intent if request.brief else "label"


def _answers(request: EngineRequest) -> list[Step]:
    """A quote asks for its tool first; all others speak at once."""
    if _intent(request) == "quote" and not request.rounds:
        use = ToolUse("t1", "get_quote", dict(PRICE))
        return [Metered(SPENT), use, Done("tool_use", "claude", "m", 1, SPENT, native=[])]
    return said(f"I am {_intent(request)}.")


def _room(*label_script: Step, answers: Brain = _answers) -> tuple[Talk, Thinker, Shelf]:
    answering = Thinker(answers)
    shelf = Shelf()
    at = desk(claude_engines(answering, Thinker(lambda _: label_script)), shelf=shelf)
    return Talk(at), answering, shelf


# The gate


def test_a_closed_gate_holds_and_an_open_one_passes() -> None:
    """The customer reads nothing of a guess before it is confirmed, and then everything in order."""
    seen: list[object] = []
    gate = Gate(seen.append)
    first, second = TextStarted(message_id="a"), TextDelta(message_id="a", text="Hi")
    gate.emit(first)
    assert seen == []
    gate.open()
    gate.emit(second)

    assert seen == [first, second]


def test_of_a_discarded_guess_only_the_cost_remains() -> None:
    """Nothing a wrong specialist said may reach a log that a customer reads."""
    seen: list[object] = []
    gate = Gate(seen.append)
    cost = EngineCalled(
        purpose="answer", engine="claude", model="m", usage=SPENT, stop_reason="cancelled", took_ms=1
    )
    for event in (TextStarted(message_id="a"), TextDelta(message_id="a", text="Hi"), cost):
        gate.emit(event)
    gate.discard("quote")

    assert seen == [cost.model_copy(update={"discarded": True}), GuessDiscarded(intent="quote")]


async def test_who_waits_at_the_gate_waits_until_it_opens() -> None:
    """A tool that changes something runs only on the right route."""
    gate = Gate(lambda _: None)
    waiting = asyncio.ensure_future(gate.wait())
    await asyncio.sleep(0)
    assert not waiting.done()
    gate.open()
    await waiting


# The turn


async def test_a_right_guess_costs_no_time_and_is_said_so() -> None:
    """The specialist is done when the label arrives: the customer reads at once."""
    talk, answering, shelf = _room(*label("quote", 0.1))
    turn = await talk.say(QUOTE)

    assert turn.route.speculated == "right"
    assert turn.route.decided_by == "haiku"
    assert len(answering.requests) == 2
    assert turn.text == "I am quote."
    assert turn.reply.quote is not None
    assert len(shelf.quotes) == 1
    assert not [call for call in turn.calls if call.discarded]
    order = [event.type for event in turn.events]
    assert order.index("route.decided") < order.index("specialist.started") < order.index("text.started")


async def test_a_wrong_guess_leaves_nothing_but_its_cost() -> None:
    """No word, no price, no route of the wrong specialist; its tokens are in the books."""
    talk, answering, shelf = _room(*label("product_info", 0.1))
    turn = await talk.say(QUOTE)

    assert turn.route.speculated == "wrong"
    assert turn.text == "I am product_info."
    assert shelf.quotes == {}
    assert turn.tools == []
    discarded = [call for call in turn.calls if call.discarded]
    assert [(call.usage, call.purpose) for call in discarded] == [(SPENT, "answer")]
    assert [event for event in turn.events if isinstance(event, GuessDiscarded)] == [
        GuessDiscarded(intent="quote")
    ]
    assert len([event for event in turn.events if isinstance(event, RouteDecided)]) == 1
    assert turn.line.cost_usd == pytest.approx(3 * SPENT.cost_usd)
    assert turn.line.model == "claude-sonnet-5-5"
    assert [_intent(request) for request in answering.requests] == ["quote", "product_info"]


async def test_a_wrong_guess_is_cut_off_at_once_and_its_tokens_are_counted() -> None:
    """It is cancelled in the middle of its first call; what the API had metered by then is paid."""

    def answers(request: EngineRequest) -> list[Step]:
        return [Metered(SPENT), 60.0] if _intent(request) == "quote" else said("Info.")

    talk, answering, _ = _room(*label("product_info", 0.05), answers=answers)
    turn = await talk.say(QUOTE)

    assert answering.cut == 1
    cost = next(call for call in turn.calls if call.discarded)
    assert (cost.usage, cost.stop_reason) == (SPENT, "cancelled")


async def test_a_guess_may_read_but_never_write() -> None:
    """A customer never gets a price or a ticket stored because the local classifier guessed."""
    talk, _, shelf = _room(*label("product_info", 0.1), answers=_handing_over)
    turn = await talk.say("I want to talk to a human being, please")

    assert turn.route.speculated == "wrong"
    assert shelf.tickets == {}
    assert turn.reply.handoff is None


def _handing_over(request: EngineRequest) -> list[Step]:
    if _intent(request) == "escalate" and not request.rounds:
        use = ToolUse("t1", "handoff", {"reason": "asked_for_person", "summary": "Wants a person."})
        return [Metered(SPENT), use, Done("tool_use", "claude", "m", 1, SPENT, native=[])]
    return said("Fine.")


@pytest.mark.parametrize(
    ("more", "speculated"),
    [
        ({}, "right"),
        ({"also": ["product_info"]}, "right"),
        ({"language": "es"}, "wrong"),
        ({"also": ["escalate"]}, "wrong"),
        ({"sentiment": -0.9}, "wrong"),
        ({"confidence": 0.2}, "wrong"),
    ],
)
async def test_what_makes_a_guess_of_the_right_intent_fit(more: dict[str, object], speculated: str) -> None:
    """Another language, an offer of a person or a question back cannot be put into words already said."""
    talk, _, _ = _room(*label("quote", **more))

    assert (await talk.say(QUOTE)).route.speculated == speculated


async def test_a_guess_that_fails_harms_nobody_when_it_was_wrong() -> None:
    """A bug in one specialist must not end the turns of another."""

    def answers(request: EngineRequest) -> list[Step]:
        return [ZeroDivisionError("a bug")] if _intent(request) == "quote" else said("Info.")

    talk, _, _ = _room(*label("product_info", 0.05), answers=answers)
    turn = await talk.say(QUOTE)

    assert turn.text == "Info."
    assert turn.reply.error is None


async def test_a_guess_that_fails_is_a_failure_when_it_was_right() -> None:
    """The runner closes the turn honestly, exactly as if nothing had been guessed."""
    talk, _, _ = _room(*label("quote", 0.05), answers=lambda _: [ZeroDivisionError("a bug")])

    with pytest.raises(ZeroDivisionError):
        await talk.say(QUOTE)


async def test_a_guess_whose_claude_is_down_is_answered_locally() -> None:
    """The guess falls back by itself; nobody waits longer for it."""
    talk, _, _ = _room(*label("quote", 0.05), answers=lambda _: [EngineDown("down")])
    turn = await talk.say(QUOTE)

    assert turn.route.speculated == "right"
    assert turn.reply.engine == "local"
    assert turn.reply.degraded
    assert turn.reply.quote is not None


@pytest.mark.parametrize("failure", [EngineDown("down"), 60.0])
async def test_without_a_label_a_running_guess_goes_on(failure: Step) -> None:
    """Haiku is down or late: the specialist that is already at work answers."""
    talk, answering, _ = _room(failure)
    turn = await talk.say(QUOTE)

    assert turn.route.speculated == "right"
    assert turn.route.decided_by == "local"
    assert "classifier_fallback" in turn.faults
    assert turn.reply.quote is not None
    assert len(answering.requests) == 2


async def test_a_turn_that_is_cancelled_takes_its_guess_along() -> None:
    """A server that stops must not leave calls behind that nobody reads."""
    talk, answering, _ = _room(60.0, answers=lambda _: [Metered(SPENT), 60.0])
    before = asyncio.all_tasks()
    task = asyncio.ensure_future(talk.say(QUOTE))
    await asyncio.sleep(0.1)
    assert len(answering.requests) == 1
    task.cancel()
    await asyncio.wait([task])

    assert task.cancelled()
    assert answering.cut == 1
    assert asyncio.all_tasks() - before == set()


async def test_guessing_can_be_switched_off() -> None:
    """An operator who counts tokens pays for one specialist a turn."""
    talk, answering, _ = _room(*label("product_info", 0.05))
    talk.desk = replace(talk.desk, speculate=False)
    turn = await talk.say(QUOTE)

    assert turn.route.speculated == "no"
    assert [_intent(request) for request in answering.requests] == ["product_info"]
