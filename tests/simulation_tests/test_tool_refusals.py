"""What the API refuses about tools, their results, sources and cache marks, the simulation refuses as well."""

import pytest
from anthropic import AsyncAnthropic, BadRequestError

from tests.simulation_tests.bodies import (
    LONG_MARK,
    MARK,
    OPUS,
    SONNET,
    Body,
    assistant,
    body,
    call,
    label_format,
    passage,
    result,
    text,
    tool,
    user,
)
from tests.simulation_tests.sdk import assert_refused

ASK = user("How much?")
TURN = [ASK, assistant("A moment.", call())]
DOCUMENT: Body = {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "words"}}
CITATION: Body = {"type": "search_result_location", "cited_text": "words"}

TOOLS = {
    "a bad tool name": (body(tools=[tool("get quote")]), "tools.0.custom.name: String should match pattern"),
    "the same name twice": (body(tools=[tool(), tool()]), "Tool names must be unique"),
    "a server tool": (body(tools=[{"type": "web_search_20260318", "name": "web_search"}]), "tools.0"),
    "a schema that is no object": (
        body(tools=[tool(input_schema={"type": "string"})]),
        "input_schema.type: Input should be 'object'",
    ),
    "a choice on top of a schema": (
        body(tools=[tool(input_schema={"type": "object", "anyOf": []})]),
        "does not support anyOf at the top level",
    ),
    "tool_choice without tools": (
        body(tool_choice={"type": "auto"}),
        "may only be specified while providing `tools`",
    ),
    "a forced tool that is not there": (
        body(tools=[tool()], tool_choice={"type": "tool", "name": "other"}),
        "Tool 'other' not found",
    ),
    "a forced tool without a name": (body(tools=[tool()], tool_choice={"type": "tool"}), "tool_choice.name"),
    "none with a field": (
        body(tools=[tool()], tool_choice={"type": "none", "disable_parallel_tool_use": True}),
        "Extra inputs are not permitted",
    ),
    "any on Sonnet": (body(model=SONNET, tools=[tool()], tool_choice={"type": "any"}), "forced tool use"),
    "a named tool on Opus": (
        body(model=OPUS, tools=[tool()], tool_choice={"type": "tool", "name": "get_quote"}),
        "forced tool use",
    ),
    "a call that is not answered": (
        body(tools=[tool()], messages=[*TURN, user("And?")]),
        "without `tool_result` blocks",
    ),
    "one of two calls answered": (
        body(tools=[tool()], messages=[ASK, assistant(call("a"), call("b")), user(result("a"))]),
        "without `tool_result` blocks immediately after: b",
    ),
    "a result without a call": (
        body(tools=[tool()], messages=[ASK, assistant("Hm."), user(result())]),
        "unexpected `tool_use_id`",
    ),
    "a result in the first message": (
        body(tools=[tool()], messages=[user(result())]),
        "unexpected `tool_use_id`",
    ),
    "two results for one call": (
        body(tools=[tool()], messages=[*TURN, user(result(), result())]),
        "must have a single result",
    ),
    "text before a result": (
        body(tools=[tool()], messages=[*TURN, user("Here:", result())]),
        "must come first",
    ),
    "text between results": (
        body(
            tools=[tool()],
            messages=[ASK, assistant(call("a"), call("b")), user(result("a"), "and", result("b"))],
        ),
        "must come first",
    ),
    "the same call id twice": (
        body(tools=[tool()], messages=[*TURN, user(result()), assistant(call()), user(result())]),
        "`tool_use` ids must be unique",
    ),
    "a call of an undeclared tool": (
        body(tools=[tool("other")], messages=[*TURN, user(result())]),
        "names the tool 'get_quote', which is not declared",
    ),
    "a call without any tools": (body(messages=[*TURN, user(result())]), "which is not declared"),
    "an empty text in a result": (
        body(tools=[tool()], messages=[*TURN, user(result(content=[text("")]))]),
        "must be non-empty",
    ),
}

SOURCES = {
    "sources with mixed switches": (
        body(messages=[user(passage(), passage("kb://other", citations={"enabled": False}), "Which?")]),
        "must be enabled on all",
    ),
    "a source and a document with mixed switches": (
        body(messages=[user(passage(), DOCUMENT, "?")]),
        "must be enabled on all",
    ),
    "citations with a schema": (
        body(messages=[user(passage(), "Which?")], output_config=label_format()),
        "cannot be used together with citations",
    ),
    "a source beside text in a result": (
        body(tools=[tool()], messages=[*TURN, user(result(content=[passage(), text("found")]))]),
        "search_result blocks cannot be mixed",
    ),
    "a source in a failed result": (
        body(tools=[tool()], messages=[*TURN, user(result(content=[passage()], is_error=True))]),
        "may hold text only",
    ),
    "a source without text": (
        body(messages=[user(passage() | {"content": []}, "?")]),
        "at least one text block",
    ),
    "a source without a title": (
        body(messages=[user(passage(title=""), "?")]),
        "source and title must be non-empty",
    ),
    "an empty block in a source": (body(messages=[user(passage("kb://a", ""), "?")]), "must be non-empty"),
    "a citation inside a source": (
        body(messages=[user(passage() | {"content": [text("x", citations=[CITATION])]}, "?")]),
        "not permitted inside a search_result",
    ),
    "a mark inside a source": (
        body(messages=[user(passage() | {"content": [text("x", cache_control=MARK)]}, "?")]),
        "cache_control belongs on the search_result",
    ),
}

MARKS = {
    "five marks": (
        body(system=[text(str(at), cache_control=MARK) for at in range(5)]),
        "A maximum of 4 blocks with cache_control may be provided. Found 5.",
    ),
    "four marks and the automatic one": (
        body(system=[text(str(at), cache_control=MARK) for at in range(4)], cache_control=MARK),
        "Found 5.",
    ),
    "an hour after five minutes": (
        body(tools=[tool(cache_control=MARK)], system=[text("Rules", cache_control=LONG_MARK)]),
        "must not come after",
    ),
    "an unknown lifetime": (
        body(system=[text("Rules", cache_control={"type": "ephemeral", "ttl": "2h"})]),
        "ttl",
    ),
}

CASES = {**TOOLS, **SOURCES, **MARKS}


@pytest.mark.parametrize(("request_body", "words"), CASES.values(), ids=CASES.keys())
async def test_a_request_the_api_refuses_is_refused(
    client: AsyncAnthropic, request_body: Body, words: str
) -> None:
    """A tool loop that would fail in production must not pass in a test."""
    await assert_refused(client, request_body, words)


async def test_count_tokens_refuses_the_same(client: AsyncAnthropic) -> None:
    """Counting must not promise what sending then refuses."""
    forced = {key: value for key, value in TOOLS["any on Sonnet"][0].items() if key != "max_tokens"}
    with pytest.raises(BadRequestError, match="forced tool use"):
        await client.messages.count_tokens(**forced)
