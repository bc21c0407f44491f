"""What the desk says by itself: a question with choices, an honest notice; and how a turn is closed.

Why: a turn has exactly one end, and never ends in silence.
"""

from collections.abc import Callable

from agents.loop import Run
from errors import EngineError
from events import Event, Outcome, TextDelta, TextEnded, TextStarted, TurnFailed, TurnFinished, TurnRef
from router.decide import Decision
from router.desk import Desk
from templates import render

Emit = Callable[[Event], None]


def close(emit: Emit, turn: TurnRef, desk: Desk, language: str, run: Run) -> None:
    """The turn's end; a specialist that had nothing to say becomes an honest notice."""
    if not run.said:
        fail(emit, turn, desk, language, "nothing_to_say")
        return
    outcome: Outcome = "answered"
    if run.handed_over:
        outcome = "escalated"
    elif run.degraded:
        outcome = "answered_degraded"
    emit(TurnFinished(outcome=outcome))


def ask_back(emit: Emit, turn: TurnRef, desk: Desk, language: str, decision: Decision) -> Run:
    """One question with choices; the customer may answer with a number or a word."""
    labels = [desk.catalogue.specialists[intent].label for intent in decision.clarify]
    choices = [
        f"{number}. {names.get(language, names['en'])}" for number, names in enumerate(labels, start=1)
    ]
    template = desk.catalogue.notices.text("clarify", language) or "{{choices}}"
    say(emit, turn, render(template, {"choices": "\n".join(choices)}))
    return Run(said=True)


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
    show_notice(emit, turn, desk, language, notice=notice, said=said)
    emit(TurnFailed(code=code, message=notice_text(desk, language, notice)))


def show_notice(emit: Emit, turn: TurnRef, desk: Desk, language: str, *, notice: str, said: bool) -> None:
    """The notice as text: below what was said already, or as the whole answer."""
    text = notice_text(desk, language, notice)
    if said:
        emit(TextDelta(message_id=answer_id(turn), text=f"\n\n{text}"))
        emit(TextEnded(message_id=answer_id(turn)))
    else:
        say(emit, turn, text)


def notice_text(desk: Desk, language: str, notice: str) -> str:
    """The notice in the customer's language."""
    return desk.catalogue.notices.text(notice, language) or EngineError.customer_text


def say(emit: Emit, turn: TurnRef, text: str) -> None:
    """A whole answer that needs no specialist."""
    emit(TextStarted(message_id=answer_id(turn)))
    emit(TextDelta(message_id=answer_id(turn), text=text))
    emit(TextEnded(message_id=answer_id(turn)))


def answer_id(turn: TurnRef) -> str:
    """The id of the turn's answer; a turn has one."""
    return f"{turn.turn_id}-answer"
