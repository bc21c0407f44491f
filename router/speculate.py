"""Let a specialist begin on a guess, and hold its words and deeds until the label confirms it.

Why: the label takes a few hundred milliseconds; starting early hides them (design.md, section 3).
Life: one Guess per turn at most, with one Gate; the gate is opened at most once. A wrong guess leaves nothing but its
cost, and a guess that fails harms nobody unless it was right.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from agents.loop import Run
from events import EngineCalled, Event, GuessDiscarded
from router.contain import Contained, contained
from router.decide import Decision

Emit = Callable[[Event], None]


class Gate:
    """A closed door in front of `emit`; events wait behind it in order."""

    def __init__(self, emit: Emit) -> None:
        self._emit = emit
        self._held: list[Event] = []
        self._opened = asyncio.Event()

    def emit(self, event: Event) -> None:
        """Pass the event on, or hold it while the gate is closed."""
        if self._opened.is_set():
            self._emit(event)
        else:
            self._held.append(event)

    async def wait(self) -> None:
        """Return when the gate is open; a specialist waits here before it changes anything."""
        await self._opened.wait()

    def open(self) -> None:
        """The guess was right: let everything through, in order."""
        held, self._held = self._held, []
        for event in held:
            self._emit(event)
        self._opened.set()

    def discard(self, intent: str) -> None:
        """The guess was wrong: only what it cost goes through."""
        for event in self._held:
            if isinstance(event, EngineCalled):
                self._emit(event.model_copy(update={"discarded": True}))
        self._held = []
        self._emit(GuessDiscarded(intent=intent))


@dataclass(frozen=True, slots=True)
class Ended:
    """How a guessed run ended: with a result, or with the failure that was contained."""

    run: Run | None
    caught: Contained

    def result(self) -> Run:
        """What came of it.

        Raises:
            Exception: What went wrong in it.
        """
        if self.run is None:
            raise self.caught.error or RuntimeError("a guessed run ended without a result")
        return self.run


class Guess:
    """A specialist at work behind a gate. `language` is the one it was told to answer in."""

    def __init__(
        self,
        decision: Decision,
        language: str,
        emit: Emit,
        group: asyncio.TaskGroup,
        work: Callable[[Decision, Gate], Awaitable[Run]],
    ) -> None:
        self._decision = decision
        self._language = language
        self._gate = Gate(emit)
        self._task = group.create_task(_contained(work, decision, self._gate))

    def fits(self, decision: Decision, language: str) -> bool:
        """Whether what it answers is what was decided.

        Another language or a person to be offered must be told before the first word. Other things asked in the same
        message need not: the specialist has the whole message before it.
        """
        mine = (self._decision.intent, self._decision.offer_person, self._language)
        return not (decision.clarify or decision.withheld) and mine == (
            decision.intent,
            decision.offer_person,
            language,
        )

    async def accept(self) -> Ended:
        """Let it through, and wait for its end."""
        self._gate.open()
        return await self._task

    async def drop(self) -> None:
        """Stop it and forget it, but for its cost."""
        self._task.cancel()
        await asyncio.wait([self._task])
        self._gate.discard(self._decision.intent)


async def _contained(
    work: Callable[[Decision, Gate], Awaitable[Run]], decision: Decision, gate: Gate
) -> Ended:
    """Not of the Guess: the task that runs this is, and when it is cancelled the two would hold each other."""
    run: Run | None = None
    with contained("guess.failed", intent=decision.intent) as caught:
        run = await work(decision, gate)
    return Ended(run, caught)
