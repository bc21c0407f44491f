"""Replies that are well sent and still useless: empty, cut, refused, broken calls."""

import pytest
from anthropic import AsyncAnthropic

from tests.simulation import Reply, Simulation, ToolUse
from tests.simulation_tests.bodies import HAIKU, Body, body, tool, user

REPLIES: dict[str, tuple[str | None, list[str]]] = {
    "empty": ("end_turn", []),
    "max_tokens:2": ("max_tokens", ["text"]),
    "refusal": ("refusal", []),
    "pause": ("pause_turn", ["text", "tool_use"]),
    "max_tokens": ("max_tokens", ["text", "tool_use"]),
    "ok": ("tool_use", ["text", "tool_use"]),
}


@pytest.mark.parametrize("script", REPLIES)
async def test_a_useless_reply_has_its_stop_reason(
    client: AsyncAnthropic, simulation: Simulation, script: str
) -> None:
    """Each of these once became an empty bubble somewhere."""
    simulation.brain = lambda _: Reply.of("One moment please.", ToolUse("get_quote", {"make": "Nissan Leaf"}))
    stop_reason, kinds = REPLIES[script]
    request_body = body(tools=[tool()])

    simulation.faults(HAIKU, f"{script}x2")
    whole = await client.messages.create(**request_body)
    async with client.messages.stream(**request_body) as stream:
        message = await stream.get_final_message()

    assert (whole.stop_reason, [block.type for block in whole.content]) == (stop_reason, kinds)
    assert (message.stop_reason, [block.type for block in message.content]) == (stop_reason, kinds)


async def test_a_call_cut_by_the_limit_is_not_whole(client: AsyncAnthropic, simulation: Simulation) -> None:
    """A cut call must never be run; here is one to try it with."""
    simulation.brain = lambda _: Reply.of(
        ToolUse("get_quote", {"make": "Nissan", "model": "Leaf", "year": 2022})
    )
    simulation.faults(HAIKU, "max_tokensx2")
    whole = await client.messages.create(**body(tools=[tool()]))
    async with client.messages.stream(**body(tools=[tool()])) as stream:
        cut = await stream.get_final_message()

    assert whole.content[0].type == cut.content[0].type == "tool_use"
    assert whole.content[0].input == {}
    assert "year" not in cut.content[0].input


async def test_a_refusal_names_its_category(client: AsyncAnthropic, simulation: Simulation) -> None:
    """What the log needs to tell a false alarm."""
    simulation.faults(HAIKU, "refusal:cyber")
    message = await client.messages.create(**body())

    assert message.stop_details is not None
    assert message.stop_details.category == "cyber"


async def test_broken_tool_json_reaches_the_client(client: AsyncAnthropic, simulation: Simulation) -> None:
    """The SDK's helper raises ValueError on it, which is no AnthropicError."""
    simulation.brain = lambda _: Reply.of(ToolUse("get_quote", {"make": "Kia"}))
    simulation.faults(HAIKU, "tooljson")
    with pytest.raises(ValueError, match="Unable to parse tool parameter JSON"):
        async with client.messages.stream(**body(tools=[tool()])) as stream:
            await stream.get_final_message()


async def test_a_tool_can_be_called_in_other_letters(client: AsyncAnthropic, simulation: Simulation) -> None:
    """Seen on Sonnet; and the echo of such a call must be taken."""
    simulation.brain = lambda _: Reply.of(ToolUse("get_quote", {"make": "Kia"}))
    simulation.faults(HAIKU, "toolcase")
    message = await client.messages.create(**body(tools=[tool()]))

    assert message.content[0].type == "tool_use"
    assert message.content[0].name == "Get_Quote"


async def test_an_invented_tool_may_be_sent_back(client: AsyncAnthropic, simulation: Simulation) -> None:
    """The desk answers a call of an unknown tool with is_error; the API takes that history."""
    simulation.brain = lambda request: Reply.of("Sorry." if request.answers else ToolUse("get_weather"))
    asked: list[Body] = [user("How much?")]
    message = await client.messages.create(**body(tools=[tool()], messages=asked))
    assert message.content[0].type == "tool_use"
    failed = {
        "type": "tool_result",
        "tool_use_id": message.content[0].id,
        "content": "unknown tool",
        "is_error": True,
    }
    history = [*asked, {"role": "assistant", "content": message.content}, user(failed)]

    assert (await client.messages.create(**body(tools=[tool()], messages=history))).stop_reason == "end_turn"
