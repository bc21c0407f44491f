"""Gather what a specialist is told about this turn: facts for Claude, a brief for the local engine."""

from dataclasses import dataclass

from agents.request import build_request, today
from agents.specialist import Specialist
from engine.base import Brief, EngineRequest
from events import Flow, Quote
from knowledge.language import language_name
from knowledge.slots import Reading
from router.desk import Desk
from router.state import ConversationState
from tools.quote import quote_values


@dataclass(frozen=True, slots=True)
class Assembly:
    """Everything that goes into one specialist's request."""

    desk: Desk
    specialist: Specialist
    state: ConversationState
    message: str
    language: str
    concepts: frozenset[str]
    reading: Reading | None
    flow: Flow | None
    also: tuple[str, ...]
    about: str | None
    offer_person: bool
    customer_hash: str
    first_piece_by: float


def assemble(parts: Assembly) -> EngineRequest:
    """The request for this specialist and this message."""
    return build_request(
        parts.specialist,
        parts.desk.toolbox,
        history=parts.state.history,
        message=parts.message,
        facts=_facts(parts),
        brief=_brief(parts),
        customer_hash=parts.customer_hash,
        first_piece_by=parts.first_piece_by,
    )


def _facts(parts: Assembly) -> dict[str, str]:
    """Values of the variables in `# This turn`; an empty one drops its line."""
    specialists = parts.desk.catalogue.specialists
    also = [specialists[intent].label["en"] for intent in parts.also]
    return {
        "today": today(parts.desk.utcnow()),
        "language": language_name(parts.language),
        "open_quote": _open_form(parts),
        "quotes": "; ".join(_in_words(quote) for quote in parts.state.quotes[-3:]),
        "also": ", ".join(also),
        "offer_person": "yes" if parts.offer_person else "",
    }


def _open_form(parts: Assembly) -> str:
    flow = parts.flow
    if flow is None or flow.quoted:
        return ""
    known = ", ".join(f"{name} {value}" for name, value in flow.slots.items()) or "nothing yet"
    wanted = parts.desk.catalogue.specialists[flow.intent].tools[0]
    missing = [name for name in parts.desk.toolbox.tools[wanted].slots if name not in flow.slots]
    return f"known: {known}; missing: {', '.join(missing) or 'nothing'}"


def _in_words(quote: Quote) -> str:
    return (
        f"{quote.quote_id}: {quote.year} {quote.make} {quote.model}, {quote.mileage} miles, driver aged {quote.driver_age}, "
        f"{quote.monthly_premium_usd} US dollars per month, valid until {quote.valid_until}"
    )


def _brief(parts: Assembly) -> Brief:
    state, reading = parts.state, parts.reading
    last = state.quotes[-1] if state.quotes else None
    return Brief(
        intent=parts.specialist.intent,
        replies=parts.specialist.replies,
        notices=parts.desk.catalogue.notices,
        language=parts.language,
        concepts=parts.concepts,
        flow=parts.flow,
        read=dict(reading.values) if reading else {},
        command=reading.command if reading else None,
        asked_before=state.flow is not None,
        about=parts.about or "",
        offer_person=parts.offer_person,
        open_question=_open_question(parts),
        quoted={}
        if last is None
        else {name: str(value) for name, value in last.model_dump(mode="json").items()},
        degraded_before=state.degraded_before,
    )


def _open_question(parts: Assembly) -> str | None:
    """The question of an open form, to be asked again after an answer about something else."""
    flow = parts.flow
    if (
        flow is None
        or flow.awaiting is None
        or flow.intent == parts.specialist.intent
        or parts.specialist.lead == "handoff"
    ):
        return None
    form = parts.desk.catalogue.specialists.get(flow.intent)
    text = form.replies.text(f"ask_{flow.awaiting}", parts.language) if form else None
    return next((line for line in text.splitlines() if "?" in line), text) if text else None
