"""Claude's engines as the server builds them, and the simulated API behind them: for tests of what happens when it fails."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from engine.claude import Claude
from engine.failover import Failover
from engine.local import Local
from engine.resilient import Patience, Resilient
from router.desk import Engines
from tests.engine.calls import Clock
from tests.model_like import ModelLike
from tests.router.room import Talk, Turn, desk, unhurried
from tests.simulation import Brain, Simulation
from tests.waiting import PATIENCE_S

HAIKU, SONNET = "claude-haiku-5-5", "claude-sonnet-5-5"
ENGLISH, SPANISH = (
    "Does your car insurance cover hail damage?",
    "¿El seguro de coche cubre los daños por granizo?",
)
HELLO = "Hello there!"
QUOTE = "How much to insure a 2022 Nissan Leaf with 20000 miles? I am 34."
LABELS: Mapping[str, tuple[str, str]] = {
    ENGLISH: ("product_info", "en"),
    SPANISH: ("product_info", "es"),
    HELLO: ("greeting", "en"),
    QUOTE: ("quote", "en"),
}
CALM = Patience(first_piece_s=PATIENCE_S, probe_s=PATIENCE_S, silence_s=PATIENCE_S, retry_total_s=1.0)


@dataclass(frozen=True)
class Line:
    """Claude's engines, the API behind them, and the breakers' clock."""

    api: Simulation
    resilient: Resilient
    clock: Clock

    @property
    def engines(self) -> Engines:
        """As the server builds them."""
        behind = self.resilient
        return Engines(
            Failover(behind, Local()),
            behind,
            expects_claude=True,
            states=lambda: behind.states,
            faults=lambda: behind.faults,
            retries_left=lambda: behind.budget.left,
        )

    def talk(self) -> Talk:
        """A conversation."""
        return Talk(unhurried(desk(self.engines)))

    async def ask(self, text: str = ENGLISH) -> Turn:
        """The turn in a conversation of its own."""
        return await self.talk().say(text)


@asynccontextmanager
async def line_to(
    brain: Brain, patience: Patience = CALM, key: str | None = None
) -> AsyncGenerator[Line, None]:
    """A line to an API that answers with this brain."""
    clock = Clock()
    async with Simulation(brain) as api, Claude(key or api.api_key, api.base_url) as claude:
        yield Line(api, Resilient(claude, patience, clock), clock)


@asynccontextmanager
async def line(patience: Patience = CALM, key: str | None = None) -> AsyncGenerator[Line, None]:
    """A line to an API that answers like a model."""
    async with line_to(ModelLike(LABELS), patience, key) as made:
        yield made
