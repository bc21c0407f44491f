"""Every scripted fault reaches the SDK as the error class that the real API would cause."""

import asyncio

import anthropic
import httpx2
import pytest
from anthropic import AsyncAnthropic

from tests.simulation import Simulation
from tests.simulation.faults import Hang, Ok, Status, Step, TooLong, spend_limit
from tests.simulation_tests.bodies import HAIKU, SONNET, body, user
from tests.simulation_tests.sdk import client_of

STATUSES: dict[str, tuple[type[anthropic.APIStatusError], int, str | None]] = {
    "400": (anthropic.BadRequestError, 400, "invalid_request_error"),
    "401": (anthropic.AuthenticationError, 401, "authentication_error"),
    "402": (anthropic.PaymentRequiredError, 402, "billing_error"),
    "403": (anthropic.PermissionDeniedError, 403, "permission_error"),
    "404": (anthropic.NotFoundError, 404, "not_found_error"),
    "408": (anthropic.RequestTimeoutError, 408, "timeout_error"),
    "409": (anthropic.ConflictError, 409, "conflict_error"),
    "413": (anthropic.ContentTooLargeError, 413, "request_too_large"),
    "429": (anthropic.RateLimitError, 429, "rate_limit_error"),
    "500": (anthropic.InternalServerError, 500, "api_error"),
    "502": (anthropic.InternalServerError, 502, None),
    "503": (anthropic.ServiceUnavailableError, 503, "api_error"),
    "504": (anthropic.GatewayTimeoutError, 504, "timeout_error"),
    "529": (anthropic.OverloadedError, 529, "overloaded_error"),
}


async def ask(client: AsyncAnthropic, *, is_streamed: bool = False, **changes: object) -> str:
    """The text of one answer."""
    if is_streamed:
        async with client.messages.stream(**body(**changes)) as stream:
            return await stream.get_final_text()
    message = await client.messages.create(**body(**changes))
    return message.content[0].text if message.content and message.content[0].type == "text" else ""


@pytest.mark.parametrize("is_streamed", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("script", STATUSES)
async def test_an_error_status_raises_its_class(
    client: AsyncAnthropic, simulation: Simulation, script: str, *, is_streamed: bool
) -> None:
    """The desk branches on class and type; both must be those of the real API."""
    kind, status, error_type = STATUSES[script]
    simulation.faults(HAIKU, script)

    with pytest.raises(kind) as refused:
        await ask(client, is_streamed=is_streamed)

    assert (refused.value.status_code, refused.value.type) == (status, error_type)
    assert refused.value.request_id == simulation.requests[-1].request_id
    assert await ask(client) == "You said: Hello there"


async def test_a_gateway_answers_with_a_page(client: AsyncAnthropic, simulation: Simulation) -> None:
    """A parser that expects JSON from every error must be caught."""
    simulation.faults(HAIKU, "502")
    with pytest.raises(anthropic.InternalServerError) as refused:
        await ask(client)

    assert refused.value.response.headers["content-type"] == "text/html"
    assert refused.value.response.text.startswith("<html>")


async def test_429_carries_retry_after_only_when_asked(
    client: AsyncAnthropic, simulation: Simulation
) -> None:
    """Waiting belongs to the header; without it the client decides."""
    simulation.faults(HAIKU, "429:60, 429")
    waits = []
    for _ in range(2):
        with pytest.raises(anthropic.RateLimitError) as refused:
            await ask(client)
        waits.append(refused.value.response.headers.get("retry-after"))

    assert waits == ["60", None]


async def test_the_spend_limit_has_its_own_code(client: AsyncAnthropic, simulation: Simulation) -> None:
    """Retrying it is useless; the desk must be able to tell."""
    simulation.faults(HAIKU, "429:spend, 429:ramp")
    with pytest.raises(anthropic.RateLimitError) as spent:
        await ask(client)
    with pytest.raises(anthropic.RateLimitError) as ramped:
        await ask(client)

    assert spent.value.error_code == "enforced_spend_limit_reached"
    assert "retry-after" not in spent.value.response.headers
    assert ramped.value.error_code == "ramp_limit_exceeded"
    assert ramped.value.response.headers["retry-after"] == "1"


async def test_a_long_body_is_refused_until_it_is_trimmed(
    client: AsyncAnthropic, simulation: Simulation
) -> None:
    """The desk trims its history and tries again; the second try must pass."""
    simulation.faults(HAIKU, "400:500x*")
    with pytest.raises(anthropic.BadRequestError, match="prompt is too long"):
        await ask(client, messages=[user("x" * 500)])

    assert await ask(client, messages=[user("x")]) == "You said: x"


async def test_a_timeline_is_taken_step_by_step(client: AsyncAnthropic, simulation: Simulation) -> None:
    """One line tells a whole outage."""
    simulation.faults(HAIKU, "429:1, ok, 529x3, ok")
    seen = []
    for _ in range(7):
        try:
            await ask(client)
            seen.append(200)
        except anthropic.APIStatusError as error:
            seen.append(error.status_code)

    assert seen == [429, 200, 529, 529, 529, 200, 200]
    assert [recorded.status for recorded in simulation.calls(HAIKU)] == seen


async def test_faults_belong_to_one_model(client: AsyncAnthropic, simulation: Simulation) -> None:
    """The classifier can be down while the specialist is up."""
    simulation.faults(HAIKU, "529x*")
    assert await ask(client, model=SONNET)
    with pytest.raises(anthropic.OverloadedError):
        await ask(client)

    simulation.faults(HAIKU, "")
    simulation.faults("*", "500x*")
    assert await ask(client)
    with pytest.raises(anthropic.InternalServerError):
        await ask(client, model=SONNET)


async def test_an_outage_can_last_for_a_time() -> None:
    """Minutes of 529 are tested on a clock of our own."""
    now = [0.0]
    async with (
        Simulation(clock=lambda: now[0]) as simulation,
        client_of(simulation) as client,
    ):
        simulation.faults(HAIKU, "529 for 300s, 429, ok")
        for now[0] in (10, 200, 309):
            with pytest.raises(anthropic.OverloadedError):
                await ask(client)
        now[0] = 311
        with pytest.raises(anthropic.RateLimitError):
            await ask(client)
        assert await ask(client)


async def test_faults_can_be_given_as_values(client: AsyncAnthropic, simulation: Simulation) -> None:
    """What a script cannot say, values can."""
    simulation.faults(HAIKU, [Status(429, 2.5), Ok(), Step((spend_limit(),), 2), TooLong(10)])
    codes: list[str] = []
    for _ in range(6):
        try:
            codes.append(await ask(client))
        except anthropic.APIStatusError as error:
            codes.append(
                error.error_code or error.response.headers.get("retry-after") or str(error.status_code)
            )

    good = "You said: Hello there"
    assert codes == ["2.5", good, "enforced_spend_limit_reached", "enforced_spend_limit_reached", "400", good]


@pytest.mark.parametrize("script", ["hang", "hang200"])
async def test_silence_lasts_until_the_client_leaves(
    client: AsyncAnthropic, simulation: Simulation, script: str
) -> None:
    """First-token limits are tested with this; nothing may be left behind."""
    simulation.faults(HAIKU, script)
    asking = asyncio.ensure_future(ask(client, is_streamed=True))
    status = 200 if script == "hang200" else None
    await simulation.until(lambda: [seen.status for seen in simulation.requests] == [status])
    await asyncio.sleep(0.05)
    assert not asking.done()
    asking.cancel()
    await asyncio.wait([asking])

    await simulation.until(lambda: simulation.requests[0].disconnected_at is not None)
    assert simulation.requests[0].status == status
    await simulation.until(lambda: simulation.open_answers == simulation.open_connections == 0)


async def test_the_sdk_times_out_on_silence(client: AsyncAnthropic, simulation: Simulation) -> None:
    """The class the desk sees when it sets the SDK's own limit."""
    simulation.faults(HAIKU, [Hang()])
    with pytest.raises(anthropic.APITimeoutError):
        await ask(client.with_options(timeout=httpx2.Timeout(0.1)))
