"""A tool's call that waits for the customer's word since the turn before: a detail is missing, or a preview wants a yes.

Why: "AP-1001-1", "at the end of the month" or "sí, adelante" means nothing without the question before it. What the word
means is decided here, from the words alone: a model can neither give the customer's consent nor keep it for later.
Law: a yes counts for the preview that the answer just before has shown, and for no other.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from events import (
    Action,
    ActionChanged,
    EngineCalled,
    Event,
    JsonObject,
    Recorded,
    RouteDecided,
    ToolCalled,
    ToolReturned,
    TurnFinished,
)
from knowledge.details import Details
from knowledge.lexicon import Lexicon
from readers.reply import fold_text

YES, NO = "yes", "no"
"""Concepts of the lexicon: a message that says nothing else is the customer's yes or no."""
_PREVIEW = "preview_id"
_QUESTIONS = "?¿？؟"
_BROKEN_OFF = frozenset({"cut", "max_tokens"})
_LONGEST_ANSWER = 200


@dataclass(frozen=True, slots=True)
class OpenCall:
    """A call that the last answer asked the customer about.

    Attributes:
        intent: Whose specialist asked.
        arguments: What is known already.
        awaits: The argument that the customer's word gives.
        since: When the question was on the customer's screen (UTC); what was written before is no answer to it.
        preview: The preview that waits for a yes, if that is what is awaited.
    """

    intent: str
    tool: str
    arguments: JsonObject
    awaits: str
    since: datetime
    preview: Action | None = None


@dataclass(frozen=True, slots=True)
class Word:
    """What the customer's message says to an open call.

    Attributes:
        says: "yes" or "no" to a preview, "detail" when the message holds the awaited one or other terms for a preview,
            "other" for all else.
        arguments: Those of the call as this message completes it.
        is_whole: The message says nothing else.
    """

    call: OpenCall
    says: Literal["yes", "no", "detail", "other"]
    arguments: JsonObject
    is_whole: bool

    @property
    def consent(self) -> str | None:
        """The preview that the message is a plain yes to."""
        return self.call.preview.preview_id if self.call.preview is not None and self.says == "yes" else None

    @property
    def completes(self) -> bool:
        """Whether the call can go on."""
        return self.says in {"yes", "detail"}


def fold_open_call(last: Sequence[Recorded]) -> OpenCall | None:
    """The call that the last turn left open; None when that turn failed, or asked nothing."""
    events = [item.event for item in last]
    route = next((event for event in events if isinstance(event, RouteDecided)), None)
    if route is None or not isinstance(events[-1], TurnFinished):
        return None
    since = last[-1].at
    changes = [event.action for event in events if isinstance(event, ActionChanged)]
    if changes:
        action = changes[-1]
        if action.state != "previewed" or not _is_shown(action, events):
            return None
        return OpenCall(route.intent, action.tool, {}, _PREVIEW, since, action)
    returned = [event for event in events if isinstance(event, ToolReturned)]
    if not returned or returned[-1].asks is None:
        return None
    asked = returned[-1]
    called = next(
        event for event in events if isinstance(event, ToolCalled) and event.call_id == asked.call_id
    )
    known = {name: value for name, value in called.arguments.items() if name != _PREVIEW}
    return OpenCall(route.intent, asked.name, known, asked.asks or "", since)


def _is_shown(action: Action, events: Sequence[Event]) -> bool:
    """Whether the answer came to its end, and named what the action is about."""
    ends = [event.stop_reason for event in events if isinstance(event, EngineCalled) and not event.discarded]
    return action.subject in fold_text(events) and _BROKEN_OFF.isdisjoint(ends)


def hear(
    call: OpenCall,
    text: str,
    written_at: datetime | None,
    lexicon: Lexicon,
    details: Details,
    schema: JsonObject,
) -> Word:
    """What the message says to the open call.

    Args:
        written_at: When the message was accepted (UTC); None: after the question, for certain.
        schema: Of the tool's arguments.
    """
    nothing = Word(call, "other", call.arguments, is_whole=False)
    if written_at is not None and written_at < call.since:
        return nothing
    told = {name: details.argument(name, below) for name, below in schema["properties"].items()}
    if call.preview is not None:
        return _to_preview(call, call.preview, _answer(text, lexicon), told, is_whole=details.is_whole)
    if told.get(call.awaits) is None:
        return nothing
    known = {name: value for name, value in call.arguments.items() if value is not None}
    arguments = {**told, **known, call.awaits: told[call.awaits]}
    return Word(call, "detail", arguments, is_whole=details.is_whole)


def _to_preview(
    call: OpenCall, preview: Action, says: Literal["yes", "no", "other"], told: JsonObject, *, is_whole: bool
) -> Word:
    """A yes, a no, or other terms: these want a preview of their own."""
    if says == "other" and any(told.values()):
        wanted = {name: value or preview.terms.get(name) for name, value in told.items()}
        return Word(call, "detail", wanted, is_whole=is_whole)
    return Word(call, says, {_PREVIEW: preview.preview_id}, is_whole=says != "other")


def _answer(text: str, lexicon: Lexicon) -> Literal["yes", "no", "other"]:
    if len(text) > _LONGEST_ANSWER or not set(_QUESTIONS).isdisjoint(text):
        return "other"
    if lexicon.says_only(text, YES):
        return "yes"
    return "no" if lexicon.says_only(text, NO) else "other"
