"""Cache figures: what is written, read, renewed, and lost by a change in front of the mark."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from anthropic import AsyncAnthropic
from anthropic.types import Usage

from tests.simulation import Simulation
from tests.simulation_tests.bodies import (
    ADAPTIVE,
    LONG_MARK,
    MARK,
    SONNET,
    Body,
    assistant,
    body,
    label_format,
    text,
    tool,
    user,
)

RULES = "Answer from the passages. " * 160
MARKED = [text(RULES, cache_control=MARK)]
TOKENS = len(RULES) // 4


class Clock:
    """A clock that is set by hand, in seconds."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        """The time it shows."""
        return self.now


@pytest.fixture
def clock() -> Clock:
    """Time for the lifetimes of cache entries."""
    return Clock()


@pytest.fixture
async def simulation(clock: Clock) -> AsyncIterator[Simulation]:
    """A simulation on that clock."""
    async with Simulation(clock=clock) as running:
        yield running


async def usage(client: AsyncAnthropic, **changes: Any) -> Usage:  # noqa: ANN401 - any field of a request
    """The usage of one request."""
    return (await client.messages.create(**body(**changes))).usage


def figures(used: Usage) -> tuple[int | None, int | None]:
    """Tokens read and written."""
    return used.cache_read_input_tokens, used.cache_creation_input_tokens


async def test_a_prefix_is_written_once_and_then_read(client: AsyncAnthropic) -> None:
    """The cost of every turn depends on this; the desk's figures are tested against it."""
    first = await usage(client, system=MARKED)
    second = await usage(client, system=MARKED, messages=[user("Something else")])

    assert figures(first) == (0, TOKENS)
    assert figures(second) == (TOKENS, 0)
    assert first.input_tokens == 3
    assert first.cache_creation is not None
    assert first.cache_creation.ephemeral_5m_input_tokens == TOKENS


async def test_a_stream_reports_the_same_figures(client: AsyncAnthropic) -> None:
    """Streamed turns are most turns."""
    async with client.messages.stream(**body(system=MARKED)) as stream:
        message = await stream.get_final_message()

    assert figures(message.usage) == (0, TOKENS)


async def test_without_a_mark_nothing_is_cached(client: AsyncAnthropic) -> None:
    """A forgotten mark must show as full price."""
    for _ in range(2):
        used = await usage(client, system=[text(RULES)])
        assert figures(used) == (0, 0)
        assert used.input_tokens == TOKENS + 3


async def test_a_prefix_under_512_tokens_is_not_cached(client: AsyncAnthropic) -> None:
    """Silently, as in production."""
    for _ in range(2):
        assert figures(await usage(client, system=[text("x" * 2044, cache_control=MARK)])) == (0, 0)
    assert figures(await usage(client, system=[text("x" * 2048, cache_control=MARK)])) == (0, 512)


async def test_haiku_4_5_needs_4096_tokens(client: AsyncAnthropic) -> None:
    """The minimum belongs to the model."""
    assert figures(await usage(client, model="claude-haiku-4-5", system=MARKED)) == (0, 0)


CHANGES: dict[str, Body] = {
    "one letter of the system prompt": {"system": [text("B" + RULES[1:], cache_control=MARK)]},
    "a tool": {"tools": [tool()], "system": MARKED},
    "another model": {"model": SONNET, "system": MARKED},
    "thinking": {"thinking": {"type": "disabled"}, "system": MARKED},
    "effort": {"output_config": {"effort": "low"}, "system": MARKED},
    "an output schema": {"output_config": label_format(), "system": MARKED},
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
async def test_a_change_before_the_mark_costs_a_new_write(client: AsyncAnthropic, change: Body) -> None:
    """A date or an id in front of the mark would double the bill unseen."""
    await usage(client, system=MARKED)
    read, written = figures(await usage(client, **change))

    assert read == 0
    assert (written or 0) >= TOKENS


async def test_saying_the_default_equals_leaving_it_out(client: AsyncAnthropic) -> None:
    """Haiku thinks adaptively at medium effort unless told otherwise."""
    await usage(client, system=MARKED)

    assert figures(
        await usage(client, system=MARKED, thinking=ADAPTIVE, output_config={"effort": "medium"})
    ) == (TOKENS, 0)


async def test_a_mark_is_not_part_of_the_prefix(client: AsyncAnthropic) -> None:
    """A mark that moves on with the conversation still finds the old prefix."""
    first = [text(RULES, cache_control=MARK)]
    grown = [text(RULES), text("More rules. " * 40, cache_control=MARK)]
    await usage(client, system=first)
    read, written = figures(await usage(client, system=grown))

    assert read == TOKENS
    assert written == 120


async def test_tool_choice_costs_the_messages_only(client: AsyncAnthropic) -> None:
    """Forcing a last text answer keeps tools and system cached."""
    history = [user(text("How much? " * 300, cache_control=MARK))]
    marked: Body = {"tools": [tool()], "system": MARKED, "messages": history}
    await usage(client, **marked)
    read, written = figures(await usage(client, **marked, tool_choice={"type": "none"}))

    assert (read or 0) >= TOKENS
    assert written == 750


async def test_the_history_is_read_again_in_the_next_turn(client: AsyncAnthropic) -> None:
    """Append-only history costs only what is new."""
    first = [user(text("How much? " * 300, cache_control=MARK))]
    then = [user("How much? " * 300), assistant("It depends."), user(text("On what?", cache_control=MARK))]
    await usage(client, messages=first)
    read, written = figures(await usage(client, messages=then))

    assert read == 750
    assert written == 5


async def test_a_mark_looks_back_twenty_blocks_only(client: AsyncAnthropic) -> None:
    """A long tool loop between two marks loses the cache."""
    start = text("How much? " * 300, cache_control=MARK)
    await usage(client, messages=[user(start)])
    near = [user({**start, "cache_control": None}, *["more"] * 18, text("now", cache_control=MARK))]
    far = [user({**start, "cache_control": None}, *["mehr"] * 19, text("now", cache_control=MARK))]

    assert figures(await usage(client, messages=near))[0] == 750
    assert figures(await usage(client, messages=far))[0] == 0


async def test_the_automatic_mark_stands_on_the_last_block(client: AsyncAnthropic) -> None:
    """Top-level cache_control caches the whole prompt."""
    long = [user("How much? " * 300)]
    await usage(client, messages=long, cache_control=MARK)

    assert figures(await usage(client, messages=long, cache_control=MARK)) == (750, 0)


async def test_an_entry_lives_five_minutes_and_every_hit_renews_it(
    client: AsyncAnthropic, clock: Clock
) -> None:
    """Quiet hours make the next turn dearer; a busy desk keeps its cache."""
    await usage(client, system=MARKED)
    clock.now += 299
    assert figures(await usage(client, system=MARKED))[0] == TOKENS
    clock.now += 299
    assert figures(await usage(client, system=MARKED))[0] == TOKENS
    clock.now += 301
    assert figures(await usage(client, system=MARKED)) == (0, TOKENS)


async def test_a_long_entry_lives_an_hour(client: AsyncAnthropic, clock: Clock) -> None:
    """And is counted apart, because it costs more to write."""
    marked = [text(RULES, cache_control=LONG_MARK)]
    first = await usage(client, system=marked)
    clock.now += 3599

    assert first.cache_creation is not None
    assert first.cache_creation.ephemeral_1h_input_tokens == TOKENS
    assert figures(await usage(client, system=marked))[0] == TOKENS


async def test_an_entry_cannot_be_read_before_the_first_reply_begins(
    client: AsyncAnthropic, simulation: Simulation
) -> None:
    """Sending many requests at once pays for the prefix many times."""
    simulation.pace(first_text_ms=30)
    both = await asyncio.gather(*(usage(client, system=MARKED) for _ in range(2)))

    assert [figures(used) for used in both] == [(0, TOKENS), (0, TOKENS)]


async def test_a_request_that_fails_writes_nothing(client: AsyncAnthropic, simulation: Simulation) -> None:
    """An overloaded API has cached nothing."""
    simulation.faults("*", "529")
    with pytest.raises(Exception, match="Overloaded"):
        await usage(client, system=MARKED)

    assert figures(await usage(client, system=MARKED)) == (0, TOKENS)


async def test_the_cache_can_be_forgotten(client: AsyncAnthropic, simulation: Simulation) -> None:
    """A test may begin cold."""
    await usage(client, system=MARKED)
    simulation.forget_cache()

    assert figures(await usage(client, system=MARKED)) == (0, TOKENS)
