"""The open form of a conversation: which details are known, and which one is asked for next.

Why: "2019" or "about 40 thousand" means nothing without the question before it. The form is read from the
customer's own messages whichever engine talks, so that the local engine can go on where Claude stopped.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from agents.specialist import Specialist
from events import Flow, Quote, Slots
from knowledge.slots import Reading
from router.desk import Desk
from router.state import ConversationState

_OF_THE_VEHICLE = frozenset({"make", "model", "year", "mileage"})
DROPPED: Final = "start_over"  # the command, and the concept of the lexicon
AGAIN: Final = "try_again"  # likewise
_NOT_AGAIN = frozenset({DROPPED, "no", "human", "callback", "complaint"})


def read(desk: Desk, flow: Flow | None, text: str, concepts: frozenset[str]) -> Reading | None:
    """What the message says about the form; None when no specialist of this company fills one."""
    if desk.catalogue.leading("form") is None:
        return None
    awaiting, known = (flow.awaiting, flow.slots) if flow else (None, {})
    reading = desk.read_slots(text, awaiting=awaiting, known=known, today=desk.utcnow().date())
    if flow is None or reading.command is not None:
        return reading
    if flow.awaiting is None and not flow.quoted and AGAIN in concepts and concepts.isdisjoint(_NOT_AGAIN):
        return replace(reading, command=AGAIN, whole=True)
    return replace(reading, command=DROPPED) if not reading.values and DROPPED in concepts else reading


def before(
    desk: Desk, specialist: Specialist, state: ConversationState, reading: Reading | None
) -> Flow | None:
    """The form as the specialist finds it: with this message's details in it. Other specialists leave it as it is."""
    flow = state.flow
    if specialist.lead != "form" or reading is None:
        return flow
    known: Slots = {}
    if reading.command == DROPPED:
        if not reading.values:
            return None
    elif flow is None:
        known = _mentioned(desk, state)
    else:
        known = _still_true(flow, reading)
    slots: Slots = {**known, **reading.values}
    missing = [name for name in desk.toolbox.tools[specialist.tools[0]].slots if name not in slots]
    return Flow(
        intent=specialist.intent,
        slots=slots,
        awaiting=missing[0] if missing else None,
        quoted=bool(flow and flow.quoted and known and not missing),
    )


def _still_true(flow: Flow, reading: Reading) -> Slots:
    """What holds after this message: another vehicle has its own model, year and mileage.

    A slip of the tongue is put right ("no, it's a Civic") without losing the rest; after a price that must be all
    that the message says, because "the Civic instead?" then asks about another vehicle.
    """
    known, new = flow.slots, reading.values
    other_make = "make" in new and new["make"] != known.get("make", new["make"])
    other_model = "model" in new and new["model"] != known.get("model", new["model"])
    if not (other_make or other_model):
        return known
    is_slip = reading.correction and (reading.whole or not flow.quoted)
    gone = frozenset({"model"}) if is_slip else _OF_THE_VEHICLE
    kept_make = frozenset() if other_make else frozenset({"make"})
    return {name: value for name, value in known.items() if name not in gone - kept_make}


def _mentioned(desk: Desk, state: ConversationState) -> Slots:
    """The vehicle that the customer spoke of before asking for a price, if any."""
    today = desk.utcnow().date()
    found: Slots = {}
    for text in state.mentions:
        values = desk.read_slots(text, awaiting=None, known={}, today=today).values
        if "make" in values:
            found = {name: value for name, value in values.items() if name in _OF_THE_VEHICLE}
    return found


def after(
    intent: str,
    flow: Flow | None,
    form_slots: Mapping[str, str | int] | None,
    at_fault: str | None,
    *,
    priced: bool = True,
) -> Flow | None:
    """The form after the specialist: complete once its tool was called, reopened where a detail was refused.

    Args:
        priced: Whether the tool gave a price for `form_slots`. If it failed, the details are kept and can be tried again.
    """
    if form_slots is not None:
        return Flow(intent=intent, slots=dict(form_slots), awaiting=None, quoted=priced)
    if flow is None or at_fault is None:
        return flow
    slots = {name: value for name, value in flow.slots.items() if name != at_fault}
    return flow.model_copy(update={"slots": slots, "awaiting": at_fault, "quoted": False})


def as_priced(form_slots: Slots | None, quote: Quote | None) -> Slots | None:
    """The form's details under the names that the price was worked out with ("vw golf" is a Volkswagen Golf)."""
    if form_slots is None or quote is None:
        return form_slots
    return {name: getattr(quote, name, value) for name, value in form_slots.items()}
