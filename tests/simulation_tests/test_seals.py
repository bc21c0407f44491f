"""Thinking that is sent back must be what was given, where it was given."""

import pytest
from anthropic import AsyncAnthropic, BadRequestError

from tests.simulation import Reply, Simulation, Thinking, ToolUse
from tests.simulation.reply import Brain
from tests.simulation_tests.bodies import SONNET, Body, assistant, body, result, text, tool, user

THOUGHTFUL: Brain = lambda _: Reply.of(Thinking("Hm."), "Said.")  # noqa: E731 - the shortest brain there is
CALLING: Brain = lambda _: Reply.of(Thinking("Hm."), ToolUse("get_quote", {"make": "Kia"}))  # noqa: E731


async def turn(client: AsyncAnthropic, **changes: object) -> Body:
    """One reply as a message of the history."""
    message = await client.messages.create(**body(**changes))
    return assistant(*[block.to_dict() for block in message.content])


async def test_unchanged_history_is_taken(client: AsyncAnthropic, simulation: Simulation) -> None:
    """Append-only is the safe way, and must stay open."""
    simulation.brain = THOUGHTFUL
    first = [user("One")]
    second = [*first, await turn(client, messages=first), user("Two")]
    third = [*second, await turn(client, messages=second), user("Three")]

    assert await turn(client, messages=third)


@pytest.mark.parametrize(
    "change",
    [{"system": "New rules"}, {"tools": [tool()]}, {"messages": "earlier"}],
    ids=["system", "tools", "an earlier message"],
)
async def test_a_changed_prefix_refuses_the_thinking_behind_it(
    client: AsyncAnthropic, simulation: Simulation, change: Body
) -> None:
    """Switching specialists inside a conversation does exactly this."""
    simulation.brain = THOUGHTFUL
    answer = await turn(client, messages=[user("One")])
    history = [user("One"), answer, user("Two")]
    changed = [user("Other"), answer, user("Two")] if "messages" in change else history

    with pytest.raises(BadRequestError, match="bound to a different conversation"):
        await client.messages.create(**{**body(**change), "messages": changed})


async def test_all_thinking_of_finished_turns_may_be_left_out(
    client: AsyncAnthropic, simulation: Simulation
) -> None:
    """The simple way to switch specialists."""
    simulation.brain = THOUGHTFUL
    answer = await turn(client, messages=[user("One")])
    without = {**answer, "content": answer["content"][1:]}

    assert await turn(client, messages=[user("One"), without, user("Two")], system="New rules")


async def test_the_oldest_thinking_may_be_left_out_but_no_gap_made(
    client: AsyncAnthropic, simulation: Simulation
) -> None:
    """Trimming a history from the front is fine, from the middle it is not."""
    simulation.brain = THOUGHTFUL
    history: list[Body] = [user("One")]
    for words in ("Two", "Three", "Four"):
        history += [await turn(client, messages=history), user(words)]
    without = [{**message, "content": message["content"][1:]} for message in history]

    assert await turn(client, messages=[*history[:1], without[1], *history[2:]])
    with pytest.raises(BadRequestError, match="left out or moved"):
        await turn(client, messages=[*history[:3], without[3], *history[4:]])


async def test_changed_thinking_is_refused(client: AsyncAnthropic, simulation: Simulation) -> None:
    """Thinking is not ours to edit."""
    simulation.brain = THOUGHTFUL
    answer = await turn(client, messages=[user("One")])
    for forged in ({"thinking": "Other."}, {"signature": "bm8="}):
        block = {**answer["content"][0], **forged}
        with pytest.raises(BadRequestError, match="It was changed"):
            await client.messages.create(
                **body(messages=[user("One"), assistant(block, text("Said.")), user("Two")])
            )


async def test_another_model_drops_the_thinking_silently(
    client: AsyncAnthropic, simulation: Simulation
) -> None:
    """A fall-up from Haiku to Sonnet is no error."""
    simulation.brain = THOUGHTFUL
    answer = await turn(client, messages=[user("One")])

    assert await turn(client, model=SONNET, system="New rules", messages=[user("One"), answer, user("Two")])


async def test_a_tool_result_must_bring_the_thinking_of_its_call(
    client: AsyncAnthropic, simulation: Simulation
) -> None:
    """Within a tool loop the reply goes back unchanged."""
    simulation.brain = CALLING
    asked = [user("How much?")]
    answer = await turn(client, messages=asked, tools=[tool()])
    back = user(result(answer["content"][1]["id"]))
    simulation.brain = THOUGHTFUL

    assert await turn(client, messages=[*asked, answer, back], tools=[tool()])
    with pytest.raises(BadRequestError, match="must be sent back unchanged"):
        await turn(client, messages=[*asked, assistant(answer["content"][1]), back], tools=[tool()])


async def test_a_finished_tool_turn_may_lose_its_thinking(
    client: AsyncAnthropic, simulation: Simulation
) -> None:
    """After the turn the thinking may go."""
    simulation.brain = CALLING
    asked = [user("How much?")]
    answer = await turn(client, messages=asked, tools=[tool()])
    back = user(result(answer["content"][1]["id"]))
    history = [*asked, assistant(answer["content"][1]), back, assistant("84.50"), user("Thanks")]
    simulation.brain = THOUGHTFUL

    assert await turn(client, messages=history, tools=[tool()])
