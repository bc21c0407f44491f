"""The loop of engine and tools: order of events, faults told, and an end in every case."""

import asyncio
import time

import pytest

from agents.loop import AFTER_TOOLS_S, MAX_ROUNDS
from engine.base import Cited, Metered, Piece, Text, Trouble
from errors import EngineDown
from events import EngineCalled, FaultSeen, HandoffRequested, Usage
from knowledge.passages import Passage
from tests.agents.scripts import DOWN, REQUEST, Scripted, Stage, done, echo, specialist, use
from tools.registry import Toolbox, ToolContext, ToolOutcome, tool

PASSAGE = Passage("https://x/a#1", "An article", "https://x/a", "en", "Theft is covered.")


@tool(effect="read", lead="search")
async def look_up(context: ToolContext, query: str) -> ToolOutcome:
    """Find passages."""
    return ToolOutcome("1 passage", passages=(PASSAGE,) if query == "theft" else ())


@tool(effect="write", lead="handoff")
async def pass_on(context: ToolContext) -> ToolOutcome:
    """Store a ticket."""
    return ToolOutcome("stored", deeds=(HandoffRequested(ticket_id="T-1", reason="other"),))


TOOLS = Toolbox.of(echo, look_up, pass_on)


def _faults(stage: Stage) -> list[str]:
    return [event.code for event in stage.events if isinstance(event, FaultSeen)]


async def test_an_answer_without_tools_is_one_call() -> None:
    """The plainest turn: words, an end, and what it cost."""
    stage = Stage(Scripted([[Metered(Usage(input_tokens=9)), Text("Hello"), Text(" there."), done()]]))

    run = await stage.play()

    assert run.said
    assert not run.degraded
    assert stage.text == "Hello there."
    assert stage.types == [
        "specialist.started",
        "text.started",
        "text.delta",
        "text.delta",
        "engine.called",
        "text.ended",
        "specialist.finished",
    ]


async def test_what_a_tool_returns_goes_back_to_the_engine() -> None:
    """The engine would ask again and again for what it was told already."""
    engine = Scripted([[Text("Wait."), use("echo", word="hola"), done("tool_use")], [Text("Done."), done()]])
    stage = Stage(engine)

    await stage.play()

    assert stage.text == "Wait.\n\nDone."
    (finished,) = engine.requests[1].rounds
    assert finished.text == "Wait."
    assert [(result.name, result.text, result.ok) for result in finished.results] == [
        ("echo", "es hola", True)
    ]
    assert engine.requests[0].rounds == ()


async def test_a_citation_must_come_from_a_passage_of_this_turn() -> None:
    """A citation shown points at text that exists."""
    cited, invented = Cited(PASSAGE.source, "Theft is covered."), Cited(PASSAGE.source, "All is covered.")
    engine = Scripted(
        [
            [cited, use("look_up", query="theft"), done("tool_use")],
            [Text("Yes."), cited, invented, done()],
        ]
    )
    stage = Stage(engine, TOOLS, specialist("look_up"))

    run = await stage.play()

    assert [citation.quote for citation in run.citations] == ["Theft is covered."]
    assert _faults(stage) == ["citation_invalid", "citation_invalid"]


async def test_deeds_are_told_after_the_answer() -> None:
    """A chat page would show the ticket in the middle of a sentence."""
    engine = Scripted([[use("pass_on"), done("tool_use")], [Text("A colleague comes."), done()]])
    stage = Stage(engine, TOOLS, specialist("pass_on"))

    run = await stage.play()

    assert run.handed_over
    assert stage.types[-3:] == ["text.ended", "handoff.requested", "specialist.finished"]


async def test_deeds_are_told_when_the_answer_fails() -> None:
    """A stored ticket would be unknown to the customer and to the log."""
    stage = Stage(Scripted([[use("pass_on"), done("tool_use")], [DOWN]]), TOOLS, specialist("pass_on"))

    with pytest.raises(EngineDown):
        await stage.play()

    assert stage.types[-1] == "handoff.requested"


@pytest.mark.fault("U15")
async def test_an_engine_that_never_stops_asking_is_stopped() -> None:
    """One message could cost a fortune and never be answered."""
    engine = Scripted([[use("echo", word="again"), done("tool_use")] for _ in range(20)])
    stage = Stage(engine)

    run = await stage.play()

    assert len(engine.requests) == MAX_ROUNDS
    assert [request.final for request in engine.requests] == [False] * (MAX_ROUNDS - 1) + [True]
    assert stage.types.count("tool.called") == MAX_ROUNDS - 1
    assert _faults(stage) == ["tool_loop_capped"]
    assert not run.said


async def test_troubles_on_the_way_are_told() -> None:
    """The log would not show that Claude had to be asked twice."""
    trouble = Trouble("upstream_429", retried=True, waited_ms=1000, request_id="r1")
    stage = Stage(Scripted([[trouble, Text("Hello."), done()]]))

    await stage.play()

    (fault,) = stage.all_of(FaultSeen)
    assert fault == FaultSeen(code="upstream_429", where="m", retried=True, waited_ms=1000, request_id="r1")


async def test_another_engine_means_basic_mode() -> None:
    """Readiness and the report would count a degraded answer as a full one."""
    script: list[Piece | Exception] = [
        Metered(Usage(input_tokens=9)),
        done("failed"),
        Text("Hello."),
        done(engine="local"),
    ]
    stage = Stage(Scripted([script]))

    run = await stage.play()

    assert run.degraded
    assert [event.stop_reason for event in stage.events if isinstance(event, EngineCalled)] == [
        "failed",
        "end_turn",
    ]


async def test_the_local_engine_alone_is_not_degraded() -> None:
    """A desk without a key would call all its answers degraded."""
    stage = Stage(Scripted([[Text("Hello."), done(engine="local")]]), expects_claude=False)

    assert not (await stage.play()).degraded


async def test_an_answer_that_broke_off_says_so() -> None:
    """A customer would take half an answer for the whole."""
    stage = Stage(Scripted([[Text("It depends"), done("cut")]]))

    run = await stage.play()

    assert run.degraded
    assert stage.text == "It depends\n\nIt broke off."


async def test_an_answer_that_ran_out_of_tokens_shows_it() -> None:
    """A customer would take half a sentence for the whole."""
    stage = Stage(Scripted([[Text("It depends"), done("max_tokens")]]))

    await stage.play()

    assert stage.text == "It depends…"


async def test_a_call_that_failed_is_told_with_its_cost() -> None:
    """Tokens that were paid for would be missing from the bill."""
    stage = Stage(Scripted([[Metered(Usage(input_tokens=9)), DOWN]]))

    with pytest.raises(EngineDown):
        await stage.play()

    (call,) = stage.all_of(EngineCalled)
    assert isinstance(call, EngineCalled)
    assert (call.stop_reason, call.engine, call.usage.input_tokens) == ("cancelled", "claude", 9)


async def test_a_failure_that_was_told_is_not_told_twice() -> None:
    """One failed call would be paid twice in the report."""
    stage = Stage(Scripted([[done("failed"), DOWN]]), expects_claude=False)

    with pytest.raises(EngineDown):
        await stage.play()

    assert stage.types.count("engine.called") == 1


async def test_the_deadline_for_a_first_word_ends_with_the_first_word() -> None:
    """An answer under way would be broken off in favour of basic mode, after a slow tool."""
    engine = Scripted([[Text("Wait."), use("echo", word="x"), done("tool_use")], [Text("Done."), done()]])
    stage = Stage(engine)
    await stage.play()
    silent = Scripted([[use("echo", word="x"), done("tool_use")], [Text("Done."), done()]])
    began = time.monotonic()
    await Stage(silent).play()

    assert [request.first_piece_by for request in engine.requests] == [REQUEST.first_piece_by, None]
    first, after_tool = (request.first_piece_by for request in silent.requests)
    assert first == REQUEST.first_piece_by
    assert after_tool is not None
    assert after_tool >= began + AFTER_TOOLS_S


async def test_a_write_waits_for_the_route_and_a_read_does_not() -> None:
    """A customer never loses a policy because the local classifier guessed."""
    certain, asked = asyncio.Event(), asyncio.Event()

    async def may_write() -> None:
        asked.set()
        await certain.wait()

    script: list[Piece | Exception] = [use("look_up", query="theft"), use("pass_on", "c2"), done("tool_use")]
    stage = Stage(Scripted([script, [Text("Done."), done()]]), TOOLS, specialist("look_up", "pass_on"))
    async with asyncio.TaskGroup() as group:
        playing = group.create_task(stage.play(may_write))
        await asked.wait()
        returned = stage.types.count("tool.returned")
        certain.set()
        await playing

    assert returned == 1
    assert stage.types.count("tool.returned") == 2
