"""The ready-made brains, and what a brain can read in a request."""

import json

import pytest
from anthropic import AsyncAnthropic

from tests.simulation import (
    BrainError,
    Classifier,
    MessageRequest,
    Reply,
    Script,
    Simulation,
    ToolUse,
    brains,
)
from tests.simulation.request import parse
from tests.simulation_tests.bodies import (
    HAIKU,
    SONNET,
    assistant,
    body,
    call,
    label_format,
    object_schema,
    passage,
    result,
    system,
    tool,
    user,
)
from tests.simulation_tests.sdk import ask_and_stop


async def label(client: AsyncAnthropic, words: str) -> object:
    """The label of one message."""
    message = await client.messages.create(**body(messages=[user(words)], output_config=label_format()))
    assert message.content[0].type == "text"
    return json.loads(message.content[0].text)


async def test_the_classifier_answers_from_a_mapping(client: AsyncAnthropic, simulation: Simulation) -> None:
    """Routing tests say which message is what, and no more."""
    simulation.brain = Classifier({"How much?": {"intent": "quote", "confidence": 0.97}})

    assert await label(client, "How much?") == {"intent": "quote", "confidence": 0.97}
    assert await label(client, "Unknown") == {"intent": "quote", "confidence": 0.0}


async def test_the_classifier_answers_from_a_function(client: AsyncAnthropic, simulation: Simulation) -> None:
    """Where the message stands in the prompt can be told as well."""
    simulation.brain = Classifier(
        lambda words: {"intent": "greeting" if "hola" in words else "quote"},
        text_of=lambda request: request.last_user_text.lower(),
    )

    assert await label(client, "HOLA") == {"intent": "greeting", "confidence": 0.0}


@pytest.mark.parametrize(
    "wrapped", ['{"message": "How much?", "conversation": []}', "How much?"], ids=["in JSON", "plain"]
)
async def test_the_classifier_finds_the_message(
    client: AsyncAnthropic, simulation: Simulation, wrapped: str
) -> None:
    """A message sent as JSON data is still the same message."""
    simulation.brain = Classifier({"How much?": {"intent": "greeting", "confidence": 1.0}})

    assert await label(client, wrapped) == {"intent": "greeting", "confidence": 1.0}


@pytest.mark.parametrize("odd", ["{not JSON", '{"text": "How much?"}', '{"message": 5}'])
async def test_the_classifier_takes_other_braces_as_text(
    client: AsyncAnthropic, simulation: Simulation, odd: str
) -> None:
    """A customer may write braces."""
    simulation.brain = Classifier({odd: {"intent": "greeting", "confidence": 1.0}})

    assert await label(client, odd) == {"intent": "greeting", "confidence": 1.0}


async def test_the_default_brain_labels_and_echoes(client: AsyncAnthropic) -> None:
    """A simulation without any setting already answers both kinds of request."""
    message = await client.messages.create(**body())

    assert await label(client, "x") == {"intent": "quote", "confidence": 0.0}
    assert message.content[0].to_dict()["text"] == "You said: Hello there"


async def test_a_script_is_told_model_by_model(client: AsyncAnthropic, simulation: Simulation) -> None:
    """A whole turn can be written down in order."""
    script = Script({SONNET: [Reply.of(ToolUse("get_quote")), "84.50"], "*": ["Other"]})
    simulation.brain = script
    kinds = []
    for model in (SONNET, HAIKU, SONNET):
        message = await client.messages.create(**body(model=model, tools=[tool()]))
        kinds.append(message.content[0].type)

    assert kinds == ["tool_use", "text", "text"]
    assert script.left == 0


async def test_a_script_that_runs_out_fails_the_test() -> None:
    """One call more than expected is a bug of the desk."""
    with pytest.raises(BrainError, match="no more replies for claude-haiku-5-5"):
        await ask_and_stop(Script({}), body())


async def test_brains_can_be_put_together(client: AsyncAnthropic, simulation: Simulation) -> None:
    """One for labels, one a model."""
    simulation.brain = brains.by_kind(
        classifier=Classifier(lambda _: {"intent": "greeting", "confidence": 1.0}),
        otherwise=brains.by_model({SONNET: lambda _: Reply.of("Sonnet here")}),
    )
    sonnet = await client.messages.create(**body(model=SONNET))
    haiku = await client.messages.create(**body())

    assert await label(client, "x") == {"intent": "greeting", "confidence": 1.0}
    assert sonnet.content[0].to_dict()["text"] == "Sonnet here"
    assert haiku.content[0].to_dict()["text"] == "You said: Hello there"


def test_required_fields_are_filled_with_plain_values() -> None:
    """Any schema gets a legal answer."""
    schema = object_schema(
        {
            "kind": {"enum": ["a", "b"]},
            "fixed": {"const": 7},
            "given": {"type": "string", "default": "x"},
            "maybe": {"anyOf": [{"type": "string"}, {"type": "null"}]},
            "inner": object_schema({"list": {"type": "array"}, "is_so": {"type": "boolean"}}),
            "count": {"type": "integer"},
        }
    )

    assert brains.filled(schema, {"count": 3}) == {
        "kind": "a",
        "fixed": 7,
        "given": "x",
        "maybe": None,
        "inner": {"list": [], "is_so": False},
        "count": 3,
    }


def test_a_brain_reads_the_request_without_walking_through_blocks() -> None:
    """The view is what test brains are written against."""
    history = [
        user("Is glass covered?"),
        assistant(call("a", "search_knowledge")),
        user(result("a", [passage("kb://old")])),
        assistant("Yes."),
        user("And how much?"),
        system("Today is Monday."),
        assistant(call("b")),
        user(result("b", "84.50", is_error=True)),
    ]
    raw = json.dumps(
        body(system="Rules", tools=[tool(), tool("search_knowledge")], messages=history)
    ).encode()
    request = parse(raw, MessageRequest)

    assert request.system_text == "Rules"
    assert request.user_texts == ("Is glass covered?", "And how much?")
    assert request.last_user_text == "And how much?"
    assert request.operator_texts == ("Today is Monday.",)
    assert request.tool_names == ("get_quote", "search_knowledge")
    assert request.can_call("get_quote")
    assert not request.can_call("handoff")
    assert [passage.source for passage in request.passages] == ["kb://old"]
    (answer,) = request.answers
    assert (answer.name, answer.text, answer.is_error, answer.input) == (
        "get_quote",
        "84.50",
        True,
        {"make": "Nissan"},
    )
