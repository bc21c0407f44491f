"""The server's life: up, down, clients that leave, brains that fail, and time."""

import asyncio
import time

import anthropic
import pytest
from anthropic import AsyncAnthropic

from tests.simulation import Data, MessageRequest, Reply, Script, Simulation, Timing
from tests.simulation_tests.bodies import HAIKU, SONNET, body, label_format, user
from tests.simulation_tests.sdk import ask_and_stop, client_of


async def test_down_refuses_connections_and_up_takes_them_on_the_same_port(
    client: AsyncAnthropic, simulation: Simulation
) -> None:
    """An outage and its end, as the breaker sees them."""
    before = simulation.base_url
    await client.messages.create(**body())
    await simulation.down()
    with pytest.raises(anthropic.APIConnectionError) as refused:
        await client.messages.create(**body())
    await simulation.up()

    assert "refused" in repr(refused.value.__cause__) or "attempts failed" in repr(refused.value.__cause__)
    assert simulation.base_url == before
    assert await client.messages.create(**body())


async def test_down_breaks_the_answers_under_way(client: AsyncAnthropic, simulation: Simulation) -> None:
    """A crash in the middle of a reply."""
    simulation.pace(first_text_ms=60_000)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(_error_of(client))
        await simulation.until(lambda: simulation.open_answers == 1)
        await simulation.down()

    assert isinstance(task.result(), anthropic.APIConnectionError)


async def _error_of(client: AsyncAnthropic) -> Exception | None:
    try:
        await client.messages.create(**body())
    except anthropic.APIError as error:
        return error
    return None


async def test_a_client_that_leaves_is_seen_at_once(client: AsyncAnthropic, simulation: Simulation) -> None:
    """A cancelled guess must stop costing; this is how a test sees it."""
    simulation.brain = lambda _: Reply.of("word " * 2)
    simulation.pace(chunk_ms=60_000, chunk_chars=5)
    async with client.messages.stream(**body(max_tokens=2000)) as stream:
        async for _ in stream.text_stream:
            break
    (recorded,) = simulation.requests
    await simulation.until(lambda: recorded.disconnected_at is not None)

    assert recorded.finished_at is None


async def test_a_complete_answer_is_no_disconnect(client: AsyncAnthropic, simulation: Simulation) -> None:
    """Closing the client after the end is no fault."""
    await client.messages.create(**body())
    await client.close()
    await simulation.until(lambda: simulation.open_connections == 0)

    assert simulation.requests[0].disconnected_at is None


async def test_a_failing_brain_fails_the_test_at_the_end() -> None:
    """An assertion inside a brain counts, although it is raised in the server."""

    def brain(request: MessageRequest) -> Reply:
        assert request.system_text == "Rules", "no rules were sent"
        return Reply.of("ok")

    with pytest.raises(AssertionError, match="no rules were sent"):
        await ask_and_stop(brain, body(), body(system="Rules"))


async def test_the_client_of_a_failing_brain_is_told_why(
    client: AsyncAnthropic, simulation: Simulation
) -> None:
    """The test that fails shows the reason where it fails."""
    simulation.brain = Script({})
    with pytest.raises(anthropic.InternalServerError, match="no more replies"):
        await client.messages.create(**body())

    assert len(simulation.failures) == 1
    simulation.failures.clear()


async def test_the_settings_of_a_client_are_told(simulation: Simulation) -> None:
    """A desk in another process is started with these."""
    assert simulation.environment == {
        "ANTHROPIC_BASE_URL": f"http://127.0.0.1:{simulation.port}",
        "ANTHROPIC_API_KEY": simulation.api_key,
    }


async def test_waiting_for_something_that_never_comes_ends(simulation: Simulation) -> None:
    """A test that waits in vain must fail, not hang."""
    with pytest.raises(TimeoutError):
        await simulation.until(lambda: False, timeout_s=0.01)


async def test_models_have_their_own_pace(client: AsyncAnthropic, simulation: Simulation) -> None:
    """Speculation is tested with a slow label and a fast first word."""
    simulation.brain = lambda request: Reply.of(Data({}) if request.schema_wanted else "word " * 5)
    simulation.pace(first_text_ms=10, chunk_chars=5)
    simulation.pace(HAIKU, label_ms=60_000)
    simulation.pace(SONNET, first_text_ms=60, chunk_ms=15)
    label = asyncio.ensure_future(client.messages.create(**body(output_config=label_format())))
    await simulation.until(lambda: simulation.open_answers == 1)
    for changes in ({"model": SONNET}, {}):
        await client.messages.create(**body(**changes))
    _, sonnet_s, haiku_s = [(seen.began_at or 0) - seen.arrived_at for seen in simulation.requests]

    assert sonnet_s >= 0.119
    assert haiku_s >= 0.009
    assert not label.done()
    label.cancel()
    await asyncio.wait([label])


async def test_a_stream_keeps_its_pace() -> None:
    """First word after first_text_ms, then a chunk every chunk_ms."""
    timing = Timing(first_text_ms=50, chunk_ms=20, chunk_chars=5)
    async with (
        Simulation(lambda _: Reply.of("word " * 4), timing=timing) as simulation,
        client_of(simulation) as client,
    ):
        started = time.monotonic()
        async with client.messages.stream(**body()) as stream:
            times = [time.monotonic() - started async for _ in stream.text_stream]
        (seen,) = simulation.requests

    assert len(times) == 4
    assert times[0] >= 0.049
    assert times[3] >= 0.109
    assert (seen.finished_at or 0) - (seen.began_at or 0) >= 0.059


async def test_many_answers_run_side_by_side(client: AsyncAnthropic, simulation: Simulation) -> None:
    """Waiting must cost no time of others."""
    simulation.pace(first_text_ms=60_000)
    asked = [
        asyncio.ensure_future(client.messages.create(**body(messages=[user(str(number))])))
        for number in range(20)
    ]
    await simulation.until(lambda: simulation.open_answers == 20)
    for task in asked:
        task.cancel()
    await asyncio.wait(asked)
    await simulation.until(lambda: simulation.open_answers == 0)

    assert len(simulation.requests) == 20


async def test_requests_behind_each_other_on_one_connection_are_answered_in_order(
    simulation: Simulation,
) -> None:
    """HTTP allows it, so nobody may be mixed up."""
    reader, writer = await asyncio.open_connection("127.0.0.1", simulation.port)
    head = f"GET /v1/models/{{}} HTTP/1.1\r\nauthorization: Bearer {simulation.api_key}\r\nanthropic-version: 2026-10-21\r\n\r\n"
    writer.write((head.format(HAIKU) + head.format(SONNET)).encode())
    answered = b""
    while answered.count(b'"id"') < 2:
        answered += await reader.read(65536)
    writer.close()

    assert answered.index(HAIKU.encode()) < answered.index(SONNET.encode())


async def test_noise_on_the_line_closes_the_connection(simulation: Simulation) -> None:
    """A port scan in a shared environment must not hang the server."""
    reader, writer = await asyncio.open_connection("127.0.0.1", simulation.port)
    writer.write(b"\x16\x03\x01 no http at all\r\n\r\n")

    assert await reader.read() == b""
    writer.close()


async def test_a_client_that_wants_to_close_is_closed(simulation: Simulation) -> None:
    """Connection: close is obeyed."""
    reader, writer = await asyncio.open_connection("127.0.0.1", simulation.port)
    writer.write(b"GET /v1/models HTTP/1.1\r\nconnection: close\r\n\r\n")
    answered = await reader.read()
    writer.close()

    assert answered.startswith(b"HTTP/1.1 401 Unauthorized")
    assert b"connection: close" in answered
