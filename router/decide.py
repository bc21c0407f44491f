"""Where a message goes, from what the classifiers said: pure rules, no waiting.

Order: a word that a tool's call waits for; a choice the desk itself offered; an answer to the open form; Haiku; the
local label if it is sure enough; else one question with choices, never twice in a row; else the safest specialist.
Thresholds stand in prompts/classifier.md, where prompt engineers calibrate them.
"""

from dataclasses import dataclass, replace

from agents.specialist import Catalogue
from events import DecidedBy, Label
from knowledge.slots import Reading
from router.local import LocalLabel
from router.opencall import Word
from router.pick import pick
from router.state import ConversationState

_TRIGGER_FLOOR = 0.10
_TRIGGER_CONFIDENCE = 0.75
_CHOICES = 3
_UNHAPPY = -0.6


@dataclass(frozen=True, slots=True)
class Decision:
    """Where it goes and why. `clarify` is not empty when the desk asks back; `about` is the question meant.

    `withheld`: the message tries to steer the assistant, so the specialist is told that much and no more.
    """

    intent: str
    confidence: float
    decided_by: DecidedBy
    also: tuple[str, ...] = ()
    clarify: tuple[str, ...] = ()
    about: str | None = None
    offer_person: bool = False
    withheld: bool = False


def still_served(label: LocalLabel, catalogue: Catalogue) -> LocalLabel:
    """The local label without intents whose prompt file is gone; the classifier learns of that a little later."""
    shares = {name: share for name, share in label.probabilities.items() if name in catalogue.specialists}
    if label.intent in shares:
        return replace(label, probabilities=shares)
    best = max(shares, key=lambda name: shares[name], default=catalogue.classifier.settings.safest)
    return LocalLabel(best, shares.get(best, 0.0), shares)


def with_triggers(label: LocalLabel, catalogue: Catalogue, concepts: frozenset[str]) -> LocalLabel:
    """The local label, overruled where concepts of the message say so and the classifier does not rule it out."""
    shares = label.probabilities
    hits = [
        name
        for name, specialist in catalogue.specialists.items()
        if any(trigger <= concepts for trigger in specialist.triggers)
        and shares.get(name, 0.0) >= _TRIGGER_FLOOR
    ]
    if not hits or label.intent in hits:
        return label
    best = max(hits, key=lambda name: shares[name])
    return LocalLabel(best, max(shares[best], _TRIGGER_CONFIDENCE), shares)


def decide_screened(local: LocalLabel, catalogue: Catalogue) -> Decision:
    """A message that certainly tries to steer the assistant; who may need a person all the same is offered one."""
    intent = catalogue.classifier.settings.screened
    offer = local.intent == person_intent(catalogue)
    return Decision(intent, 1.0, "local", offer_person=offer, withheld=True)


def decide_without_label(
    text: str,
    state: ConversationState,
    reading: Reading | None,
    catalogue: Catalogue,
    word: Word | None = None,
) -> Decision | None:
    """A decision that needs no classifier, or None.

    Args:
        word: What the message says to a call that is open.
    """
    if word is not None and word.is_whole:
        return Decision(word.call.intent, 1.0, "flow")
    if state.clarification is not None:
        picked = pick(text, state.clarification.intents, catalogue)
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
    label: Label, local: LocalLabel, state: ConversationState, catalogue: Catalogue, *, noted: bool = False
) -> Decision:
    """Haiku's word counts; when it is unsure the customer is asked, once, and then offered a person.

    Its word that a message is abuse counts when something else says so too: the intent, or the screen (`noted`).
    Who needs a person gets one.
    """
    person = person_intent(catalogue)
    screened = catalogue.classifier.settings.screened
    if label.abuse and label.intent != person and (noted or label.intent == screened):
        return Decision(screened, label.confidence, "haiku", offer_person=person in label.also, withheld=True)
    is_unsure = label.confidence < catalogue.classifier.settings.clarify_below
    is_unhappy = label.sentiment is not None and label.sentiment <= _UNHAPPY
    doubts = (person in label.also, is_unhappy, local.intent == person, is_unsure, state.failures_in_row > 1)
    if is_unsure and state.clarification is None:
        choices = _choices(label.intent, label.also, local, catalogue, with_person=any(doubts[:3]))
        return Decision(label.intent, label.confidence, "fallback", label.also, choices)
    offer = person not in {None, label.intent} and any(doubts)
    return Decision(label.intent, label.confidence, "haiku", label.also, offer_person=offer)


def decide_by_local(local: LocalLabel, state: ConversationState, catalogue: Catalogue) -> Decision:
    """The local label where it is sure enough; else a question; else the safest specialist."""
    settings = catalogue.classifier.settings
    person = person_intent(catalogue)
    share = local.probabilities.get(person or "", 0.0)
    wanted = share >= settings.offer_person_at or state.failures_in_row > 1
    if state.handed_over and person is not None and local.confidence < settings.cascade_at:
        return Decision(person, local.confidence, "local")  # "what now?" after an accident goes on about it
    if local.confidence >= catalogue.specialists[local.intent].act_at:
        offer = person not in {None, local.intent} and wanted
        return Decision(local.intent, local.confidence, "local", offer_person=offer)
    if state.clarification is None:
        choices = _choices(local.intent, (), local, catalogue, with_person=wanted)
        return Decision(local.intent, local.confidence, "fallback", clarify=choices)
    offer = person not in {None, settings.safest}
    return Decision(settings.safest, local.confidence, "fallback", offer_person=offer)


def guess_by_local(local: LocalLabel, state: ConversationState, catalogue: Catalogue) -> Decision | None:
    """The decision to begin with before Haiku has spoken, if the local label is good enough for a guess."""
    specialist = catalogue.specialists[local.intent]
    if not specialist.speculate or local.confidence < catalogue.classifier.settings.speculate_at:
        return None
    offer = person_intent(catalogue) not in {None, local.intent} and state.failures_in_row > 1
    return Decision(local.intent, local.confidence, "local", offer_person=offer)


def person_intent(catalogue: Catalogue) -> str | None:
    """The intent whose specialist hands over to a person, if the company has one."""
    specialist = catalogue.leading("handoff")
    return specialist.intent if specialist else None


def _choices(
    first: str, also: tuple[str, ...], local: LocalLabel, catalogue: Catalogue, *, with_person: bool
) -> tuple[str, ...]:
    """The likeliest intents, best first; at most three. A person is one of them when one may be wanted."""
    likely = sorted(local.probabilities, key=lambda intent: -local.probabilities[intent])
    wanted = [intent for intent in dict.fromkeys((first, *also, *likely)) if intent in catalogue.specialists]
    shown = wanted[:_CHOICES]
    person = person_intent(catalogue)
    if with_person and person is not None and person not in shown:
        shown[-1] = person
    return tuple(shown)
