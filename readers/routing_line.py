"""The routing line: who was sent where, why, how sure, how fast, at what cost, what failed. One per turn.

Never message text, never personal data: only ids, names from our own lists, numbers and codes.
"""

from collections.abc import Sequence
from datetime import datetime

from events import (
    EngineCalled,
    Event,
    FaultSeen,
    Frozen,
    GuardFired,
    LabelGiven,
    Outcome,
    Recorded,
    RouteDecided,
    SpecialistStarted,
    TextStarted,
    ToolCalled,
    TurnFailed,
    TurnFinished,
    TurnRecovered,
    TurnRef,
    Usage,
)


class RoutingLine(Frozen):
    """The fields of log event `turn.routed` (contract.md). Times in milliseconds from acceptance.

    `queued_ms`: until work on it began; most of it is the wait for earlier messages of the conversation.
    """

    turn_id: str
    conversation_id: str
    at: datetime
    intent: str | None = None
    confidence: float | None = None
    decided_by: str | None = None
    local_intent: str | None = None
    local_confidence: float | None = None
    haiku_intent: str | None = None
    agreed: bool | None = None
    speculated: str = "no"
    queued_ms: int | None = None
    label_ms: int | None = None
    first_text_ms: int | None = None
    total_ms: int | None = None
    engine: str | None = None
    model: str | None = None
    prompt_version: str | None = None
    tools: tuple[str, ...] = ()
    guards: tuple[str, ...] = ()
    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    cost_usd: float = 0.0
    retries: int = 0
    faults: tuple[str, ...] = ()
    outcome: Outcome | None = None
    language: str | None = None


def fold_routing_line(turn: TurnRef, recorded: Sequence[Recorded]) -> RoutingLine:
    """The line that these events of one turn add up to; an open turn has no outcome yet."""
    known = [item.event for item in recorded]
    usage = sum((event.usage for event in known if isinstance(event, EngineCalled)), Usage())
    changes: dict[str, object] = {
        "turn_id": turn.turn_id,
        "conversation_id": turn.conversation_id,
        "at": recorded[0].at,
        "engine": engine_of(known),
        "tools": _tools(known),
        "guards": tuple(event.guard for event in known if isinstance(event, GuardFired)),
        "retries": sum(event.retried for event in known if isinstance(event, FaultSeen)),
        "faults": tuple(code for event in known for code in _faults(event)),
        **usage.model_dump(exclude={"cost_usd"}),
        "cost_usd": round(usage.cost_usd, 6),
    }
    for event in known:
        changes |= _route_facts(event)
    local, haiku = changes.get("local_intent"), changes.get("haiku_intent")
    changes["agreed"] = None if haiku is None or local is None else haiku == local
    return RoutingLine.model_validate(changes | _times(recorded))


def _tools(known: Sequence[Event]) -> tuple[str, ...]:
    """Names of the tools that were asked for; a name that an engine made up could say anything."""
    made_up = {
        event.where for event in known if isinstance(event, FaultSeen) and event.code == "tool_unknown"
    }
    called = [event.name for event in known if isinstance(event, ToolCalled)]
    return tuple("unknown" if name in made_up else name for name in called)


def _faults(event: Event) -> tuple[str, ...]:
    match event:
        case FaultSeen() | TurnFailed():
            return (event.code,)
        case TurnRecovered():
            return ("turn_recovered",)
        case _:
            return ()


def _route_facts(event: Event) -> dict[str, object]:
    match event:
        case LabelGiven(source="local"):
            return {"local_intent": event.label.intent, "local_confidence": round(event.label.confidence, 3)}
        case LabelGiven():
            return {"haiku_intent": event.label.intent, "label_ms": event.took_ms}
        case RouteDecided():
            names = ("intent", "decided_by", "speculated", "language")
            return {name: getattr(event, name) for name in names} | {"confidence": round(event.confidence, 3)}
        case SpecialistStarted():
            return {"prompt_version": event.prompt_version}
        case EngineCalled(purpose="answer", discarded=False):
            return {"model": event.model}
        case TurnFinished():
            return {"outcome": event.outcome}
        case TurnFailed():
            return {"outcome": "failed_with_notice"}
        case _:
            return {}


def _times(recorded: Sequence[Recorded]) -> dict[str, object]:
    start = recorded[0].at
    begun = recorded[1].at if len(recorded) > 1 else None
    first = next((item.at for item in recorded if isinstance(item.event, TextStarted)), None)
    ended = next((item.at for item in recorded if isinstance(item.event, TurnFinished | TurnFailed)), None)
    return {
        "queued_ms": None if begun is None else _ms(start, begun),
        "first_text_ms": None if first is None else _ms(start, first),
        "total_ms": None if ended is None else _ms(start, ended),
    }


def _ms(start: datetime, end: datetime) -> int:
    return max(0, round((end - start).total_seconds() * 1000))


def engine_of(events: Sequence[Event]) -> str | None:
    """Which engine gave the words: the one of the last answer call that was kept."""
    calls = [e for e in events if isinstance(e, EngineCalled) and e.purpose == "answer" and not e.discarded]
    return calls[-1].engine if calls else None
