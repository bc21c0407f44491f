"""An answer as a row of acts on the connection: wait, open, send, end.

Why: every fault of a stream is a change of this row, so faults need to know nothing of HTTP, and the player of the
row nothing of faults.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from tests.simulation.content import JsonObject
from tests.simulation.errors import ApiError
from tests.simulation.json_text import compact
from tests.simulation.rendering import Rendered
from tests.simulation.timing import Timing

Cut = Literal["whole", "bytes", "utf8"]
End = Literal["complete", "close", "reset"]
PACED = {"text_delta", "thinking_delta", "input_json_delta"}


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing for so many seconds; None means for ever (until the client leaves)."""

    seconds: float | None


@dataclass(frozen=True, slots=True)
class Head:
    """Status line and headers. `length` None means a chunked body."""

    status: int = 200
    content_type: str = "text/event-stream; charset=utf-8"
    length: int | None = None
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Send:
    """Bytes of the body. A chunk is a piece of the answer itself; `event` names its kind."""

    data: bytes
    event: str = ""
    is_chunk: bool = False
    cut: Cut = "whole"


@dataclass(frozen=True, slots=True)
class Finish:
    """The end: as HTTP wants it, by closing the connection, or by resetting it."""

    how: End = "complete"


Act = Wait | Head | Send | Finish
Acts = list[Act]


def frame(name: str, data: JsonObject) -> bytes:
    """One server-sent event."""
    return f"event: {name}\ndata: {compact(data)}\n\n".encode()


PING = Send(frame("ping", {"type": "ping"}), "ping")


def refused(error: ApiError, request_id: str) -> Acts:
    """The acts of an error response."""
    body = error.body(request_id)
    content_type = "text/html" if error.html is not None else "application/json"
    return [Head(error.status, content_type, len(body), error.headers), Send(body, "error"), Finish()]


def whole(value: JsonObject, wait_s: float = 0) -> Acts:
    """The acts of a JSON answer, sent in two halves so that it can be cut."""
    body = compact(value).encode()
    half = len(body) // 2
    halves: Acts = [Send(body[:half], "body", is_chunk=True), Send(body[half:], "body", is_chunk=True)]
    return [Wait(wait_s), Head(200, "application/json", len(body)), *halves, Finish()]


def streamed(
    rendered: Rendered, start: JsonObject, end: JsonObject, timing: Timing, *, is_label: bool
) -> Acts:
    """The acts of a streamed answer; `start` and `end` are the message_start and message_delta events."""
    acts: Acts = [Wait((timing.label_ms if is_label else timing.first_text_ms) / 1000), Head()]
    acts.append(Send(frame("message_start", start), "message_start"))
    pause = Wait(timing.chunk_ms / 1000) if timing.chunk_ms and not is_label else None
    is_first = True
    for index, block in enumerate(rendered.blocks):
        opening: JsonObject = {"type": "content_block_start", "index": index, "content_block": block.opening}
        acts.append(Send(frame("content_block_start", opening), "content_block_start"))
        if index == 0:
            acts.append(PING)
        for send in _deltas(index, block.deltas):
            if send.is_chunk and pause is not None and not is_first:
                acts.append(pause)
            is_first = is_first and not send.is_chunk
            acts.append(send)
        closing: JsonObject = {"type": "content_block_stop", "index": index}
        acts.append(Send(frame("content_block_stop", closing), "content_block_stop"))
    acts.append(Send(frame("message_delta", end), "message_delta"))
    acts.append(Send(frame("message_stop", {"type": "message_stop"}), "message_stop"))
    acts.append(Finish())
    return acts


def is_stream(acts: Acts) -> bool:
    """Whether the answer goes out in events."""
    return any(isinstance(act, Head) and act.length is None for act in acts)


def _deltas(index: int, deltas: tuple[JsonObject, ...]) -> Iterator[Send]:
    for delta in deltas:
        event: JsonObject = {"type": "content_block_delta", "index": index, "delta": delta}
        is_chunk = delta["type"] in PACED and delta.get("partial_json") != ""
        yield Send(frame("content_block_delta", event), "content_block_delta", is_chunk=is_chunk)
