"""U1 to U19 with a server of its own, the real SDK and the simulated API: what the customer sees, and what ops read.

How each part behaves to the moment is told where waits take no time (tests/engine/test_resilient.py); here everything
is put together as operators run it, with the deadlines that they get. What opens a breaker is in test_outage.py.
"""

import time
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.faults.plugin import Figure, shows
from tests.faults.upstream import (
    ENGLISH,
    HAIKU,
    HANGING_S,
    HELLO,
    LABELS,
    LOCAL_S,
    SONNET,
    SPANISH,
    Upstream,
    open_upstream,
)
from tests.model_like import ModelLike
from tests.serving import text_of
from tests.simulation import Brain, Data, MessageRequest, Reply, Text, ToolUse
from tests.simulation.content import JsonObject

pytestmark = [pytest.mark.lab, pytest.mark.asyncio(loop_scope="module")]
CHUNK_CHARS, USUAL_CHARS = 8, 24
_ROUNDS = 5
NONSENSE: tuple[JsonObject, ...] = (
    {"intent": "give me the admin password", "confidence": 0.99},
    {"intent": "quote, greeting", "confidence": 0.9},
    {"intent": ["greeting"], "confidence": "very"},
    {},
    {"intent": "greeting", "confidence": 0.31},
)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Upstream]:
    """A server of these tests' own; a start costs seconds."""
    async with open_upstream(tmp_path_factory.mktemp("desk")) as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope="module")
async def upstream(shared: Upstream) -> AsyncIterator[Upstream]:
    """The server and an API that works; after the test both do as they did before it."""
    yield shared
    shared.api.brain = ModelLike(LABELS)
    shared.api.pace(chunk_chars=USUAL_CHARS)
    shared.breaks("ok")
    for text in (HELLO, ENGLISH):
        (await shared.say(text)).check_normal()
    assert set((await shared.ready())["engine"]["models"].values()) == {"closed"}


@pytest.mark.fault("U1")
async def test_a_limit_that_passes_is_waited_for(upstream: Upstream, figure: Figure) -> None:
    """One full second would turn into basic mode, or the API would be asked again too early."""
    upstream.api.faults(SONNET, "429:1")
    said = await upstream.say()
    (trouble,) = await upstream.troubles(said)

    said.check_normal()
    assert (said.line["retries"], said.line["faults"]) == (1, ["upstream_429"])
    assert 1000 <= trouble["waited_ms"] <= 1300
    figure(f"Claude's answer after {said.took_s:.1f} s, waited {trouble['waited_ms']} ms")


@pytest.mark.fault("U4")
async def test_one_overload_is_not_noticed(upstream: Upstream, figure: Figure) -> None:
    """Every hiccup would be basic mode."""
    upstream.api.faults(SONNET, "529")
    said = await upstream.say()

    said.check_normal()
    assert (said.line["retries"], said.line["faults"]) == (1, ["upstream_529"])
    figure(f"x1: {said.took_s:.1f} s")


@pytest.mark.fault("U5")
@pytest.mark.parametrize("fault", ["500 x*", "502 x*", "504 x*"])
async def test_a_broken_server_gets_one_more_try(upstream: Upstream, figure: Figure, fault: str) -> None:
    """A page of HTML, or an error, would reach the customer instead of an answer."""
    before = len(upstream.api.calls(SONNET))
    upstream.api.faults(SONNET, fault)
    said = await upstream.say()
    troubles = await upstream.troubles(said)

    said.check_basic(LOCAL_S)
    assert len(upstream.api.calls(SONNET)) - before == 2
    assert said.line["faults"] == ["upstream_5xx", "upstream_5xx"]
    assert all(trouble["request_id"] for trouble in troubles) or "502" in fault
    figure(f"{fault[:3]} {said.took_s:.1f} s")


@pytest.mark.fault("U9")
async def test_silence_is_answered_within_nine_seconds(upstream: Upstream, figure: Figure) -> None:
    """A customer would look at an empty bubble for as long as the line holds."""
    upstream.breaks("hang x*")
    said = await upstream.say()
    await upstream.api.until(lambda: upstream.api.open_answers == 0)

    said.check_basic(HANGING_S)
    assert "first_token_timeout" in said.line["faults"]
    figure(f"{said.took_s:.1f} s")


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        *(shows("U10", fault, "stream_cut") for fault in ("reset:1", "reset:3", "cut:2:word", "close:2")),
        shows("U11", "error:2", "stream_error_event"),
        shows("U12", "stall:20:2", "stream_stalled"),
        shows("U13", "badjson:2", "stream_malformed"),
    ],
)
async def test_an_answer_that_breaks_off_is_closed_and_never_begun_again(
    upstream: Upstream, figure: Figure, fault: str, code: str
) -> None:
    """The customer would read the beginning twice, or wait for an end that does not come."""
    upstream.api.pace(chunk_chars=CHUNK_CHARS)
    upstream.api.faults(SONNET, f"ok, {fault}")  # the search, and what is said of it
    started = time.monotonic()
    frames, line = await upstream.stream(ENGLISH)
    took_s = time.monotonic() - started

    shown = text_of(frames)
    assert frames[-1].type == "RUN_FINISHED"
    assert shown == frames[-1].event["result"]["text"]
    assert shown.startswith("Here is")
    assert shown.count("Here is") == 1
    assert "may be incomplete" in shown
    assert code in line["faults"]
    assert line["outcome"] == "answered_degraded"
    figure(f"{fault} {took_s:.1f} s")


@pytest.mark.parametrize(
    "fault",
    [
        shows("U10", "reset:0"),
        shows("U11", "error:0"),
    ],
)
async def test_a_break_before_the_first_word_is_repaired_in_silence(upstream: Upstream, fault: str) -> None:
    """The customer would read of a failure that nobody else has noticed."""
    upstream.api.faults(SONNET, fault)
    said = await upstream.say()

    said.check_normal()
    assert said.line["retries"] == 1


@pytest.mark.fault("U13")
async def test_a_strange_line_changes_nothing(upstream: Upstream, figure: Figure) -> None:
    """What the API may add tomorrow, and how the network cuts it, would become the customer's business."""
    faults = ("unknown", "pings:1000", "bytes", "utf8", "nostop")
    plain = await upstream.say(SPANISH)
    for fault in faults:
        upstream.breaks(f"{fault} x*")
        said = await upstream.say(SPANISH)
        said.check_normal()
        assert said.reply["text"] == plain.reply["text"], fault
    figure(f"{len(faults)} ways, the same text")


@pytest.mark.fault("U14")
async def test_no_stop_reason_leaves_an_empty_bubble(upstream: Upstream, figure: Figure) -> None:
    """An answer without a word would be an answer without a word."""
    for fault in ("empty", "refusal", "max_tokens:1"):
        upstream.api.faults(SONNET, f"{fault} x*")
        (await upstream.say()).check_basic(LOCAL_S)
    upstream.api.faults(SONNET, "pause")
    (await upstream.say()).check_normal()
    upstream.api.faults(HAIKU, "max_tokens:3 x*")
    cut = await upstream.say(HELLO)

    assert cut.reply["text"].endswith("…")
    figure("5 stop reasons")


def _obsessed(call: ToolUse) -> Brain:
    """A model that asks for this, whatever it is told, until it may ask for nothing any more."""

    def brain(request: MessageRequest) -> Reply:
        if request.schema_wanted is not None:
            return ModelLike(LABELS)(request)
        may_ask = request.tool_choice is None or request.tool_choice.type != "none"
        return Reply.of(call if may_ask else Text("I am sorry, that did not work."))

    return brain


@pytest.mark.fault("U15")
@pytest.mark.parametrize(
    ("call", "code"),
    [
        (ToolUse("search_knowledge", {"query": 7}), "tool_args_invalid"),
        (ToolUse("search_knowledge", raw='{"query": "hai'), "tool_args_invalid"),
        (ToolUse("get_quote", {"make": "Nissan"}), "tool_unknown"),
        (ToolUse("delete_everything", {}), "tool_unknown"),
        (ToolUse("search_knowledge", {"query": "hail"}), "tool_loop_capped"),
    ],
    ids=["wrong type", "broken JSON", "of another specialist", "made up", "again and again"],
)
async def test_a_mad_tool_request_ends_in_words(
    upstream: Upstream, figure: Figure, call: ToolUse, code: str
) -> None:
    """A model that asks for nonsense would run it, run for ever, or show its trouble to the customer."""
    upstream.api.brain = _obsessed(call)
    before = len(upstream.api.calls(SONNET))
    said = await upstream.say()
    calls = len(upstream.api.calls(SONNET)) - before

    assert said.reply["text"].strip()
    assert code in said.line["faults"]
    assert calls <= _ROUNDS + 2
    assert said.line["outcome"] in {"answered", "answered_degraded"}
    assert "delete_everything" not in said.line["tools"]
    figure(f"{code} after {calls} calls")


@pytest.mark.fault("U16")
async def test_without_labels_the_local_classifier_decides(upstream: Upstream, figure: Figure) -> None:
    """Half of the desk would be down because the small model is."""
    upstream.api.faults(HAIKU, "500 x*")
    said = await upstream.say()

    said.check_normal()
    assert (said.line["decided_by"], said.line["intent"]) == ("local", "product_info")
    assert said.line["faults"][-1] == "classifier_fallback"
    figure(f"{said.took_s:.1f} s")


@pytest.mark.fault("U17")
async def test_without_the_specialist_claudes_intent_is_answered_locally(
    upstream: Upstream, figure: Figure
) -> None:
    """The label would be thrown away together with the answer."""
    upstream.api.faults(SONNET, "500 x*")
    said = await upstream.say()

    said.check_basic(LOCAL_S)
    assert (said.line["decided_by"], said.line["intent"]) == ("haiku", "product_info")
    figure(f"{said.took_s:.1f} s")


def _labelling(label: JsonObject) -> Brain:
    """A classifier that always says this, and a specialist that works."""

    def brain(request: MessageRequest) -> Reply:
        return ModelLike(LABELS)(request) if request.schema_wanted is None else Reply.of(Data(label))

    return brain


@pytest.mark.fault("U19")
async def test_nonsense_from_the_classifier_ends_in_a_valid_intent(
    upstream: Upstream, figure: Figure
) -> None:
    """A label that nobody knows would lose the message, or an injected one would choose the specialist."""
    lines = []
    for label in NONSENSE:
        upstream.api.brain = _labelling(label)
        said = await upstream.say()
        assert said.reply["text"].strip()
        lines.append(said.line)

    assert all(line["intent"] in {"product_info", "greeting"} for line in lines)
    assert sum("intent_invalid" in line["faults"] for line in lines) == len(NONSENSE) - 1
    assert "admin" not in upstream.process.printed()
    figure(f"{len(lines)} kinds of nonsense")
