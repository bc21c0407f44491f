"""The vocabulary of every room: what a turn is made of, as typed, append-only events.

Why: a turn is the list of its events (design.md, section 1). The SSE stream, the JSON reply, the conversation
history, the routing line and the ops pages are readers of that list; nobody writes a second copy.
Rule: an event is data only. It may hold customer text, so it is stored under retention and never logged as it is.
"""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

JsonObject = dict[str, Any]
Audience = Literal["customer", "ops"]
DecidedBy = Literal["haiku", "local", "flow", "fallback"]
EngineName = Literal["claude", "local"]
Purpose = Literal["label", "answer", "look"]
Outcome = Literal["answered", "answered_degraded", "escalated", "failed_with_notice"]
Slots = dict[str, str | int]
ActionState = Literal["previewed", "running", "done", "unknown", "refused"]


class Frozen(BaseModel):
    """A value at a border: immutable, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Citation(Frozen):
    """A pointer shown to the customer: where the words come from, and the words."""

    title: str
    url: str
    quote: str


class Quote(Frozen):
    """A price returned by the quote tool. Premium in US dollars per month, two decimals."""

    quote_id: str
    make: str
    model: str
    year: int
    mileage: int
    driver_age: int
    monthly_premium_usd: Decimal
    valid_until: date


class Action(Frozen):
    """A change that a customer is shown before it is made: a call of a tool, and what exactly it does.

    Attributes:
        subject: What is changed, in a word that the customer knows, for example a policy number.
        terms: What happens, as the customer agrees to it: name -> value (days in ISO form, money in US dollars).
        state: "unknown" when it may have been carried out, and nobody has said so.
        expires_at: Until when a yes to it counts (UTC).
        receipt: The number under which it was carried out; "" before.
    """

    preview_id: str
    tool: str
    subject: str
    terms: dict[str, str]
    state: ActionState
    expires_at: datetime
    receipt: str = ""


class Flow(Frozen):
    """An open form: the details known so far and the one that is asked for next (None: complete)."""

    intent: str
    slots: Slots = {}
    awaiting: str | None = None
    quoted: bool = False


class Label(Frozen):
    """One classifier's verdict. confidence 0..1, sentiment -1..1, language ISO 639-1."""

    intent: str
    confidence: float = Field(ge=0, le=1)
    also: tuple[str, ...] = ()
    language: str = "en"
    sentiment: float | None = None
    abuse: bool = False


class Usage(Frozen):
    """Tokens of one model call, and their list price in US dollars."""

    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    cost_usd: float = 0.0

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            input_tokens=self.input_tokens + other.input_tokens,
            output_tokens=self.output_tokens + other.output_tokens,
            cache_read_tokens=self.cache_read_tokens + other.cache_read_tokens,
            cache_write_tokens=self.cache_write_tokens + other.cache_write_tokens,
            cost_usd=self.cost_usd + other.cost_usd,
        )


class TurnAccepted(Frozen):
    """The customer's message is ours now: it will be answered, or closed with an honest notice."""

    audience: ClassVar[Audience] = "customer"
    type: Literal["turn.accepted"] = "turn.accepted"
    message_id: str
    text: str
    locale: str | None = None


class TurnRecovered(Frozen):
    """A server took over a turn that another one left open when it died."""

    audience: ClassVar[Audience] = "ops"
    type: Literal["turn.recovered"] = "turn.recovered"
    server: str


class LabelGiven(Frozen):
    """One classifier answered."""

    audience: ClassVar[Audience] = "ops"
    type: Literal["label.given"] = "label.given"
    source: Literal["local", "haiku"]
    label: Label
    took_ms: int


class RouteDecided(Frozen):
    """Where the message goes. `clarify` holds the intents offered when the desk asks back instead.

    `withheld`: the message was screened out; no model reads it, in this turn or later.
    """

    audience: ClassVar[Audience] = "customer"
    type: Literal["route.decided"] = "route.decided"
    intent: str
    confidence: float
    decided_by: DecidedBy
    language: str
    also: tuple[str, ...] = ()
    clarify: tuple[str, ...] = ()
    about: str | None = None
    offer_person: bool = False
    withheld: bool = False
    speculated: Literal["no", "right", "wrong"] = "no"


class SpecialistStarted(Frozen):
    """A specialist took the message."""

    audience: ClassVar[Audience] = "customer"
    type: Literal["specialist.started"] = "specialist.started"
    run_id: str
    intent: str
    prompt_version: str


class SpecialistFinished(Frozen):
    """The specialist is done."""

    audience: ClassVar[Audience] = "customer"
    type: Literal["specialist.finished"] = "specialist.finished"
    run_id: str


class EngineCalled(Frozen):
    """One model call ended (or was cut short). Times in milliseconds from its start."""

    audience: ClassVar[Audience] = "ops"
    type: Literal["engine.called"] = "engine.called"
    purpose: Purpose
    engine: EngineName
    model: str
    usage: Usage
    stop_reason: str
    took_ms: int
    request_id: str | None = None
    discarded: bool = False


class FaultSeen(Frozen):
    """Something failed and was dealt with. `code` is one of the codes of the routing log's `faults`.

    `dropped`: how many earlier messages Claude did not get to read, because all together were too long.
    """

    audience: ClassVar[Audience] = "ops"
    type: Literal["fault.seen"] = "fault.seen"
    code: str
    where: str
    retried: bool = False
    waited_ms: int = 0
    request_id: str | None = None
    dropped: int = 0


class ToolCalled(Frozen):
    """A specialist asked for a tool, with arguments as the engine gave them."""

    audience: ClassVar[Audience] = "customer"
    type: Literal["tool.called"] = "tool.called"
    call_id: str
    name: str
    arguments: JsonObject


class QuoteGiven(Frozen):
    """The quote tool returned a price."""

    audience: ClassVar[Audience] = "customer"
    type: Literal["quote.given"] = "quote.given"
    quote: Quote


class HandoffRequested(Frozen):
    """A ticket for a person is stored."""

    audience: ClassVar[Audience] = "customer"
    type: Literal["handoff.requested"] = "handoff.requested"
    ticket_id: str
    reason: str
    state: Literal["waiting", "claimed", "resolved"] = "waiting"


class ActionChanged(Frozen):
    """A change of the customer's contract was previewed, carried out, or given up."""

    audience: ClassVar[Audience] = "customer"
    type: Literal["action.changed"] = "action.changed"
    action: Action


Deed = QuoteGiven | HandoffRequested | ActionChanged
"""What a tool did that lasts; customers hear of it after the answer, in events of their own."""


class ToolReturned(Frozen):
    """The tool answered; `result` is what the model reads. `empty`: a search that found nothing.

    `asks` names the argument that only the customer knows, when the tool needs it.
    """

    audience: ClassVar[Audience] = "customer"
    type: Literal["tool.returned"] = "tool.returned"
    call_id: str
    name: str
    ok: bool
    result: str
    took_ms: int
    empty: bool = False
    asks: str | None = None
    deeds: tuple[Deed, ...] = ()


class TextStarted(Frozen):
    """The first visible word follows."""

    audience: ClassVar[Audience] = "customer"
    type: Literal["text.started"] = "text.started"
    message_id: str


class TextDelta(Frozen):
    """Words for the customer, after all guards."""

    audience: ClassVar[Audience] = "customer"
    type: Literal["text.delta"] = "text.delta"
    message_id: str
    text: str


class Proof(Frozen):
    """Where the cited words stand, so that anybody can look them up later.

    Attributes:
        sentence: The words of the answer that lean on them, as shown.
        source: Id of the passage.
        file: Of the article, below the folder of articles.
        version: Hash of the file's bytes.
        start, end: Place of the passage in the file's text, in characters.
    """

    sentence: str
    source: str
    title: str
    url: str
    file: str
    version: str
    start: int
    end: int
    quote: str


class CitationsProved(Frozen):
    """What each cited sentence of the answer leans on; the answer's end follows."""

    audience: ClassVar[Audience] = "ops"
    type: Literal["citations.proved"] = "citations.proved"
    message_id: str
    proofs: tuple[Proof, ...]


class AnswerCorrected(Frozen):
    """A second look found sentences that say otherwise than an article; the answer ends with a correction.

    `proofs` hold each sentence, and the words of the article; `prompt_version` is that of `second_look.md`.
    """

    audience: ClassVar[Audience] = "ops"
    type: Literal["answer.corrected"] = "answer.corrected"
    message_id: str
    prompt_version: str
    proofs: tuple[Proof, ...]


class GapSeen(Frozen):
    """A question that the articles do not answer: the search found nothing, or nothing that the answer leans on.

    `looked_up` is what was searched for, in the words of the engine.
    """

    audience: ClassVar[Audience] = "ops"
    type: Literal["gap.seen"] = "gap.seen"
    kind: Literal["nothing_found", "nothing_cited"]
    looked_up: tuple[str, ...]


class TextEnded(Frozen):
    """The answer is complete, with the sources it leans on."""

    audience: ClassVar[Audience] = "customer"
    type: Literal["text.ended"] = "text.ended"
    message_id: str
    citations: tuple[Citation, ...] = ()


class GuardFired(Frozen):
    """A guard changed or stopped something; `what` names the class, never the text."""

    audience: ClassVar[Audience] = "ops"
    type: Literal["guard.fired"] = "guard.fired"
    guard: str
    what: str


class FlowChanged(Frozen):
    """The open form changed; None: there is none any more."""

    audience: ClassVar[Audience] = "ops"
    type: Literal["flow.changed"] = "flow.changed"
    flow: Flow | None


class GuessDiscarded(Frozen):
    """A specialist that was started on a guess was stopped; nothing of it remains but its cost."""

    audience: ClassVar[Audience] = "ops"
    type: Literal["guess.discarded"] = "guess.discarded"
    intent: str


class TurnFinished(Frozen):
    """The turn is answered."""

    audience: ClassVar[Audience] = "customer"
    type: Literal["turn.finished"] = "turn.finished"
    outcome: Outcome


class TurnFailed(Frozen):
    """The turn is closed with an honest notice, which was also shown as text."""

    audience: ClassVar[Audience] = "customer"
    type: Literal["turn.failed"] = "turn.failed"
    code: str
    message: str


Event = Annotated[
    TurnAccepted
    | TurnRecovered
    | LabelGiven
    | RouteDecided
    | SpecialistStarted
    | SpecialistFinished
    | EngineCalled
    | FaultSeen
    | ToolCalled
    | ToolReturned
    | TextStarted
    | TextDelta
    | CitationsProved
    | AnswerCorrected
    | TextEnded
    | GapSeen
    | GuardFired
    | QuoteGiven
    | HandoffRequested
    | ActionChanged
    | FlowChanged
    | GuessDiscarded
    | TurnFinished
    | TurnFailed,
    Field(discriminator="type"),
]


class Recorded(Frozen):
    """An event with its place: number within the turn (from 1, no gaps) and time of record (UTC)."""

    seq: int
    at: datetime
    event: Event


recorded_list: TypeAdapter[list[Recorded]] = TypeAdapter(list[Recorded])


class TurnRef(Frozen):
    """Which turn: `ordinal` counts the turns of one conversation from 1."""

    conversation_id: str
    turn_id: str
    ordinal: int
    message_id: str


def is_end(event: Event) -> bool:
    """Whether this event closes its turn."""
    return isinstance(event, TurnFinished | TurnFailed)
