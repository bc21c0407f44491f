"""The open form of a conversation: which details are known, and which one is asked for next.

Why: "2019" or "about 40 thousand" means nothing without the question before it. The form is read from the
customer's own messages whichever engine talks, so that the local engine can go on where Claude stopped.
"""

from agents.specialist import Specialist
from events import Flow, Slots
from knowledge.slots import Reading
from router.desk import Desk
from router.state import ConversationState

_OF_THE_VEHICLE = frozenset({"make", "model", "year", "mileage"})
_LOOK_BACK = 12


def read(desk: Desk, flow: Flow | None, text: str) -> Reading | None:
    """What the message says about the form; None when no specialist of this company fills one."""
    if desk.catalogue.leading("form") is None:
        return None
    awaiting, known = (flow.awaiting, flow.slots) if flow else (None, {})
    return desk.read_slots(text, awaiting=awaiting, known=known, today=desk.utcnow().date())


def before(
    desk: Desk, specialist: Specialist, state: ConversationState, reading: Reading | None
) -> Flow | None:
    """The form as the specialist finds it: with this message's details in it. Other specialists leave it as it is."""
    flow = state.flow
    if specialist.lead != "form" or reading is None:
        return flow
    if reading.command == "start_over":
        return None
    known = flow.slots if flow else _mentioned(desk, state)
    slots: Slots = {**_still_true(known, reading), **reading.values}
    wanted = desk.toolbox.tools[specialist.tools[0]].slots
    missing = [name for name in wanted if name not in slots]
    quoted = bool(flow and flow.quoted)
    return Flow(
        intent=specialist.intent, slots=slots, awaiting=missing[0] if missing else None, quoted=quoted
    )


def _still_true(known: Slots, reading: Reading) -> Slots:
    """What holds after this message: another vehicle has its own model, year and mileage."""
    other_make = "make" in reading.values and reading.values["make"] != known.get(
        "make", reading.values["make"]
    )
    other_model = "model" in reading.values and reading.values["model"] != known.get(
        "model", reading.values["model"]
    )
    if reading.correction or not (other_make or other_model):
        gone = frozenset({"model"}) if other_make else frozenset()
    else:
        gone = _OF_THE_VEHICLE
    return {name: value for name, value in known.items() if name not in gone}


def _mentioned(desk: Desk, state: ConversationState) -> Slots:
    """The vehicle that the customer spoke of before asking for a price, if any."""
    today = desk.utcnow().date()
    found: Slots = {}
    for said in state.history[-_LOOK_BACK:]:
        values = (
            desk.read_slots(said.text, awaiting=None, known={}, today=today).values
            if said.role == "customer"
            else {}
        )
        if "make" in values:
            found = {name: value for name, value in values.items() if name in _OF_THE_VEHICLE}
    return found


def after(flow: Flow | None, form_slots: Slots | None, at_fault: str | None) -> Flow | None:
    """The form after the specialist: complete once its tool gave a result, reopened where a detail was refused."""
    if flow is None:
        return None
    if form_slots is not None:
        return flow.model_copy(update={"slots": form_slots, "awaiting": None, "quoted": True})
    if at_fault is not None:
        slots = {name: value for name, value in flow.slots.items() if name != at_fault}
        return flow.model_copy(update={"slots": slots, "awaiting": at_fault})
    return flow
