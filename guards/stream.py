"""The chain of guards: stream steps of one signature, from the engine's words to the customer's.

Why: what a customer must not see has to be stopped before the wire, without holding whole answers back.
Law: the output of a step does not depend on how its input was cut into pieces (tests/guards).
A step is pushed text and pulls out what is safe to show; at the end it gives up what it held back.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Segment:
    """Text after a step; `fired` names what was changed or stopped in it, if anything."""

    text: str
    fired: str | None = None


class Step(Protocol):
    """One guard at work on one answer."""

    def push(self, text: str) -> list[Segment]:
        """Take in text; give out what is safe already."""
        ...

    def end(self) -> list[Segment]:
        """The answer is over: give out what was held back."""
        ...


@dataclass(frozen=True, slots=True)
class Guard:
    """A guard that prompt files can name: what it is for, and how a step of it is made."""

    name: str
    purpose: str
    make: Callable[[], Step]


@dataclass(frozen=True, slots=True)
class Fired:
    """A guard acted: its name and the class of what it found, never the text."""

    guard: str
    what: str


class Chain:
    """The guards of one answer, one after the other."""

    def __init__(self, names: tuple[str, ...], known: Mapping[str, Guard]) -> None:
        self._steps = [(name, known[name].make()) for name in names]

    def push(self, text: str) -> tuple[str, list[Fired]]:
        """Text that may be shown now, and what fired."""
        return self._run(text, ending=False)

    def end(self) -> tuple[str, list[Fired]]:
        """The rest, in order, through the later steps."""
        return self._run("", ending=True)

    def _run(self, text: str, *, ending: bool) -> tuple[str, list[Fired]]:
        fired: list[Fired] = []
        for name, step in self._steps:
            segments = step.push(text) if text else []
            if ending:
                segments = segments + step.end()
            fired += [Fired(name, segment.fired) for segment in segments if segment.fired]
            text = "".join(segment.text for segment in segments)
        return text, fired
