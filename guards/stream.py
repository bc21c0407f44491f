"""What a guard is: a stream step between the engine's words and the customer's, and what it may know of the answer.

Why: what a customer must not see has to be stopped before the wire, without holding whole answers back.
Law: the output of a step does not depend on how its input was cut into pieces (tests/guards).
A step is pushed text and pulls out what is safe to show; at the end it gives up what it held back. The steps of an answer
are put together in guards/chain.py.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import ClassVar, Literal, NamedTuple, Protocol, runtime_checkable

from guards.ordinary import Begins

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
    """A step that reads all words, and can foresee which of them it lets pass.

    `trims`: that may be fewer than all of them. Such a step is asked before the others, which so hear no word twice.
    """

    trims: ClassVar[bool]


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
