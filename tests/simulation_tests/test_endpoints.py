"""The HTTP side: who is let in, which paths there are, what stands in the headers."""

import json
from datetime import datetime

import anthropic
import pytest
from anthropic import AsyncAnthropic

from tests.simulation import Limits, Reply, Simulation
from tests.simulation_tests.bodies import HAIKU, body, text, user
from tests.simulation_tests.sdk import client_of


async def test_a_wrong_key_is_not_let_in(simulation: Simulation) -> None:
    """A desk with a wrong key must see in a test what it will see in production."""
    async with AsyncAnthropic(base_url=simulation.base_url, api_key="other", max_retries=0) as client:
        with pytest.raises(anthropic.AuthenticationError) as refused:
            await client.messages.create(**body())

    assert refused.value.type == "authentication_error"


async def test_the_old_key_header_is_not_read(simulation: Simulation) -> None:
    """A proxy that still sends x-api-key would work nowhere but here."""
    headers = {"authorization": "", "x-api-key": simulation.api_key}
    async with client_of(simulation) as client:
        with pytest.raises(anthropic.AuthenticationError, match="x-api-key header is not read"):
            await client.messages.create(**body(), extra_headers=headers)


async def test_another_api_version_is_refused(client: AsyncAnthropic) -> None:
    """The rules hold for one version; a client of another one must not be fooled."""
    for version, words in (("2023-06-01", "2023-06-01"), (anthropic.omit, "header is required")):
        with pytest.raises(anthropic.BadRequestError, match=words):
            await client.messages.create(**body(), extra_headers={"anthropic-version": version})


async def test_an_unknown_or_retired_model_is_not_found(client: AsyncAnthropic) -> None:
    """A prompt file with an old model name fails on the first turn, not at the end of the month."""
    for name in ("claude-3-haiku-20240307", "claude-haiku-6"):
        with pytest.raises(anthropic.NotFoundError, match=f"model: {name}"):
            await client.messages.create(**body(model=name))


async def test_an_unknown_path_is_not_found(client: AsyncAnthropic) -> None:
    """A wrong base URL gives a plain 404."""
    with pytest.raises(anthropic.NotFoundError):
        await client.post("/v1/complete", cast_to=object, body={})


async def test_a_body_over_32_mb_is_too_large(client: AsyncAnthropic) -> None:
    """The desk must learn about a huge history from a 413, not from a dropped connection."""
    with pytest.raises(anthropic.ContentTooLargeError) as refused:
        await client.messages.create(**body(messages=[user("x" * 33 * 1024 * 1024)]))

    assert refused.value.status_code == 413


async def test_a_body_that_is_not_declared_as_json_is_refused(client: AsyncAnthropic) -> None:
    """Hand-made calls fail here as they do there."""
    with pytest.raises(anthropic.BadRequestError, match="content-type"):
        await client.messages.create(**body(), extra_headers={"content-type": "text/plain"})


async def test_models_are_listed_page_by_page(client: AsyncAnthropic) -> None:
    """Start-up checks that ask for the models of the prompts find them."""
    names = [model.id async for model in client.models.list(limit=2)]

    assert len(names) == len(set(names)) == 5
    assert HAIKU in names


async def test_a_model_tells_what_it_takes(client: AsyncAnthropic) -> None:
    """Capabilities and refusals come from one table, so they agree."""
    model = await client.models.retrieve("claude-sonnet-5-5")

    assert (model.max_input_tokens, model.max_tokens, model.line) == (1_000_000, 128_000, "sonnet")
    assert model.capabilities is not None
    assert model.capabilities.thinking.types.between_tools.supported
    assert not model.capabilities.thinking.types.disabled.supported
    with pytest.raises(anthropic.NotFoundError):
        await client.models.retrieve("claude-opus-4-1-20250805")


async def test_tokens_are_counted_by_bytes(client: AsyncAnthropic) -> None:
    """Budgets computed from the count must grow with the text, in every language."""
    counted = await client.messages.count_tokens(
        model=HAIKU, messages=[{"role": "user", "content": "ñ" * 20}]
    )

    assert counted.input_tokens == 10


async def test_the_answer_carries_id_and_limits_in_its_headers(client: AsyncAnthropic) -> None:
    """The routing log needs the request id; the breaker may look at what is left."""
    raw = await client.messages.with_raw_response.create(**body())
    headers = raw.headers

    assert headers["request-id"].startswith("req_")
    assert int(headers["anthropic-ratelimit-requests-remaining"]) == 999
    for name in ("requests", "tokens", "input-tokens", "output-tokens"):
        assert int(headers[f"anthropic-ratelimit-{name}-limit"]) > 0
        assert datetime.fromisoformat(headers[f"anthropic-ratelimit-{name}-reset"]).tzinfo is not None


async def test_limits_can_be_enforced() -> None:
    """A load test can see what the desk does when its minute is used up."""
    async with (
        Simulation(limits=Limits(requests=1, is_enforced=True)) as simulation,
        client_of(simulation) as client,
    ):
        await client.messages.create(**body())
        with pytest.raises(anthropic.RateLimitError) as refused:
            await client.messages.create(**body())

    assert 0 < int(refused.value.response.headers["retry-after"]) <= 60


async def test_connections_are_kept_alive(client: AsyncAnthropic, simulation: Simulation) -> None:
    """Opening a connection per call would make every timing of a load test wrong."""
    for _ in range(3):
        await client.messages.create(**body())

    assert simulation.open_connections == 1


async def test_requests_are_recorded(client: AsyncAnthropic, simulation: Simulation) -> None:
    """Tests of the desk look at what it sent: bytes, fields, headers and times."""
    sent = body(system=[text("Rules")])
    await client.messages.create(**sent)
    (recorded,) = simulation.calls(HAIKU)

    assert recorded.body == {**sent, "messages": [user("Hello there")]}
    assert json.loads(recorded.raw) == recorded.body
    assert recorded.headers["anthropic-version"] == "2026-10-21"
    assert recorded.parsed is not None
    assert recorded.parsed.system_text == "Rules"
    assert recorded.status == 200
    assert recorded.finished_at is not None
    assert recorded.arrived_at <= recorded.finished_at
    assert recorded.disconnected_at is None


async def test_only_the_newest_requests_are_kept() -> None:
    """A long load test must not fill the memory of the machine it measures."""
    async with (
        Simulation(keep_requests=2) as simulation,
        client_of(simulation) as client,
    ):
        for number in range(3):
            await client.messages.create(**body(messages=[user(str(number))]))

        assert [recorded.parsed.last_user_text for recorded in simulation.requests if recorded.parsed] == [
            "1",
            "2",
        ]
        assert simulation.total_requests == 3


async def test_the_brain_can_be_changed_between_requests(
    client: AsyncAnthropic, simulation: Simulation
) -> None:
    """A test sets what the model says next."""
    simulation.brain = lambda _: Reply.of("Second thoughts.")
    message = await client.messages.create(**body())

    assert message.content[0].type == "text"
    assert message.content[0].text == "Second thoughts."
