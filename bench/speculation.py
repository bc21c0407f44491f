"""What guessing saves: milliseconds until a customer reads the first word, with the label and the answer simulated.

The simulated API takes 350 ms for a label and 800 ms to the first word, over real HTTP; turns run through the whole
pipeline and the disk. A right guess must be within a tenth of the specialist called directly; a wrong one must leave
nothing but its cost. Bounded: 40 turns, about a minute. Exit code 1 when a check fails.
"""

import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog

from events import EngineCalled, GuessDiscarded, HandoffRequested, Recorded, TextDelta, ToolCalled
from readers.routing_line import fold_routing_line
from server import House, open_house
from settings import Settings
from store.log import NewMessage
from tests.simulation import Data, MessageRequest, Reply, Simulation, Timing, ToolUse
from tests.simulation.content import JsonObject

LABEL_MS, FIRST_TEXT_MS = 350, 800
TURNS, WARM_UP = 8, 2
HELLO, PERSON = "Hello there, good morning!", "I want to talk to a human being, please"
HANDED_OVER = "Somebody from the team takes over."
_TOLERANCE = 1.10


@dataclass(frozen=True, slots=True)
class Turn:
    """One measured turn: milliseconds to the first word that a client can read, and its events."""

    first_text_ms: float
    recorded: Sequence[Recorded]
    speculated: str

    @property
    def text(self) -> str:
        """What the customer read."""
        return "".join(item.event.text for item in self.recorded if isinstance(item.event, TextDelta))

    def count(self, kind: type) -> int:
        """How many events of this kind there are."""
        return sum(isinstance(item.event, kind) for item in self.recorded)

    @property
    def discarded(self) -> int:
        """How many model calls were paid for nothing."""
        events = [item.event for item in self.recorded]
        return sum(isinstance(event, EngineCalled) and event.discarded for event in events)


@dataclass(frozen=True, slots=True)
class Row:
    """A way to answer: settings, the customer's message, what must hold for every turn."""

    name: str
    router: str
    speculate: str
    says: str
    holds: str
    check: Callable[[Turn], bool]


def brain(request: MessageRequest) -> Reply:
    """Everything is a greeting for Haiku; the specialist for people asks for its tool first."""
    if request.schema_wanted is not None:
        label: JsonObject = {"intent": "greeting", "confidence": 0.97, "also": [], "language": "en"}
        return Reply.of(Data({**label, "sentiment": 0.0, "abuse": False}))
    if request.can_call("handoff") and not request.answers:
        return Reply.of(
            HANDED_OVER, ToolUse("handoff", {"reason": "asked_for_person", "summary": "Asked for a person."})
        )
    return Reply.of("Hello! How can I help you today?")


def _is_plain(turn: Turn) -> bool:
    return turn.speculated == "no" and turn.count(GuessDiscarded) == 0 and turn.count(EngineCalled) <= 2


def _is_right(turn: Turn) -> bool:
    return turn.speculated == "right" and turn.count(GuessDiscarded) == turn.discarded == 0


def _is_wrong(turn: Turn) -> bool:
    """Nothing of the guess but its cost: no word, no tool, no ticket."""
    nothing = HANDED_OVER not in turn.text and turn.count(ToolCalled) == turn.count(HandoffRequested) == 0
    return turn.speculated == "wrong" and turn.count(GuessDiscarded) == turn.discarded == 1 and nothing


ROWS = (
    Row("specialist called directly", "local", "on", HELLO, "one call", _is_plain),
    Row("right guess", "haiku", "on", HELLO, "nothing discarded", _is_right),
    Row("wrong guess", "haiku", "on", PERSON, "its cost and nothing else", _is_wrong),
    Row("speculation off", "haiku", "off", HELLO, "label, then answer", _is_plain),
)


async def _turn(house: House, text: str, number: int) -> Turn:
    started = time.perf_counter()
    first_ms = 0.0
    recorded: list[Recorded] = []
    accepted = await house.runner.start(NewMessage(f"visitor:{number}", text, f"m{number}"))
    async for news in house.event_log.follow_turn(accepted.turn):
        recorded.extend(news)
        if not first_ms and any(isinstance(item.event, TextDelta) for item in news):
            first_ms = (time.perf_counter() - started) * 1000
    return Turn(first_ms, recorded, fold_routing_line(accepted.turn, recorded).speculated)


async def _measure(row: Row, simulation: Simulation) -> tuple[float, bool]:
    """The median first word in milliseconds, and whether the row's check held in every turn."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings.read(
            ANTHROPIC_API_KEY=simulation.api_key,
            ANTHROPIC_BASE_URL=simulation.base_url,
            FRONTDESK_ENGINE="claude",
            FRONTDESK_ROUTER=row.router,
            FRONTDESK_SPECULATE=row.speculate,
            FRONTDESK_DATABASE_URL=f"sqlite:///{Path(folder) / 'bench.db'}",
        )
        async with open_house(settings) as house:
            turns = [await _turn(house, row.says, number) for number in range(WARM_UP + TURNS)][WARM_UP:]
    return statistics.median(turn.first_text_ms for turn in turns), all(map(row.check, turns))


async def _run() -> bool:
    """Print the table; whether everything held."""
    timing = Timing(label_ms=LABEL_MS, first_text_ms=FIRST_TEXT_MS, chunk_ms=20)
    measured: dict[str, tuple[float, bool]] = {}
    async with Simulation(brain, timing=timing) as simulation:
        for row in ROWS:
            measured[row.name] = await _measure(row, simulation)
    direct_ms = measured["specialist called directly"][0]
    print(
        f"first word in ms, median of {TURNS} turns; label {LABEL_MS} ms, first word of a call {FIRST_TEXT_MS} ms"
    )
    for row in ROWS:
        first_ms, held = measured[row.name]
        verdict = "yes" if held else "NO"
        print(f"{row.name:<28}{first_ms:>6.0f}{first_ms / direct_ms:>8.2f}x   {row.holds}: {verdict}")
    is_near = measured["right guess"][0] <= direct_ms * _TOLERANCE
    print(f"a right guess is within {_TOLERANCE - 1:.0%} of the direct call: {'yes' if is_near else 'NO'}")
    return is_near and all(held for _, held in measured.values())


def main() -> None:
    """Print the table; exit code 1 when a check fails."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    if not asyncio.run(_run()):
        sys.exit(1)


if __name__ == "__main__":
    main()
