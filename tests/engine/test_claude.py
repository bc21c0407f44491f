"""The Claude engine against a simulated API over real HTTP: what goes out is taken, what comes back is understood."""

import asyncio
import math
from collections.abc import AsyncGenerator
from dataclasses import replace

import pytest

from engine.base import Cited, Done, EngineRequest, Metered, Round, Text, ToolResult, ToolUse
from engine.claude import Claude
from errors import EngineBusy, EngineDown, EngineError, EngineRefused
from tests.engine.calls import HAIKU, LABEL, PASSAGE, REQUEST, SONNET, TALK, done_of, heard, text_of
from tests.simulation import Cited as CitedPart
from tests.simulation import Data, MessageRequest, Reply, Script, Simulation, Thinking, brains
from tests.simulation import ToolUse as Call
from tests.simulation.faults import Status
from tests.waiting import PATIENCE_S

ANSWER = "Yes. Hail is covered by comprehensive cover, señora. 雹も。"


@pytest.fixture
async def api() -> AsyncGenerator[Simulation, None]:
    """The simulated API; it answers every question the same."""
    async with Simulation(lambda _: Reply.of(ANSWER)) as simulation:
        yield simulation


@pytest.fixture
async def claude(api: Simulation) -> AsyncGenerator[Claude, None]:
    """The engine that talks to it."""
    async with Claude(api.api_key, api.base_url, PATIENCE_S) as engine:
        yield engine


async def _failure(claude: Claude, request: EngineRequest = REQUEST) -> EngineError:
    with pytest.raises(EngineError) as caught:
        await heard(claude, request)
    return caught.value


async def test_an_answer_comes_in_pieces(api: Simulation, claude: Claude) -> None:
    """The customer reads the first words while the last are still being written."""
    api.pace(chunk_ms=50)
    pieces = await heard(claude, replace(REQUEST, history=TALK))

    assert len([piece for piece in pieces if isinstance(piece, Text)]) > 1
    assert text_of(pieces) == ANSWER
    assert isinstance(pieces[0], Metered)
    done = done_of(pieces)
    assert (done.stop_reason, done.engine, done.model) == ("end_turn", "claude", SONNET)
    assert done.request_id == api.calls()[0].request_id
    assert done.usage.output_tokens > 1
    assert done.usage.cost_usd > 0


async def test_the_first_words_come_at_once_and_further_ones_together(
    api: Simulation, claude: Claude
) -> None:
    """A server with much to do would handle each syllable of each answer by itself."""
    api.pace(chunk_ms=1, chunk_chars=4)
    api.brain = lambda _: Reply.of(30 * "Hail is covered. ")
    words = [piece.text for piece in await heard(claude, REQUEST) if isinstance(piece, Text)]

    assert "".join(words) == 30 * "Hail is covered. "
    assert len(words[0]) < len("".join(words)) / 4  # of 130 pieces
    assert len(words) < len("".join(words)) / 20


async def test_the_second_turn_reads_the_cache(claude: Claude) -> None:
    """A conversation pays for its prompt once."""
    first = done_of(await heard(claude, REQUEST))
    second = done_of(await heard(claude, replace(REQUEST, history=TALK, facts="Responde en español.")))

    assert first.usage.cache_write_tokens > 0
    assert second.usage.cache_read_tokens >= first.usage.cache_write_tokens


async def test_a_label_is_structured(api: Simulation, claude: Claude) -> None:
    """The classifier gets its JSON, and Haiku takes the request as it is."""
    api.brain = lambda _: Reply.of(Data({"intent": "quote"}))

    assert text_of(await heard(claude, LABEL)) == '{"intent":"quote"}'


async def test_thinking_between_tools_goes_back_unchanged(api: Simulation, claude: Claude) -> None:
    """The API refuses a tool result whose message has lost or changed its thinking."""
    asked = Reply.of(
        Thinking("Which words?", tokens=30), "Let me look.", Call("search_knowledge", {"query": "hail"})
    )
    said = Reply.of(CitedPart("Hail is covered.", PASSAGE.source), " Anything else?")
    api.brain = Script({SONNET: [asked, said]})

    first = await heard(claude)
    use = next(piece for piece in first if isinstance(piece, ToolUse))
    result = ToolResult(use.call_id, use.name, "1 passage found.", ok=True, passages=(PASSAGE,))
    rounds = (Round(text_of(first), (use,), (result,), done_of(first).native),)
    second = await heard(claude, replace(REQUEST, rounds=rounds))

    assert use.arguments == {"query": "hail"}
    assert done_of(first).native[0]["type"] == "thinking"
    assert Cited(PASSAGE.source, PASSAGE.text, words="Hail is covered.", blocks=(0, 1)) in second
    assert text_of(second) == "Hail is covered. Anything else?"


@pytest.mark.parametrize(
    ("fault", "kind", "code", "retry_after_s"),
    [
        ("429:1", EngineBusy, "upstream_429", 1.0),
        ("429", EngineBusy, "upstream_429", None),
        ("429:ramp", EngineBusy, "upstream_429", 1.0),
        ("429:spend", EngineRefused, "upstream_spend_cap", None),
        ("529", EngineBusy, "upstream_529", None),
        ("500", EngineDown, "upstream_5xx", None),
        ("502", EngineDown, "upstream_5xx", None),
        ("503", EngineDown, "upstream_5xx", None),
        ("504", EngineDown, "upstream_5xx", None),
        ("408", EngineDown, "upstream_5xx", None),
        ("409", EngineDown, "upstream_5xx", None),
        ("401", EngineRefused, "upstream_auth", None),
        ("402", EngineRefused, "upstream_auth", None),
        ("403", EngineRefused, "upstream_auth", None),
        ("404", EngineRefused, "upstream_auth", None),
        ("400", EngineRefused, "upstream_400", None),
        ("400:10", EngineRefused, "context_too_long", None),
        ("413", EngineRefused, "request_too_large", None),
    ],
)
async def test_every_refusal_has_its_code(
    api: Simulation,
    claude: Claude,
    fault: str,
    kind: type[EngineError],
    code: str,
    retry_after_s: float | None,
) -> None:
    """Failover, breaker and log decide by these; each call is made once, because retries have one owner."""
    api.faults(SONNET, f"{fault} x*")
    error = await _failure(claude)

    assert type(error) is kind
    assert error.fault == code
    assert error.retry_after_s == retry_after_s
    assert error.request_id == api.calls()[0].request_id
    assert len(api.calls()) == 1


async def test_a_nonsense_retry_after_is_no_retry_after(api: Simulation, claude: Claude) -> None:
    """A broken proxy must not make a turn wait for ever."""
    for value in (math.nan, math.inf, -5.0):
        api.faults(SONNET, [Status(429, value)])

        assert (await _failure(claude)).retry_after_s is None


async def test_the_wrong_key_is_refused_and_never_shown(api: Simulation) -> None:
    """An operator sees that the key is wrong, and a log reader does not see the key."""
    async with Claude("sk-secret", api.base_url) as claude:
        error = await _failure(claude)

    assert error.fault == "upstream_auth"
    assert "sk-secret" not in f"{error} {error.__cause__}"


@pytest.mark.fault("U10")
@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("cut:0", "stream_cut"),
        ("cut:1", "stream_cut"),
        ("cut:2:word", "stream_cut"),
        ("close:1", "stream_cut"),
        ("close:2:event", "stream_cut"),
        ("reset:0", "stream_cut"),
        ("reset:2", "stream_cut"),
        ("error:0", "stream_error_event"),
        ("error:1", "stream_error_event"),
        ("error:1:api_error", "stream_error_event"),
        ("badjson:1", "stream_malformed"),
    ],
)
async def test_a_stream_that_breaks_is_a_failure(
    api: Simulation, claude: Claude, fault: str, code: str
) -> None:
    """Half an answer must never pass for a whole one."""
    api.faults(SONNET, fault)
    words = ""

    async def listen() -> None:
        nonlocal words
        async for piece in claude.stream(REQUEST):
            words += piece.text if isinstance(piece, Text) else ""

    with pytest.raises(EngineDown) as caught:
        await listen()

    assert caught.value.fault == code
    assert caught.value.request_id == api.calls()[0].request_id
    assert ANSWER.startswith(words)


@pytest.mark.parametrize("fault", ["unknown", "pings:20", "bytes", "utf8", "nostop", "unknown+pings:3+utf8"])
async def test_a_strange_stream_is_read_all_the_same(api: Simulation, claude: Claude, fault: str) -> None:
    """Unknown events, pings, one-byte segments and split letters change nothing for the customer."""
    api.faults(SONNET, fault)

    assert text_of(await heard(claude)) == ANSWER


@pytest.mark.parametrize(
    ("fault", "stop"),
    [("empty", "empty"), ("refusal", "refusal"), ("pause", "end_turn"), ("max_tokens", "max_tokens")],
)
async def test_useless_answers_are_named(api: Simulation, claude: Claude, fault: str, stop: str) -> None:
    """What comes next is decided by the stop reason; a paused answer must not hang."""
    api.faults(SONNET, fault)

    assert done_of(await heard(claude)).stop_reason == stop


async def test_a_tool_request_that_was_cut_is_never_run(api: Simulation, claude: Claude) -> None:
    """Half of the arguments could make a wrong price."""
    api.brain = lambda _: Reply.of(
        "Let me look.", Call("search_knowledge", {"query": "hail and storm " * 20})
    )
    api.faults(SONNET, "max_tokens")
    pieces = await heard(claude)

    assert not [piece for piece in pieces if isinstance(piece, ToolUse)]
    assert done_of(pieces).stop_reason == "max_tokens"


async def test_broken_arguments_and_odd_names_reach_the_loop(api: Simulation, claude: Claude) -> None:
    """The loop answers them with a result that helps the model; both go back to an API that takes them."""
    api.brain = lambda _: Reply.of(Call("search_knowledge", {"query": "hail"}))
    api.faults(SONNET, "tooljson, toolcase")
    broken, odd = [
        next(piece for piece in await heard(claude) if isinstance(piece, ToolUse)) for _ in range(2)
    ]

    assert broken.invalid is not None
    assert odd.name == "Search_Knowledge"
    assert odd.invalid is None


async def test_nobody_there_is_a_failure_at_once(api: Simulation, claude: Claude) -> None:
    """The customer must not wait for a server that is not there."""
    await api.down()

    assert (await _failure(claude)).fault == "upstream_unreachable"
    await api.up()


@pytest.mark.parametrize("fault", ["hang", "hang200", "stall:60:0", "stall:60:1"])
async def test_who_stops_listening_hangs_up(api: Simulation, claude: Claude, fault: str) -> None:
    """A guess that is dropped must not go on costing tokens and sockets."""
    api.faults(SONNET, fault)
    before = asyncio.all_tasks()
    task = asyncio.ensure_future(heard(claude))
    await api.until(lambda: bool(api.calls()) and api.open_answers == 1)
    await asyncio.sleep(0.02)  # so that it has heard what there is to hear; sooner is right as well
    task.cancel()
    await asyncio.wait([task])
    await api.until(lambda: api.open_answers == 0)

    assert api.calls()[0].disconnected_at is not None
    assert asyncio.all_tasks() - before == set()


async def test_closing_the_stream_half_way_hangs_up(api: Simulation, claude: Claude) -> None:
    """An answer that nobody reads on is not paid to its end."""
    api.pace(chunk_ms=50)
    stream = claude.stream(REQUEST)
    await anext(stream)
    await stream.aclose()
    await api.until(lambda: api.open_connections == 0)

    assert api.calls()[0].disconnected_at is not None


@pytest.mark.fault("U9")
async def test_two_hundred_at_once_leave_nothing_behind(api: Simulation, claude: Claude) -> None:
    """A busy hour must not leak sockets or tasks."""
    api.brain = brains.echo
    before = len(asyncio.all_tasks())
    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(
                heard(claude, replace(REQUEST, model=HAIKU, thinking="disabled", message=f"No. {number}"))
            )
            for number in range(200)
        ]

    assert [text_of(task.result()) for task in tasks] == [f"You said: No. {number}" for number in range(200)]
    assert all(isinstance(task.result()[-1], Done) for task in tasks)
    await asyncio.sleep(0)
    assert len(asyncio.all_tasks()) <= before


async def test_requests_say_who_asks_in_an_opaque_way(api: Simulation, claude: Claude) -> None:
    """Abuse can be told apart without naming anybody."""
    seen: list[MessageRequest] = []

    def brain(request: MessageRequest) -> Reply:
        seen.append(request)
        return Reply.of("Hi.")

    api.brain = brain
    await heard(claude)

    assert seen[0].metadata is not None
    assert seen[0].metadata.user_id == REQUEST.customer_hash
