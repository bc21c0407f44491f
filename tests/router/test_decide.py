"""Where a message goes, from what the classifiers said."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from events import Flow, Label
from knowledge.slots import Reading
from router.decide import (
    decide_by_haiku,
    decide_by_local,
    decide_without_label,
    guess_by_local,
    person_intent,
    still_served,
    with_triggers,
)
from router.local import LocalLabel
from router.opencall import OpenCall, Word
from router.state import Clarification, ConversationState
from tests.agents.folders import shipped

FRESH = ConversationState()
ASKED = ConversationState(clarification=Clarification(("quote", "product_info", "escalate"), "the thing"))
FAILED_TWICE = ConversationState(failures_in_row=2)
OPEN = Flow(intent="quote", slots={"make": "Nissan"}, awaiting="model")
SETTINGS = shipped().classifier.settings


def _local(**shares: float) -> LocalLabel:
    """A local label with these shares; what is left goes to greeting."""
    full = {"greeting": 1 - sum(shares.values()), **shares}
    intent = max(full, key=lambda name: full[name])
    return LocalLabel(intent, full[intent], full)


def _haiku(
    intent: str, confidence: float = 0.95, also: tuple[str, ...] = (), sentiment: float = 0.0
) -> Label:
    return Label(intent=intent, confidence=confidence, also=also, sentiment=sentiment)


# Without a label


@pytest.mark.parametrize(
    ("reading", "flow", "is_decided"),
    [
        (Reading({"year": 2019}, whole=True), OPEN, True),
        (Reading({"year": 2019}, whole=False), OPEN, False),
        (Reading({}, whole=True), OPEN, False),
        (Reading({}, whole=True, command="skip"), OPEN, True),
        (Reading({}, whole=True, command="skip"), OPEN.model_copy(update={"quoted": True}), False),
        (Reading({"driver_age": 25}, whole=True), OPEN.model_copy(update={"quoted": True}), True),
        (Reading({"year": 2019}, whole=True), None, False),
        (Reading({"year": 2019}, whole=True), OPEN.model_copy(update={"intent": "pets"}), False),
        (None, OPEN, False),
    ],
)
def test_an_answer_to_the_open_form_needs_no_classifier(
    reading: Reading | None, flow: Flow | None, is_decided: bool
) -> None:
    """A bare "2019" belongs to the quote; anything more is looked at properly."""
    decision = decide_without_label("2019", ConversationState(flow=flow), reading, shipped())

    assert (decision is not None) == is_decided
    if decision is not None:
        assert (decision.intent, decision.confidence, decision.decided_by) == ("quote", 1.0, "flow")


def test_a_picked_choice_is_taken_with_the_question_it_was_about() -> None:
    """After "2" the customer must not have to ask again."""
    decision = decide_without_label("2", ASKED, None, shipped())

    assert decision is not None
    assert (decision.intent, decision.about, decision.decided_by) == ("product_info", "the thing", "flow")


@pytest.mark.parametrize(("is_whole", "is_decided"), [(True, True), (False, False)])
def test_the_word_that_a_call_waits_for_needs_no_classifier(is_whole: bool, is_decided: bool) -> None:
    """A bare "yes" after a preview is no greeting, also while a quote is open; anything more is looked at properly."""
    call = OpenCall(
        "product_info", "request_cancellation", {}, "preview_id", datetime(2026, 11, 22, tzinfo=UTC)
    )
    word = Word(call, "yes", {}, is_whole)
    state = ConversationState(flow=OPEN)
    decision = decide_without_label("yes", state, Reading({}, whole=False), shipped(), word)

    assert (decision is not None) == is_decided
    if decision is not None:
        assert (decision.intent, decision.confidence, decision.decided_by) == ("product_info", 1.0, "flow")


def test_a_message_that_picks_nothing_is_labelled() -> None:
    """The customer has said it in other words, as the question invited."""
    assert decide_without_label("my car was stolen", ASKED, None, shipped()) is None


# By Haiku


def test_haikus_word_counts() -> None:
    """The better classifier decides, whatever the local one thinks."""
    decision = decide_by_haiku(_haiku("product_info"), _local(quote=0.99), FRESH, shipped())

    assert (decision.intent, decision.decided_by, decision.clarify) == ("product_info", "haiku", ())
    assert not decision.offer_person


def test_an_unsure_haiku_asks_the_customer_once() -> None:
    """A wrong answer costs more than a question; a second question in a row costs the customer."""
    label = _haiku("quote", 0.31, also=("product_info",))
    first = decide_by_haiku(label, _local(off_topic=0.6, quote=0.3), FRESH, shipped())
    second = decide_by_haiku(label, _local(off_topic=0.6, quote=0.3), ASKED, shipped())

    assert first.clarify == ("quote", "product_info", "off_topic")
    assert first.decided_by == "fallback"
    assert second.clarify == ()
    assert (second.intent, second.offer_person) == ("quote", True)


@pytest.mark.parametrize(
    ("label", "local", "state"),
    [
        (_haiku("quote", also=("escalate",)), _local(quote=0.9), FRESH),
        (_haiku("product_info", sentiment=-0.8), _local(product_info=0.9), FRESH),
        (_haiku("product_info"), _local(escalate=0.7), FRESH),
        (_haiku("product_info"), _local(product_info=0.9), FAILED_TWICE),
    ],
)
def test_a_person_is_offered_where_one_may_be_needed(
    label: Label, local: LocalLabel, state: ConversationState
) -> None:
    """Anger, a half-said call for a person, or two failures in a row must not go by unheard."""
    assert decide_by_haiku(label, local, state, shipped()).offer_person


def test_who_gets_a_person_is_not_offered_one() -> None:
    """The hand-over itself would read oddly with an offer below it."""
    label = _haiku("escalate", also=("quote",), sentiment=-0.9)

    assert not decide_by_haiku(label, _local(escalate=0.9), FAILED_TWICE, shipped()).offer_person


def test_a_person_is_among_the_choices_where_one_may_be_needed() -> None:
    """An upset customer who is asked back must see the way out."""
    label = _haiku("quote", 0.3, also=("product_info",), sentiment=-0.9)
    decision = decide_by_haiku(label, _local(off_topic=0.9), FRESH, shipped())

    assert decision.clarify == ("quote", "product_info", "escalate")


# By the local label


@pytest.mark.parametrize(
    ("shares", "intent", "asks"),
    [
        ({"quote": 0.51}, "quote", False),
        ({"quote": 0.45, "product_info": 0.4}, "quote", True),
        ({"off_topic": 0.69, "product_info": 0.2}, "off_topic", True),
        ({"off_topic": 0.71}, "off_topic", False),
        ({"escalate": 0.41, "quote": 0.3}, "escalate", False),
    ],
)
def test_the_local_label_acts_where_it_is_sure_enough(
    shares: dict[str, float], intent: str, asks: bool
) -> None:
    """Each specialist has its own bar: nobody is turned away below .70, a person comes early."""
    decision = decide_by_local(_local(**shares), FRESH, shipped())

    assert decision.intent == intent
    assert bool(decision.clarify) == asks
    assert decision.decided_by == ("fallback" if asks else "local")
    assert len(decision.clarify) <= 3


def test_after_a_question_without_success_the_safest_specialist_helps() -> None:
    """Never two questions in a row: an answer from the articles, and a person on offer."""
    decision = decide_by_local(_local(off_topic=0.4, quote=0.35), ASKED, shipped())

    assert (decision.intent, decision.clarify) == (SETTINGS.safest, ())
    assert decision.decided_by == "fallback"
    assert decision.offer_person


@pytest.mark.parametrize(("share", "is_offered"), [(0.24, False), (0.26, True)])
def test_a_likely_wish_for_a_person_is_offered_one(share: float, is_offered: bool) -> None:
    """At a quarter's likelihood the offer costs one line and may save a customer."""
    assert (
        decide_by_local(_local(product_info=0.6, escalate=share), FRESH, shipped()).offer_person == is_offered
    )


# Guesses


@pytest.mark.parametrize(("share", "is_guessed"), [(0.59, False), (0.61, True)])
def test_only_a_good_local_label_starts_a_guess(share: float, is_guessed: bool) -> None:
    """Wrong guesses cost tokens."""
    guess = guess_by_local(_local(quote=share), FRESH, shipped())

    assert (guess is not None) == is_guessed
    assert guess is None or guess.intent == "quote"


def test_what_follows_a_hand_over_goes_on_about_it_unless_it_is_plainly_something_else() -> None:
    """After an accident "what now?" must not be answered with a menu, or with a cheerful hello."""
    handed_over = ConversationState(handed_over=True)

    unsure = decide_by_local(_local(off_topic=0.45), handed_over, shipped())
    sure = decide_by_local(_local(quote=0.97), handed_over, shipped())

    assert (unsure.intent, unsure.clarify) == ("escalate", ())
    assert sure.intent == "quote"


def test_a_specialist_may_forbid_guessing() -> None:
    """A prompt engineer can switch it off for an expensive specialist."""
    catalogue = shipped()
    quiet = replace(catalogue.specialists["quote"], speculate=False)
    changed = replace(catalogue, specialists={**catalogue.specialists, "quote": quiet})

    assert guess_by_local(_local(quote=0.99), FRESH, changed) is None


# Triggers


@pytest.mark.parametrize(
    ("concepts", "shares", "intent"),
    [
        ({"human", "talk"}, {"escalate": 0.15, "product_info": 0.8}, "escalate"),
        ({"human"}, {"escalate": 0.15, "product_info": 0.8}, "product_info"),
        ({"human", "talk"}, {"escalate": 0.05, "product_info": 0.9}, "product_info"),
        ({"self_harm"}, {"escalate": 0.2, "off_topic": 0.7}, "escalate"),
        ({"human", "talk"}, {"escalate": 0.9}, "escalate"),
    ],
)
def test_a_pattern_overrules_the_local_label_unless_it_is_ruled_out(
    concepts: set[str], shares: dict[str, float], intent: str
) -> None:
    """A call for a human reaches a human although the classifier has never seen the sentence."""
    label = with_triggers(_local(**shares), shipped(), frozenset(concepts))

    assert label.intent == intent
    assert label.confidence >= shares[intent]


def test_an_intent_that_is_gone_is_not_decided_on() -> None:
    """Between the deletion of a prompt file and the end of the next training no turn may fail."""
    catalogue = shipped()
    fewer = {name: item for name, item in catalogue.specialists.items() if name != "greeting"}
    changed = replace(catalogue, specialists=fewer)

    assert still_served(_local(quote=0.4, escalate=0.1), changed) == LocalLabel(
        "quote", 0.4, {"quote": 0.4, "escalate": 0.1}
    )
    assert still_served(_local(quote=0.9), catalogue) == _local(quote=0.9)
    assert still_served(LocalLabel("pets", 1.0, {"pets": 1.0}), catalogue).intent == SETTINGS.safest


def test_the_person_is_found_by_what_the_tools_do() -> None:
    """Another company may call its intent as it likes."""
    assert person_intent(shipped()) == "escalate"
    calm = {name: item for name, item in shipped().specialists.items() if name != "escalate"}
    assert person_intent(replace(shipped(), specialists=calm)) is None
    decision = decide_by_local(_local(quote=0.9), FAILED_TWICE, replace(shipped(), specialists=calm))
    assert not decision.offer_person
