"""What the API refuses, the simulation refuses: each with a 400 that says where and why."""

from typing import Any

import pytest
from anthropic import AsyncAnthropic, BadRequestError

from tests.simulation_tests.bodies import (
    ADAPTIVE,
    HAIKU,
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
    system,
    text,
    tool,
    user,
)
from tests.simulation_tests.sdk import assert_refused

ASK = user("How much?")
TURN = [ASK, assistant("A moment.", call())]
DOCUMENT: Body = {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "words"}}
IMAGE: Body = {"type": "image", "source": {"type": "url", "url": "https://example.com/car.png"}}
CITATION: Body = {"type": "search_result_location", "cited_text": "words"}

PARAMETERS = {
    "temperature": (body(extra_body={"temperature": 1.0}), "temperature: This parameter was removed"),
    "top_p": (body(extra_body={"top_p": 0.9}), "top_p: This parameter was removed"),
    "top_k": (body(extra_body={"top_k": 5}), "top_k: This parameter was removed"),
    "an unknown parameter": (body(extra_body={"top_n": 5}), "top_n: Extra inputs are not permitted"),
    "the old output_format": (
        body(extra_body={"output_format": {}}),
        "output_format: Extra inputs are not permitted",
    ),
    "a wrong type": (body(extra_body={"max_tokens": "many"}), "max_tokens: Input should be a valid integer"),
    "too many output tokens": (body(max_tokens=200_000, timeout=9), "max_tokens: 200000 > 128000"),
    "pre-warming with stream": (body(max_tokens=0, extra_body={"stream": True}), "max_tokens: 0"),
    "pre-warming with a schema": (body(max_tokens=0, output_config=label_format()), "output_config.format"),
    "pre-warming with a forced tool": (
        body(max_tokens=0, tools=[tool()], tool_choice={"type": "any"}),
        "a forced tool_choice",
    ),
    "a blank stop sequence": (body(stop_sequences=[" "]), "stop_sequences.0"),
    "a mail address as user": (body(metadata={"user_id": "ana@example.com"}), "an email address"),
    "a phone number as user": (body(metadata={"user_id": "+34 600 123 456"}), "a phone number"),
    "a name as user": (body(metadata={"user_id": "Ana García"}), "a name"),
    "an unknown metadata field": (body(metadata={"session": "1"}), "metadata.session: Extra inputs"),
}

THINKING = {
    "a thinking budget on Haiku": (
        body(thinking={"type": "enabled", "budget_tokens": 2000}),
        '"thinking.type.enabled" is not supported for claude-haiku-5-5',
    ),
    "disabled on Sonnet": (body(model=SONNET, thinking={"type": "disabled"}), "between_tools"),
    "disabled on Opus": (body(model=OPUS, thinking={"type": "disabled"}), '"thinking.type.disabled" is not'),
    "between_tools on Opus": (
        body(model=OPUS, thinking={"type": "between_tools"}),
        "not supported for claude-opus",
    ),
    "between_tools on Haiku": (body(thinking={"type": "between_tools"}), "not supported for claude-haiku"),
    "between_tools with another field": (
        body(model=SONNET, thinking={"type": "between_tools", "display": "omitted"}),
        "thinking.between_tools.display: Extra inputs are not permitted",
    ),
    "between_tools at effort xhigh": (
        body(model=SONNET, thinking={"type": "between_tools"}, output_config={"effort": "xhigh"}),
        "at effort xhigh",
    ),
    "disabled at effort max": (
        body(thinking={"type": "disabled"}, output_config={"effort": "max"}),
        "at effort max",
    ),
    "an unknown effort": (body(output_config={"effort": "huge"}), "output_config.effort"),
    "effort on Haiku 4.5": (
        body(model="claude-haiku-4-5", output_config={"effort": "low"}),
        "does not support the effort",
    ),
    "adaptive on Haiku 4.5": (body(model="claude-haiku-4-5", thinking=ADAPTIVE), '"thinking.type.adaptive"'),
    "a small budget on Haiku 4.5": (
        body(model="claude-haiku-4-5", thinking={"type": "enabled", "budget_tokens": 5}),
        "budget_tokens: Input should be greater than or equal to 1024",
    ),
    "a budget over the limit on Haiku 4.5": (
        body(model="claude-haiku-4-5", thinking={"type": "enabled", "budget_tokens": 5000}),
        "max_tokens must be greater than",
    ),
}

TURNS = {
    "no message": (body(messages=[]), "at least one message is required"),
    "an assistant first": (body(messages=[assistant("Hi"), ASK]), "first message must use the user role"),
    "an assistant last": (
        body(messages=[ASK, assistant("Sure,")]),
        "does not support assistant message prefill",
    ),
    "an unknown role": (
        body(messages=[{"role": "tool", "content": "x"}]),
        "messages.0.role: Input should be",
    ),
    "empty content": (body(messages=[{"role": "user", "content": ""}]), "must have non-empty content"),
    "no blocks": (body(messages=[{"role": "user", "content": []}]), "must have non-empty content"),
    "an empty text block": (body(messages=[user("")]), "text content blocks must be non-empty"),
    "a blank text block": (body(messages=[user("Hi", " \n")]), "must contain non-whitespace text"),
    "an empty system block": (body(system=[text("")]), "system.0: text content blocks must be non-empty"),
    "an unknown block": (body(messages=[user({"type": "video"})]), "Input tag 'video'"),
    "an unknown field of a block": (body(messages=[user(text("Hi", lang="en"))]), "lang: Extra inputs"),
    "system first": (body(messages=[system("Be kind."), ASK]), "cannot be the first message"),
    "system after an assistant": (
        body(messages=[ASK, assistant("Yes?"), system("Be kind."), ASK]),
        "must directly follow a user message",
    ),
    "system after system": (
        body(messages=[ASK, system("A"), system("B")]),
        "must be the last message or be followed",
    ),
    "system before a user": (
        body(messages=[ASK, system("A"), ASK]),
        "must be the last message or be followed",
    ),
    "system on Haiku 4.5": (
        body(model="claude-haiku-4-5", messages=[ASK, system("A")]),
        "is not supported on this model",
    ),
    "system with a picture": (
        body(messages=[ASK, {"role": "system", "content": [IMAGE]}]),
        "a system message may hold text blocks only",
    ),
    "a citation from the customer": (
        body(messages=[user(text("Hi", citations=[CITATION]))]),
        "citations are permitted on assistant turns only",
    ),
    "a document from the assistant": (
        body(messages=[ASK, assistant(DOCUMENT), ASK]),
        "`document` blocks can only be",
    ),
    "a search result from the assistant": (
        body(messages=[ASK, assistant(passage()), ASK]),
        "`search_result` blocks can only be",
    ),
    "a picture from the assistant": (
        body(messages=[ASK, assistant(IMAGE), ASK]),
        "`image` blocks can only be",
    ),
    "a call from the customer": (
        body(messages=[user(call())], tools=[tool()]),
        "`tool_use` blocks can only be",
    ),
}

CASES = {**PARAMETERS, **THINKING, **TURNS}


@pytest.mark.parametrize(("request_body", "words"), CASES.values(), ids=CASES.keys())
async def test_a_request_the_api_refuses_is_refused(
    client: AsyncAnthropic, request_body: Body, words: str
) -> None:
    """A request that would fail in production must not pass in a test."""
    await assert_refused(client, request_body, words)


ACCEPTED: dict[str, dict[str, Any]] = {
    "a system message at the end": body(messages=[ASK, system("Today is Monday.")]),
    "a system message before the assistant": body(messages=[ASK, system("A"), assistant("Yes?"), ASK]),
    "two user messages in a row": body(messages=[ASK, user("Please.")]),
    "results, then late words": body(tools=[tool()], messages=[*TURN, user(result(), "Hurry")]),
    "an hour before five minutes": body(
        tools=[tool(cache_control=LONG_MARK)], system=[text("Rules", cache_control=MARK)]
    ),
    "citations of the assistant": body(
        messages=[user(passage(), "?"), assistant(text("Yes.", citations=[CITATION])), ASK]
    ),
    "sources without citations and a schema": body(
        messages=[user(passage(citations={"enabled": False}), "?")], output_config=label_format()
    ),
    "a call in other letters": body(
        tools=[tool()], messages=[ASK, assistant(call(name="Get_Quote")), user(result())]
    ),
    "a budget on Haiku 4.5": body(
        model="claude-haiku-4-5", max_tokens=3000, thinking={"type": "enabled", "budget_tokens": 1024}
    ),
    "an opaque user": body(metadata={"user_id": "3f6c1d1e-7c55-4d53-8a4a-2f8a4d2c9b11"}),
    "pre-warming": body(max_tokens=0, system=[text("Rules", cache_control=MARK)]),
    "the classifier's settings": body(
        thinking={"type": "disabled"}, output_config={"effort": "low", **label_format()}
    ),
    "Sonnet between tools": body(
        model=SONNET, thinking={"type": "between_tools"}, output_config={"effort": "low"}
    ),
    "a picture and a document": body(messages=[user(IMAGE, DOCUMENT, "What is this?")]),
    "an empty system string": body(system=""),
    "every other parameter": body(
        inference_geo="us",
        service_tier="auto",
        diagnostics={"previous_message_id": None},
        stop_sequences=["END"],
    ),
}


@pytest.mark.parametrize("request_body", ACCEPTED.values(), ids=ACCEPTED.keys())
async def test_a_request_the_api_takes_is_taken(client: AsyncAnthropic, request_body: Body) -> None:
    """A simulation that refuses too much would forbid what production allows."""
    message = await client.messages.create(**request_body)

    assert message.type == "message"


async def test_a_body_that_is_no_json_is_refused(client: AsyncAnthropic) -> None:
    """A broken serialiser would be noticed by the first request."""
    with pytest.raises(BadRequestError, match="not valid JSON"):
        await client.post(
            "/v1/messages",
            cast_to=object,
            content=b'{"model": ',
            options={"headers": {"content-type": "application/json"}},
        )


async def test_a_prompt_over_the_context_is_refused(client: AsyncAnthropic) -> None:
    """The desk trims its history when it reads this; it must be able to read it."""
    with pytest.raises(BadRequestError, match="prompt is too long: 250002 tokens > 200000 maximum"):
        await client.messages.create(**body(model="claude-haiku-4-5", messages=[user("x" * 1_000_005)]))


def test_the_table_names_every_model_family() -> None:
    """A new model without refusals of its own would go untested."""
    models = {str(case[0]["model"]) for case in CASES.values()}

    assert {HAIKU, SONNET, OPUS, "claude-haiku-4-5"} <= models
