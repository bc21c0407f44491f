"""An engine that says what the test tells it to, and the place where a specialist runs in a test."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from agents.loop import Means, Place, Run, run_specialist
from agents.run import Look
from agents.specialist import Specialist
from engine.base import Done, EngineRequest, Piece, Replies, StopReason, ToolUse
from errors import EngineDown
from events import Event, Quote
from guards.stream import Guard
from tools.registry import Toolbox, ToolContext, ToolOutcome, tool

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
REQUEST = EngineRequest(
    purpose="answer",
    model="m",
    max_tokens=100,
    effort="low",
    thinking="disabled",
    system=("s",),
    message="hi",
    first_piece_by=8.0,
)


@dataclass
class Scripted:
    """An engine that plays one script per call; after the last one it ends without a word. An error is raised."""

    scripts: list[Sequence[Piece | Exception]]
    requests: list[EngineRequest] = field(default_factory=list)

    async def stream(self, request: EngineRequest) -> AsyncGenerator[Piece, None]:
        """The pieces of the next script."""
        self.requests.append(request)
        for piece in self.scripts.pop(0) if self.scripts else [done()]:
            if isinstance(piece, Exception):
                raise piece
            yield piece


def done(stop: StopReason = "end_turn", engine: str = "claude") -> Done:
    """The end of a call."""
    return Done(stop, "local" if engine == "local" else "claude", "m", 1)


def use(name: str, call_id: str = "c1", **arguments: object) -> ToolUse:
    """A request for a tool."""
    return ToolUse(call_id, name, dict(arguments))


class NoRecords:
    """Records that nothing is written to in these tests."""

    def quote_id(self, key: str) -> str:
        """Never called."""
        raise AssertionError(key)

    async def save_quote(self, key: str, conversation_id: str, turn_id: str, quote: Quote) -> Quote:
        """Never called."""
        raise AssertionError((key, conversation_id, turn_id, quote))

    async def save_ticket(
        self, key: str, conversation_id: str, turn_id: str, reason: str, summary: str
    ) -> str:
        """Never called."""
        raise AssertionError((key, conversation_id, turn_id, reason, summary))


@tool(effect="read")
async def echo(context: ToolContext, word: str) -> ToolOutcome:
    """Say a word."""
    return ToolOutcome(f"{context.language} {word}", values={"word": word})


def specialist(*tools: str, guards: tuple[str, ...] = ()) -> Specialist:
    """A specialist with these tools."""
    return Specialist(
        intent="test",
        description="",
        label={"en": "a test"},
        model="m",
        max_tokens=100,
        effort="low",
        thinking="disabled",
        tools=tools,
        lead="none",
        guards=guards,
        speculate=True,
        act_at=0.5,
        triggers=(),
        system=("s",),
        turn="",
        replies=Replies({}),
        utterances=(),
        version="v1",
    )


def place(customer_id: str | None = None) -> Place:
    """A turn of a Spanish conversation."""
    return Place(
        conversation_id="conv",
        turn_id="turn",
        run_id="run",
        message_id="answer",
        language="es",
        now=NOW,
        records=NoRecords(),
        key_of=lambda name, arguments: f"{name} {arguments}",
        customer_id=customer_id,
    )


@dataclass
class Stage:
    """Runs a specialist on a scripted engine and keeps what was emitted."""

    engine: Scripted
    toolbox: Toolbox = field(default_factory=lambda: Toolbox.of(echo))
    specialist: Specialist = field(default_factory=lambda: specialist("echo"))
    guards: dict[str, Guard] = field(default_factory=dict)
    expects_claude: bool = True
    events: list[Event] = field(default_factory=list)
    notices: Replies = field(default_factory=lambda: Replies({"interrupted": {"en": "It broke off."}}))
    second_look: Look | None = None

    async def play(self, may_write: Callable[[], Awaitable[None]] | None = None) -> Run:
        """Run it to its end."""

        async def at_once() -> None:
            return

        means = Means(
            self.engine,
            self.toolbox,
            self.guards,
            self.expects_claude,
            notices=self.notices,
            second_look=self.second_look,
        )
        return await run_specialist(
            self.specialist, REQUEST, means, place("ann"), self.events.append, may_write or at_once
        )

    @property
    def types(self) -> list[str]:
        """Types of the events in order."""
        return [event.type for event in self.events]

    def all_of(self, kind: type[Event]) -> list[Event]:
        """The events of one kind."""
        return [event for event in self.events if isinstance(event, kind)]

    @property
    def text(self) -> str:
        """What the customer read."""
        return "".join(event.text for event in self.events if event.type == "text.delta")


DOWN = EngineDown("down", fault="upstream_5xx")
