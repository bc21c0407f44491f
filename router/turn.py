"""The life of a message: screen, label, route, answer, record. Read this first.

Called by router/runner.py under supervision, once per turn. Everything that happens is said to `emit`; the turn
returns when its last event is emitted. Raises EngineError (or any bug): the runner then closes the turn honestly.
"""

import asyncio
import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass

from agents.loop import Means, Place, Run, run_specialist
from agents.specialist import Specialist
from errors import EngineError
from events import (
    Event,
    FaultSeen,
    Flow,
    FlowChanged,
    Label,
    LabelGiven,
    Outcome,
    RouteDecided,
    TextDelta,
    TextEnded,
    TextStarted,
    TurnFailed,
    TurnFinished,
    TurnRef,
)
from knowledge.language import detect_language
from knowledge.slots import Reading
from router import flow as flows
from router.assemble import Assembly, assemble
from router.classify import Question, ask_haiku
from router.decide import (
    Decision,
    decide_by_haiku,
    decide_by_local,
    decide_without_label,
    may_speculate,
    with_triggers,
)
from router.desk import Desk
from router.local import LocalLabel
from router.speculate import Gate, open_door
from router.state import ConversationState
from store.records import call_key
from templates import render

_SIMILAR = 6
Emit = Callable[[Event], None]


@dataclass(frozen=True, slots=True)
class Incoming:
    """The message of this turn, and who wrote it."""

    turn: TurnRef
    text: str
    owner: str
    locale: str | None = None
    customer_id: str | None = None


@dataclass(frozen=True, slots=True)
class _Turn:
    """What is known about the message before anybody labels it."""

    desk: Desk
    incoming: Incoming
    state: ConversationState
    emit: Emit
    started: float
    language: str
    concepts: frozenset[str]
    reading: Reading | None
    local: LocalLabel


async def run_turn(
    desk: Desk,
    incoming: Incoming,
    state: ConversationState,
    emit: Emit,
    *,
    routed: RouteDecided | None = None,
) -> None:
    """Answer one message; the last event emitted is TurnFinished, or TurnFailed when there was nothing to say.

    Args:
        routed: The route of an earlier attempt at this turn, which then holds.

    Raises:
        EngineError: No engine could answer.
    """
    turn = _look_at(desk, incoming, state, emit)
    if routed is not None:
        decision = Decision(
            routed.intent, routed.confidence, routed.decided_by, routed.also, about=routed.about
        )
        run = await _run_specialist(turn, decision, routed.language, emit)
    else:
        run = await _route_and_run(turn)
    _close(turn, run)


def _look_at(desk: Desk, incoming: Incoming, state: ConversationState, emit: Emit) -> _Turn:
    """Everything that can be told in a millisecond or two, without asking anybody."""
    catalogue = desk.catalogue
    language = detect_language(incoming.text, hint=state.language or incoming.locale)
    concepts = catalogue.lexicon.concepts(incoming.text)
    awaiting = state.flow.awaiting if state.flow else None
    reading = flows.read(desk, state.flow, incoming.text)
    label = desk.classifier.classify(incoming.text, awaiting or ("person" if state.person_offered else None))
    local = with_triggers(label, catalogue, concepts)
    spoken = Label(intent=local.intent, confidence=local.confidence, language=language)
    emit(LabelGiven(source="local", label=spoken, took_ms=0))
    return _Turn(desk, incoming, state, emit, time.monotonic(), language, concepts, reading, local)


async def _route_and_run(turn: _Turn) -> Run:
    decision = decide_without_label(turn.incoming.text, turn.state, turn.reading, turn.desk.catalogue)
    if decision is None and _needs_haiku(turn):
        return await _label_and_run(turn)
    if decision is None:
        decision = decide_by_local(turn.local, turn.state, turn.desk.catalogue)
    return await _follow(turn, decision, turn.language)


def _needs_haiku(turn: _Turn) -> bool:
    desk = turn.desk
    if desk.engines.label is None or desk.mode == "local":
        return False
    return desk.mode == "haiku" or turn.local.confidence < desk.catalogue.classifier.settings.cascade_at


async def _label_and_run(turn: _Turn) -> Run:
    """Ask Haiku; meanwhile, if the local label is good enough, let its specialist begin behind a closed gate."""
    catalogue = turn.desk.catalogue
    guess: Decision | None = None
    gate = Gate(turn.emit)
    async with asyncio.TaskGroup() as group:
        labelling = group.create_task(_ask_haiku(turn))
        if turn.desk.speculate and may_speculate(turn.local, catalogue):
            guess = Decision(turn.local.intent, turn.local.confidence, "local")
            guessing = group.create_task(_run_specialist(turn, guess, turn.language, gate.emit, gate))
        label = await labelling
        if label is None:
            decision, language = decide_by_local(turn.local, turn.state, catalogue), turn.language
        else:
            decision, language = decide_by_haiku(label, turn.local, turn.state, catalogue), label.language
        if guess is not None and _is_right(guess, decision) and language == turn.language:
            turn.emit(_routed(decision, language, "right"))
            gate.open()
            return await guessing
        if guess is not None:
            guessing.cancel()
            await asyncio.wait([guessing])
            gate.discard(guess.intent)
    return await _follow(turn, decision, language, speculated="no" if guess is None else "wrong")


def _is_right(guess: Decision, decision: Decision) -> bool:
    """Whether what the guess is answering is what was decided."""
    plain = not decision.clarify and not decision.also and not decision.offer_person
    return plain and guess.intent == decision.intent


async def _ask_haiku(turn: _Turn) -> Label | None:
    """Haiku's label, or None when there is none in time."""
    engine = turn.desk.engines.label
    if engine is None:
        return None
    question = Question(
        message=turn.incoming.text,
        history=turn.state.history,
        flow=turn.state.flow,
        person_offered=turn.state.person_offered,
        similar=turn.desk.classifier.closest(turn.incoming.text, _SIMILAR),
        customer_hash=customer_hash(turn.incoming.owner),
    )
    started = time.monotonic()
    try:
        label = await ask_haiku(engine, turn.desk.catalogue, question, turn.emit)
    except EngineError as exc:
        turn.emit(FaultSeen(code=exc.fault, where="classifier", request_id=exc.request_id))
        turn.emit(FaultSeen(code="classifier_fallback", where="classifier"))
        return None
    turn.emit(LabelGiven(source="haiku", label=label, took_ms=round((time.monotonic() - started) * 1000)))
    return label


async def _follow(turn: _Turn, decision: Decision, language: str, speculated: str = "no") -> Run:
    """Do what was decided: ask back, or let the specialist answer."""
    turn.emit(_routed(decision, language, speculated))
    if decision.clarify:
        return _ask_back(turn, decision, language)
    return await _run_specialist(turn, decision, language, turn.emit)


def _routed(decision: Decision, language: str, speculated: str) -> RouteDecided:
    return RouteDecided.model_validate(
        {
            "intent": decision.intent,
            "confidence": decision.confidence,
            "decided_by": decision.decided_by,
            "language": language,
            "also": decision.also,
            "clarify": decision.clarify,
            "about": decision.about,
            "offer_person": decision.offer_person,
            "speculated": speculated,
        }
    )


async def _run_specialist(
    turn: _Turn, decision: Decision, language: str, emit: Emit, gate: Gate | None = None
) -> Run:
    """Let the decided specialist answer, and keep its form up to date."""
    desk = turn.desk
    specialist = desk.catalogue.specialists[decision.intent]
    flow = flows.before(desk, specialist, turn.state, turn.reading)
    request = assemble(_assembly(turn, decision, language, specialist, flow))
    means = Means(
        engine=desk.engines.answer,
        toolbox=desk.toolbox,
        guards=desk.guards,
        expects_claude=desk.engines.expects_claude,
        cut_notice=desk.catalogue.notices.text("interrupted", language) or "",
    )
    run = await run_specialist(
        specialist, request, means, _place(turn, specialist, language), emit, gate.wait if gate else open_door
    )
    after = flows.after(flow, run.form_slots, run.form_at_fault)
    if specialist.lead == "form" and after != turn.state.flow:
        emit(FlowChanged(flow=after))
    return run


def _assembly(
    turn: _Turn, decision: Decision, language: str, specialist: Specialist, flow: Flow | None
) -> Assembly:
    return Assembly(
        desk=turn.desk,
        specialist=specialist,
        state=turn.state,
        message=turn.incoming.text,
        language=language,
        concepts=turn.concepts,
        reading=turn.reading,
        flow=flow,
        also=decision.also,
        about=decision.about,
        offer_person=decision.offer_person,
        customer_hash=customer_hash(turn.incoming.owner),
        first_piece_by=turn.started + turn.desk.first_piece_s,
    )


def _place(turn: _Turn, specialist: Specialist, language: str) -> Place:
    ref = turn.incoming.turn
    return Place(
        conversation_id=ref.conversation_id,
        turn_id=ref.turn_id,
        run_id=f"{ref.turn_id}-{specialist.intent}",
        message_id=answer_id(ref),
        language=language,
        now=turn.desk.utcnow(),
        records=turn.desk.records,
        key_of=lambda tool, arguments: call_key(ref.conversation_id, ref.turn_id, tool, arguments),
        customer_id=turn.incoming.customer_id,
    )


def _ask_back(turn: _Turn, decision: Decision, language: str) -> Run:
    """One question with choices; the customer may answer with a number or a word."""
    specialists = turn.desk.catalogue.specialists
    labels = [specialists[intent].label for intent in decision.clarify]
    choices = [
        f"{number}. {names.get(language, names['en'])}" for number, names in enumerate(labels, start=1)
    ]
    template = turn.desk.catalogue.notices.text("clarify", language) or "{{choices}}"
    say(turn.emit, turn.incoming.turn, render(template, {"choices": "\n".join(choices)}))
    return Run(said=True)


def _close(turn: _Turn, run: Run) -> None:
    if not run.said:
        fail(turn.emit, turn.incoming.turn, turn.desk, turn.language, "nothing_to_say")
        return
    outcome: Outcome = "answered"
    if run.handed_over:
        outcome = "escalated"
    elif run.degraded:
        outcome = "answered_degraded"
    turn.emit(TurnFinished(outcome=outcome))


def fail(
    emit: Emit,
    turn: TurnRef,
    desk: Desk,
    language: str,
    code: str,
    *,
    notice: str = "failed",
    said: bool = False,
) -> None:
    """Close the turn with an honest notice in the customer's language, shown as text and as the reason."""
    text = desk.catalogue.notices.text(notice, language) or EngineError.customer_text
    if said:
        emit(TextDelta(message_id=answer_id(turn), text=f"\n\n{text}"))
        emit(TextEnded(message_id=answer_id(turn)))
    else:
        say(emit, turn, text)
    emit(TurnFailed(code=code, message=text))


def say(emit: Emit, turn: TurnRef, text: str) -> None:
    """A whole answer that needs no specialist."""
    emit(TextStarted(message_id=answer_id(turn)))
    emit(TextDelta(message_id=answer_id(turn), text=text))
    emit(TextEnded(message_id=answer_id(turn)))


def answer_id(turn: TurnRef) -> str:
    """The id of the turn's answer; a turn has one."""
    return f"{turn.turn_id}-answer"


def customer_hash(owner: str) -> str:
    """An opaque, stable id for the API's abuse monitoring."""
    return hashlib.sha256(f"frontdesk:{owner}".encode()).hexdigest()[:32]
