"""Claude's message as it grows: pieces out, blocks kept as they may be sent back, whatever comes in."""

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.base import Cited, Done, Metered, Piece, Text, ToolUse
from engine.claude import _readable
from engine.claude_reply import ClaudeReply
from errors import EngineDown
from tests.engine.calls import SONNET, done_of, text_of

Event = dict[str, Any]
USAGE = {
    "input_tokens": 50,
    "output_tokens": 1,
    "cache_read_input_tokens": 1000,
    "cache_creation_input_tokens": 300,
    "cache_creation": {"ephemeral_1h_input_tokens": 200, "ephemeral_5m_input_tokens": 100},
}
PLACE = {
    "type": "search_result_location",
    "source": "hail#1",
    "title": "Hail",
    "cited_text": "Hail is covered.",
    "search_result_index": 0,
    "start_block_index": 0,
    "end_block_index": 1,
}


def _start(at: int, block: Event) -> Event:
    return {"type": "content_block_start", "index": at, "content_block": block}


def _delta(at: int, delta: Event) -> Event:
    return {"type": "content_block_delta", "index": at, "delta": delta}


def _stop(at: int) -> Event:
    return {"type": "content_block_stop", "index": at}


def _text(at: int, text: str) -> list[Event]:
    return [_start(at, {"type": "text", "text": ""}), _delta(at, {"type": "text_delta", "text": text})]


def _call(at: int, json_text: str) -> list[Event]:
    opening = {"type": "tool_use", "id": "toolu_1", "name": "get_quote", "input": {}}
    return [_start(at, opening), _delta(at, {"type": "input_json_delta", "partial_json": json_text})]


def _stream(*blocks: list[Event], stop: str | None = "end_turn") -> list[Event]:
    return [
        {"type": "message_start", "message": {"usage": USAGE}},
        *(event for block in blocks for event in block),
        {"type": "message_delta", "delta": {"stop_reason": stop}, "usage": {"output_tokens": 40}},
        {"type": "message_stop"},
    ]


def _read(events: list[Event]) -> list[Piece]:
    reply = ClaudeReply(SONNET, request_id="req_1")
    with _readable(reply):
        return [*(piece for event in events for piece in reply.take(event)), *reply.end()]


def test_usage_is_cumulative_and_an_hour_of_cache_costs_more() -> None:
    """The cost in the log is the bill's: the last figures count, and each lifetime has its price."""
    done = done_of(_read(_stream(_text(0, "Hi."))))

    assert done.usage.model_dump(exclude={"cost_usd"}) == {
        "input_tokens": 50,
        "output_tokens": 40,
        "cache_read_tokens": 1000,
        "cache_write_tokens": 300,
    }
    assert done.usage.cost_usd == pytest.approx((50 * 2 + 40 * 10 + 1000 * 0.1 + 100 * 2.5 + 200 * 4) / 1e6)
    assert done.request_id == "req_1"


def test_a_citation_follows_its_words() -> None:
    """Ops could not see which sentence leans on which source: the citation may come before its words are complete."""
    cited = [
        _start(0, {"type": "text", "text": "", "citations": []}),
        _delta(0, {"type": "text_delta", "text": "Yes, "}),
        _delta(0, {"type": "citations_delta", "citation": PLACE}),
        _delta(0, {"type": "text_delta", "text": "hail is covered."}),
        _stop(0),
    ]
    pieces = _read(_stream(cited))

    (citation,) = [piece for piece in pieces if isinstance(piece, Cited)]
    assert citation == Cited("hail#1", "Hail is covered.", words="Yes, hail is covered.", blocks=(0, 1))
    assert pieces.index(citation) > pieces.index(Text("hail is covered."))
    assert done_of(pieces).native == [{"type": "text", "text": "Yes, hail is covered.", "citations": [PLACE]}]


def test_a_citation_of_another_kind_is_no_pointer_for_us() -> None:
    """Only search results have addresses that a customer can open."""
    foreign = {"type": "citations_delta", "citation": {"type": "char_location"}}
    block = [*_text(0, "Hi."), _delta(0, foreign), _stop(0)]

    assert not [piece for piece in _read(_stream(block)) if isinstance(piece, Cited)]


def test_thinking_and_calls_are_kept_as_they_came() -> None:
    """They must go back unchanged with the tool's result; blank text is left out, because the API refuses it."""
    thinking = [
        _start(0, {"type": "thinking", "thinking": "", "signature": ""}),
        _delta(0, {"type": "thinking_delta", "thinking": "Hm."}),
        _delta(0, {"type": "signature_delta", "signature": "sealed"}),
    ]
    pieces = _read(_stream(thinking, _text(1, " "), _call(2, '{"year": 2022}'), stop="tool_use"))

    assert ToolUse("toolu_1", "get_quote", {"year": 2022}) in pieces
    assert done_of(pieces).stop_reason == "tool_use"
    assert done_of(pieces).native == [
        {"type": "thinking", "thinking": "Hm.", "signature": "sealed"},
        {"type": "tool_use", "id": "toolu_1", "name": "get_quote", "input": {"year": 2022}},
    ]


def test_work_that_nobody_sees_is_a_sign_of_life() -> None:
    """A long tool request or a thought must not pass for a stalled stream."""
    pieces = _read(_stream(_call(0, "{}"), stop="tool_use"))

    assert len([piece for piece in pieces if isinstance(piece, Metered)]) == 3


@pytest.mark.parametrize(
    ("stop", "blocks", "expected"),
    [
        ("end_turn", [_text(0, "Hi.")], "end_turn"),
        ("stop_sequence", [_text(0, "Hi.")], "end_turn"),
        ("pause_turn", [_text(0, "Hi.")], "end_turn"),
        ("something_new", [_text(0, "Hi.")], "end_turn"),
        ("tool_use", [_text(0, "Hi.")], "end_turn"),
        ("tool_use", [_call(0, "{}")], "tool_use"),
        ("pause_turn", [_call(0, "{}")], "tool_use"),
        ("max_tokens", [_text(0, "Hi")], "max_tokens"),
        ("model_context_window_exceeded", [_text(0, "Hi")], "max_tokens"),
        ("max_tokens", [_text(0, "Let me see."), _call(1, '{"year": 20')], "max_tokens"),
        ("refusal", [], "refusal"),
        ("refusal", [_text(0, "Well"), _call(1, "{}")], "refusal"),
        ("end_turn", [], "empty"),
        ("end_turn", [_text(0, " \n")], "empty"),
        ("pause_turn", [], "empty"),
        ("something_new", [], "empty"),
    ],
)
def test_every_stop_reason_has_its_meaning(stop: str, blocks: list[list[Event]], expected: str) -> None:
    """Whatever ends a message, the turn goes on to a decent end."""
    pieces = _read(_stream(*copy.deepcopy(blocks), stop=stop))

    assert done_of(pieces).stop_reason == expected
    assert bool([piece for piece in pieces if isinstance(piece, ToolUse)]) == (expected == "tool_use")


@pytest.mark.parametrize(
    "text",
    ['{"make": "Nissan", year: 20x2, ', '{"year": NaN}', '{"make": "\\ud800"}', "[1, 2]", '"text"', "null"],
)
def test_arguments_that_cannot_be_read_are_said_to_be_so(text: str) -> None:
    """The model gets a second chance, and nothing runs on half of the arguments."""
    pieces = _read(_stream(_call(0, text), stop="tool_use"))
    use = next(piece for piece in pieces if isinstance(piece, ToolUse))

    assert use.invalid is not None
    assert use.arguments == {}
    assert done_of(pieces).native[0]["input"] == {}


def test_broken_letters_are_made_whole() -> None:
    """Half a surrogate pair could be neither stored nor sent to the customer."""
    pieces = _read(_stream(_text(0, "caf\u00e9 \ud83d!")))

    assert text_of(pieces) == "caf\u00e9 ?!"


def test_a_stream_without_a_reason_to_stop_was_cut() -> None:
    """An answer that broke off must not be stored as complete."""
    with pytest.raises(EngineDown) as caught:
        _read(_stream(_text(0, "Hi"), stop=None))

    assert caught.value.fault == "stream_cut"
    assert caught.value.request_id == "req_1"


def test_unknown_events_blocks_and_deltas_are_passed_over() -> None:
    """The API may grow; customers must not notice."""
    strange = [
        {"type": "content_block_hint", "index": 0},
        _start(0, {"type": "crystal_ball", "id": "x"}),
        _delta(0, {"type": "crystal_delta", "future": "bright"}),
    ]

    assert text_of(_read(_stream(strange, _text(1, "Hi.")))) == "Hi."


GOOD = _stream(
    _text(0, "Let me look. "),
    _call(1, '{"query": "hail"}'),
    [*_text(2, "Hail is covered."), _delta(2, {"type": "citations_delta", "citation": PLACE}), _stop(2)],
    stop="tool_use",
)
JUNK: st.SearchStrategy[Any] = st.sampled_from(
    [None, 7, -1, 1.5, "", "text", "tool_use", [], {}, {"type": "text"}, True]
)


def _places(value: object, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [place for key, item in items for place in [(*path, key), *_places(item, (*path, key))]]


@given(st.data())
def test_a_malformed_stream_is_a_failure_and_never_a_crash(data: st.DataObject) -> None:
    """Garbage on the line must end in an honest answer; an unknown exception would end the turn."""
    events = copy.deepcopy(GOOD)
    for _ in range(data.draw(st.integers(1, 3))):
        path = data.draw(st.sampled_from(_places(events)))
        parent: Any = events
        for step in path[:-1]:
            parent = parent[step] if _has(parent, step) else None
        if not _has(parent, path[-1]):
            continue
        if data.draw(st.booleans()):
            parent[path[-1]] = copy.deepcopy(data.draw(JUNK))
        else:
            del parent[path[-1]]
    fault, pieces = "", list[Piece]()
    try:
        pieces = _read(events)
    except EngineDown as exc:
        fault = exc.fault

    assert fault in {"stream_cut", "stream_malformed"} if fault else isinstance(pieces[-1], Done)
    for piece in pieces:
        match piece:
            case Text() | Cited() | ToolUse():
                assert all(isinstance(value, str) for value in _strings(piece))
            case _:
                pass


def _strings(piece: Text | Cited | ToolUse) -> tuple[object, ...]:
    match piece:
        case Text():
            return (piece.text,)
        case Cited():
            return (piece.source, piece.quote, piece.words)
        case ToolUse():
            return (piece.call_id, piece.name)


def _has(parent: object, step: str | int) -> bool:
    if isinstance(parent, dict):
        return step in parent
    return isinstance(parent, list) and isinstance(step, int) and step < len(parent)
