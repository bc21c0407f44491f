"""Thinking, limits, stop reasons and forced calls: where the request decides what the model can say."""

import pytest
from anthropic import AsyncAnthropic
from anthropic.types import ThinkingBlock

from tests.simulation import BrainError, Cited, Reply, Script, Simulation, Thinking, ToolUse
from tests.simulation.reply import Brain
from tests.simulation_tests.bodies import ADAPTIVE, SONNET, Body, body, passage, tool, user
from tests.simulation_tests.saying import replying, streamed
from tests.simulation_tests.sdk import ask_and_stop


async def test_thinking_comes_with_a_signature_and_no_text(
    client: AsyncAnthropic, simulation: Simulation
) -> None:
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


async def test_notes_before_calls_come_as_thinking_between_tools(
    client: AsyncAnthropic, simulation: Simulation
) -> None:
    """A chat page must not expect to show them."""
    simulation.brain = replying(Thinking("Looking it up."), ToolUse("get_quote", {"make": "Kia"}))
    message = await client.messages.create(
        **body(model=SONNET, thinking={"type": "between_tools"}, tools=[tool()])
    )

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


async def test_prewarming_says_nothing(client: AsyncAnthropic, simulation: Simulation) -> None:
    """max_tokens 0 fills the cache, asks no brain and costs no output."""
    simulation.brain = Script({})
    message = await client.messages.create(**body(max_tokens=0))

    assert (message.content, message.stop_reason, message.usage.output_tokens) == ([], "max_tokens", 0)


async def test_a_stop_sequence_ends_the_text(client: AsyncAnthropic, simulation: Simulation) -> None:
    """The sequence itself does not come out."""
    simulation.brain = replying("One. END Two.", "Three.")
    message = await client.messages.create(**body(stop_sequences=["END"]))

    assert (message.stop_reason, message.stop_sequence) == ("stop_sequence", "END")
    assert [block.to_dict() for block in message.content] == [{"type": "text", "text": "One. "}]


async def test_stop_reason_and_usage_can_be_overridden(
    client: AsyncAnthropic, simulation: Simulation
) -> None:
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
        await ask_and_stop(brain, request_body)
