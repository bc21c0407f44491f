"""The history shows what was said, by whom and when."""

from events import Event, TextDelta, TextStarted, TurnRef
from readers.history import fold_history
from tests.readers.turns import ACCEPTED, SOURCE, START, TURN, WHOLE, recorded

SECOND = TurnRef(conversation_id="c1", turn_id="t2", ordinal=2, message_id="m2")


def test_a_turn_is_the_customers_message_and_the_answer() -> None:
    """A page that is opened again looks as it did before."""
    asked, answered = fold_history("c1", [(TURN, recorded(WHOLE))]).messages

    assert (asked.role, asked.text, asked.at, asked.turn_id) == ("customer", ACCEPTED.text, START, "t1")
    assert (answered.role, answered.text) == ("assistant", "It costs $97.80.")
    assert (answered.intent, answered.citations) == ("quote", (SOURCE,))
    assert answered.at > asked.at


def test_a_message_that_has_no_answer_yet_stands_alone() -> None:
    """No empty bubble while the answer is on its way."""
    begun: list[Event] = [ACCEPTED, TextStarted(message_id="a")]
    history = fold_history("c1", [(TURN, recorded(begun))])
    half = fold_history("c1", [(TURN, recorded([*begun, TextDelta(message_id="a", text="It ")]))])

    assert [message.role for message in history.messages] == ["customer"]
    assert [message.text for message in half.messages] == [ACCEPTED.text, "It "]


def test_turns_keep_their_order_and_a_ticket_shows_in_the_state() -> None:
    """A customer sees that a person will come, from then on."""
    plain = fold_history("c1", [(TURN, recorded([ACCEPTED]))])
    both = fold_history("c1", [(TURN, recorded(WHOLE)), (SECOND, recorded([ACCEPTED]))])

    assert (plain.state, both.state) == ("open", "waiting_for_person")
    assert [message.turn_id for message in both.messages] == ["t1", "t1", "t2"]
    assert fold_history("c1", []).messages == ()
