"""What is known about a message before anybody is asked: the screen's verdict, language, concepts, details, local label.

Made once a turn, in a millisecond or two; everything after it only reads.
"""

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property

from agents.specialist import Specialist
from events import Event, Label, LabelGiven, TurnRef
from guards.screen import Verdict
from knowledge.details import Details, read_details
from knowledge.language import detect_language
from knowledge.slots import Reading
from router import flow as flows
from router.decide import still_served, with_triggers
from router.desk import Desk
from router.local import LocalLabel
from router.opencall import Word, hear
from router.state import ConversationState

Emit = Callable[[Event], None]


@dataclass(frozen=True, slots=True)
class Incoming:
    """The message of this turn, who wrote it, and when it was accepted (UTC)."""

    turn: TurnRef
    text: str
    owner: str
    locale: str | None = None
    customer_id: str | None = None
    accepted_at: datetime | None = None


@dataclass(frozen=True)
class Known:
    """The message, the desk it came to, and what can be told of it at once. `started` is monotonic seconds.

    `word` is what it says to a call that the last answer left open; None when there is none.
    """

    desk: Desk
    incoming: Incoming
    state: ConversationState
    emit: Emit
    started: float
    language: str
    concepts: frozenset[str]
    details: Details
    word: Word | None
    local: LocalLabel
    verdict: Verdict

    @cached_property
    def reading(self) -> Reading | None:
        """What it says about the form; read when somebody asks, because most messages have nothing to do with one."""
        return flows.read(self.desk, self.state.flow, self.incoming.text, self.concepts)

    def reading_for(self, specialist: Specialist) -> Reading | None:
        """The same, for a specialist that fills a form; None for others."""
        return self.reading if specialist.lead == "form" else None


async def look_at(desk: Desk, incoming: Incoming, state: ConversationState, emit: Emit) -> Known:
    """What is known about this message; from here on its text is without characters that nobody sees."""
    verdict = await desk.screen.look(incoming.text)
    incoming = replace(incoming, text=verdict.text)
    started = time.monotonic()
    catalogue = desk.catalogue
    language = detect_language(incoming.text, hint=state.language or incoming.locale)
    concepts = catalogue.lexicon.concepts(incoming.text)
    label = desk.classifier.classify(incoming.text, _awaiting(state, concepts))
    local = with_triggers(still_served(label, catalogue), catalogue, concepts)
    spoken = Label(intent=local.intent, confidence=local.confidence, language=language)
    took_ms = round((time.monotonic() - started) * 1000)
    emit(LabelGiven(source="local", label=spoken, took_ms=took_ms))
    details = read_details(incoming.text, desk.utcnow().date(), language)
    word = word_of(desk, incoming, state, details)
    return Known(desk, incoming, state, emit, started, language, concepts, details, word, local, verdict)


def word_of(desk: Desk, incoming: Incoming, state: ConversationState, details: Details) -> Word | None:
    """What the message says to the open call; None when none is open that its specialist still has."""
    call = state.open_call
    specialist = desk.catalogue.specialists.get(call.intent) if call is not None else None
    if call is None or specialist is None or call.tool not in specialist.tools:
        return None
    schema = desk.toolbox.tools[call.tool].schema
    return hear(call, incoming.text, incoming.accepted_at, desk.catalogue.lexicon, details, schema)


def _awaiting(state: ConversationState, concepts: frozenset[str]) -> str | None:
    """What the customer was asked last: "yes" or "no" after the offer of a person is about the person."""
    asked = state.flow.awaiting if state.flow else None
    if state.person_offered and (asked is None or not concepts.isdisjoint({"yes", "no"})):
        return "person"
    return asked


def customer_hash(owner: str) -> str:
    """An opaque, stable id for the API's abuse monitoring."""
    return f"c-{hashlib.sha256(f'frontdesk:{owner}'.encode()).hexdigest()[:32]}"
