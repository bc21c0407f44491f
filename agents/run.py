"""What a specialist's run is given, and what the turn must know of it afterwards."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from agents.catalogue import SecondLook
from engine.base import Engine, Replies
from events import Citation, Event, GapSeen, Slots
from guards.stream import Guard
from tools.account import Account
from tools.registry import Records, Toolbox

Emit = Callable[[Event], None]


@dataclass(frozen=True, slots=True)
class Place:
    """Where the specialist works: the turn, and what tools may know and use.

    `key_of` gives the idempotency key of a tool call (name, arguments): the same for every retry of the same call.
    `account` and `consent` are what the tools get (tools/registry.py, ToolContext).
    `prices` are those given earlier in this conversation, in words.
    """

    conversation_id: str
    turn_id: str
    run_id: str
    message_id: str
    language: str
    now: datetime
    records: Records
    key_of: Callable[[str, object], str]
    customer_id: str | None = None
    account: Account | None = None
    consent: str | None = None
    prices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Look:
    """Who takes a second look at answers, and what that engine is told."""

    engine: Engine
    prompt: SecondLook


@dataclass(frozen=True, slots=True)
class Means:
    """What every specialist works with. `notices` are the fixed texts that belong to no specialist.

    `second_look`: None: nobody takes one.
    """

    engine: Engine
    toolbox: Toolbox
    guards: Mapping[str, Guard]
    expects_claude: bool
    notices: Replies = field(default_factory=lambda: Replies({}))
    second_look: Look | None = None


@dataclass(frozen=True, slots=True)
class Search:
    """What was looked up in the articles, and whether anything was found."""

    looked_up: str
    has_found: bool


@dataclass(slots=True)
class Run:
    """What came of it. `form_slots`, `form_priced` and `form_at_fault` tell how a form's last tool call ended.

    It was called with `form_slots` and gave a price, or none through no fault of the details; or `form_at_fault` is the
    detail it refused.
    """

    said: bool = False
    degraded: bool = False
    handed_over: bool = False
    form_slots: Slots | None = None
    form_priced: bool = False
    form_at_fault: str | None = None
    searches: list[Search] = field(default_factory=list)
    citations: tuple[Citation, ...] = ()

    def gap(self) -> GapSeen | None:
        """The question that the articles did not answer: something was looked up, and the answer leans on nothing."""
        if not self.searches or self.citations:
            return None
        kind = "nothing_cited" if any(search.has_found for search in self.searches) else "nothing_found"
        return GapSeen(kind=kind, looked_up=tuple(search.looked_up for search in self.searches))
