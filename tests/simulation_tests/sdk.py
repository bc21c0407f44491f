"""The real SDK, pointed at a simulation."""

import re
import ssl

import pytest
from anthropic import AsyncAnthropic, BadRequestError, DefaultAsyncHttpxClient, InternalServerError

from tests.simulation import Simulation
from tests.simulation.reply import Brain
from tests.simulation_tests.bodies import Body


def client_of(simulation: Simulation) -> AsyncAnthropic:
    """The SDK as the desk uses it: no retries of its own.

    The empty TLS context saves reading all root certificates (18 ms a client), which plain HTTP never needs.
    """
    http_client = DefaultAsyncHttpxClient(verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
    return AsyncAnthropic(
        base_url=simulation.base_url, api_key=simulation.api_key, max_retries=0, http_client=http_client
    )


async def ask_and_stop(brain: Brain, *bodies: Body) -> list[str]:
    """Run a simulation with this brain for these requests; what each came to, in a word or the 500's text.

    Raises:
        Exception: What the brain raised, when the simulation stops.
    """
    seen: list[str] = []
    async with Simulation(brain) as simulation, client_of(simulation) as client:
        for request_body in bodies:
            try:
                message = await client.messages.create(**request_body)
                seen.append(str(message.stop_reason))
            except InternalServerError as error:
                seen.append(error.message)
    return seen


async def assert_refused(client: AsyncAnthropic, request_body: Body, words: str) -> None:
    """The request is a 400 of the right type, and its message holds these words."""
    with pytest.raises(BadRequestError, match=re.escape(words)) as refused:
        await client.messages.create(**request_body)

    assert refused.value.type == "invalid_request_error"
    assert refused.value.request_id
