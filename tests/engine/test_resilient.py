"""Deadlines, retries and the breaker around an engine: how often it is asked, how long it is waited for, what is told."""

import asyncio
import time
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import replace

import pytest

from engine.base import Done, EngineRequest, Metered, Piece, Said, Text, ToolUse, Trouble
from engine.resilient import Patience, Resilient
from errors import EngineBusy, EngineDown, EngineError, EngineRefused
from events import Usage
from tests.engine.calls import LABEL, REQUEST, SONNET, SPENT, Clock, Scripted, done_of, heard, text_of, words

pytestmark = pytest.mark.quick_time
SHORT = Patience(first_piece_s=2.0, silence_s=0.05, retry_total_s=1.2, attempts=3)
BUSY = EngineBusy("busy", fault="upstream_529", request_id="req_0")
QUICK = EngineBusy("busy", fault="upstream_529", retry_after_s=0.01)
DOWN = EngineDown("down", fault="stream_cut", request_id="req_0")
AUTH = EngineRefused("no", fault="upstream_auth")
FINE = words("Hello.")


def _limited(seconds: float) -> EngineBusy:
    return EngineBusy("slow down", retry_after_s=seconds)


async def _listen(resilient: Resilient, request: EngineRequest = REQUEST) -> tuple[list[Piece], str]:
    """The pieces, and the fault they ended with ("" for none)."""
    pieces: list[Piece] = []
    try:
        async with aclosing(resilient.stream(request)) as stream:
            async for piece in stream:
                pieces.append(piece)  # noqa: PERF401 - what came before the failure counts
    except EngineError as exc:
        return pieces, exc.fault
    return pieces, ""


def _troubles(pieces: Sequence[Piece]) -> list[str]:
    return [piece.code for piece in pieces if isinstance(piece, Trouble)]


async def test_a_good_answer_passes_unchanged() -> None:
    """The way around trouble costs nothing when there is none."""
    assert await heard(Resilient(Scripted([FINE]))) == FINE


async def test_an_overload_that_passes_is_not_noticed() -> None:
    """One 529 costs the customer a third of a second, and the log says so."""
    engine = Scripted([[BUSY], FINE])
    started = time.monotonic()
    pieces, fault = await _listen(Resilient(engine, SHORT))

    assert fault == ""
    assert text_of(pieces) == "Hello."
    trouble = pieces[0]
    assert isinstance(trouble, Trouble)
    assert (trouble.code, trouble.retried, trouble.request_id) == ("upstream_529", True, "req_0")
    assert 0.25 <= trouble.waited_ms / 1000 <= 0.4
    assert time.monotonic() - started == pytest.approx(trouble.waited_ms / 1000, abs=0.001)


@pytest.mark.parametrize(
    ("error", "calls"), [(BUSY, 3), (DOWN, 2), (AUTH, 1), (EngineRefused("bad", fault="upstream_400"), 1)]
)
async def test_how_often_it_is_tried(error: EngineError, calls: int) -> None:
    """Overload may pass; a server that is down gets one more chance; a refusal is final."""
    engine = Scripted([[error]])
    pieces, fault = await _listen(Resilient(engine, SHORT))

    assert fault == error.fault
    assert len(engine.requests) == calls
    assert _troubles(pieces) == [error.fault] * (calls - 1)


@pytest.mark.fault("U1")
async def test_what_the_api_asks_to_wait_is_waited() -> None:
    """Coming back too early would prolong the limit; everybody at the same moment would hit it again."""
    engine = Scripted([[_limited(0.2)], FINE])
    pieces, _ = await _listen(Resilient(engine, SHORT))
    trouble = pieces[0]

    assert isinstance(trouble, Trouble)
    assert 200 <= trouble.waited_ms <= 250


@pytest.mark.fault("U2")
async def test_a_wait_over_the_budget_is_not_waited_for() -> None:
    """Nobody stares at three dots for a minute: the answer comes from elsewhere, and the API is left alone."""
    engine = Scripted([[_limited(60.0)]])
    resilient = Resilient(engine, SHORT)
    started = time.monotonic()
    faults = [(await _listen(resilient))[1] for _ in range(20)]

    assert faults == ["retry_after_over_budget", *["breaker_open"] * 19]
    assert len(engine.requests) == 1
    assert time.monotonic() == started


async def test_a_wait_beyond_the_deadline_is_not_waited_for() -> None:
    """A label that would come too late is not waited for at all."""
    engine = Scripted([[_limited(0.5)], FINE])
    request = replace(REQUEST, first_piece_by=time.monotonic() + 0.6)
    started = time.monotonic()
    _, fault = await _listen(Resilient(engine, SHORT), request)

    assert fault == "upstream_429"
    assert time.monotonic() == started


@pytest.mark.parametrize(("fault", "pause_s"), [("upstream_auth", 30.0), ("upstream_spend_cap", 60.0)])
async def test_what_only_a_person_can_mend_is_asked_rarely(fault: str, pause_s: float) -> None:
    """A wrong key or a spent budget answers the same every time."""
    clock = Clock()
    engine = Scripted([[EngineRefused("no", fault=fault)]])
    resilient = Resilient(engine, SHORT, clock)
    for _ in range(20):
        await _listen(resilient)
    assert len(engine.requests) == 1
    clock.now += pause_s * 1.25
    await _listen(resilient)

    assert len(engine.requests) == 2


@pytest.mark.fault("U4")
async def test_an_outage_costs_few_calls_and_ends_by_itself() -> None:
    """Twenty customers during an outage; then one probe, and everybody is back."""
    clock = Clock()
    engine = Scripted([[QUICK]])
    resilient = Resilient(engine, SHORT, clock)
    for _ in range(20):
        await _listen(resilient)
    assert len(engine.requests) == 3
    assert resilient.states == {SONNET: "open"}

    engine.scripts = [FINE]
    clock.now += 6
    assert (await _listen(resilient))[1] == ""
    assert resilient.states == {SONNET: "closed"}


@pytest.mark.fault("U4")
async def test_a_probe_is_one_call_without_retries() -> None:
    """An API that is just getting up gets exactly one question."""
    clock = Clock()
    engine = Scripted([[QUICK]])
    resilient = Resilient(engine, SHORT, clock)
    await _listen(resilient)
    engine.requests.clear()
    clock.now += 6
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(_listen(resilient)) for _ in range(20)]

    assert len(engine.requests) == 1
    assert sorted(task.result()[1] for task in tasks) == [*["breaker_open"] * 19, "upstream_529"]


async def test_twenty_at_once_stop_as_soon_as_one_knows() -> None:
    """A herd of retries would make the overload worse."""
    engine = Scripted([[0.02, QUICK]])
    resilient = Resilient(engine, SHORT)
    async with asyncio.TaskGroup() as group:
        for _ in range(20):
            group.create_task(_listen(resilient))

    assert len(engine.requests) == 20


async def test_a_cancelled_probe_does_not_lock_the_others_out() -> None:
    """A guess that is dropped while it happens to be the probe says nothing about the API."""
    clock = Clock()
    engine = Scripted([[QUICK]])
    resilient = Resilient(engine, SHORT, clock)
    await _listen(resilient)
    clock.now += 6
    engine.scripts = [[60.0], FINE]
    task = asyncio.ensure_future(_listen(resilient))
    await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.wait([task])

    assert (await _listen(resilient))[1] == ""


@pytest.mark.fault("U9")
async def test_silence_is_given_up_at_the_deadline() -> None:
    """A server that accepts and never answers must not hold a customer for longer than was promised."""
    engine = Scripted([[Metered(SPENT), 60.0]])
    started = time.monotonic()
    pieces, fault = await _listen(Resilient(engine))

    assert fault == "first_token_timeout"
    assert time.monotonic() - started == pytest.approx(8.0)
    assert engine.closed == 1
    assert [piece.usage for piece in pieces if isinstance(piece, Done)] == [SPENT]


async def test_the_turns_own_deadline_counts_when_it_is_earlier() -> None:
    """Time that the label has used up is not given to the answer again."""
    engine = Scripted([[60.0]])
    request = replace(REQUEST, first_piece_by=time.monotonic() + 5.5)
    started = time.monotonic()
    _, fault = await _listen(Resilient(engine), request)

    assert fault == "first_token_timeout"
    assert time.monotonic() - started == pytest.approx(5.5)


async def test_a_call_without_time_is_not_made() -> None:
    """A slow tool has used up the turn: the answer comes from elsewhere, and Claude is not blamed."""
    engine = Scripted([FINE])
    resilient = Resilient(engine)
    for _ in range(10):
        assert (await _listen(resilient, replace(REQUEST, first_piece_by=time.monotonic())))[1]

    assert engine.requests == []
    assert (await _listen(resilient))[1] == ""


async def test_a_short_deadline_says_nothing_about_the_engine() -> None:
    """Half a second was left for this call; that it was not enough must not shut Claude out for others."""
    engine = Scripted([[60.0]])
    resilient = Resilient(engine)
    for _ in range(3):
        await _listen(resilient, replace(REQUEST, first_piece_by=time.monotonic() + 0.3))

    assert resilient.states == {SONNET: "closed"}


@pytest.mark.fault("U9")
async def test_two_timeouts_open_the_breaker() -> None:
    """The third customer does not wait eight seconds for nothing."""
    clock = Clock()
    engine = Scripted([[EngineDown("late", fault="first_token_timeout")]])
    resilient = Resilient(engine, replace(SHORT, attempts=1), clock)
    for _ in range(2):
        await _listen(resilient)

    assert (await _listen(resilient))[1] == "breaker_open"


async def test_a_probe_must_soon_give_a_sign_of_life() -> None:
    """The one customer who probes does not wait the full time again; a slow but living model passes."""
    clock = Clock()
    engine = Scripted([[QUICK]])
    resilient = Resilient(engine, replace(SHORT, first_piece_s=8.0, probe_s=3.0), clock)
    await _listen(resilient)
    clock.now += 6
    engine.scripts = [[60.0]]
    started = time.monotonic()
    assert (await _listen(resilient))[1] == "first_token_timeout"
    assert time.monotonic() - started == pytest.approx(3.0)

    clock.now += 12
    engine.scripts = [[Metered(SPENT), 7.0, *FINE]]
    assert text_of((await _listen(resilient))[0]) == "Hello."
    assert resilient.states == {SONNET: "closed"}


@pytest.mark.fault("U10")
async def test_nothing_is_asked_again_after_the_first_word() -> None:
    """A retry would show the beginning twice."""
    engine = Scripted([[Metered(SPENT), Text("Hel"), DOWN], FINE])
    pieces, fault = await _listen(Resilient(engine, SHORT))

    assert fault == "stream_cut"
    assert text_of(pieces) == "Hel"
    assert len(engine.requests) == 1


async def test_a_break_before_the_first_word_is_repaired_in_silence() -> None:
    """The customer notices nothing, and what the first try has cost is in the books."""
    engine = Scripted([[Metered(SPENT, "req_9"), Text(" "), DOWN], FINE])
    pieces, fault = await _listen(Resilient(engine, SHORT))

    assert fault == ""
    assert text_of(pieces).strip() == "Hello."
    failed = next(piece for piece in pieces if isinstance(piece, Done))
    assert (failed.stop_reason, failed.usage, failed.request_id) == ("failed", SPENT, "req_9")
    assert done_of(pieces).stop_reason == "end_turn"


@pytest.mark.fault("U12")
async def test_a_stall_in_the_middle_is_a_failure() -> None:
    """Ten seconds of nothing in the middle of a sentence, and the customer is told."""
    engine = Scripted([[Text("Hel"), 60.0]])
    pieces, fault = await _listen(Resilient(engine, SHORT))

    assert fault == "stream_stalled"
    assert text_of(pieces) == "Hel"


async def test_signs_of_life_are_no_stall() -> None:
    """A long tool request is silent for the customer and busy for us."""
    alive = [step for _ in range(4) for step in (0.03, Metered(SPENT))]
    engine = Scripted([[Text("Let me look."), *alive, ToolUse("t1", "search", {}), *words("")[-1:]]])

    assert (await _listen(Resilient(engine, SHORT)))[1] == ""


@pytest.mark.fault("U7")
async def test_a_prompt_that_is_too_long_is_shortened_once() -> None:
    """A very long conversation is still answered, with its last few messages."""
    history = tuple(Said("customer", f"message {number}") for number in range(10))
    engine = Scripted([[EngineRefused("long", fault="context_too_long")], FINE])
    pieces, fault = await _listen(Resilient(engine, SHORT), replace(REQUEST, history=history))

    assert fault == ""
    assert _troubles(pieces) == ["context_trimmed"]
    assert engine.requests[1].history == history[-4:]


async def test_a_prompt_that_stays_too_long_is_refused() -> None:
    """Cutting on and on would answer a question nobody asked."""
    engine = Scripted([[EngineRefused("long", fault="context_too_long")]])

    assert (await _listen(Resilient(engine, SHORT)))[1] == "context_too_long"
    assert len(engine.requests) == 1


async def test_labels_and_answers_do_not_share_a_breaker() -> None:
    """Labels that come too late must not keep Haiku's answers from customers."""
    engine = Scripted([[EngineDown("late", fault="first_token_timeout")]])
    resilient = Resilient(engine, replace(SHORT, attempts=1))
    for _ in range(3):
        await _listen(resilient, LABEL)
    engine.scripts = [FINE]

    assert (await _listen(resilient, LABEL))[1] == "breaker_open"
    assert (await _listen(resilient, replace(LABEL, purpose="answer")))[1] == ""
    assert resilient.states == {LABEL.model: "open"}


async def test_a_request_that_is_refused_says_nothing_about_the_engine() -> None:
    """One customer's odd message must not send the others to basic mode."""
    engine = Scripted([[EngineRefused("odd", fault="upstream_400")]])
    resilient = Resilient(engine, SHORT)
    for _ in range(10):
        await _listen(resilient)

    assert resilient.states == {SONNET: "closed"}


async def test_a_cancelled_call_has_told_its_cost_before() -> None:
    """A guess that is dropped before its first word has been paid for all the same."""
    engine = Scripted([[Metered(SPENT), 60.0]])
    stream = Resilient(engine).stream(REQUEST)
    first = await anext(stream)
    await stream.aclose()

    assert first == Metered(SPENT)
    assert engine.closed == 1
    assert Usage() + SPENT == SPENT
