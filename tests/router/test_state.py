"""What a conversation is like before a turn: a fold over its earlier turns."""

from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.base import Said
from events import (
    EngineCalled,
    Event,
    FaultSeen,
    Flow,
    FlowChanged,
    Recorded,
    RouteDecided,
    TextDelta,
    ToolReturned,
    TurnAccepted,
    TurnFailed,
    TurnFinished,
    TurnRef,
    Usage,
)
from router.state import MOST_CHARACTERS, ConversationState, fold_state, turns_to_read

AT = datetime(2026, 11, 22, tzinfo=UTC)
DONE = TurnFinished(outcome="answered")
FAILED = TurnFailed(code="x", message="Sorry.")
Turns = list[tuple[TurnRef, list[Recorded]]]


def _turn(text: str, answer: str, *events: Event, end: Event = DONE) -> list[Event]:
    said = [TextDelta(message_id="a", text=answer)] if answer else []
    return [TurnAccepted(message_id="m", text=text), *events, *said, end]


def _turns(*turns: list[Event]) -> Turns:
    return [
        (
            TurnRef(conversation_id="c", turn_id=f"t{number}", ordinal=number, message_id="m"),
            [Recorded(seq=seq, at=AT, event=event) for seq, event in enumerate(events, start=1)],
        )
        for number, events in enumerate(turns, start=1)
    ]


def _route(**changes: object) -> RouteDecided:
    fields = {"intent": "quote", "confidence": 1.0, "decided_by": "haiku", "language": "es", **changes}
    return RouteDecided.model_validate(fields)


def _local_call(*, discarded: bool = False) -> EngineCalled:
    return EngineCalled(
        purpose="answer",
        engine="local",
        model="local",
        usage=Usage(),
        stop_reason="end_turn",
        took_ms=1,
        discarded=discarded,
    )


def test_a_new_conversation_is_empty() -> None:
    """The first message has no past."""
    assert fold_state([]) == ConversationState()


def test_history_is_what_was_said_and_shown() -> None:
    """Claude reads exactly what the customer has read."""
    state = fold_state(_turns(_turn("Hi", " Hello! "), _turn("Hail?", "", end=FAILED), _turn("So?", "Yes.")))

    assert state.history == (
        Said("customer", "Hi"),
        Said("assistant", "Hello!"),
        Said("customer", "Hail?"),
        Said("customer", "So?"),
        Said("assistant", "Yes."),
    )


def test_a_message_that_claude_refused_is_left_out() -> None:
    """With it in the history every later turn would be refused as well."""
    refused = _turn("bad", "Sorry.", FaultSeen(code="stop_refusal", where="m"))

    assert fold_state(_turns(_turn("Hi", "Hello."), refused)).history == (
        Said("customer", "Hi"),
        Said("assistant", "Hello."),
    )


def test_the_window_moves_in_steps() -> None:
    """In between, every request continues the one before, so that its beginning is cached."""
    starts = [ordinal - 1 - turns_to_read(ordinal) for ordinal in range(1, 80)]

    assert starts[:25] == [0] * 25
    assert set(starts) == {0, 8, 16, 24, 32, 40, 48}
    assert starts == sorted(starts)
    assert max(turns_to_read(ordinal) for ordinal in range(1, 200)) == 31


@given(st.lists(st.tuples(st.integers(1, 9_000), st.integers(0, 7_000)), min_size=1, max_size=31))
def test_long_histories_are_cut_rarely_and_much(sizes: list[tuple[int, int]]) -> None:
    """The history stays within its limit, begins with the customer, and mostly continues the one before."""
    turns = _turns(*(_turn("q" * asked, "a" * answered) for asked, answered in sizes))
    histories = [fold_state(turns[:count]).history for count in range(1, len(turns) + 1)]

    for before, after in pairwise(histories):
        continues = after[: len(before)] == before
        assert continues or sum(len(said.text) for said in after) <= MOST_CHARACTERS / 2 + 16_000
    for history in histories:
        assert history[0].role == "customer"
        assert sum(len(said.text) for said in history) <= MOST_CHARACTERS


def test_the_form_and_the_language_are_the_last_ones() -> None:
    """The conversation goes on where it was."""
    first, second = Flow(intent="quote", slots={"make": "Kia"}), Flow(intent="quote", slots={"make": "Ford"})
    state = fold_state(
        _turns(
            _turn("a", "b", _route(language="en"), FlowChanged(flow=first)),
            _turn("c", "d", _route(language="es"), FlowChanged(flow=second)),
        )
    )

    assert state.flow == second
    assert state.language == "es"


def test_what_was_said_for_a_dropped_form_is_over() -> None:
    """After "forget the quote" the next one must not begin with the old car."""
    turns = [_turn("my Kia", "ok"), _turn("forget it", "done", FlowChanged(flow=None)), _turn("hi", "hello")]

    assert fold_state(_turns(*turns)).mentions == ("hi",)
    assert fold_state(_turns(*turns)).flow is None


def test_a_question_with_choices_is_remembered_for_one_turn() -> None:
    """The next "2" picks; a later one does not."""
    asked = _turn("the thing", "Which?", _route(clarify=("quote", "escalate"), confidence=0.3))
    state = fold_state(_turns(asked))

    assert state.clarification is not None
    assert state.clarification.intents == ("quote", "escalate")
    assert state.clarification.about == "the thing"
    assert fold_state(_turns(asked, _turn("x", "y", _route()))).clarification is None


@pytest.mark.parametrize(
    ("events", "end", "is_offered"),
    [
        ([_route(offer_person=True)], DONE, True),
        ([_route()], DONE, False),
        ([ToolReturned(call_id="1", name="s", ok=True, result="", took_ms=1, empty=True)], DONE, True),
        ([ToolReturned(call_id="1", name="q", ok=False, result="", took_ms=1)], DONE, True),
        ([ToolReturned(call_id="1", name="q", ok=True, result="", took_ms=1)], DONE, False),
        ([ToolReturned(call_id="1", name="q", ok=False, result="", took_ms=1, asks="day")], DONE, False),
        ([], FAILED, True),
    ],
)
def test_who_was_offered_a_person_may_say_yes(events: list[Event], end: Event, is_offered: bool) -> None:
    """A yes after "shall I bring in a colleague?" means the colleague."""
    assert fold_state(_turns(_turn("a", "b", *events, end=end))).person_offered == is_offered


@pytest.mark.parametrize(
    ("events", "was"), [([_local_call()], True), ([], False), ([_local_call(discarded=True)], False)]
)
def test_basic_mode_is_known_from_who_answered_last(events: list[Event], was: bool) -> None:
    """It is explained once, also when the basic answer was a hand-over to a person."""
    turn = _turn("a", "b", *events, end=TurnFinished(outcome="escalated"))

    assert fold_state(_turns(turn)).degraded_before == was


def test_failures_in_a_row_are_counted() -> None:
    """Two in a row, and a person is offered; a good answer in between forgives."""
    good, bad = _turn("a", "b"), _turn("c", "", end=FAILED)

    assert [
        fold_state(_turns(*row)).failures_in_row for row in ([bad], [bad, bad], [bad, good], [good, bad])
    ] == [
        1,
        2,
        0,
        1,
    ]
