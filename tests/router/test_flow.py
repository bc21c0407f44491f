"""The open form: what is known, what is asked next, what another vehicle does not inherit."""

from dataclasses import replace
from decimal import Decimal

import pytest

from events import Flow, Quote, Slots
from knowledge.slots import Reading
from router import flow as flows
from router.state import ConversationState
from tests.agents.folders import shipped
from tests.router.room import NOW, Talk, desk

DESK = desk()
QUOTE = shipped().specialists["quote"]
LEAF: Slots = {"make": "Nissan", "model": "Leaf", "year": 2022, "mileage": 20000, "driver_age": 34}
PRICED = Flow(intent="quote", slots=LEAF, quoted=True)
OPEN = Flow(intent="quote", slots={"make": "Nissan", "model": "Leaf"}, awaiting="year")


def _after_message(flow: Flow | None, text: str, *mentions: str) -> Flow | None:
    concepts = shipped().lexicon.concepts(text)
    state = ConversationState(flow=flow, mentions=mentions)
    return flows.before(DESK, QUOTE, state, flows.read(DESK, flow, text, concepts))


def test_a_company_without_forms_reads_none() -> None:
    """A desk for questions only has no quote prompt, and works."""
    others = {name: item for name, item in shipped().specialists.items() if name != "quote"}
    plain = replace(DESK, catalogue=replace(shipped(), specialists=others))

    assert flows.read(plain, None, "a 2022 Nissan Leaf", frozenset()) is None


def test_a_form_begins_with_what_the_message_says() -> None:
    """Nobody is asked for what they have just told."""
    assert _after_message(None, "How much to insure a 2022 Nissan Leaf?") == Flow(
        intent="quote", slots={"make": "Nissan", "model": "Leaf", "year": 2022}, awaiting="mileage"
    )


def test_a_form_begins_with_the_vehicle_spoken_of_before() -> None:
    """A car mentioned while asking about cover is the car to quote."""
    flow = _after_message(None, "what would it cost?", "I have a 2021 Kia Niro", "does it cover hail?")

    assert flow is not None
    assert flow.slots == {"make": "Kia", "model": "Niro", "year": 2021}


@pytest.mark.parametrize(
    ("text", "changed"),
    [
        ("what if I were 25?", {"driver_age": 25}),
        ("y si tuviera 25 años?", {"driver_age": 25}),
        ("make it 40,000 miles", {"mileage": 40000}),
        ("no, 2018", {"year": 2018}),
        ("que sean 30.000 millas", {"mileage": 30000}),
    ],
)
def test_after_a_price_one_detail_changes_and_the_others_stay(text: str, changed: Slots) -> None:
    """A what-if is priced again at once, with everything else as it was."""
    assert _after_message(PRICED, text) == Flow(intent="quote", slots={**LEAF, **changed}, quoted=True)


@pytest.mark.parametrize(
    ("text", "slots", "awaiting"),
    [
        ("and for a Tesla Model 3?", {"driver_age": 34, "make": "Tesla", "model": "Model 3"}, "year"),
        (
            "what about a toyota corolla instead",
            {"driver_age": 34, "make": "Toyota", "model": "Corolla"},
            "year",
        ),
        ("and for the Ariya?", {"driver_age": 34, "make": "Nissan", "model": "Ariya"}, "year"),
        ("y para un toyota corolla", {"driver_age": 34, "make": "Toyota", "model": "Corolla"}, "year"),
    ],
)
def test_another_vehicle_inherits_no_year_and_no_mileage(text: str, slots: Slots, awaiting: str) -> None:
    """A wrong price is worse than a question; the driver is still the same."""
    assert _after_message(PRICED, text) == Flow(intent="quote", slots=slots, awaiting=awaiting)


@pytest.mark.parametrize("flow", [PRICED, OPEN])
def test_a_slip_of_the_tongue_costs_nothing_else(flow: Flow) -> None:
    """The car is put right; what was said about it holds."""
    after = _after_message(flow, "no, it's a Honda Civic")

    assert after is not None
    assert after.slots == {**flow.slots, "make": "Honda", "model": "Civic"}


@pytest.mark.parametrize("text", ["forget the quote", "start over", "olvida la cotización", "never mind"])
@pytest.mark.parametrize("flow", [PRICED, OPEN])
def test_a_dropped_quote_is_gone(text: str, flow: Flow) -> None:
    """The customer has said so; nothing of it comes back."""
    assert _after_message(flow, text, "my Nissan Leaf") is None


def test_starting_over_with_a_new_vehicle_begins_at_once() -> None:
    """What was said with it is not lost."""
    reading = Reading({"make": "Honda", "model": "Civic"}, whole=True, command="start_over")

    assert flows.before(DESK, QUOTE, ConversationState(flow=PRICED), reading) == Flow(
        intent="quote", slots={"make": "Honda", "model": "Civic"}, awaiting="year"
    )


def test_a_side_question_leaves_the_form_as_it_is() -> None:
    """The quote stays open while something else is answered."""
    concepts = shipped().lexicon.concepts("does it cover hail?")
    reading = flows.read(DESK, OPEN, "does it cover hail?", concepts)
    aside = shipped().specialists["product_info"]

    assert flows.before(DESK, aside, ConversationState(flow=OPEN), reading) == OPEN


def test_a_price_completes_the_form() -> None:
    """What was priced is what a what-if starts from, also when Claude knew more than our reader."""
    assert flows.after("quote", OPEN, LEAF, None) == PRICED
    assert flows.after("quote", None, LEAF, None) == PRICED


def test_a_refused_detail_is_asked_again() -> None:
    """The rest of the form is kept."""
    after = flows.after("quote", PRICED, None, "driver_age")

    assert after is not None
    assert (after.awaiting, after.quoted) == ("driver_age", False)
    assert "driver_age" not in after.slots


def test_a_run_that_changed_nothing_leaves_the_form() -> None:
    """An answer without a tool call is no progress and no step back."""
    assert flows.after("quote", OPEN, None, None) == OPEN
    assert flows.after("quote", None, None, "year") is None


def test_details_are_kept_under_the_names_they_were_priced_with() -> None:
    """VW and Volkswagen are one make: the next message about it must not look like another car."""
    quote = Quote(
        quote_id="Q-1",
        make="Volkswagen",
        model="Golf",
        year=2020,
        mileage=5,
        driver_age=30,
        monthly_premium_usd=Decimal("1.00"),
        valid_until=NOW.date(),
    )

    assert flows.as_priced({"make": "vw", "model": "golf", "year": 2020}, quote) == {
        "make": "Volkswagen",
        "model": "Golf",
        "year": 2020,
    }
    assert flows.as_priced({"make": "vw"}, None) == {"make": "vw"}
    assert flows.as_priced(None, quote) is None


def test_a_form_whose_tool_failed_keeps_its_details_without_a_price() -> None:
    """A changed detail would be forgotten, or the old price be told for it."""
    kept = flows.after("quote", PRICED, {**LEAF, "driver_age": 25}, None, priced=False)

    assert kept == Flow(intent="quote", slots={**LEAF, "driver_age": 25}, quoted=False)


UNPRICED = Flow(intent="quote", slots=LEAF)


@pytest.mark.parametrize(
    ("flow", "text", "command"),
    [
        (UNPRICED, "try again", flows.AGAIN),
        (UNPRICED, "Could you please try once more?", flows.AGAIN),
        (UNPRICED, "inténtalo otra vez", flows.AGAIN),
        (UNPRICED, "¿y ahora?", flows.AGAIN),
        (UNPRICED, "no, don't try again", None),
        (UNPRICED, "rather than try again I want a person", None),
        (UNPRICED, "forget it", "start_over"),
        (UNPRICED, "start again", "start_over"),
        (UNPRICED, "does it cover hail?", None),
        (PRICED, "try again", None),
        (OPEN, "try again", None),
        (None, "try again", None),
    ],
)
def test_a_price_that_could_not_be_had_can_be_tried_again(
    flow: Flow | None, text: str, command: str | None
) -> None:
    """A customer who tries again would be handed to a person, or greeted."""
    reading = flows.read(DESK, flow, text, shipped().lexicon.concepts(text))

    assert reading is not None
    assert reading.command == command
    assert reading.whole or command != flows.AGAIN


async def test_a_quote_survives_a_side_question() -> None:
    """The whole way on the local engine: question, side question, answer, price, what-if, another car."""
    talk = Talk(desk())
    asked = await talk.say("How much to insure a 2022 Nissan Leaf with 20000 miles?")
    aside = await talk.say("does it cover hail?")
    priced = await talk.say("34")
    what_if = await talk.say("what if I were 25?")
    other = await talk.say("and for a Tesla Model 3?")

    assert "How old" in asked.text or "how old" in asked.text
    assert aside.route.intent == "product_info"
    assert "how old" in aside.text
    assert priced.reply.quote is not None
    assert what_if.reply.quote is not None
    assert priced.reply.quote.monthly_premium_usd != what_if.reply.quote.monthly_premium_usd
    assert what_if.tools[0].arguments == {**LEAF, "driver_age": 25}
    assert other.reply.quote is None
    assert "year" in other.text


async def test_a_what_if_before_the_make_is_known_is_taken() -> None:
    """The age is noted and the next question asked; the customer has not been unclear."""
    talk = Talk(desk())
    await talk.say("How much to insure my car?")
    turn = await talk.say("what if I were 25")
    flow = await talk.flow()

    assert flow is not None
    assert flow.slots == {"driver_age": 25}
    assert turn.text.startswith("Which make")


async def test_a_forgotten_quote_is_forgotten() -> None:
    """The next price is not worked out for the old car."""
    talk = Talk(desk())
    await talk.say("How much for a 2022 Nissan Leaf?")
    dropped = await talk.say("forget the quote")
    again = await talk.say("I'd like a price for my car")
    flow = await talk.flow()

    assert dropped.route.intent == "quote"
    assert "dropped" in dropped.text
    assert again.route.intent == "quote"
    assert flow is not None
    assert flow.slots == {}
