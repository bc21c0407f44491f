"""What is sent to the Messages API: taken by it, and the same up to the marks from turn to turn."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.base import EngineRequest, Round, Said, ToolResult, ToolSpec, ToolUse
from engine.claude_request import parameters
from tests.engine.calls import LABEL, PASSAGE, REQUEST, SEARCH, TALK
from tests.simulation import models, rules
from tests.simulation.request import MessageRequest, parse

USE = ToolUse("toolu_1", "search_knowledge", {"query": "hail"})
FOUND = ToolResult("toolu_1", "search_knowledge", "1 passage found.", ok=True, passages=(PASSAGE,))
FAILED = ToolResult("toolu_1", "search_knowledge", "query: too long", ok=False)
Flat = list[tuple[str, str]]


def _check(request: EngineRequest) -> dict[str, Any]:
    """The parameters, after the simulated API has taken them."""
    sent = parameters(request)
    parsed = parse(json.dumps({**sent, "stream": True}).encode(), MessageRequest)
    rules.check(parsed, models.find(request.model))
    return sent


def _blocks(sent: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Tools, system and message blocks in the order in which they are cached."""
    for tool in sent.get("tools", []):
        yield "tool", tool
    for block in sent["system"]:
        yield "system", block
    for message in sent["messages"]:
        content = message["content"]
        for block in [{"type": "text", "text": content}] if isinstance(content, str) else content:
            yield message["role"], block


def _flat(sent: dict[str, Any]) -> Flat:
    return [
        (role, json.dumps({name: value for name, value in block.items() if name != "cache_control"}))
        for role, block in _blocks(sent)
    ]


def _cached(sent: dict[str, Any]) -> Flat:
    """Everything up to the last mark."""
    marks = [at for at, (_, block) in enumerate(_blocks(sent)) if "cache_control" in block]
    return _flat(sent)[: marks[-1] + 1]


def test_the_request_for_an_answer() -> None:
    """Stable parts first, a mark at the end of each, then this turn."""
    sent = _check(replace(REQUEST, history=TALK))

    assert sent["system"][0] == {"type": "text", "text": REQUEST.system[0]}
    assert sent["system"][1]["cache_control"] == {"type": "ephemeral", "ttl": "1h"}
    assert sent["messages"] == [
        {"role": "user", "content": [{"type": "text", "text": "Hello"}]},
        {
            "role": "assistant",
            "content": [
                {
                    "type": "text",
                    "text": "Hello! How can I help?",
                    "cache_control": {"type": "ephemeral", "ttl": "5m"},
                }
            ],
        },
        {"role": "user", "content": [{"type": "text", "text": "Is hail covered?"}]},
        {"role": "system", "content": "Answer in English."},
    ]
    assert sent["tools"] == [
        {
            "name": SEARCH.name,
            "description": SEARCH.description,
            "input_schema": SEARCH.schema,
            "strict": True,
        }
    ]
    assert sent["tool_choice"] == {"type": "auto"}
    assert sent["thinking"] == {"type": "between_tools"}
    assert sent["output_config"] == {"effort": "low"}
    assert sent["metadata"] == {"user_id": "c-0123456789abcdef"}


def test_a_tool_of_somebody_else_is_not_strict() -> None:
    """The API would refuse a schema that it has no grammar for, and with it every answer."""
    lent = replace(SEARCH, schema={"type": "object", "properties": {"n": {"minimum": 1}}}, is_strict=False)

    sent = _check(replace(REQUEST, tools=(lent,)))

    assert sent["tools"] == [
        {"name": lent.name, "description": lent.description, "input_schema": lent.schema}
    ]


def test_the_request_for_a_label() -> None:
    """The classifier's answer is structured, and nothing of this turn is cached."""
    sent = _check(LABEL)

    assert sent["output_config"]["format"] == {"type": "json_schema", "schema": LABEL.schema}
    assert "tools" not in sent
    assert "tool_choice" not in sent
    assert [role for role, _ in _cached(sent)] == ["system", "system"]


def test_tools_stand_in_one_order() -> None:
    """Two prompt files that name the same tools in another order share their cache."""
    other = ToolSpec("get_quote", "Price it.", SEARCH.schema)
    sent = [_check(replace(REQUEST, tools=tools)) for tools in ((SEARCH, other), (other, SEARCH))]

    assert sent[0]["tools"] == sent[1]["tools"]


def test_the_last_round_may_call_no_tools() -> None:
    """The model is told to answer; the tools stay declared, so that their cache holds."""
    sent = _check(replace(REQUEST, final=True))

    assert sent["tool_choice"] == {"type": "none"}
    assert sent["tools"]


def test_what_is_not_there_is_not_sent() -> None:
    """An empty block or id would be refused."""
    sent = parameters(replace(REQUEST, system=("", ""), customer_hash=None))

    assert sent["system"] == []
    assert "metadata" not in sent


def test_a_request_without_facts_has_no_system_message() -> None:
    """An empty message would be refused."""
    assert [message["role"] for message in _check(replace(REQUEST, facts=""))["messages"]] == ["user"]


def test_passages_go_back_as_search_results_that_can_be_cited() -> None:
    """Sources under an answer come from here."""
    rounds = (Round("Let me look.", (USE,), (FOUND,)),)
    sent = _check(replace(REQUEST, rounds=rounds))

    assert sent["messages"][-2]["content"] == [
        {"type": "text", "text": "Let me look."},
        {"type": "tool_use", "id": "toolu_1", "name": "search_knowledge", "input": {"query": "hail"}},
    ]
    assert sent["messages"][-1]["content"][0]["content"] == [
        {
            "type": "search_result",
            "source": "hail#1",
            "title": "Hail",
            "content": [{"type": "text", "text": "Hail is covered."}],
            "citations": {"enabled": True},
        }
    ]


def test_passages_stand_between_their_neighbours() -> None:
    """The model would misread what it sees without context; a citation must still point at single passages."""
    second = replace(PASSAGE, source="hail#2", text="So is wind.", before=PASSAGE.text, after="Ice is not.")
    other = replace(
        PASSAGE, source="fire#7", url="https://example.test/fire", title="Fire", text="Fire is covered."
    )
    found = replace(FOUND, passages=(second, other, replace(PASSAGE, after="So is wind.")))
    sent = _check(replace(REQUEST, rounds=(Round("", (USE,), (found,)),)))

    blocks = sent["messages"][-1]["content"][0]["content"]
    assert [(block["source"], block["title"]) for block in blocks] == [("hail#1", "Hail"), ("fire#7", "Fire")]
    assert [[part["text"] for part in block["content"]] for block in blocks] == [
        ["Hail is covered.", "So is wind.", "Ice is not."],
        ["Fire is covered."],
    ]


def test_a_failed_tool_is_marked_as_an_error() -> None:
    """The model must not take the reason for a result."""
    sent = _check(replace(REQUEST, rounds=(Round("", (USE,), (FAILED,)),)))

    assert sent["messages"][-1]["content"] == [
        {"type": "tool_result", "tool_use_id": "toolu_1", "content": "query: too long", "is_error": True}
    ]


def test_what_claude_said_goes_back_as_it_was() -> None:
    """Thinking that is changed or left out within a turn is refused by the API."""
    native = [
        {"type": "thinking", "thinking": "", "signature": "sealed"},
        {"type": "tool_use", "id": "toolu_1", "name": "search_knowledge", "input": {"query": "hail"}},
    ]
    sent = parameters(replace(REQUEST, rounds=(Round("ignored", (USE,), (FOUND,), native),)))

    assert sent["messages"][-2] == {"role": "assistant", "content": native}


@pytest.mark.parametrize(
    ("history", "roles"),
    [
        ((Said("assistant", "Hi"), Said("customer", "Hello")), ["user"]),
        ((Said("customer", "One"), Said("customer", "Two")), ["user"]),
        (
            (Said("customer", "One"), Said("assistant", "A"), Said("assistant", "B")),
            ["user", "assistant", "user"],
        ),
    ],
)
def test_odd_histories_become_regular_ones(history: tuple[Said, ...], roles: list[str]) -> None:
    """A turn that failed without a word must not make every later request of the conversation a 400."""
    sent = _check(replace(REQUEST, history=history, facts=""))

    assert [message["role"] for message in sent["messages"]] == roles


SAID = st.builds(
    Said, st.sampled_from(["customer", "assistant"]), st.text(min_size=1).filter(lambda text: text.strip())
)


@given(st.lists(SAID, max_size=12), st.integers(0, 3), st.booleans(), st.booleans())
def test_every_request_is_one_that_the_api_takes(
    history: list[Said], rounds: int, has_facts: bool, is_final: bool
) -> None:
    """Whatever the conversation was like, the customer is answered by Claude."""
    finished = tuple(
        Round("", (replace(USE, call_id=f"t{at}"),), (replace(FOUND, call_id=f"t{at}"),))
        for at in range(rounds)
    )
    request = replace(
        REQUEST,
        history=tuple(history),
        rounds=finished,
        facts="Answer in English." if has_facts else "",
        final=is_final,
    )

    _check(request)


@given(st.lists(SAID, max_size=8), st.text(min_size=1).filter(lambda text: text.strip()), st.text())
def test_the_next_turn_shares_the_cached_prefix(history: list[Said], message: str, answer: str) -> None:
    """Everything up to the mark is paid once: facts, days and languages stand behind it."""
    before = parameters(replace(REQUEST, history=tuple(history), message=message, facts="Today is Sunday."))
    said = [Said("customer", message), *([Said("assistant", answer)] if answer.strip() else [])]
    after = parameters(
        replace(
            REQUEST,
            history=(*history, *said),
            message="And theft?",
            facts="Hoy es lunes. Responde en español.",
        )
    )

    cached = _cached(before)
    assert _flat(after)[: len(cached)] == cached


def test_every_round_of_a_turn_continues_the_one_before() -> None:
    """Within a turn the API checks that nothing before the thinking has changed."""
    one = replace(REQUEST, history=TALK)
    two = replace(one, rounds=(Round("", (USE,), (FOUND,)),))
    first, second = parameters(one), parameters(two)

    assert _flat(second)[: len(_flat(first))] == _flat(first)
    assert {name: value for name, value in first.items() if name != "messages"} == {
        name: value for name, value in second.items() if name != "messages"
    }


def test_a_call_that_is_made_again_changes_nothing_of_what_came_before() -> None:
    """Thinking is sealed together with everything before it: the API would refuse the second attempt."""
    one = replace(REQUEST, rounds=(Round("", (USE,), (FOUND,)),))
    again = replace(one, afterthought="In Spanish, please.")
    more = Round("", (replace(USE, call_id="t2"),), (replace(FOUND, call_id="t2"),), None, again.afterthought)
    later = replace(one, rounds=(*one.rounds, more))
    first = replace(REQUEST, afterthought=again.afterthought)

    sent = [_check(request)["messages"] for request in (one, again, later)]
    assert sent[1] == [*sent[0], {"role": "system", "content": "In Spanish, please."}]
    assert sent[2][: len(sent[1])] == sent[1]
    assert _check(first)["messages"][-1]["content"].endswith("\n\nIn Spanish, please.")
