"""The life of a message: screen, label, route, answer, record. Read this first.

Called by router/runner.py under supervision, once per turn. Everything that happens is said to `emit`; the turn
returns when its last event is emitted. Raises EngineError (or any bug): the runner then closes the turn honestly.
"""

import asyncio
import time
from collections.abc import Coroutine

from agents.loop import Run
from engine.base import Engine
from errors import EngineError
from events import FaultSeen, GuardFired, Label, LabelGiven, RouteDecided
from router.answer import answer
from router.classify import Question, ask_haiku
from router.closing import ask_back, close, fail
from router.decide import (
    Decision,
    decide_by_haiku,
    decide_by_local,
    decide_screened,
    decide_without_label,
    guess_by_local,
)
from router.desk import Desk
from router.known import Emit, Incoming, Known, customer_hash, look_at
from router.speculate import Ended, Gate, Guess
from router.state import ConversationState
from router.unsettled import settle

_SIMILAR = 6
__all__ = ["Incoming", "fail", "run_turn"]


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
    turn = await look_at(desk, incoming, state, emit)
    if routed is not None and routed.intent in desk.catalogue.specialists:
        decision, language = _as_before(routed, desk), routed.language
        run = await _answer(turn, decision, language)
    else:
        decision, language, run = await _route_and_run(turn)
    for deed in await settle(desk, incoming, turn.word):
        run.handed_over = True
        emit(deed)
    close(emit, incoming.turn, desk, language, run)


async def _route_and_run(turn: Known) -> tuple[Decision, str, Run]:
    reading = turn.reading if turn.state.flow is not None else None
    decision = _screened(turn) or decide_without_label(
        turn.incoming.text, turn.state, reading, turn.desk.catalogue, turn.word
    )
    engine = _labelling_engine(turn) if decision is None else None
    if engine is not None:
        return await _label_and_run(turn, engine)
    if decision is None:
        decision = decide_by_local(turn.local, turn.state, turn.desk.catalogue)
    turn.emit(_routed(decision, turn.language, "no"))
    return decision, turn.language, await _answer(turn, decision, turn.language)


def _screened(turn: Known) -> Decision | None:
    """Where a hostile message goes, before anybody else sees it; what is only likely is recorded."""
    acts = turn.verdict.acts
    for finding in turn.verdict.findings:
        turn.emit(GuardFired(guard="screen" if acts else "screen_note", what=finding.what))
    if not acts:
        return None
    turn.desk.offenders.note(turn.incoming.owner)
    return decide_screened(turn.local, turn.desk.catalogue)


def _labelling_engine(turn: Known) -> Engine | None:
    """The engine to ask for a label, unless the local one is to do: as ordered, or because it is sure enough."""
    desk = turn.desk
    is_sure = turn.local.confidence >= desk.catalogue.classifier.settings.cascade_at
    if desk.mode == "local" or (desk.mode == "cascade" and is_sure):
        return None
    return desk.engines.label


async def _label_and_run(turn: Known, engine: Engine) -> tuple[Decision, str, Run]:
    """Ask Haiku; meanwhile, if the local label is good enough, let its specialist begin behind a closed gate."""
    ended: Ended | None = None
    speculated = "no"
    async with asyncio.TaskGroup() as group:
        labelling = group.create_task(_ask_haiku(turn, engine))
        guess = _start_guess(turn, group)
        decision, language = _decide(turn, await labelling)
        if guess is not None and guess.fits(decision, language):
            turn.emit(_routed(decision, language, "right"))
            ended = await guess.accept()
        elif guess is not None:
            speculated = "wrong"
            await guess.drop()
    if ended is not None:
        return decision, language, ended.result()
    turn.emit(_routed(decision, language, speculated))
    return decision, language, await _answer(turn, decision, language)


def _start_guess(turn: Known, group: asyncio.TaskGroup) -> Guess | None:
    """The local label's specialist, already at work; None when it is not sure enough."""
    guessed = guess_by_local(turn.local, turn.state, turn.desk.catalogue)
    if guessed is None or not turn.desk.speculate:
        return None

    def work(decision: Decision, gate: Gate) -> Coroutine[None, None, Run]:
        return answer(turn, decision, turn.language, gate.emit, gate.wait)

    return Guess(guessed, turn.language, turn.emit, group, work)


def _decide(turn: Known, label: Label | None) -> tuple[Decision, str]:
    """The decision and the language of the answer: Haiku's, else our own."""
    catalogue = turn.desk.catalogue
    if label is None:
        return decide_by_local(turn.local, turn.state, catalogue), turn.language
    decision = decide_by_haiku(label, turn.local, turn.state, catalogue, noted=bool(turn.verdict.findings))
    if label.abuse:
        turn.emit(GuardFired(guard="screen" if decision.withheld else "screen_note", what="abuse"))
    if decision.withheld:
        turn.desk.offenders.note(turn.incoming.owner)
    return decision, label.language


async def _ask_haiku(turn: Known, engine: Engine) -> Label | None:
    """Haiku's label, or None when there is none in time."""
    question = Question(
        message=turn.incoming.text,
        history=turn.state.history,
        flow=turn.state.flow,
        person_offered=turn.state.person_offered,
        similar=turn.desk.classifier.closest(turn.incoming.text, _SIMILAR),
        customer_hash=customer_hash(turn.incoming.owner),
        language=turn.language,
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


async def _answer(turn: Known, decision: Decision, language: str) -> Run:
    """Do what was decided: ask back, or let the specialist answer."""
    if decision.clarify:
        return ask_back(turn.emit, turn.incoming.turn, turn.desk, language, decision)
    return await answer(turn, decision, language, turn.emit)


def _as_before(routed: RouteDecided, desk: Desk) -> Decision:
    """The decision of an earlier attempt at this turn."""
    return Decision(
        routed.intent,
        routed.confidence,
        routed.decided_by,
        tuple(intent for intent in routed.also if intent in desk.catalogue.specialists),
        tuple(intent for intent in routed.clarify if intent in desk.catalogue.specialists),
        routed.about,
        routed.offer_person,
        routed.withheld,
    )


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
            "withheld": decision.withheld,
            "speculated": speculated,
        }
    )
