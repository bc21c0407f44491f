"""The chain of guards: stream steps of one signature, from the engine's words to the customer's.

Why: what a customer must not see has to be stopped before the wire, without holding whole answers back.
Law: the output of a step does not depend on how its input was cut into pieces (tests/guards).
A step is pushed text and pulls out what is safe to show; at the end it gives up what it held back.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Literal, NamedTuple, Protocol, runtime_checkable

GroundKind = Literal["customer", "answer", "passage", "tool", "price", "company"]
"""Who said it: the customer, an earlier answer of ours, an article, a tool, a tool that may name prices, or the
company in its own fixed texts (and the calendar: today's date)."""


@dataclass(frozen=True, slots=True)
class Ground:
    """A text that an answer may lean on; `is_own`: a tool returned it of this customer's own data."""

    kind: GroundKind
    text: str
    is_own: bool = False


@dataclass(frozen=True, slots=True)
class Scene:
    """What guards may know of the answer they stand before.

    Attributes:
        language: In which the answer is to be, as an ISO 639-1 code.
        grounds: What the answer may lean on; it grows while tools return, so look at it when you need it.
        today: The day of the turn, for what is counted from it.
        secret: What the assistant is told and must not recite.
        sayable: The company's fixed texts, which may be said although the secret holds them too.
        says_back: The kinds of personal data of their own that this customer may be told again.
        notice: A fixed text of the company in that language, by its key in `_notices.md`; "" when there is none.
        is_fixed: Whether the words that come now are of the engine without a model: the company's own, in the languages
            in which it has them.
        may_retake: Whether the engine can be asked for this answer once more, while nothing of it has been shown.
    """

    language: str = "en"
    grounds: list[Ground] = field(default_factory=list)
    today: date | None = None
    secret: str = ""
    sayable: str = ""
    says_back: frozenset[str] = frozenset()
    notice: Callable[[str], str] = lambda _key: ""
    is_fixed: Callable[[], bool] = lambda: False
    may_retake: bool = False


# Characters that a step is given at once, so that its work grows with the length of the text only.
_MOST = 256


class Segment(NamedTuple):
    """Text after a step; `fired` names what was changed or stopped in it, if anything.

    `wants_retake`: nothing of this answer is of use, the engine is to be asked once more (only where the scene allows it).
    """

    text: str
    fired: str | None = None
    wants_retake: bool = False


class Step(Protocol):
    """One guard at work on one answer."""

    def push(self, text: str) -> list[Segment]:
        """Take in text; give out what is safe already."""
        ...

    def end(self) -> list[Segment]:
        """The answer is over: give out what was held back."""
        ...


@runtime_checkable
class Foreseeing(Step, Protocol):
    """A step that holds words only because it does not know the next ones, and need not where others have these already."""

    def foresee(self, ahead: str) -> list[Segment]:
        """Give out what is safe if this text comes next."""
        ...


@dataclass(frozen=True, slots=True)
class Guard:
    """A guard that prompt files can name: what it is for, and how a step of it is made for one answer.

    Attributes:
        drops: It may take away the first words of an answer and put nothing in their place, so that others come together.
        first: A step of it that goes before those of all guards, wherever this one is named: what comes together where
            it takes something away, the others must see.
    """

    name: str
    purpose: str
    make: Callable[[Scene], Step]
    drops: bool = False
    first: Callable[[Scene], Step] | None = None


@dataclass(frozen=True, slots=True)
class Fired:
    """A guard acted: its name and the class of what it found, never the text."""

    guard: str
    what: str


class Chain:
    """The guards of one answer, one after the other. `wants_retake`: one of them wants another answer instead.

    Until the first words are shown, a step also looks at what the ones before it still hold: so customers wait for the
    slowest guard, not for all of them in turn. It counts on these words to come, or on others in their place, and so does
    not look past a guard that drops words.
    """

    def __init__(self, names: tuple[str, ...], known: Mapping[str, Guard], scene: Scene) -> None:
        self.wants_retake = False
        firsts = [(name, first(scene)) for name in names if (first := known[name].first) is not None]
        self._steps = [*firsts, *((name, known[name].make(scene)) for name in names)]
        drops = [*(True for _ in firsts), *(known[name].drops for name in names)]
        self._is_beginning = True  # nothing has been shown or changed
        self._begun = ""  # what has come since then, and how much of it to each step
        self._came = [0] * len(drops)
        # For each step, the one behind the last guard before it that drops words: it looks at what has come there.
        self._since = [
            max((at for at in range(1, number + 1) if drops[at - 1]), default=0)
            for number in range(len(drops))
        ]

    def push(self, text: str) -> tuple[str, list[Fired]]:
        """Text that may be shown now, and what fired."""
        fired: list[Fired] = []
        if len(text) <= _MOST:
            return self._through(text, fired, is_last=False), fired
        pieces = [text[at : at + _MOST] for at in range(0, len(text), _MOST)]
        return "".join([self._through(piece, fired, is_last=False) for piece in pieces]), fired

    def end(self) -> tuple[str, list[Fired]]:
        """The rest, in order, through the later steps."""
        fired: list[Fired] = []
        return self._through("", fired, is_last=True), fired

    def _through(self, text: str, fired: list[Fired], *, is_last: bool) -> str:
        if self._is_beginning:
            self._begun += text
        for number, (name, step) in enumerate(self._steps):
            if not text and not is_last and not self._is_beginning:
                break
            segments = step.push(text) if text else []
            if self._is_beginning:
                self._came[number] += len(text)
                segments = segments or _foreseen(
                    step, self._begun[self._came[number] : self._came[self._since[number]]]
                )
            if is_last:
                segments = [*segments, *step.end()]
            if len(segments) == 1 and segments[0].fired is None:  # nearly always
                text = segments[0].text
                continue
            fired += [Fired(name, segment.fired) for segment in segments if segment.fired]
            self._is_beginning = self._is_beginning and not fired
            self.wants_retake = self.wants_retake or any(segment.wants_retake for segment in segments)
            text = "".join([segment.text for segment in segments])
        self._is_beginning = self._is_beginning and not text
        return text


def _foreseen(step: Step, ahead: str) -> list[Segment]:
    """What a step gives out because of words that it has not been given yet."""
    return step.foresee(ahead) if ahead and isinstance(step, Foreseeing) else []
