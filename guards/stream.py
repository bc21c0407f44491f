"""The chain of guards: stream steps of one signature, from the engine's words to the customer's.

Why: what a customer must not see has to be stopped before the wire, without holding whole answers back.
Law: the output of a step does not depend on how its input was cut into pieces (tests/guards).
A step is pushed text and pulls out what is safe to show; at the end it gives up what it held back.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from itertools import groupby
from typing import Literal, NamedTuple, Protocol, TypeGuard, runtime_checkable

from guards.ordinary import Begins, Ordinary, words_of

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


class Foreseeing(Step, Protocol):
    """A step that holds words only because it does not know the next ones, and need not where others have these already."""

    def foresee(self, ahead: str) -> list[Segment]:
        """Give out what is safe if this text comes next."""
        ...


@runtime_checkable
class Skipping(Step, Protocol):
    """A step that need not see text which it would let pass unchanged."""

    @property
    def held(self) -> str:
        """What it holds back."""
        ...

    @property
    def is_free(self) -> bool:
        """Whether it could give that back, as nothing is decided about it."""
        ...

    def take_back(self) -> None:
        """Let go of what it holds back, as if that had never come; only while it is free."""
        ...

    def unread(self, text: str) -> bool:
        """Take these last words that it let pass as not read; False where it cannot, and nothing is changed."""
        ...

    def skip(self, text: str) -> None:
        """Read text that was shown without it, behind what it let pass; it holds nothing back now."""
        ...


class Foresees(Protocol):
    """Tells of words that they would pass, before a step has read them."""

    def begin(self) -> None:
        """From here on it is asked about all that comes, in order."""
        ...

    def passing(self, words: Sequence[str], coming: str) -> int | None:
        """How many of these words may be shown, whatever follows; the others are asked about again, with more behind them.

        Args:
            words: Whole words in order, each with the signs between it and the word before it.
            coming: What is behind them: signs, and perhaps letters of a word that is not whole.

        Returns:
            None: They have to be read closely, all that has not been let pass.
        """
        ...


class Reader(Skipping, Foresees, Protocol):
    """A step that reads all words, and can foresee which of them it lets pass."""


@dataclass(frozen=True, slots=True)
class Guard:
    """A guard that prompt files can name.

    Attributes:
        name: How prompt files name it.
        purpose: What it is for, as one sentence.
        make: Makes a step of it for one answer.
        begins: For a guard whose steps are `Skipping`, with which words it begins to look (guards/ordinary.py).
        joins: Words that may make what it looks for of any word before them.
        drops: It may take away the first words of an answer and put nothing in their place, so that others come together.
        first: A step of it that goes before those of all guards, wherever this one is named: what comes together where
            it takes something away, the others must see.
    """

    name: str
    purpose: str
    make: Callable[[Scene], Step]
    begins: Begins | None = None
    joins: frozenset[str] = frozenset()
    drops: bool = False
    first: Callable[[Scene], Step] | None = None


@dataclass(frozen=True, slots=True)
class Fired:
    """A guard acted: its name and the class of what it found, never the text."""

    guard: str
    what: str


_LONGEST_COMING = 64
_LONGEST_BEGINNING = 400


class Chain:
    """The guards of one answer, one after the other.

    Until the first words are shown, a step also looks at what the ones before it still hold: so customers wait for the
    slowest guard, not for all of them in turn. It counts on these words to come, or on others in their place, and so does
    not look past a guard that drops words. From then on steps that stand in a row work together.
    """

    def __init__(self, names: tuple[str, ...], known: Mapping[str, Guard], scene: Scene) -> None:
        guards = [known[name] for name in names]
        firsts = [(guard, guard.first(scene)) for guard in guards if guard.first is not None]
        made = [*firsts, *((guard, guard.make(scene)) for guard in guards)]
        drops = [*(True for _ in firsts), *(guard.drops for guard in guards)]
        self._beginning = _Beginning([(guard.name, step) for guard, step in made], drops)
        self._rows = [_row(list(group)) for _, group in groupby(made, _way)]

    @property
    def wants_retake(self) -> bool:
        """Whether one of them wants another answer instead."""
        return self._beginning.wants_retake or any(row.wants_retake for row in self._rows)

    def push(self, text: str) -> tuple[str, list[Fired]]:
        """Text that may be shown now, and what fired."""
        fired: list[Fired] = []
        if len(text) <= _MOST:
            return self._through(text, fired), fired
        pieces = [text[at : at + _MOST] for at in range(0, len(text), _MOST)]
        return "".join([self._through(piece, fired) for piece in pieces]), fired

    def end(self) -> tuple[str, list[Fired]]:
        """The rest, in order, through the later steps."""
        fired: list[Fired] = []
        text = ""
        for row in self._rows:
            text = row.end(text, fired)
        return text, fired

    def _through(self, text: str, fired: list[Fired]) -> str:
        if not self._beginning.is_over:
            return self._beginning.push(text, fired)
        for row in self._rows:
            if not text:
                break
            text = row.push(text, fired)
        return text


class _Beginning:
    """All steps until the first words are shown, something is changed, or so much has come that it makes no difference."""

    def __init__(self, steps: Sequence[tuple[str, Step]], drops: Sequence[bool]) -> None:
        self.wants_retake = False
        self.is_over = False
        self._steps = steps
        self._begun = ""  # what has come, and how much of it to each step
        self._came = [0] * len(drops)
        # For each step, the one behind the last guard before it that drops words: it looks at what has come there.
        self._since = [
            max((at for at in range(1, number + 1) if drops[at - 1]), default=0)
            for number in range(len(drops))
        ]

    def push(self, text: str, fired: list[Fired]) -> str:
        """What comes out behind the last step."""
        self._begun += text
        for number, (name, step) in enumerate(self._steps):
            if self.is_over and not text:
                break
            segments = step.push(text) if text else []
            self._came[number] += len(text)
            ahead = self._begun[self._came[number] : self._came[self._since[number]]]
            if not segments and ahead and not self.is_over and _foresees(step):
                segments = step.foresee(ahead)
            fired += [Fired(name, segment.fired) for segment in segments if segment.fired]
            self.is_over = bool(fired)
            self.wants_retake = self.wants_retake or any(segment.wants_retake for segment in segments)
            text = "".join([segment.text for segment in segments])
        self.is_over = self.is_over or bool(text) or len(self._begun) > _LONGEST_BEGINNING
        return text


class _Row:
    """Steps, each of which sees all of the text."""

    def __init__(self, steps: Sequence[tuple[str, Step]]) -> None:
        self.wants_retake = False
        self._steps = steps

    def push(self, text: str, fired: list[Fired]) -> str:
        """What comes out behind the last step."""
        for name, step in self._steps:
            if not text:
                break
            segments = step.push(text)
            if len(segments) == 1 and segments[0].fired is None:  # nearly always
                text = segments[0].text
            else:
                text = self._joined(name, segments, fired)
        return text

    def end(self, text: str, fired: list[Fired]) -> str:
        """What comes out when nothing follows this text."""
        for name, step in self._steps:
            text = self._joined(name, [*(step.push(text) if text else []), *step.end()], fired)
        return text

    def _joined(self, name: str, segments: Sequence[Segment], fired: list[Fired]) -> str:
        fired += [Fired(name, segment.fired) for segment in segments if segment.fired]
        self.wants_retake = self.wants_retake or any(segment.wants_retake for segment in segments)
        return "".join([segment.text for segment in segments])


class _Flow:
    """Steps that nearly all words pass: as long as that is foreseen, the words pass all of them at once.

    Law: what passes here is what each of the steps would let pass, and they read it before they see more. So the output is
    that of the row, only that less is looked at, and more at a time.
    """

    def __init__(self, steps: Sequence[tuple[str, Skipping]], foresee: Sequence[Foresees]) -> None:
        self._row = _Row(steps)
        self._steps = [step for _, step in steps]
        self._foresee = foresee
        self._passed: list[str] = []  # what the steps have not read yet
        self._rest: str | None = None  # what no step has seen; None while they read closely

    @property
    def wants_retake(self) -> bool:
        """Whether one of them wants another answer instead."""
        return self._row.wants_retake

    def push(self, text: str, fired: list[Fired]) -> str:
        """What comes out behind the last step."""
        if self._rest is not None:
            text = self._rest + text
            shown = self._passing(text)
            if shown is not None:
                self._rest = text[len(shown) :]
                self._passed.append(shown)
                return shown
            self._catch_up()
        shown = self._row.push(text, fired)
        if shown:
            self._rest = self._taken_back()
        return shown

    def end(self, text: str, fired: list[Fired]) -> str:
        """What comes out when nothing follows this text."""
        if self._rest is not None:
            text = self._rest + text
            self._catch_up()
        return self._row.end(text, fired)

    def _passing(self, text: str) -> str | None:
        """The beginning of the text that passes all steps; None: it has to be read closely."""
        words, coming = words_of(text)
        if len(coming) > _LONGEST_COMING:
            return None
        for foresees in self._foresee:
            passing = foresees.passing(words, coming)
            if passing is None:
                return None
            if passing < len(words):
                words = words[:passing]
        return "".join(words)

    def _catch_up(self) -> None:
        passed = "".join(self._passed)
        self._passed.clear()
        self._rest = None
        for step in self._steps:
            step.skip(passed)

    def _taken_back(self) -> str | None:
        """What one of the steps holds, or nothing; None when there is more to it."""
        if not all(step.is_free for step in self._steps):
            return None
        holding = [at for at, step in enumerate(self._steps) if step.held]
        if len(holding) > 1:
            return None
        rest = ""
        for at in holding:
            rest = self._steps[at].held
            if not all(step.unread(rest) for step in self._steps[:at]):
                return None
            self._steps[at].take_back()
        for foresees in self._foresee:
            foresees.begin()
        return rest


def _way(made: tuple[Guard, Step]) -> str:
    """How a step works with those beside it."""
    guard, step = made
    if _reads(step):
        return "reads"
    return "looks" if guard.begins is not None and _skips(step) else "alone"


# Asking whether something keeps a protocol with isinstance took a twentieth of a server's time.
def _foresees(step: Step) -> TypeGuard[Foreseeing]:
    return hasattr(step, "foresee")


def _skips(step: Step) -> TypeGuard[Skipping]:
    return hasattr(step, "skip")


def _reads(step: Step) -> TypeGuard[Reader]:
    return hasattr(step, "passing")


def _row(made: Sequence[tuple[Guard, Step]]) -> _Row | _Flow:
    steps = [(guard.name, step) for guard, step in made]
    skipping = [(name, step) for name, step in steps if _skips(step)]
    way = _way(made[0])
    if way == "reads":
        return _Flow(skipping, [step for _, step in steps if _reads(step)])
    if way == "looks":
        begins = tuple(guard.begins for guard, _ in made if guard.begins is not None)
        return _Flow(skipping, [_ordinary(begins, frozenset().union(*(guard.joins for guard, _ in made)))])
    return _Row(steps)


_ordinary = lru_cache(maxsize=64)(Ordinary)
