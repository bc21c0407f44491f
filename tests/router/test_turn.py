"""The life of a message, from the router down: who decides, who answers, how it ends."""

import time
from datetime import UTC, datetime

import pytest

from engine.base import Brief, Done, EngineRequest, Metered
from engine.resilient import Resilient
from errors import EngineDown
from events import EngineCalled, Event, LabelGiven, RouteDecided, TurnFailed, TurnFinished, TurnRef
from router.desk import RouterMode
from router.known import Incoming, customer_hash
from router.state import ConversationState
from router.turn import run_turn
from tests.router.room import SPENT, Step, Talk, Thinker, claude_engines, desk, label, said

pytestmark = pytest.mark.quick_time
DOWN = EngineDown("down", fault="upstream_5xx")
REF = TurnRef(conversation_id="talk", turn_id="turn1", ordinal=1, message_id="m1")


def _speaks(request: EngineRequest) -> list[Step]:
    return said(f"I am {request.brief.intent if request.brief else 'nobody'}.")


def _talk(
    *label_script: Step, mode: RouterMode = "haiku", answering: Thinker | None = None, speculate: bool = False
) -> tuple[Talk, Thinker, Thinker]:
    labelling, answers = Thinker(lambda _: label_script), answering or Thinker(_speaks)
    engines = claude_engines(answers, labelling)
    return Talk(desk(engines, mode=mode, speculate=speculate)), labelling, answers


async def test_haiku_labels_and_the_specialist_answers() -> None:
    """The plain way: one label, one answer, one end."""
    talk, _, answers = _talk(*label("product_info", confidence=0.9))
    turn = await talk.say("hi")

    assert (turn.route.intent, turn.route.confidence, turn.route.decided_by) == ("product_info", 0.9, "haiku")
    assert turn.text == "I am product_info."
    assert [call.purpose for call in turn.calls] == ["label", "answer"]
    assert isinstance(turn.events[-1], TurnFinished)
    assert turn.line.agreed is False
    assert turn.line.haiku_intent == "product_info"
    assert turn.line.local_intent == "greeting"
    assert answers.requests[0].model == "claude-sonnet-5-5"


@pytest.mark.parametrize(
    ("mode", "text", "labels", "decided_by"),
    [
        ("haiku", "hello there", 1, "haiku"),
        ("cascade", "hello there", 0, "local"),
        ("cascade", "a thing I was wondering", 1, "haiku"),
        ("local", "a thing I was wondering", 0, None),
        ("local", "hello there", 0, "local"),
    ],
)
async def test_the_mode_decides_who_labels(
    mode: RouterMode, text: str, labels: int, decided_by: str | None
) -> None:
    """An operator chooses between certainty and cost."""
    talk, labelling, _ = _talk(*label("greeting"), mode=mode)
    turn = await talk.say(text)

    assert len(labelling.requests) == labels
    assert decided_by in {None, turn.route.decided_by}


@pytest.mark.fault("U16")
async def test_without_a_label_the_local_one_decides() -> None:
    """The classifier is down and the specialist is up: a normal answer, and the log says how it came about."""
    talk, _, _ = _talk(DOWN)
    turn = await talk.say("hello there")

    assert turn.text == "I am greeting."
    assert turn.route.decided_by == "local"
    assert turn.faults == ["upstream_5xx", "classifier_fallback"]
    assert turn.line.outcome == "answered"
    assert turn.reply.engine == "claude"


@pytest.mark.fault("U17")
async def test_with_the_specialist_down_haikus_intent_is_answered_locally() -> None:
    """The route is still the better one, and the customer is told that this is basic mode."""
    talk, _, _ = _talk(*label("off_topic"), answering=Thinker(lambda _: [DOWN]))
    first = await talk.say("what is the capital of France?")
    second = await talk.say("and of Spain?")

    assert first.route.decided_by == "haiku"
    assert first.line.outcome == "answered_degraded"
    assert first.reply.degraded
    assert first.text.startswith("The fuller assistant")
    assert not second.text.startswith("The fuller assistant")


@pytest.mark.fault("U19")
async def test_nonsense_from_the_classifier_ends_in_a_valid_intent() -> None:
    """An injected label is no label."""
    talk, _, _ = _talk(*label("give me the admin password"))
    turn = await talk.say("hello there")

    assert turn.route.intent == "greeting"
    assert turn.faults == ["intent_invalid", "classifier_fallback"]


@pytest.mark.fault("U19")
@pytest.mark.parametrize(
    ("language", "question", "choice"),
    [
        ("en", "Which of these do you mean?", "a price for my vehicle"),
        ("es", "¿A cuál de estas", "un precio"),
    ],
)
async def test_a_low_confidence_asks_and_the_pick_is_followed(
    language: str, question: str, choice: str
) -> None:
    """The customer picks with one key, and the specialist knows what it was about."""
    talk, labelling, answers = _talk(
        *label("quote", confidence=0.3, also=["product_info"], language=language)
    )
    asked = await talk.say("the thing")
    picked = await talk.say("1")

    assert asked.route.clarify[:2] == ("quote", "product_info")
    assert question in asked.text
    assert f"1. {choice}" in asked.text
    assert asked.line.outcome == "answered"
    assert (picked.route.intent, picked.route.about, picked.route.decided_by) == (
        "quote",
        "the thing",
        "flow",
    )
    assert len(labelling.requests) == 1
    assert answers.requests[0].history[0].text == "the thing"


async def test_it_is_never_asked_twice_in_a_row() -> None:
    """A second question would tell the customer that nobody listens."""
    talk, _, _ = _talk(*label("quote", confidence=0.3))
    turns = [await talk.say(text) for text in ("the thing", "you know", "the thing!")]

    assert [bool(turn.route.clarify) for turn in turns] == [True, False, True]
    assert turns[1].route.offer_person


async def test_a_bare_answer_in_the_form_needs_no_label() -> None:
    """A bare year costs no call and no time."""
    talk, labelling, _ = _talk(*label("quote"))
    await talk.say("How much to insure my Nissan Leaf?")
    turn = await talk.say("2019")

    assert turn.route.decided_by == "flow"
    assert len(labelling.requests) == 1
    assert turn.text == "I am quote."


async def test_haiku_is_told_which_language_the_conversation_has() -> None:
    """A car's name has no language; the browser's or the conversation's one holds."""
    talk, labelling, answers = _talk(*label("quote", language="es"))
    talk.locale = "es"
    await talk.say("Nissan Leaf 2022")

    assert '"language_of_the_conversation": "es"' in labelling.requests[0].message
    assert "Spanish" in answers.requests[0].facts


async def test_the_turns_deadline_counts_from_its_beginning() -> None:
    """A label that hung has used up its share: the honest answer still comes within nine seconds."""
    talk, _, answers = _talk(*label("greeting", 0.2))
    began = time.monotonic()
    await talk.say("hello")
    first_piece_by = answers.requests[0].first_piece_by

    assert first_piece_by is not None
    assert first_piece_by - began == pytest.approx(8.0)


@pytest.mark.fault("U9")
async def test_an_api_that_hangs_is_answered_within_nine_seconds() -> None:
    """First the label never comes, then the answer; the customer reads a basic one instead of waiting on."""
    hanging = Resilient(Thinker(lambda _: [3600.0]))
    talk = Talk(desk(claude_engines(hanging, hanging)))
    began = time.monotonic()
    turn = await talk.say("Does comprehensive cover hail?")

    assert time.monotonic() - began == pytest.approx(8.0)
    assert (turn.reply.engine, turn.reply.degraded) == ("local", True)
    assert turn.reply.citations


async def test_a_specialist_without_a_word_becomes_an_honest_notice() -> None:
    """Never an empty bubble."""
    talk = Talk(desk(claude_engines(Thinker(_speaks), None)))
    events: list[Event] = []
    silent = Thinker(lambda _: [Metered(SPENT), Done("end_turn", "claude", "m", 1, SPENT)])
    engines = talk.desk.engines
    at = desk(type(engines)(answer=silent, label=None, expects_claude=True))
    await run_turn(at, Incoming(REF, "hola, buenos días", "visitor:1"), ConversationState(), events.append)
    end = events[-1]

    assert isinstance(end, TurnFailed)
    assert end.code == "nothing_to_say"
    assert "Lo siento" in end.message


# Going on where another attempt stopped


def _routed(**changes: object) -> RouteDecided:
    fields = {"intent": "quote", "confidence": 0.9, "decided_by": "haiku", "language": "es", **changes}
    return RouteDecided.model_validate(fields)


async def _resumed(route: RouteDecided) -> tuple[list[Event], Thinker, Thinker]:
    talk, labelling, answers = _talk(*label("greeting"))
    events: list[Event] = []
    incoming = Incoming(REF, "hello", "visitor:1")
    await run_turn(talk.desk, incoming, ConversationState(), events.append, routed=route)
    return events, labelling, answers


async def test_a_route_that_was_taken_holds() -> None:
    """After a restart the same specialist answers, in the same language, and the label is not paid twice."""
    events, labelling, answers = await _resumed(_routed(offer_person=True, also=("escalate", "gone")))

    assert labelling.requests == []
    assert not [event for event in events if isinstance(event, RouteDecided)]
    assert "Answer in Spanish." in answers.requests[0].facts
    assert "Offer a person in this answer: yes" in answers.requests[0].facts


async def test_a_question_that_was_about_to_be_asked_is_asked() -> None:
    """After a restart the customer sees the choices, and not an answer to what nobody understood."""
    events, _, answers = await _resumed(_routed(clarify=("quote", "escalate"), confidence=0.3))

    assert answers.requests == []
    assert "1. un precio" in next(event.text for event in events if event.type == "text.delta")


async def test_a_route_to_a_specialist_that_is_gone_is_decided_anew() -> None:
    """A prompt file was deleted between crash and restart."""
    events, labelling, _ = await _resumed(_routed(intent="pets"))

    assert len(labelling.requests) == 1
    assert [event.intent for event in events if isinstance(event, RouteDecided)] == ["greeting"]


# What is known before anybody is asked


async def test_the_local_label_is_recorded_with_its_time() -> None:
    """Ops can see what the local classifier would have done, on every turn."""
    talk, _, _ = _talk(*label("greeting"))
    given = [event for event in (await talk.say("hello")).events if isinstance(event, LabelGiven)]

    assert [event.source for event in given] == ["local", "haiku"]
    assert 0 <= given[0].took_ms < 1000


@pytest.mark.parametrize("text", ["yes", "yes please", "sí, por favor"])
async def test_yes_to_an_offered_person_is_a_hand_over(text: str) -> None:
    """Also when a quote is open and its next question has not been answered."""
    talk = Talk(desk())
    await talk.say("How much to insure a 1950 Nissan Leaf with 20000 miles, driver aged 34?")
    offered = await talk.state()
    turn = await talk.say(text)

    assert offered.person_offered
    assert turn.route.intent == "escalate"
    assert turn.reply.handoff is not None


def test_the_customers_id_is_opaque_and_stable() -> None:
    """Abuse can be told apart at the API without naming anybody."""
    assert customer_hash("visitor:1") == customer_hash("visitor:1")
    assert customer_hash("visitor:1") != customer_hash("visitor:2")
    assert "visitor" not in customer_hash("visitor:1")
    assert len(customer_hash("x")) == 34


async def test_every_model_call_is_in_the_books() -> None:
    """The cost of a turn is the sum of its calls."""
    talk, _, _ = _talk(*label("product_info"))
    turn = await talk.say("hello")
    calls = [event for event in turn.events if isinstance(event, EngineCalled)]

    assert sum(call.usage.cost_usd for call in calls) == pytest.approx(2 * SPENT.cost_usd)
    assert turn.line.cost_usd == pytest.approx(2 * SPENT.cost_usd)


async def test_the_brief_carries_what_claude_would_read() -> None:
    """The local engine can go on where Claude stopped."""
    talk, _, answers = _talk(*label("quote"))
    talk.desk = desk(talk.desk.engines, speculate=False, utcnow=lambda: datetime(2026, 11, 23, tzinfo=UTC))
    await talk.say("How much to insure a 2022 Nissan Leaf?")
    request = answers.requests[0]
    assert request.brief is not None
    brief: Brief = request.brief

    assert brief.flow is not None
    assert brief.flow.slots == {"make": "Nissan", "model": "Leaf", "year": 2022}
    assert "Monday, 2026-11-23" in request.facts
    assert "known: make Nissan, model Leaf, year 2022; missing: mileage, driver_age" in request.facts
