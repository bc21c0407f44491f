"""Faults of the line: answers that begin well and then break, stall, stutter or carry garbage.

Positions count chunks, that is pieces of the answer itself. A position behind the end means after the last chunk,
before the closing events.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from tests.simulation.acts import PING, Act, Acts, Cut, End, Finish, Send, Wait, frame, is_stream, refused
from tests.simulation.content import JsonObject
from tests.simulation.errors import TYPES, ApiError
from tests.simulation.faults.base import Fault
from tests.simulation.faults.torn import Mid, torn

_UNKNOWN = frame(
    "content_block_hint", {"type": "content_block_hint", "index": 0, "hint": {"weather": "fine"}}
)
_BAD_JSON = (
    b'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"type":"text_de\n\n'
)


@dataclass(frozen=True, slots=True)
class Broken(Fault):
    """The answer ends after so many chunks, without its closing events.

    `how`: "complete" ends the body as if all were well, "close" closes the connection inside the body, "reset"
    resets it. `mid`: "word" sends one more piece that ends inside a word, "event" half of the next event's bytes.
    """

    after: int = 1
    how: End = "close"
    mid: Mid = ""

    def restage(self, acts: Acts) -> Acts:
        """The acts up to there, and the end."""
        at = _after(acts, self.after)
        how: End = "close" if self.how == "complete" and not is_stream(acts) else self.how
        following = next((act for act in acts[at:] if isinstance(act, Send) and act.is_chunk), None)
        tail: Acts = [Send(torn(following.data, self.mid))] if self.mid and following is not None else []
        return [*acts[:at], *tail, Finish(how)]


@dataclass(frozen=True, slots=True)
class ErrorEvent(Fault):
    """An error event after the 200 and so many chunks; an error status when the answer is not streamed."""

    after: int = 1
    type: str = "overloaded_error"

    def restage(self, acts: Acts) -> Acts:
        """The acts up to there, and the error."""
        message = self.type.replace("_", " ").capitalize()
        if not is_stream(acts):
            status = next((status for status, name in TYPES.items() if name == self.type), 500)
            return refused(ApiError(status, message), "")
        error: JsonObject = {"type": "error", "error": {"type": self.type, "message": message}}
        return [*acts[: _after(acts, self.after)], Send(frame("error", error), "error"), Finish()]


@dataclass(frozen=True, slots=True)
class Stall(Fault):
    """Silence for so many seconds after so many chunks, then the rest."""

    seconds: float
    after: int = 1

    def restage(self, acts: Acts) -> Acts:
        """The acts with a wait in between."""
        at = _after(acts, self.after)
        return [*acts[:at], Wait(self.seconds), *acts[at:]]


@dataclass(frozen=True, slots=True)
class BadJson(Fault):
    """One event whose data is not JSON, after so many chunks; a body that is not JSON when not streamed."""

    after: int = 1

    def restage(self, acts: Acts) -> Acts:
        """The acts with garbage in between."""
        if not is_stream(acts):
            return _each_send(acts, lambda send: [replace(send, data=b"<" + send.data[1:])])
        at = _after(acts, self.after)
        return [*acts[:at], Send(_BAD_JSON, "content_block_delta"), *acts[at:]]


class UnknownEvents(Fault):
    """An event of an unknown type after every event, which a client must ignore."""

    def restage(self, acts: Acts) -> Acts:
        """The acts with strangers in between."""
        if not is_stream(acts):
            return acts
        return _each_send(acts, lambda send: [send, Send(_UNKNOWN, "content_block_hint")])


@dataclass(frozen=True, slots=True)
class Pings(Fault):
    """So many pings before every chunk."""

    count: int = 50

    def restage(self, acts: Acts) -> Acts:
        """The acts with pings in between."""
        if not is_stream(acts):
            return acts
        flood = replace(PING, data=PING.data * self.count)
        return _each_send(acts, lambda send: [flood, send] if send.is_chunk else [send])


class NoStop(Fault):
    """The last event, message_stop, is missing."""

    def restage(self, acts: Acts) -> Acts:
        """The acts without it."""
        return [act for act in acts if not (isinstance(act, Send) and act.event == "message_stop")]


@dataclass(frozen=True, slots=True)
class Segments(Fault):
    """The body in unkind TCP segments: "bytes" one byte each, "utf8" split inside every letter of several bytes."""

    cut: Cut = "bytes"

    def restage(self, acts: Acts) -> Acts:
        """The same acts, sent in other segments."""
        return _each_send(acts, lambda send: [replace(send, cut=self.cut)])


def _after(acts: Acts, chunks: int) -> int:
    """The index right behind that many chunks (the first chunk's own index for none).

    An answer in one body has two halves, and at most the first of them counts: else nothing would be missing.
    """
    places = [index for index, act in enumerate(acts) if isinstance(act, Send) and act.is_chunk]
    if not places:
        return next((index for index, act in enumerate(acts) if _closes(act)), len(acts))
    wanted = chunks if is_stream(acts) else min(chunks, len(places) - 1)
    return places[min(wanted, len(places)) - 1] + 1 if wanted else places[0]


def _closes(act: Act) -> bool:
    return isinstance(act, Finish) or (isinstance(act, Send) and act.event == "message_delta")


def _each_send(acts: Acts, change: Callable[[Send], list[Send]]) -> Acts:
    changed: Acts = []
    for act in acts:
        changed.extend(change(act) if isinstance(act, Send) else [act])
    return changed
