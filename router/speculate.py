"""Hold a specialist's words and deeds until the label confirms the guess.

Why: the label takes a few hundred milliseconds; starting early hides them (design.md, section 3).
Life: one Gate per guess, made by run_turn, opened at most once. A wrong guess leaves nothing but its cost.
"""

import asyncio
from collections.abc import Callable

from events import EngineCalled, Event, GuessDiscarded

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


async def open_door() -> None:
    """What a specialist waits for when nothing is guessed: nothing."""
