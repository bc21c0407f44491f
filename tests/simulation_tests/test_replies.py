"""Replies come out as the API sends them, streamed and whole, in the SDK's own types."""

import json

from anthropic import AsyncAnthropic
from anthropic.types import TextBlock, ToolUseBlock

from tests.simulation import Cited, Data, Simulation, Thinking, ToolUse
from tests.simulation_tests.bodies import (
    assistant,
    body,
    call,
    label_format,
    passage,
    result,
    tool,
    user,
)
from tests.simulation_tests.saying import replying, streamed

FOUND = body(
    tools=[tool("search_knowledge")],
    messages=[
        user(passage("kb://old", "Old words."), "Is glass covered?"),
        assistant(call(name="search_knowledge")),
        user(
            result(
                content=[
                    passage("kb://glass", "Glass is covered. ", "Chips too. ", "Not mirrors."),
                    passage(),
                ]
            )
        ),
    ],
)


async def test_a_stream_and_a_body_hold_the_same_message(
    client: AsyncAnthropic, simulation: Simulation
) -> None:
    """The desk may use either; a difference would be a bug of the simulation found in production code."""
    simulation.brain = replying("Glass is ", Cited("covered", "kb://glass"), Data({"a": 1}))
    whole = await client.messages.create(**FOUND)
    stream = await streamed(client, FOUND)

    assert [block.to_dict() for block in whole.content] == [
        {name: value for name, value in block.to_dict().items() if name != "parsed_output"}
        for block in stream.content
    ]
    assert whole.usage == stream.usage
    assert whole.stop_reason == stream.stop_reason == "end_turn"


async def test_the_events_come_in_the_order_of_the_api(
    client: AsyncAnthropic, simulation: Simulation
) -> None:
    """A reader that relies on the order of events must be able to."""
    simulation.brain = replying(Thinking("Hm."), "One moment.", ToolUse("get_quote", {"make": "Nissan"}))
    simulation.pace(chunk_chars=100)
    stream = await client.messages.create(**body(tools=[tool()]), stream=True)
    events = [event.type async for event in stream]

    assert events == [
        "message_start",
        *("content_block_start", "content_block_delta", "content_block_stop"),
        *("content_block_start", "content_block_delta", "content_block_stop"),
        *("content_block_start", "content_block_delta", "content_block_delta", "content_block_stop"),
        "message_delta",
        "message_stop",
    ]


async def test_text_comes_in_chunks_of_the_set_size(client: AsyncAnthropic, simulation: Simulation) -> None:
    """Guards must be tested with words cut anywhere."""
    simulation.brain = replying("Buenos días, señora")
    simulation.pace(chunk_chars=5)
    async with client.messages.stream(**body()) as stream:
        chunks = [words async for words in stream.text_stream]

    assert chunks == ["Bueno", "s día", "s, se", "ñora"]


async def test_a_citation_points_at_the_blocks_of_its_source(
    client: AsyncAnthropic, simulation: Simulation
) -> None:
    """A citation shown to a customer is mapped by source; index and text must be those of the request."""
    simulation.brain = replying("So: ", Cited("glass and chips", 1, 0, 2), Cited("cover", "kb://cover"))
    whole = await client.messages.create(**FOUND)
    stream = await streamed(client, FOUND)

    for message in (whole, stream):
        assert isinstance(message.content[1], TextBlock)
        (citation,) = message.content[1].citations or []
        assert citation.to_dict() == {
            "type": "search_result_location",
            "source": "kb://glass",
            "title": "What is covered",
            "cited_text": "Glass is covered. Chips too. ",
            "search_result_index": 1,
            "start_block_index": 0,
            "end_block_index": 2,
        }


async def test_no_citation_comes_when_citations_are_off(
    client: AsyncAnthropic, simulation: Simulation
) -> None:
    """Who forgets to switch citations on must see that none come."""
    simulation.brain = replying(Cited("glass", 0))
    off = passage(citations={"enabled": False})
    message = await client.messages.create(**body(messages=[user(off, "?")]))

    assert isinstance(message.content[0], TextBlock)
    assert message.content[0].citations is None


async def test_a_call_stops_with_tool_use(client: AsyncAnthropic, simulation: Simulation) -> None:
    """The tool loop runs on this stop reason and this input."""
    simulation.brain = replying("A moment.", ToolUse("get_quote", {"make": "Citroën"}))
    request_body = body(tools=[tool()])
    whole = await client.messages.create(**request_body)
    stream = await streamed(client, request_body)

    for message in (whole, stream):
        assert message.stop_reason == "tool_use"
        assert isinstance(message.content[1], ToolUseBlock)
        assert (message.content[1].name, message.content[1].input) == ("get_quote", {"make": "Citroën"})
    assert whole.content[1].to_dict()["id"] != stream.content[1].to_dict()["id"]


async def test_structured_output_has_the_required_fields_first(
    client: AsyncAnthropic, simulation: Simulation
) -> None:
    """A reader of the first bytes may rely on the enum coming first."""
    simulation.brain = replying(Data({"confidence": 0.9, "note": "n", "intent": "quote"}))
    message = await client.messages.create(**body(output_config=label_format()))

    assert isinstance(message.content[0], TextBlock)
    assert list(json.loads(message.content[0].text)) == ["intent", "confidence", "note"]


async def test_nested_structured_output_is_in_order_too(
    client: AsyncAnthropic, simulation: Simulation
) -> None:
    """The same inside lists and behind references."""
    item = {
        "type": "object",
        "properties": {"b": {"type": "string"}, "a": {"type": "string"}},
        "required": ["a"],
        "additionalProperties": False,
    }
    schema = {
        "type": "object",
        "properties": {"also": {"type": "array", "items": {"$ref": "#/$defs/item"}}},
        "required": ["also"],
        "additionalProperties": False,
        "$defs": {"item": item},
    }
    simulation.brain = replying(Data({"also": [{"b": "2", "a": "1"}]}))
    message = await client.messages.create(**body(output_config=label_format(schema)))

    assert isinstance(message.content[0], TextBlock)
    assert message.content[0].text == '{"also":[{"a":"1","b":"2"}]}'
