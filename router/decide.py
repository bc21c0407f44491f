"""Where a message goes, from what the classifiers said: pure rules, no waiting.

Order: a choice the desk itself offered; an answer to the open form; Haiku; the local label if it is sure enough;
else one question with choices, never twice in a row; else the safest specialist.
Thresholds stand in prompts/classifier.md, where prompt engineers calibrate them.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from agents.specialist import Catalogue
from events import DecidedBy, Label
from knowledge.lexicon import fold
from knowledge.slots import Reading
from router.local import LocalLabel
from router.state import Clarification, ConversationState

_TRIGGER_FLOOR = 0.10
_TRIGGER_CONFIDENCE = 0.75
_CHOICES = 3
_UNHAPPY = -0.6


@dataclass(frozen=True, slots=True)
class Decision:
    """Where it goes and why. `clarify` is not empty when the desk asks back; `about` is the question meant."""

    intent: str
    confidence: float
    decided_by: DecidedBy
    also: tuple[str, ...] = ()
    clarify: tuple[str, ...] = ()
    about: str | None = None
    offer_person: bool = False


def with_triggers(label: LocalLabel, catalogue: Catalogue, concepts: frozenset[str]) -> LocalLabel:
    """The local label, overruled where concepts of the message say so and the classifier does not rule it out."""
    for specialist in catalogue.specialists.values():
        share = label.probabilities.get(specialist.intent, 0.0)
        hit = any(trigger <= concepts for trigger in specialist.triggers)
        if hit and share >= _TRIGGER_FLOOR and label.intent != specialist.intent:
            return LocalLabel(specialist.intent, max(share, _TRIGGER_CONFIDENCE), label.probabilities)
    return label


def pick(text: str, clarification: Clarification, catalogue: Catalogue) -> str | None:
    """The intent that the customer picked from the desk's choices: by number, by its name, or by its words."""
    said = fold(text).strip(" .!)(")
    for number, intent in enumerate(clarification.intents, start=1):
        names = {fold(name) for name in catalogue.specialists[intent].label.values()} | {str(number), intent}
        if said in names:
            return intent
    return None


def decide_without_label(
    text: str, state: ConversationState, reading: Reading | None, catalogue: Catalogue
) -> Decision | None:
    """A decision that needs no classifier, or None."""
    if state.clarification is not None:
        picked = pick(text, state.clarification, catalogue)
        if picked is not None:
            return Decision(picked, 1.0, "flow", about=state.clarification.about)
    flow = state.flow
    if flow is not None and flow.intent in catalogue.specialists and reading is not None:
        answers = reading.whole and bool(reading.values)
        commands = reading.command is not None and reading.whole and not flow.quoted
        if answers or commands:
            return Decision(flow.intent, 1.0, "flow")
    return None


def decide_by_haiku(
    label: Label, local: LocalLabel, state: ConversationState, catalogue: Catalogue
) -> Decision:
    """Haiku's word counts; when it is unsure the customer is asked, once."""
    person = person_intent(catalogue)
    unhappy = label.sentiment is not None and label.sentiment <= _UNHAPPY
    offer = label.intent != person and (person in label.also or unhappy or state.failures_in_row > 1)
    if label.confidence < catalogue.classifier.settings.clarify_below and state.clarification is None:
        choices = _choices(label.intent, label.also, local.probabilities, catalogue)
        return Decision(label.intent, label.confidence, "fallback", label.also, choices, offer_person=offer)
    return Decision(label.intent, label.confidence, "haiku", label.also, offer_person=offer)


def decide_by_local(local: LocalLabel, state: ConversationState, catalogue: Catalogue) -> Decision:
    """The local label where it is sure enough; else a question; else the safest specialist."""
    settings = catalogue.classifier.settings
    person = person_intent(catalogue)
    share = local.probabilities.get(person or "", 0.0)
    offer = local.intent != person and (share >= settings.offer_person_at or state.failures_in_row > 1)
    if local.confidence >= catalogue.specialists[local.intent].act_at:
        return Decision(local.intent, local.confidence, "local", offer_person=offer)
    if state.clarification is None:
        choices = _choices(local.intent, (), local.probabilities, catalogue)
        return Decision(local.intent, local.confidence, "fallback", clarify=choices, offer_person=offer)
    return Decision(settings.safest, local.confidence, "fallback", offer_person=True)


def may_speculate(local: LocalLabel, catalogue: Catalogue) -> bool:
    """Whether the local label is good enough to start its specialist before Haiku has spoken."""
    specialist = catalogue.specialists[local.intent]
    return specialist.speculate and local.confidence >= catalogue.classifier.settings.speculate_at


def person_intent(catalogue: Catalogue) -> str | None:
    """The intent whose specialist hands over to a person, if the company has one."""
    specialist = catalogue.leading("handoff")
    return specialist.intent if specialist else None


def _choices(
    first: str, also: tuple[str, ...], shares: Mapping[str, float], catalogue: Catalogue
) -> tuple[str, ...]:
    """The likeliest intents, best first; at most three."""
    likely = sorted(shares, key=lambda intent: -shares[intent])
    wanted = dict.fromkeys((first, *also, *likely))
    return tuple(intent for intent in wanted if intent in catalogue.specialists)[:_CHOICES]
