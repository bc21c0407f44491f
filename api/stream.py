"""Stream a turn, or a whole conversation, as SSE frames read from the log.

Laws: a stream resumed after any event gives the same rest; a turn's stream never just breaks, it ends with
RUN_FINISHED or RUN_ERROR; something is sent at least every 15 seconds.
"""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

import structlog
from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from api.agui import KEEP_ALIVE, error_frame, frame
from api.middleware import TO_SEND
from errors import NotFound, Unavailable
from events import Event, Recorded, TurnRef, is_end
from router.contain import Contained, contained
from store.log import EventLog

log = structlog.get_logger()
_QUIET_S = 7.0
_LAST_SEQ_DIGITS = 9
_HEADERS = {"Cache-Control": "no-cache, no-transform", "X-Accel-Buffering": "no"}
_RESUME_TEXT = "The line to the answer was interrupted. Nothing is lost: connect again and it goes on."


class FrameStream(StreamingResponse):
    """A response of SSE frames; the generator behind it is closed with it.

    It is left for the envelope to send, when the router is done with the request: a client may wait for hours, and what
    routing holds for it, and every frame passes through, is more than the stream itself.
    `turn_id` says whose frames they are, if they are of one turn: a client that leaves before their end is logged.
    """

    def __init__(self, frames: AsyncGenerator[bytes, None], turn_id: str | None = None) -> None:
        super().__init__(frames, media_type="text/event-stream", headers=_HEADERS)
        self._frames = frames
        self._turn_id = turn_id
        self._has_ended = False

    async def __call__(self, scope: Scope, _receive: Receive, _send: Send) -> None:
        """Leave it for the envelope."""
        scope["state"][TO_SEND] = self.send_frames

    async def send_frames(self, receive: Receive, send: Send) -> None:
        """Send everything; returns when it is sent or the client is gone."""
        try:
            async with asyncio.timeout(None) as until_gone:
                watch = asyncio.create_task(_end_when_gone(receive, until_gone), name="client-watch")
                try:
                    await self.stream_response(send)
                finally:
                    watch.cancel()
        except TimeoutError:
            if not until_gone.expired():
                raise
        if not self._has_ended and self._turn_id is not None:
            log.info("client.gone", turn_id=self._turn_id)

    async def stream_response(self, send: Send) -> None:
        """Send the frames until they end or the client is gone."""
        async with aclosing(self._frames):
            await super().stream_response(send)
        self._has_ended = True


async def _end_when_gone(receive: Receive, stream: asyncio.Timeout) -> None:
    """One small task for each stream; a group of tasks would cost every waiting client twice the memory."""
    while (await receive())["type"] != "http.disconnect":
        pass
    stream.reschedule(asyncio.get_running_loop().time())


async def turn_frames(
    event_log: EventLog,
    turn: TurnRef,
    after_seq: int = 0,
    visitor_token: str | None = None,
    first: Recorded | None = None,
) -> AsyncGenerator[bytes, None]:
    """Frames of one turn after this number, to its end. `first`: see follow_turn.

    The earlier events are read too, because the last frame carries the reply that all of them add up to.
    """
    so_far: list[Event] = []
    quiet = _Quiet()
    with contained("stream.failed", turn_id=turn.turn_id) as caught:
        async with aclosing(event_log.follow_turn(turn, first=first)) as follower:
            async for news in follower:
                sent = []
                for recorded in news:
                    so_far.append(recorded.event)
                    if recorded.seq > after_seq:
                        sent.append(frame(turn, recorded, so_far, visitor_token))
                if (shown := quiet.fill(sent, is_idle=not news)) is not None:
                    yield shown
    if caught.error is not None or not (so_far and is_end(so_far[-1])):
        yield _break(caught, f"{turn.turn_id}:{max(after_seq, len(so_far))}")


async def conversation_frames(
    event_log: EventLog, conversation_id: str, ordinal: int, after_seq: int
) -> AsyncGenerator[bytes, None]:
    """Frames of the conversation from this place on, until the reader leaves or the server stops."""
    yield KEEP_ALIVE
    so_far: list[Event] = []
    place: str | None = None
    quiet = _Quiet()
    with contained("stream.failed", conversation_id=conversation_id) as caught:
        if after_seq:
            turn = TurnRef(conversation_id=conversation_id, turn_id="", ordinal=ordinal, message_id="")
            so_far = [item.event for item in await event_log.read_turn(turn) if item.seq <= after_seq]
        async with aclosing(event_log.follow_conversation(conversation_id, ordinal, after_seq)) as follower:
            async for turn, news in follower:
                sent = []
                for recorded in news:
                    if recorded.seq == 1:
                        so_far = []
                    so_far.append(recorded.event)
                    sent.append(frame(turn, recorded, so_far))
                    place = f"{turn.turn_id}:{recorded.seq}"
                    if is_end(recorded.event):
                        so_far = []
                if (shown := quiet.fill(sent, is_idle=not news)) is not None:
                    yield shown
                del news, sent, shown  # who waits for hours holds nothing meanwhile
    if caught.error is not None:
        yield _break(caught, place)


def _break(caught: Contained, event_id: str | None) -> bytes:
    """The frame that ends a stream before its time, behind this event.

    A server that stops, or a database that is away for a moment, has lost nothing: the client is told to come back.
    """
    if caught.error is None or isinstance(caught.error, Unavailable):
        return error_frame("resume", _RESUME_TEXT, event_id)
    return error_frame(caught.code, caught.customer_text, event_id)


class _Quiet:
    """Knows how long nothing was sent: not every event is for customers, but a silent line looks dead."""

    def __init__(self) -> None:
        self._clock = asyncio.get_running_loop().time
        self._sent_s = self._clock()

    def fill(self, sent: Sequence[bytes | None], *, is_idle: bool) -> bytes | None:
        """The frames to send, in one piece, or a sign of life if it is time for one, or nothing."""
        now = self._clock()
        shown = b"".join(filter(None, sent))
        if not shown and not is_idle and now - self._sent_s < _QUIET_S:
            return None
        self._sent_s = now
        return shown or KEEP_ALIVE


async def place_of(event_log: EventLog, conversation_id: str, event_id: str | None) -> tuple[int, int]:
    """(ordinal, seq) that this event id names; the beginning when there is none.

    Raises:
        NotFound: The id is not one of this conversation.
    """
    if not event_id:
        return 1, 0
    turn_id, _, number = event_id.rpartition(":")
    turn = await event_log.find_turn(turn_id)
    seq = seq_in(number)
    if turn is None or turn.conversation_id != conversation_id or seq is None:
        raise NotFound
    return turn.ordinal, seq


def seq_in(number: str) -> int | None:
    """The event number written here; None when it is none."""
    is_number = number.isascii() and number.isdigit() and len(number) <= _LAST_SEQ_DIGITS
    return int(number) if is_number else None
