"""Stream a turn, or a whole conversation, as SSE frames read from the log."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from api.agui import KEEP_ALIVE, frame
from errors import NotFound
from events import Event, TurnRef
from store.log import EventLog

HEADERS = {"Cache-Control": "no-cache, no-transform", "X-Accel-Buffering": "no"}


async def turn_frames(
    event_log: EventLog, turn: TurnRef, after_seq: int = 0, visitor_token: str | None = None
) -> AsyncGenerator[bytes, None]:
    """Frames of one turn after this number, to its end.

    The earlier events are read too, because the last frame carries the reply that all of them add up to.
    """
    so_far: list[Event] = []
    async with aclosing(event_log.follow_turn(turn)) as follower:
        async for recorded in follower:
            if recorded is None:
                yield KEEP_ALIVE
                continue
            so_far.append(recorded.event)
            sent = frame(turn, recorded, so_far, visitor_token) if recorded.seq > after_seq else None
            if sent is not None:
                yield sent


async def conversation_frames(
    event_log: EventLog, conversation_id: str, ordinal: int, after_seq: int
) -> AsyncGenerator[bytes, None]:
    """Frames of the conversation from this place on; they go on until the reader leaves."""
    yield KEEP_ALIVE
    so_far: dict[int, list[Event]] = {}
    if after_seq:
        turn = TurnRef(conversation_id=conversation_id, turn_id="", ordinal=ordinal, message_id="")
        so_far[ordinal] = [item.event for item in await event_log.read_turn(turn) if item.seq <= after_seq]
    async with aclosing(event_log.follow_conversation(conversation_id, ordinal, after_seq)) as follower:
        async for item in follower:
            if item is None:
                yield KEEP_ALIVE
                continue
            turn, recorded = item
            events = so_far.setdefault(turn.ordinal, [])
            events.append(recorded.event)
            sent = frame(turn, recorded, events)
            if sent is not None:
                yield sent


async def place_of(event_log: EventLog, conversation_id: str, event_id: str | None) -> tuple[int, int]:
    """(ordinal, seq) that this event id names; the beginning when there is none.

    Raises:
        NotFound: The id is not one of this conversation.
    """
    if not event_id:
        return 1, 0
    turn_id, _, seq = event_id.rpartition(":")
    turn = await event_log.find_turn(turn_id)
    if (
        turn is None
        or turn.conversation_id != conversation_id
        or not (seq.isascii() and seq.isdigit() and len(seq) < 10)
    ):
        raise NotFound
    return turn.ordinal, int(seq)
