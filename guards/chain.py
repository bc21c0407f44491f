"""The guards of one answer, put together: all of them see every word, and most words pass without much work.

Why: an answer goes through many guards. Customers wait for the first word, so at the beginning steps look at what others
hold; servers have much to do, so from then on words that no guard looks for pass rows of guards unread.
Law: as for each step (guards/stream.py); and what passes unread is what the steps would let pass (tests/guards/test_flow.py).
Made once an answer.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from typing import TypeGuard

from guards.ordinary import Ordinary, words_of
from guards.stream import Foreseeing, Foresees, Guard, Reader, Scene, Segment, Skipping, Step

# Characters that a step is given at once, so that its work grows with the length of the text only.
_MOST = 256
_LONGEST_COMING = 64
_LONGEST_BEGINNING = 400
_ANOTHER_PARAGRAPH = "\n\nThen "  # a word, so that signs at the end of the text are looked at, too


@dataclass(frozen=True, slots=True)
class Fired:
    """A guard acted: its name and the class of what it found, never the text."""

    guard: str
    what: str


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
                text = self.joined(name, segments, fired)
        return text

    def end(self, text: str, fired: list[Fired]) -> str:
        """What comes out when nothing follows this text."""
        for name, step in self._steps:
            text = self.joined(name, [*(step.push(text) if text else []), *step.end()], fired)
        return text

    def joined(self, name: str, segments: Sequence[Segment], fired: list[Fired]) -> str:
        fired += [Fired(name, segment.fired) for segment in segments if segment.fired]
        self.wants_retake = self.wants_retake or any(segment.wants_retake for segment in segments)
        return "".join([segment.text for segment in segments])


class _Flow:
    """Steps that nearly all words pass: as long as that is foreseen, the words pass all of them at once.

    Law: what passes here is what each of the steps would let pass, and they read it before they see more. So the output is
    that of the row, only that less is looked at, and more at a time. What passes to the end of the answer is never read,
    unless a step says something behind it.
    """

    def __init__(self, steps: Sequence[tuple[str, Skipping]], foresee: Sequence[Foresees]) -> None:
        self._row = _Row(steps)
        self._steps = steps
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
            if self._all_passes(text):
                self._passed.append(text)
                return text + self._added(fired)
            self._catch_up()
        return self._row.end(text, fired)

    def _all_passes(self, text: str) -> bool:
        """Whether all of this last text passes: at its end no guard finds what it would not look at with this behind it."""
        words, coming = words_of(text + _ANOTHER_PARAGRAPH)
        passing = [foresees.passing(words, coming) for foresees in self._foresee]
        return all(count is not None and count >= len(words) - 1 for count in passing)

    def _added(self, fired: list[Fired]) -> str:
        """What the steps say at the end; who has to read that reads first what has passed."""
        added = ""
        for name, step in self._steps:
            if added:
                step.skip("".join(self._passed))
            added = self._row.joined(name, [*(step.push(added) if added else []), *step.end()], fired)
        return added

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
        for _, step in self._steps:
            step.skip(passed)

    def _taken_back(self) -> str | None:
        """What one of the steps holds, or nothing; None when there is more to it."""
        steps = [step for _, step in self._steps]
        if not all(step.is_free for step in steps):
            return None
        holding = [at for at, step in enumerate(steps) if step.held]
        if len(holding) > 1:
            return None
        rest = ""
        for at in holding:
            rest = steps[at].held
            if not all(step.unread(rest) for step in steps[:at]):
                return None
            steps[at].take_back()
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
        readers: list[Reader] = [step for _, step in steps if _reads(step)]
        readers.sort(key=lambda reader: not reader.trims)
        return _Flow(skipping, readers)
    if way == "looks":
        begins = tuple(guard.begins for guard, _ in made if guard.begins is not None)
        return _Flow(skipping, [_ordinary(begins, frozenset().union(*(guard.joins for guard, _ in made)))])
    return _Row(steps)


_ordinary = lru_cache(maxsize=64)(Ordinary)
