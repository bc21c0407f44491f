"""Replies come out as the API sends them, streamed and whole, in the SDK's own types."""

import json

import pytest
from anthropic import AsyncAnthropic, InternalServerError
from anthropic.types import Message, TextBlock, ThinkingBlock, ToolUseBlock

from tests.simulation import BrainError, Cited, Data, Reply, Simulation, Text, Thinking, ToolUse
from tests.simulation.reply import Brain
from tests.simulation_tests.bodies import (
    ADAPTIVE,
    SONNET,
    Body,
    assistant,
    body,
    call,
    label_format,
    passage,
    result,
    tool,
    user,
)

FOUND = body(
    tools=[tool("search_knowledge")],
    messages=[
        user(passage("kb://old", "Old words."), "Is glass covered?"),
        assistant(call(name="search_knowledge")),
        user(result(content=[passage("kb://glass", "Glass is covered. ", "Chips too. ", "Not mirrors."), passage()])),
    ],
)


def replying(*parts: str | Text | Cited | Data | ToolUse | Thinking, **more: object) -> Brain:
    """A brain that always gives these parts."""
    reply = Reply.of(*parts)
    return lambda _: reply


async def streamed(client: AsyncAnthropic, request_body: Body) -> Message:
    """The message put together by the SDK from the stream."""
    async with client.messages.stream(**request_body) as stream:
        return await stream.get_final_message()


def plain(message: Message) -> Body:
    """The message without its id, for comparison."""
    return {key: value for key, value in message.to_dict().items() if key != "id"}


async def test_a_stream_and_a_body_hold_the_same_message(client: AsyncAnthropic, simulation: Simulation) -> None:
    """The desk may use either; a difference would be a bug of the simulation found in production code."""
    simulation.brain = replying("Glass is ", Cited("covered", "kb://glass"), Data({"a": 1}))
    whole = await client.messages.create(**FOUND)
    stream = await streamed(client, FOUND)

    assert [block.to_dict() for block in whole.content] == [
        {name: value for name, value in block.to_dict().items() if name != "parsed_output"} for block in stream.content
    ]
    assert whole.usage == stream.usage
    assert whole.stop_reason == stream.stop_reason == "end_turn"


async def test_the_events_come_in_the_order_of_the_api(client: AsyncAnthropic, simulation: Simulation) -> None:
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


async def test_a_citation_points_at_the_blocks_of_its_source(client: AsyncAnthropic, simulation: Simulation) -> None:
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


async def test_no_citation_comes_when_citations_are_off(client: AsyncAnthropic, simulation: Simulation) -> None:
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


async def test_structured_output_has_the_required_fields_first(client: AsyncAnthropic, simulation: Simulation) -> None:
    """A reader of the first bytes may rely on the enum coming first."""
    simulation.brain = replying(Data({"confidence": 0.9, "note": "n", "intent": "quote"}))
    message = await client.messages.create(**body(output_config=label_format()))

    assert isinstance(message.content[0], TextBlock)
    assert list(json.loads(message.content[0].text)) == ["intent", "confidence", "note"]


async def test_nested_structured_output_is_in_order_too(client: AsyncAnthropic, simulation: Simulation) -> None:
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


async def test_thinking_comes_with_a_signature_and_no_text(client: AsyncAnthropic, simulation: Simulation) -> None:
    """Code that reads content[0] as text must fail in tests."""
    simulation.brain = replying(Thinking("A long thought.", tokens=40), "Done.")
    whole = await client.messages.create(**body())
    stream = await streamed(client, body())

    for message in (whole, stream):
        assert isinstance(message.content[0], ThinkingBlock)
        assert message.content[0].thinking == ""
        assert message.content[0].signature
        assert message.usage.output_tokens == 42
        assert message.usage.output_tokens_details is not None
        assert message.usage.output_tokens_details.thinking_tokens == 40


async def test_thinking_can_be_shown(client: AsyncAnthropic, simulation: Simulation) -> None:
    """With display summarized the text is there."""
    simulation.brain = replying(Thinking("A thought."), "Done.")
    message = await streamed(client, body(thinking={**ADAPTIVE, "display": "summarized"}))

    assert isinstance(message.content[0], ThinkingBlock)
    assert message.content[0].thinking == "A thought."


@pytest.mark.parametrize(
    "request_body",
    [body(thinking={"type": "disabled"}), body(model=SONNET, thinking={"type": "between_tools"})],
    ids=["disabled", "between_tools"],
)
async def test_no_thinking_comes_when_it_is_switched_off(
    client: AsyncAnthropic, simulation: Simulation, request_body: Body
) -> None:
    """The setting of a prompt file has the effect it has in production."""
    simulation.brain = replying(Thinking("Hm."), "Done.")
    message = await client.messages.create(**request_body)

    assert [block.type for block in message.content] == ["text"]


async def test_notes_before_calls_come_as_thinking_between_tools(client: AsyncAnthropic, simulation: Simulation) -> None:
    """A chat page must not expect to show them."""
    simulation.brain = replying(Thinking("Looking it up."), ToolUse("get_quote", {"make": "Kia"}))
    message = await client.messages.create(**body(model=SONNET, thinking={"type": "between_tools"}, tools=[tool()]))

    assert [block.type for block in message.content] == ["thinking", "tool_use"]


async def test_a_forced_call_comes_alone(client: AsyncAnthropic, simulation: Simulation) -> None:
    """Haiku says nothing before a forced call."""
    simulation.brain = replying(Thinking("Hm."), "A moment.", ToolUse("get_quote", {"make": "Kia"}))
    message = await client.messages.create(**body(tools=[tool()], tool_choice={"type": "any"}))

    assert [block.type for block in message.content] == ["tool_use"]


async def test_a_long_answer_is_cut_at_max_tokens(client: AsyncAnthropic, simulation: Simulation) -> None:
    """A limit that is too small must be seen in tests."""
    simulation.brain = replying("x" * 400, "never")
    message = await client.messages.create(**body(max_tokens=50))

    assert message.stop_reason == "max_tokens"
    assert message.usage.output_tokens == 50
    assert [block.to_dict() for block in message.content] == [{"type": "text", "text": "x" * 200}]


async def test_an_answer_that_just_fits_is_not_cut(client: AsyncAnthropic, simulation: Simulation) -> None:
    """The border belongs to the answer."""
    simulation.brain = replying("x" * 200)
    message = await client.messages.create(**body(max_tokens=50))

    assert message.stop_reason == "end_turn"


async def test_thinking_can_use_up_the_limit(client: AsyncAnthropic, simulation: Simulation) -> None:
    """A small max_tokens with thinking on ends without a word."""
    simulation.brain = replying(Thinking(tokens=500), "Hello")
    message = await client.messages.create(**body(max_tokens=100))

    assert [block.type for block in message.content] == ["thinking"]
    assert message.stop_reason == "max_tokens"


async def test_prewarming_says_nothing(client: AsyncAnthropic) -> None:
    """max_tokens 0 fills the cache and costs no output."""
    message = await client.messages.create(**body(max_tokens=0))

    assert (message.content, message.stop_reason, message.usage.output_tokens) == ([], "max_tokens", 0)


async def test_a_stop_sequence_ends_the_text(client: AsyncAnthropic, simulation: Simulation) -> None:
    """The sequence itself does not come out."""
    simulation.brain = replying("One. END Two.", "Three.")
    message = await client.messages.create(**body(stop_sequences=["END"]))

    assert (message.stop_reason, message.stop_sequence) == ("stop_sequence", "END")
    assert [block.to_dict() for block in message.content] == [{"type": "text", "text": "One. "}]


async def test_stop_reason_and_usage_can_be_overridden(client: AsyncAnthropic, simulation: Simulation) -> None:
    """Rare stop reasons and costly turns can be had for the asking."""
    reply = Reply.of("Hm.", stop_reason="model_context_window_exceeded", usage={"input_tokens": 90_000})
    simulation.brain = lambda _: reply

    for message in (await client.messages.create(**body()), await streamed(client, body())):
        assert message.stop_reason == "model_context_window_exceeded"
        assert message.usage.input_tokens == 90_000
        assert message.usage.output_tokens == 1


IMPOSSIBLE: dict[str, tuple[Brain, Body]] = {
    "a call without tools": (replying(ToolUse("get_quote")), body()),
    "a call where none is allowed": (
        replying(ToolUse("get_quote")),
        body(tools=[tool()], tool_choice={"type": "none"}),
    ),
    "no call where one is forced": (replying("Hm."), body(tools=[tool()], tool_choice={"type": "any"})),
    "a citation of nothing": (replying(Cited("x", 0)), body()),
    "a citation of a missing block": (replying(Cited("x", 0, 7)), body(messages=[user(passage(), "?")])),
}


@pytest.mark.parametrize(("brain", "request_body"), IMPOSSIBLE.values(), ids=IMPOSSIBLE.keys())
async def test_a_brain_that_says_the_impossible_fails_the_test(brain: Brain, request_body: Body) -> None:
    """A test must not pass on an answer that no model could give."""
    with pytest.raises(BrainError):
        async with Simulation(brain) as simulation:
            async with AsyncAnthropic(base_url=simulation.base_url, api_key=simulation.api_key, max_retries=0) as client:
                with pytest.raises(InternalServerError, match="brain failed"):
                    await client.messages.create(**request_body)
