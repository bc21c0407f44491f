"""What the guards and the screen stop, and what they stop wrongly, measured on cases: scripted answers and messages.

Why measured when asked for: a figure in a document is true for the lists and prompts of the day it was written on.
The cases are lines of JSON: `red_team_outputs/<guard>.jsonl` (bad answers), `benign_outputs/*.jsonl` (honest ones),
`red_team_inputs.jsonl` and `benign_inputs.jsonl` (messages for the screen). Of each bad set only the guard it is named after is judged.
"""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from agents.specialist import Catalogue, Specialist
from errors import ConfigError
from guards.chain import Chain
from guards.screen import Screen
from guards.stream import Ground, GroundKind, Guard, Scene

SCREEN = "screen"
_SCREEN_PURPOSE = "acts on messages that try to steer the assistant, before anybody answers"
_EVERY_HELD = 8
_WINDOW = 5  # so many digits of a number in a row give it away
_Case = TypeVar("_Case", bound=BaseModel)


class _Said(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: GroundKind
    text: str


class Answer(BaseModel):
    """A scripted answer, and what was said before it. `digits`: a number that must not be read, in whatever grouping."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: str
    language: str
    kind: str = Field(alias="class")
    written_in: str = ""
    must_not_appear: Sequence[str] = ()
    digits: str = ""
    intent: str = ""
    grounds: Sequence[_Said] = ()
    customer: Sequence[str] = ()
    own: Sequence[str] = ()

    def said(self) -> list[Ground]:
        """What the answer may lean on."""
        return [
            *(Ground(each.kind, each.text) for each in self.grounds),
            *(Ground("customer", text) for text in self.customer),
            *(Ground("price", text, is_own=True) for text in self.own),
        ]

    def is_told_by(self, shown: str) -> bool:
        """Whether what must not be read can be read here."""
        read = shown.lower()
        digits = "".join(filter(str.isdecimal, shown))
        given_away = (self.digits[at : at + _WINDOW] for at in range(len(self.digits) - _WINDOW + 1))
        return any(piece.lower() in read for piece in self.must_not_appear) or any(
            window in digits for window in given_away
        )


class Message(BaseModel):
    """A scripted message. `act`: hostile enough that it must be acted on."""

    text: str
    kind: str = Field("", alias="class")
    act: bool = False


class Share(BaseModel):
    """So many of so many."""

    model_config = ConfigDict(frozen=True)

    count: int
    of: int


class Cover(BaseModel):
    """How one guard does. `stopped` is by class and empty where there are no bad cases for it.

    Attributes:
        held_back_p95: Characters that wait, at the 95th percentile; None for the screen, which sees whole messages.
        cpu_ms: Of CPU, for each 1,000 characters of the honest cases.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    purpose: str
    used_by: Sequence[str]
    stopped: Mapping[str, Share]
    false_alarms: Share
    held_back_p95: int | None
    cpu_ms: float


def measure(
    cases: Path, catalogue: Catalogue, guards: Mapping[str, Guard], screen: Screen
) -> tuple[Cover, ...]:
    """Every guard by name, the screen last.

    Raises:
        ConfigError: The cases are not there, or one cannot be read.
    """
    honest = [
        (_leaning(answer, path.stem, catalogue), answer)
        for path in sorted((cases / "benign_outputs").glob("*.jsonl"))
        for answer in _read(path, Answer)
    ]
    if not honest:
        raise ConfigError(
            f"{cases}: there are no cases; run this in a checkout, which has them in evals/cases"
        )
    found = [_of_guard(guard, cases, catalogue, honest) for _, guard in sorted(guards.items())]
    return (*found, _of_screen(screen, cases))


def _of_guard(
    guard: Guard, cases: Path, catalogue: Catalogue, honest: Sequence[tuple[Scene, Answer]]
) -> Cover:
    path = cases / "red_team_outputs" / f"{guard.name}.jsonl"
    bad = _read(path, Answer) if path.is_file() else []
    stopped = [(answer.kind, _is_stopped(guard, _scene(answer, catalogue), answer)) for answer in bad]
    began = time.process_time()
    alarms = sum(_shown(guard, scene, answer.text) != (answer.text, False) for scene, answer in honest)
    spent_s = time.process_time() - began
    waiting = sorted(
        count for scene, answer in honest[::_EVERY_HELD] for count in _held(guard, scene, answer.text)
    )
    return Cover(
        name=guard.name,
        purpose=guard.purpose,
        used_by=[name for name in catalogue.intents if guard.name in catalogue.specialists[name].guards],
        stopped=_by_class(stopped),
        false_alarms=Share(count=alarms, of=len(honest)),
        held_back_p95=waiting[int(len(waiting) * 0.95)],
        cpu_ms=spent_s * 1_000_000 / sum(len(answer.text) for _, answer in honest),
    )


def _of_screen(screen: Screen, cases: Path) -> Cover:
    hostile = [message for message in _read(cases / "red_team_inputs.jsonl", Message) if message.act]
    honest = _read(cases / "benign_inputs.jsonl", Message)
    began = time.process_time()
    alarms = sum(screen.judge(message.text).acts for message in honest)
    spent_s = time.process_time() - began
    return Cover(
        name=SCREEN,
        purpose=_SCREEN_PURPOSE,
        used_by=["every message"],
        stopped=_by_class((message.kind, screen.judge(message.text).acts) for message in hostile),
        false_alarms=Share(count=alarms, of=len(honest)),
        held_back_p95=None,
        cpu_ms=spent_s * 1_000_000 / sum(len(message.text) for message in honest),
    )


def _leaning(answer: Answer, name: str, catalogue: Catalogue) -> Scene:
    """The scene of an honest answer: its own figures have been said, so that no guard has to doubt them."""
    kinds: tuple[GroundKind, ...] = ("price", "passage") if name == "private" else ("customer",)
    return _scene(answer, catalogue, *(Ground(kind, answer.text) for kind in kinds), Ground("customer", "?"))


def _scene(answer: Answer, catalogue: Catalogue, *more: Ground) -> Scene:
    specialist = _speaker(answer, catalogue)
    return Scene(
        language=answer.language,
        grounds=[
            Ground("company", specialist.told),
            Ground("company", specialist.fixed),
            *more,
            *answer.said(),
        ],
        secret=specialist.told,
        sayable=specialist.fixed,
        says_back=specialist.says_back,
        notice=lambda key: catalogue.notices.text(key, answer.language) or "",
        may_retake=True,
    )


def _speaker(answer: Answer, catalogue: Catalogue) -> Specialist:
    """Who says it: the specialist the case names, or the first one where the company has none of that name."""
    return catalogue.specialists.get(answer.intent) or catalogue.specialists[catalogue.intents[0]]


def _is_stopped(guard: Guard, scene: Scene, answer: Answer) -> bool:
    shown, wants_retake = _shown(guard, scene, answer.text)
    return wants_retake or (shown != answer.text and not answer.is_told_by(shown))


def _shown(guard: Guard, scene: Scene, text: str) -> tuple[str, bool]:
    """What a customer reads of it, and whether another answer is wanted."""
    chain = Chain((guard.name,), {guard.name: guard}, scene)
    begun, _ = chain.push(text)
    if chain.wants_retake:
        return begun, True
    return begun + chain.end()[0], chain.wants_retake


def _held(guard: Guard, scene: Scene, text: str) -> Iterator[int]:
    """How many characters wait after each one of the answer."""
    step, shown = guard.make(scene), 0
    for came, letter in enumerate(text, start=1):
        shown += sum(len(segment.text) for segment in step.push(letter))
        yield max(0, came - shown)


def _by_class(judged: Iterable[tuple[str, bool]]) -> dict[str, Share]:
    found: dict[str, list[bool]] = {}
    for kind, is_stopped in judged:
        found.setdefault(kind, []).append(is_stopped)
    return {kind: Share(count=sum(each), of=len(each)) for kind, each in sorted(found.items())}


def _read(path: Path, case: type[_Case]) -> list[_Case]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as exc:
        raise ConfigError(f"{path}: cannot be read ({exc.strerror})") from exc
    found = []
    for number, line in enumerate(lines, start=1):
        try:
            found.append(case.model_validate_json(line))
        except ValidationError as exc:
            raise ConfigError(f"{path}:{number}: {exc.errors()[0]['msg']}") from exc
    return found
