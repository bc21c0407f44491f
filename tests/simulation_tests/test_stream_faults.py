"""What the SDK does with streams that break, stall or carry garbage."""

import asyncio
import json

import anthropic
import httpx2
import pytest
from anthropic import AsyncAnthropic
from anthropic.types import Message
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.simulation import Cited, Reply, Simulation
from tests.simulation_tests.bodies import HAIKU, body, passage, user

WORDS = "Ínsurance für señoras: naïve 駐車 🚗 words."


@pytest.fixture(autouse=True)
def long_words(simulation: Simulation) -> None:
    """A reply of eight chunks, full of letters of several bytes."""
    simulation.brain = lambda _: Reply.of(WORDS)
    simulation.pace(chunk_chars=5)


async def parts(client: AsyncAnthropic) -> tuple[list[str], Exception | None]:
    """The text that came, piece by piece, and what ended it."""
    came: list[str] = []
    try:
        async with client.messages.stream(**body()) as stream:
            async for piece in stream.text_stream:
                came.append(piece)  # noqa: PERF401 - what came before an error counts
    except (anthropic.APIError, httpx2.TransportError, ValueError) as error:
        return came, error
    return came, None


async def final(client: AsyncAnthropic) -> Message:
    """The message the SDK puts together."""
    async with client.messages.stream(**body()) as stream:
        return await stream.get_final_message()


async def test_a_body_that_ends_early_raises_nothing(client: AsyncAnthropic, simulation: Simulation) -> None:
    """The trap: a cut answer looks complete but for its stop reason."""
    simulation.faults(HAIKU, "cut:2")
    message = await final(client)

    assert message.stop_reason is None
    assert message.content[0].to_dict()["text"] == WORDS[:10]


@pytest.mark.parametrize("after", [0, 1, 4])
@pytest.mark.parametrize(
    ("how", "kind"),
    [("close", httpx2.RemoteProtocolError), ("reset", httpx2.ReadError)],
    ids=["close", "reset"],
)
async def test_a_broken_connection_raises_a_transport_error(
    client: AsyncAnthropic, simulation: Simulation, how: str, kind: type[Exception], after: int
) -> None:
    """Behind the headers the SDK does not translate: the error is the HTTP library's own."""
    simulation.faults(HAIKU, f"{how}:{after}")
    came, error = await parts(client)

    assert "".join(came) == WORDS[: after * 5]
    assert isinstance(error, kind)
    assert not isinstance(error, anthropic.APIError)


@pytest.mark.parametrize("how", ["cut", "close", "reset"])
async def test_a_whole_answer_that_breaks_is_a_connection_error(
    client: AsyncAnthropic, simulation: Simulation, how: str
) -> None:
    """Without streaming the SDK does translate."""
    simulation.faults(HAIKU, how)
    with pytest.raises(anthropic.APIConnectionError):
        await client.messages.create(**body())


async def test_an_answer_can_end_inside_a_word(client: AsyncAnthropic, simulation: Simulation) -> None:
    """The shown text has to be closed decently there."""
    simulation.faults(HAIKU, "close:1:word")
    came, _ = await parts(client)

    assert came == ["Ínsur", "an"]


async def test_an_event_can_end_inside_its_bytes(client: AsyncAnthropic, simulation: Simulation) -> None:
    """Half an event must not be shown."""
    simulation.faults(HAIKU, "close:1:event, cut:1:event")

    assert (await parts(client))[0] == ["Ínsur"]
    assert await parts(client) == (["Ínsur"], None)


async def test_a_position_behind_the_end_means_before_the_closing_events(
    client: AsyncAnthropic, simulation: Simulation
) -> None:
    """A cut after ten chunks also cuts a short answer."""
    simulation.faults(HAIKU, "cut:99")
    message = await final(client)

    assert (message.content[0].to_dict()["text"], message.stop_reason) == (WORDS, None)


async def test_an_error_event_raises_the_base_class_with_status_200(
    client: AsyncAnthropic, simulation: Simulation
) -> None:
    """Code that waits for OverloadedError never sees it here."""
    simulation.faults(HAIKU, "error:3, error:0:api_error")
    came, error = await parts(client)
    _, other = await parts(client)

    assert "".join(came) == WORDS[:15]
    assert type(error) is anthropic.APIStatusError
    assert (error.status_code, error.type) == (200, "overloaded_error")
    assert isinstance(other, anthropic.APIStatusError)
    assert other.type == "api_error"


async def test_an_error_event_becomes_a_status_without_streaming(
    client: AsyncAnthropic, simulation: Simulation
) -> None:
    """A whole answer fails as a whole."""
    simulation.faults(HAIKU, "error")
    with pytest.raises(anthropic.OverloadedError):
        await client.messages.create(**body())


async def test_faults_can_strike_an_empty_or_refused_answer(
    client: AsyncAnthropic, simulation: Simulation
) -> None:
    """Mixtures must not trip over answers without a single chunk."""
    simulation.faults(HAIKU, "empty+cut:3, 529+bytes, refusal+stall:0.01")
    empty = await final(client)
    with pytest.raises(anthropic.OverloadedError):
        await final(client)

    assert (empty.content, empty.stop_reason) == ([], None)
    assert (await final(client)).stop_reason == "refusal"


async def test_a_stall_holds_the_rest_back(client: AsyncAnthropic, simulation: Simulation) -> None:
    """Stall detection is tested with this."""
    simulation.faults(HAIKU, "stall:0.1:2, stall:600:2")
    async with client.messages.stream(**body()) as stream:
        assert len([text async for text in stream.text_stream]) == 8
    (seen,) = simulation.requests
    assert (seen.finished_at or 0) - (seen.began_at or 0) >= 0.099
    async with client.messages.stream(**body()) as stream:
        for _ in range(2):
            await anext(stream.text_stream)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await anext(stream.text_stream)


async def test_bad_json_raises_from_the_parser(client: AsyncAnthropic, simulation: Simulation) -> None:
    """Neither an AnthropicError nor a transport error: it must be caught by name."""
    simulation.faults(HAIKU, "badjson:2, badjson")
    came, error = await parts(client)

    assert "".join(came) == WORDS[:10]
    assert isinstance(error, json.JSONDecodeError)
    with pytest.raises(json.JSONDecodeError):
        await client.messages.create(**body())


HARMLESS = ["unknown", "pings:30", "nostop", "bytes", "utf8", "bytes+pings:3+unknown", "stall:0.01+utf8"]


@pytest.mark.parametrize("script", HARMLESS)
async def test_what_a_client_must_bear_changes_nothing(
    client: AsyncAnthropic, simulation: Simulation, script: str
) -> None:
    """Strangers, pings and unkind segments must not reach the customer."""
    simulation.faults(HAIKU, f"{script}x2")
    message = await final(client)
    whole = await client.messages.create(**body())

    assert message.content[0].to_dict()["text"] == whole.content[0].to_dict()["text"] == WORDS
    assert message.stop_reason == whole.stop_reason == "end_turn"


async def test_citations_survive_one_byte_segments(client: AsyncAnthropic, simulation: Simulation) -> None:
    """Not only text is put together from pieces."""
    simulation.brain = lambda _: Reply.of(Cited("So", 0))
    simulation.faults(HAIKU, "bytes")
    async with client.messages.stream(**body(messages=[user(passage(), "?")])) as stream:
        citations = [event.citation async for event in stream if event.type == "citation"]

    assert [citation.to_dict()["source"] for citation in citations] == ["kb://cover"]


async def test_after_a_break_the_next_request_is_answered(
    client: AsyncAnthropic, simulation: Simulation
) -> None:
    """A fault strikes one request only."""
    simulation.faults(HAIKU, "reset:1, close:0, cut:1:event")
    for _ in range(3):
        await parts(client)

    assert (await final(client)).stop_reason == "end_turn"
    assert all(recorded.disconnected_at is None for recorded in simulation.requests)


FUZZ = st.lists(
    st.sampled_from(
        [
            "unknown",
            "pings:3",
            "nostop",
            "bytes",
            "utf8",
            "cut:2",
            "close:1:word",
            "reset:3",
            "error:2",
            "badjson:4",
        ]
    ),
    min_size=1,
    max_size=4,
)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(FUZZ)
async def test_any_mixture_gives_a_prefix_of_the_text(
    client: AsyncAnthropic, simulation: Simulation, names: list[str]
) -> None:
    """Faults are combined in load tests; the simulation itself must never invent or repeat words."""
    simulation.faults(HAIKU, "+".join(names))
    came, error = await parts(client)

    shown = "".join(came)
    assert WORDS.startswith(shown)
    assert error is not None or shown == WORDS or "cut:2" in names
