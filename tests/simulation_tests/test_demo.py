"""The demonstration by hand: settings printed, and a whole conversation held by the demo brain."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from typing import Any

import pytest
from anthropic import AsyncAnthropic
from anthropic.types import Message

from tests.simulation import Simulation
from tests.simulation.demo import demo, guess
from tests.simulation.quote_details import details_in
from tests.simulation_tests.bodies import (
    Body,
    assistant,
    body,
    label_format,
    object_schema,
    passage,
    result,
    tool,
    user,
)
from tests.waiting import PATIENCE_S

INTENTS = ["greeting", "product_info", "quote", "off_topic", "escalate"]
TOOLS = [
    tool("search_knowledge", input_schema=object_schema({"query": {"type": "string"}})),
    tool(
        "get_quote",
        input_schema=object_schema(
            {
                "make": {"type": "string"},
                "model": {"type": "string"},
                "year": {"type": "integer"},
                "mileage": {"type": "integer"},
                "driver_age": {"type": "integer"},
            }
        ),
    ),
    tool(
        "handoff",
        input_schema=object_schema(
            {"reason": {"enum": ["asked_for_person", "other"]}, "summary": {"type": "string"}}
        ),
    ),
]


@pytest.fixture
async def simulation() -> AsyncIterator[Simulation]:
    """A simulation with the demo brain."""
    async with Simulation(demo) as running:
        yield running


async def turn(client: AsyncAnthropic, *messages: Body) -> Message:
    """One call of the specialist."""
    return await client.messages.create(**body(tools=TOOLS, messages=list(messages)))


def back(message: Message, content: Any) -> tuple[Body, Body]:  # noqa: ANN401 - string or blocks
    """The call and its result, as the desk sends them back."""
    block = message.content[0]
    assert block.type == "tool_use"
    return assistant(block.to_dict()), user(result(block.id, content))


def words(message: Message) -> str:
    """All text of a message."""
    return "".join(block.text for block in message.content if block.type == "text")


@pytest.mark.parametrize(
    ("message", "intent"),
    [
        ("Hola, buenas tardes", "greeting"),
        ("Hi!", "greeting"),
        ("How much to insure my 2022 Nissan Leaf?", "quote"),
        ("¿Cuánto cuesta?", "quote"),
        ("Does it cover the battery?", "product_info"),
        ("I want to talk to a person", "escalate"),
        ("¿Qué cubre la póliza?", "product_info"),
        ("What is the capital of France?", "off_topic"),
    ],
)
async def test_it_labels_by_key_words(client: AsyncAnthropic, message: str, intent: str) -> None:
    """A newcomer sees the routing work, in both languages."""
    schema = object_schema(
        {
            "intent": {"enum": INTENTS},
            "confidence": {"type": "number"},
            "language": {"type": "string"},
            "also": {"type": "array"},
        }
    )
    answered = await client.messages.create(
        **body(messages=[user(message)], output_config=label_format(schema))
    )
    label = json.loads(words(answered))

    assert guess(message) == label["intent"] == intent
    assert label["confidence"] == 0.93
    assert label["also"] == []


async def test_it_searches_once_and_cites(client: AsyncAnthropic) -> None:
    """Sources appear in the chat as they will with Claude."""
    asked = user("Does it cover the battery?")
    searched = await turn(client, asked)
    call, found = back(searched, [passage("kb://battery", "The battery is covered.", "Damage too.")])
    answered = await turn(client, asked, call, found)

    assert answered.stop_reason == "end_turn"
    assert "The battery is covered." in words(answered)
    cited = [block for block in answered.content if block.type == "text" and block.citations]
    assert len(cited) == 1


async def test_it_says_so_when_nothing_is_found(client: AsyncAnthropic) -> None:
    """No passage, no claim."""
    asked = user("¿Cubre la batería?")
    call, found = back(await turn(client, asked), "Nothing was found.")

    assert words(await turn(client, asked, call, found)).startswith("No encontré nada")


async def test_it_asks_for_details_and_then_calls_for_the_price(client: AsyncAnthropic) -> None:
    """The quote flow can be tried from beginning to end."""
    first = user("How much for my Nissan Leaf?")
    asked = await turn(client, first)
    assert words(asked) == "Gladly. I still need: year, mileage, driver age."

    second = user("It is from 2022, 40k miles, and I am 34")
    called = await turn(client, first, assistant(words(asked)), second)
    call, price = back(called, "Quote Q1: 84.50 US dollars per month.")
    assert call["content"][0]["input"] == {
        "make": "Nissan",
        "model": "Leaf",
        "year": 2022,
        "mileage": 40_000,
        "driver_age": 34,
    }
    assert "84.50" in words(await turn(client, first, assistant(words(asked)), second, call, price))


async def test_it_looks_up_what_is_the_customers_own(client: AsyncAnthropic) -> None:
    """Signed in, the newcomer tries the policy, the bills and a cancellation too."""
    number = object_schema({"policy_number": {"type": ["string", "null"]}})
    tools = [
        tool(name, input_schema=number) for name in ("get_policy", "get_billing", "request_cancellation")
    ]
    asked = user("¿Cuánto debo de la póliza AP-1001-1?")
    called = await client.messages.create(**body(tools=tools, messages=[asked]))
    call, bill = back(called, "Bill B-1: 92.40 US dollars.")
    assert call["content"][0]["input"] == {"policy_number": "AP-1001-1"}
    told = await client.messages.create(**body(tools=tools, messages=[asked, call, bill]))

    assert words(told) == "Esto es lo que veo: Bill B-1: 92.40 US dollars."


async def test_it_hands_over(client: AsyncAnthropic) -> None:
    """Escalation ends with a ticket."""
    asked = user("I want to talk to a human")
    called = await turn(client, asked)
    call, ticket = back(called, "Ticket T1 is stored.")

    assert call["content"][0]["input"] == {
        "reason": "asked_for_person",
        "summary": "I want to talk to a human",
    }
    assert "Ticket T1" in words(await turn(client, asked, call, ticket))


async def test_it_greets_in_the_customers_language(client: AsyncAnthropic) -> None:
    """The first thing a newcomer tries."""
    assert "I am Eva" in words(await turn(client, user("Hi there")))
    assert "Soy Eva" in words(await turn(client, user("¡Hola!")))


@pytest.mark.parametrize(
    ("texts", "details"),
    [
        (["Tesla Model 3, 2021"], {"make": "Tesla", "model": "Model 3", "year": 2021}),
        (["12 mil km"], {"mileage": 12_000}),
        (["2019", "15,000 miles", "34"], {"year": 2019, "mileage": 15_000, "driver_age": 34}),
        (["tengo 45 años"], {"driver_age": 45}),
        (["no idea"], {}),
        (["2019", "sorry, 2020"], {"year": 2020}),
        (["52000"], {"mileage": 52_000}),
    ],
)
def test_it_finds_the_details_of_a_quote(texts: list[str], details: Body) -> None:
    """Well enough to reach a price by hand."""
    assert details_in(texts) == details


async def test_it_runs_by_hand_and_prints_the_settings() -> None:
    """The two lines are pasted into another terminal."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.simulation", "--port", "0", "--label-ms", "0", "--first-text-ms", "0"),
        *("--faults", "claude-haiku-5-5=529"),
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(PATIENCE_S):
            lines = [(await process.stdout.readline()).decode().strip() for _ in range(3)]
        settings = dict(line.removeprefix("export ").split("=", 1) for line in lines[:2])
        async with AsyncAnthropic(
            base_url=settings["ANTHROPIC_BASE_URL"], api_key=settings["ANTHROPIC_API_KEY"], max_retries=1
        ) as client:
            message = await client.messages.create(**body(messages=[user("Hi")]))
    finally:
        process.terminate()
        await process.wait()

    assert words(message).startswith("Hello! I am Eva")
