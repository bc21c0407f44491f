"""Gather what a specialist is told about this turn: facts for Claude, a brief for the local engine."""

from agents.request import build_request, today
from agents.specialist import Specialist
from engine.base import Brief, Call, EngineRequest
from events import Flow
from knowledge.language import language_name
from router import flow as flows
from router.decide import Decision
from router.desk import Desk
from router.known import Known, customer_hash
from router.opencall import Word
from router.state import WITHHELD
from tools.quote import in_words, plain_name, quote_values

_QUOTES_SHOWN = 3


def assemble(turn: Known, decision: Decision, language: str, flow: Flow | None) -> EngineRequest:
    """The request for the specialist that was decided on.

    Args:
        language: In which the answer is to be, as an ISO 639-1 code.
        flow: The open form as this message leaves it.
    """
    desk = turn.desk
    specialist = desk.catalogue.specialists[decision.intent]
    return build_request(
        specialist,
        desk.toolbox,
        history=turn.state.history,
        message=WITHHELD if decision.withheld else turn.incoming.text,
        facts=_facts(turn, decision, language, flow),
        brief=_brief(turn, decision, language, flow),
        customer_hash=customer_hash(turn.incoming.owner),
        first_piece_by=turn.started + desk.first_piece_s,
    )


def _facts(turn: Known, decision: Decision, language: str, flow: Flow | None) -> dict[str, str]:
    """Values of the variables in `# This turn`; an empty one drops its line."""
    specialists = turn.desk.catalogue.specialists
    also = [specialists[intent].label["en"] for intent in decision.also]
    return {
        "today": today(turn.desk.utcnow()),
        "language": language_name(language),
        "open_quote": _open_form(turn.desk, flow),
        "preview": _preview(turn.word),
        "quotes": "; ".join(in_words(quote) for quote in turn.state.quotes[-_QUOTES_SHOWN:]),
        "also": ", ".join(also),
        "offer_person": "yes" if decision.offer_person else "",
    }


def _preview(word: Word | None) -> str:
    """The preview that the last answer showed, and what the customer says to it."""
    if word is None or word.call.preview is None:
        return ""
    action = word.call.preview
    terms = ", ".join(f"{name} {value}" for name, value in action.terms.items())
    answers = {
        "yes": "a plain yes to it; call the tool again now with this preview_id",
        "no": "a plain no to it; nothing has changed and nothing will, say so",
    }
    answer = answers.get(word.says, "no plain yes to it, so it cannot be carried out; nothing has changed")
    return f"{action.preview_id} of {action.tool} ({terms}). The customer's message is {answer}"


def _open_form(desk: Desk, flow: Flow | None) -> str:
    form = desk.catalogue.specialists.get(flow.intent) if flow else None
    if flow is None or flow.quoted or form is None or form.lead != "form":
        return ""
    known = ", ".join(f"{name} {plain_name(value)}" for name, value in flow.slots.items()) or "nothing yet"
    missing = [name for name in desk.toolbox.tools[form.tools[0]].slots if name not in flow.slots]
    return f"known: {known}; missing: {', '.join(missing) or 'nothing'}"


def _brief(turn: Known, decision: Decision, language: str, flow: Flow | None) -> Brief:
    desk, state = turn.desk, turn.state
    specialist = desk.catalogue.specialists[decision.intent]
    reading = turn.reading_for(specialist)
    read = dict(reading.values) if reading else {}
    command = reading.command if reading else None
    asks_about_form = command is not None and command != flows.AGAIN and not read
    meant = desk.catalogue.lexicon.concepts(decision.about) if decision.about else frozenset()
    return Brief(
        intent=specialist.intent,
        replies=specialist.replies,
        notices=desk.catalogue.notices,
        language=language,
        concepts=turn.concepts | meant,
        flow=flow,
        read=read,
        command=command if asks_about_form else None,
        asked_before=state.flow is not None and command != flows.DROPPED,
        about=decision.about or "",
        offer_person=decision.offer_person,
        open_question=_open_question(desk, specialist, language, flow),
        quoted=quote_values(state.quotes[-1], language) if state.quotes else {},
        degraded_before=state.degraded_before,
        details=turn.details,
        call=_call(turn.word, specialist),
        declined=turn.word.call.tool if turn.word is not None and turn.word.says == "no" else None,
    )


def _call(word: Word | None, specialist: Specialist) -> Call | None:
    """The tool's call that this message completes, if it is this specialist's."""
    if word is None or not word.completes or word.call.intent != specialist.intent:
        return None
    return Call(word.call.tool, word.arguments)


def _open_question(desk: Desk, specialist: Specialist, language: str, flow: Flow | None) -> str | None:
    """The question of an open form, to be asked again after an answer about something else."""
    is_aside = flow is not None and flow.intent != specialist.intent and specialist.lead != "handoff"
    if flow is None or flow.awaiting is None or not is_aside:
        return None
    form = desk.catalogue.specialists.get(flow.intent)
    text = form.replies.text(f"ask_{flow.awaiting}", language) if form else None
    return next((line for line in text.splitlines() if "?" in line), text) if text else None
