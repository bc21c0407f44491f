"""The JSON reply to the customer: a fold over the events of one turn."""

from collections.abc import Iterable
from datetime import datetime

from events import (
    Action,
    ActionChanged,
    ActionState,
    Citation,
    Event,
    Frozen,
    HandoffRequested,
    JsonObject,
    QuoteGiven,
    RouteDecided,
    SpecialistStarted,
    TextDelta,
    TextEnded,
    TurnFailed,
    TurnFinished,
    TurnRef,
)
from readers.routing_line import engine_of

_NOT_ALWAYS = frozenset({"visitor_token", "quote", "handoff", "action", "error"})


class QuoteShown(Frozen):
    """A price as the customer gets it; the premium is a decimal number in a string."""

    quote_id: str
    monthly_premium_usd: str
    valid_until: str


class HandoffShown(Frozen):
    """A ticket as the customer gets it."""

    ticket_id: str
    state: str


class ActionShown(Frozen):
    """A change as the customer gets it: what it does, and how far it is. `receipt` is "" until it is done."""

    preview_id: str
    name: str
    state: ActionState
    terms: dict[str, str]
    receipt: str
    expires_at: datetime

    @classmethod
    def of(cls, action: Action) -> "ActionShown":
        """What the customer may see of it: everything but our own book-keeping."""
        return cls(
            preview_id=action.preview_id,
            name=action.tool,
            state=action.state,
            terms=action.terms,
            receipt=action.receipt,
            expires_at=action.expires_at,
        )


class ErrorShown(Frozen):
    """Why the turn was closed with a notice."""

    code: str
    message: str


class Reply(Frozen):
    """What `POST /chat` answers as JSON (contract.md)."""

    conversation_id: str
    turn_id: str
    message_id: str
    visitor_token: str | None = None
    intent: str | None = None
    confidence: float | None = None
    decided_by: str | None = None
    agent: str | None = None
    text: str = ""
    citations: tuple[Citation, ...] = ()
    quote: QuoteShown | None = None
    handoff: HandoffShown | None = None
    action: ActionShown | None = None
    engine: str | None = None
    degraded: bool = False
    error: ErrorShown | None = None

    def shown(self) -> JsonObject:
        """As JSON. A first token, a price, a ticket, a change and an error are there only where there is one."""
        whole = self.model_dump(mode="json")
        return {name: value for name, value in whole.items() if value is not None or name not in _NOT_ALWAYS}


def fold_reply(turn: TurnRef, events: Iterable[Event], visitor_token: str | None = None) -> Reply:
    """The reply that these events add up to."""
    known = list(events)
    changes: dict[str, object] = {"text": fold_text(known), "engine": engine_of(known) or "local"}
    for event in known:
        match event:
            case RouteDecided():
                changes |= {
                    "intent": event.intent,
                    "confidence": event.confidence,
                    "decided_by": event.decided_by,
                }
            case SpecialistStarted():
                changes["agent"] = event.intent
            case TextEnded():
                changes["citations"] = event.citations
            case QuoteGiven():
                changes["quote"] = QuoteShown(
                    quote_id=event.quote.quote_id,
                    monthly_premium_usd=str(event.quote.monthly_premium_usd),
                    valid_until=event.quote.valid_until.isoformat(),
                )
            case HandoffRequested():
                changes["handoff"] = HandoffShown(ticket_id=event.ticket_id, state=event.state)
            case ActionChanged():
                changes["action"] = ActionShown.of(event.action)
            case TurnFinished():
                changes["degraded"] = event.outcome == "answered_degraded"
            case TurnFailed():
                changes |= {"degraded": True, "error": ErrorShown(code=event.code, message=event.message)}
            case _:
                pass
    base = Reply(
        conversation_id=turn.conversation_id,
        turn_id=turn.turn_id,
        message_id=turn.message_id,
        visitor_token=visitor_token,
    )
    return base.model_copy(update=changes)


def fold_text(events: Iterable[Event]) -> str:
    """The answer's text: all deltas in order."""
    return "".join(event.text for event in events if isinstance(event, TextDelta))
