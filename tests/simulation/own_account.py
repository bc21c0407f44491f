"""What a brain does about the customer's own policy, bills and claims: which tool it calls, and what it says of the result.

It goes by key words and by the operator's note, which tells it of a preview and what the customer says to it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from tests.simulation.content import JsonObject
from tests.simulation.prompt import ToolAnswer
from tests.simulation.reply import ToolUse
from tests.simulation.request import MessageRequest

OWN_WORDS: Mapping[str, tuple[str, str]] = {
    "own": ("This is what I see: {0}", "Esto es lo que veo: {0}"),
    "preview": (
        "Nothing has changed yet. {0} Shall I cancel it on these terms?",
        "Todavía no ha cambiado nada. {0} ¿La cancelo así?",
    ),
    "refused": ("I could not do that: {0}", "No he podido: {0}"),
    "declined": ("Nothing has been changed.", "No se ha cambiado nada."),
    "checking": (
        "We are checking, and a person will confirm it.",
        "Lo estamos comprobando, y una persona lo confirmará.",
    ),
}
"""Phrase -> English and Spanish."""

_PREVIEW = re.compile(
    r"showed the preview (P-\w+) of (\w+) \(.*?\)\. The customer's message is (a plain yes|a plain no|no)"
)
_TERMS = re.compile(r"nothing has changed yet\. (.*?dollars\.)")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_NUMBER = re.compile(r"\b(?:AP|CL)-[\w-]+")
_TOOLS = frozenset({"get_policy", "get_billing", "get_claim_status", "request_cancellation"})
# What asks for one of the customer's own things, in the order of importance.
_OWN = (
    (re.compile(r"cancel (?:it|my)|cancela|dar de baja", re.IGNORECASE), "request_cancellation"),
    (re.compile(r"my claim|mi siniestro", re.IGNORECASE), "get_claim_status"),
    (re.compile(r"owe|payment due|debo|mi pr\w+ pago", re.IGNORECASE), "get_billing"),
    (re.compile(r"my policy|mi p\w+liza", re.IGNORECASE), "get_policy"),
)


@dataclass(frozen=True, slots=True)
class Say:
    """A phrase of OWN_WORDS with what is filled in."""

    phrase: str
    value: str = ""


def own_step(request: MessageRequest) -> ToolUse | Say | None:
    """The next step; None when the message is about something else."""
    if request.answers:
        last = request.answers[-1]
        return _told(last) if last.name in _TOOLS else None
    preview = _PREVIEW.search("\n".join(request.operator_texts))
    if preview is not None and preview[3] == "a plain no":
        return Say("declined")
    if preview is not None and preview[3] == "a plain yes":
        agreed: JsonObject = {"policy_number": None, "last_day": None, "preview_id": preview[1]}
        return ToolUse(preview[2], agreed)
    tool = next((name for words, name in _OWN if words.search(request.last_user_text)), None)
    return _call(tool, request.last_user_text) if tool is not None and request.can_call(tool) else None


def _call(tool: str, text: str) -> ToolUse:
    number, day = _NUMBER.search(text), _DAY.search(text)
    name = "claim_number" if tool == "get_claim_status" else "policy_number"
    arguments: JsonObject = {name: number[0] if number else None}
    if tool == "request_cancellation":
        arguments |= {"last_day": day[0] if day else None, "preview_id": None}
    return ToolUse(tool, arguments)


def _told(answer: ToolAnswer) -> Say:
    """The result in its own words, figure by figure."""
    if answer.is_error:
        return Say("refused", answer.text)
    if "It is not known" in answer.text:
        return Say("checking")
    terms = _TERMS.search(answer.text)
    return Say("own", answer.text) if terms is None else Say("preview", terms[1])
