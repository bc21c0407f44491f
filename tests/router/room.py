"""A conversation without server and disk: everything from the router down runs for real, engines are the test's."""

import asyncio
import json
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache, partial

from build import train
from engine.base import Done, Engine, EngineRequest, Metered, Piece, Text
from engine.failover import Failover
from engine.local import Local
from events import (
    EngineCalled,
    Event,
    FaultSeen,
    Flow,
    FlowChanged,
    Quote,
    Recorded,
    RouteDecided,
    ToolCalled,
    TurnAccepted,
    TurnRef,
    Usage,
)
from knowledge.slots import read_slots
from readers.reply import Reply, fold_reply
from readers.routing_line import RoutingLine, fold_routing_line
from router.desk import Desk, DeskRecords, Engines, RouterMode
from router.local import LocalClassifier
from router.state import ConversationState, fold_state, turns_to_read
from router.turn import Incoming, run_turn
from store.records import short_id
from tests.agents.folders import parts, shipped
from tests.waiting import PATIENCE_S
from tools.account import Account

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
SPENT = Usage(input_tokens=1000, output_tokens=10, cost_usd=0.002)
Step = Piece | Exception | float
Brain = Callable[[EngineRequest], Sequence[Step]]


@dataclass
class Shelf:
    """Records in memory, each stored once per key."""

    quotes: dict[str, Quote] = field(default_factory=dict)
    tickets: dict[str, str] = field(default_factory=dict)

    def quote_id(self, key: str) -> str:
        """The number of the quote with this key."""
        return short_id("Q", key)

    async def save_quote(self, key: str, conversation_id: str, turn_id: str, quote: Quote) -> Quote:
        """Store the quote once per key."""
        del conversation_id, turn_id
        return self.quotes.setdefault(key, quote.model_copy(update={"quote_id": self.quote_id(key)}))

    async def save_ticket(
        self, key: str, conversation_id: str, turn_id: str, reason: str, summary: str
    ) -> str:
        """Store a ticket once per key."""
        del conversation_id, turn_id, summary
        self.tickets[short_id("T", key)] = reason
        return short_id("T", key)

    async def quotes_of(self, conversation_id: str) -> tuple[Quote, ...]:
        """All quotes; a shelf has one conversation."""
        del conversation_id
        return tuple(self.quotes.values())


@dataclass
class Thinker:
    """An engine that does what its brain says: pieces, waits in seconds, errors. It notes who was cut off."""

    brain: Brain
    requests: list[EngineRequest] = field(default_factory=list)
    cut: int = 0

    async def stream(self, request: EngineRequest) -> AsyncGenerator[Piece, None]:
        """Play what the brain says to this request."""
        self.requests.append(request)
        try:
            for step in self.brain(request):
                if isinstance(step, Exception):
                    raise step
                if isinstance(step, float):
                    await asyncio.sleep(step)
                else:
                    yield step
        except (asyncio.CancelledError, GeneratorExit):
            self.cut += 1
            raise


def said(text: str, model: str = "claude-sonnet-5-5") -> list[Step]:
    """A plain answer, with its cost."""
    return [Metered(SPENT), Text(text), Done("end_turn", "claude", model, 1, SPENT)]


def label(intent: str, after_s: float = 0.0, /, **more: object) -> list[Step]:
    """A label as Haiku gives it, so many seconds after it was asked for."""
    fields = {
        "intent": intent,
        "confidence": 0.97,
        "also": [],
        "language": "en",
        "sentiment": 0,
        "abuse": False,
    }
    return [after_s, *said(json.dumps({**fields, **more}), "claude-haiku-5-5")]


@cache
def classifier() -> LocalClassifier:
    """The local classifier of the shipped prompts."""
    return train(shipped())


def local_engines() -> Engines:
    """A desk without a key."""
    return Engines(answer=Local(), label=None, expects_claude=False)


def claude_engines(answer: Engine, label_by: Engine | None) -> Engines:
    """A desk with Claude in front of the local engine."""
    return Engines(answer=Failover(answer, Local()), label=label_by, expects_claude=True)


def _nobody(customer_id: str) -> Account:
    raise LookupError(f"{customer_id} has no account in a conversation of visitors")


def desk(
    engines: Engines | None = None,
    *,
    mode: RouterMode = "haiku",
    speculate: bool = True,
    shelf: DeskRecords | None = None,
    account_of: Callable[[str], Account] | None = None,
    utcnow: Callable[[], datetime] = lambda: NOW,
) -> Desk:
    """The shipped desk on these engines."""
    return Desk(
        catalogue=shipped(),
        classifier=classifier(),
        toolbox=parts().toolbox,
        guards=parts().guards,
        screen=parts().screen,
        engines=engines or local_engines(),
        records=shelf or Shelf(),
        read_slots=partial(read_slots, vehicles=parts().vehicles),
        account_of=account_of or _nobody,
        mode=mode,
        speculate=speculate,
        utcnow=utcnow,
    )


def unhurried(at: Desk) -> Desk:
    """The desk with deadlines that no machine is too slow for: for what Claude says, and not for when."""
    classifier = at.catalogue.classifier
    settings = classifier.settings.model_copy(update={"deadline_s": PATIENCE_S})
    catalogue = replace(at.catalogue, classifier=replace(classifier, settings=settings))
    if (look := catalogue.second_look) is not None:
        patient = look.settings.model_copy(update={"deadline_s": PATIENCE_S})
        catalogue = replace(catalogue, second_look=replace(look, settings=patient))
    return replace(at, catalogue=catalogue, first_piece_s=PATIENCE_S)


@dataclass(frozen=True)
class Turn:
    """What one message brought."""

    ref: TurnRef
    recorded: list[Recorded]

    @property
    def events(self) -> list[Event]:
        """The events in order."""
        return [item.event for item in self.recorded]

    @property
    def reply(self) -> Reply:
        """The JSON reply."""
        return fold_reply(self.ref, self.events)

    @property
    def line(self) -> RoutingLine:
        """The routing line."""
        return fold_routing_line(self.ref, self.recorded)

    @property
    def text(self) -> str:
        """What the customer read."""
        return self.reply.text

    @property
    def route(self) -> RouteDecided:
        """Where the message went."""
        return next(event for event in self.events if isinstance(event, RouteDecided))

    @property
    def faults(self) -> list[str]:
        """The codes of what went wrong."""
        return [event.code for event in self.events if isinstance(event, FaultSeen)]

    @property
    def tools(self) -> list[ToolCalled]:
        """The tools that were asked for."""
        return [event for event in self.events if isinstance(event, ToolCalled)]

    @property
    def calls(self) -> list[EngineCalled]:
        """The model calls."""
        return [event for event in self.events if isinstance(event, EngineCalled)]


@dataclass
class Talk:
    """One conversation at a desk."""

    desk: Desk
    locale: str | None = None
    customer_id: str | None = None
    turns: list[tuple[TurnRef, list[Recorded]]] = field(default_factory=list)

    async def say(self, text: str, *, written_before_s: float = 0.0) -> Turn:
        """Send a message and wait for the end of its turn.

        Args:
            written_before_s: So many seconds ago it was accepted; it has waited for the turns before it.
        """
        ordinal = len(self.turns) + 1
        ref = TurnRef(
            conversation_id="talk", turn_id=f"turn{ordinal}", ordinal=ordinal, message_id=f"m{ordinal}"
        )
        turn = Turn(ref, [])
        seen = turn.recorded

        def emit(event: Event) -> None:
            seen.append(Recorded(seq=len(seen) + 1, at=datetime.now(UTC), event=event))

        emit(TurnAccepted(message_id=ref.message_id, text=text, locale=self.locale))
        state = await self.state()
        accepted_at = seen[0].at - timedelta(seconds=written_before_s)
        owner = "visitor:1" if self.customer_id is None else f"customer:{self.customer_id}"
        incoming = Incoming(ref, text, owner, self.locale, self.customer_id, accepted_at)
        await run_turn(self.desk, incoming, state, emit)
        self.turns.append((ref, seen))
        return turn

    async def state(self) -> ConversationState:
        """The conversation before its next turn."""
        window = self.turns[-turns_to_read(len(self.turns) + 1) :] if self.turns else []
        return fold_state(window, await self.desk.records.quotes_of("talk"))

    async def flow(self) -> Flow | None:
        """The open form."""
        return (await self.state()).flow

    def changes(self) -> list[Flow | None]:
        """Every change of the form so far."""
        return [
            item.event.flow for _, seen in self.turns for item in seen if isinstance(item.event, FlowChanged)
        ]
