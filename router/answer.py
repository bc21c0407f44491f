"""Let the decided specialist answer a message, and keep its form up to date.

Called by router/turn.py, perhaps on a guess: then what it says goes through the guess's gate.
"""

from collections.abc import Awaitable, Callable

from agents.loop import Means, Place, Run, run_specialist
from agents.run import Look
from agents.specialist import Specialist
from events import Event, FlowChanged, QuoteGiven
from router import flow as flows
from router.assemble import assemble
from router.closing import answer_id
from router.decide import Decision
from router.desk import Desk
from router.known import Emit, Known
from router.unsettled import account_of
from store.records import call_key
from tools.quote import in_words


async def at_once() -> None:
    """What a specialist waits for before it changes something when nothing is guessed: nothing."""


async def answer(
    turn: Known,
    decision: Decision,
    language: str,
    emit: Emit,
    may_write: Callable[[], Awaitable[None]] = at_once,
) -> Run:
    """Run the specialist that was decided on.

    Args:
        may_write: Awaited before a tool changes something.

    Raises:
        EngineError: No engine could answer.
    """
    desk = turn.desk
    specialist = desk.catalogue.specialists[decision.intent]
    flow = flows.before(desk, specialist, turn.state, turn.reading_for(specialist))
    request = assemble(turn, decision, language, flow)
    means = Means(
        engine=desk.engines.answer,
        toolbox=desk.toolbox,
        guards=desk.guards,
        expects_claude=desk.engines.expects_claude,
        notices=desk.catalogue.notices,
        second_look=_look(desk),
    )
    given: list[QuoteGiven] = []

    def note(event: Event) -> None:
        if isinstance(event, QuoteGiven):
            given.append(event)
        emit(event)

    run = await run_specialist(
        specialist, request, means, _place(turn, specialist, language), note, may_write
    )
    slots = flows.as_priced(run.form_slots, given[-1].quote if given and run.form_priced else None)
    after = flows.after(specialist.intent, flow, slots, run.form_at_fault, priced=run.form_priced)
    if specialist.lead == "form" and after != turn.state.flow:
        emit(FlowChanged(flow=after))
    return run


def _look(desk: Desk) -> Look | None:
    """Who takes a second look: Claude, where that is wanted."""
    engine, prompt = desk.engines.label, desk.catalogue.second_look
    return Look(engine, prompt) if desk.second_look and engine is not None and prompt is not None else None


def _place(turn: Known, specialist: Specialist, language: str) -> Place:
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
        account=account_of(turn.desk, turn.incoming),
        consent=turn.word.consent if turn.word else None,
        prices=tuple(in_words(quote) for quote in turn.state.quotes),
    )
