"""Brains and answers in one line, for tests of what comes out."""

from anthropic import AsyncAnthropic
from anthropic.types import Message

from tests.simulation import Cited, Data, Reply, Text, Thinking, ToolUse
from tests.simulation.reply import Brain
from tests.simulation_tests.bodies import Body


def replying(*parts: str | Text | Cited | Data | ToolUse | Thinking) -> Brain:
    """A brain that always gives these parts."""
    reply = Reply.of(*parts)
    return lambda _: reply


async def streamed(client: AsyncAnthropic, request_body: Body) -> Message:
    """The message put together by the SDK from the stream."""
    async with client.messages.stream(**request_body) as stream:
        return await stream.get_final_message()
