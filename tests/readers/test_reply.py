"""The JSON reply is what the events of the turn add up to."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from events import Action, ActionChanged, Event, RouteDecided, TextDelta, TurnFailed, TurnFinished
from readers.reply import fold_reply, fold_text
from tests.readers.turns import ACCEPTED, ROUTE, SOURCE, TURN, WHOLE, called


def test_a_reply_holds_everything_the_contract_names() -> None:
    """A client finds each field where the contract says it is."""
    assert fold_reply(TURN, WHOLE, "token").shown() == {
        "conversation_id": "c1",
        "turn_id": "t1",
        "message_id": "m1",
        "visitor_token": "token",
        "intent": "quote",
        "confidence": ROUTE.confidence,
        "decided_by": "haiku",
        "agent": "quote",
        "text": "It costs $97.80.",
        "citations": [SOURCE.model_dump()],
        "quote": {"quote_id": "Q-1", "monthly_premium_usd": "97.80", "valid_until": "2026-12-22"},
        "handoff": {"ticket_id": "T-1", "state": "waiting"},
        "engine": "claude",
        "degraded": False,
    }


def test_only_what_is_optional_is_left_out() -> None:
    """A client may rely on the other fields also when the desk itself had to speak."""
    failed = TurnFailed(code="no_engine", message="Sorry.")

    shown = fold_reply(TURN, [ACCEPTED, TextDelta(message_id="a", text="Sorry."), failed]).shown()

    assert shown == {
        "conversation_id": "c1",
        "turn_id": "t1",
        "message_id": "m1",
        "intent": None,
        "confidence": None,
        "decided_by": None,
        "agent": None,
        "text": "Sorry.",
        "citations": [],
        "engine": "local",
        "degraded": True,
        "error": {"code": "no_engine", "message": "Sorry."},
    }


def test_a_degraded_answer_says_so() -> None:
    """The page shows that this was basic mode."""
    events: list[Event] = [ACCEPTED, ROUTE, called(engine="local"), TurnFinished(outcome="answered_degraded")]

    reply = fold_reply(TURN, events)
    assert (reply.degraded, reply.engine) == (True, "local")


def test_a_discarded_guess_is_not_the_engine_of_the_answer() -> None:
    """What was thrown away had no part in the reply."""
    guess = called(engine="claude", discarded=True)

    assert fold_reply(TURN, [ACCEPTED, called(engine="local"), guess]).engine == "local"


@given(st.lists(st.text()))
def test_the_text_is_the_fold_of_the_deltas(said: list[str]) -> None:
    """The saved answer equals the streamed one, however it was cut."""
    events: list[Event] = [ACCEPTED, *(TextDelta(message_id="a", text=text) for text in said)]

    assert fold_text(events) == fold_reply(TURN, events).text == "".join(said)


def test_a_route_that_asks_back_has_no_agent() -> None:
    """The page knows a question of the desk from a specialist's answer."""
    route = RouteDecided(
        intent="quote", confidence=0.4, decided_by="fallback", language="en", clarify=("quote", "greeting")
    )
    reply = fold_reply(TURN, [ACCEPTED, route])

    assert (reply.intent, reply.agent, reply.decided_by) == ("quote", None, "fallback")


def test_of_a_change_the_customer_sees_the_last_state_and_none_of_our_book_keeping() -> None:
    """A client shows a receipt; what the desk notes beside it is the desk's."""
    action = Action(
        preview_id="P-1",
        tool="request_cancellation",
        subject="AP-1",
        terms={"policy_number": "AP-1", "last_day": "2026-12-31", "refund_usd": "1.00"},
        state="previewed",
        expires_at=datetime(2026, 11, 22, 12, 15, tzinfo=UTC),
    )
    done = action.model_copy(update={"state": "done", "receipt": "R-1"})

    shown = fold_reply(TURN, [ACCEPTED, ActionChanged(action=action), ActionChanged(action=done)]).shown()

    assert shown["action"] == {
        "preview_id": "P-1",
        "name": "request_cancellation",
        "state": "done",
        "terms": {"policy_number": "AP-1", "last_day": "2026-12-31", "refund_usd": "1.00"},
        "receipt": "R-1",
        "expires_at": "2026-11-22T12:15:00Z",
    }
