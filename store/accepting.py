"""Accept a message: once per (conversation, message id), for its owner only, and not more than can wait.

Laws: the same message again is the same turn; the same id with another text is refused; somebody else's
conversation looks like one that does not exist. Everything here happens in one transaction, and at one place (see
`place_of`) no other server is at work meanwhile.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, bindparam, insert, select

from errors import Busy, Conflict, NotFound
from events import Recorded, TurnAccepted, TurnRef
from store.rows import event_row, turn_ref
from store.schema import conversations, events, turns

LEASE_S = 3.5
WAITING_AT_MOST = 20
_REPEATED_WITHIN_S = 3600.0
# Made once, because every message needs them.
_IN_CONVERSATION = turns.c.conversation_id == bindparam("conversation")
OWNER = select(conversations.c.owner).where(conversations.c.conversation_id == bindparam("conversation"))
_STARTED = (
    select(turns.c.conversation_id)
    .join(conversations, conversations.c.conversation_id == turns.c.conversation_id)
    .where(
        conversations.c.owner == bindparam("by"),
        turns.c.message_id == bindparam("message"),
        turns.c.ordinal == 1,
        turns.c.accepted_at_s > bindparam("since_s"),
    )
    .order_by(turns.c.accepted_at_s.desc())
    .limit(1)
)
_SAME = select(turns).where(_IN_CONVERSATION, turns.c.message_id == bindparam("message"))
_NEWEST = (
    select(turns.c.ordinal, turns.c.is_open)
    .where(_IN_CONVERSATION)
    .order_by(turns.c.ordinal.desc())
    .limit(WAITING_AT_MOST + 1)
)
_ADD_CONVERSATION, _ADD_TURN, _ADD_EVENTS = insert(conversations), insert(turns), insert(events)


@dataclass(frozen=True, slots=True)
class NewMessage:
    """A validated message. `conversation_id` None starts a conversation; `may_start` allows an unknown id to start one."""

    owner: str
    text: str
    message_id: str
    conversation_id: str | None = None
    may_start: bool = False
    locale: str | None = None


@dataclass(frozen=True, slots=True)
class Accepted:
    """The turn of a message; `is_new` is false when the same message was accepted before.

    `first` is its event, if it was stored just now.
    """

    turn: TurnRef
    is_new: bool
    first: Recorded | None = None


def place_of(message: NewMessage) -> str:
    """What two servers must not accept for at the same time: a conversation, or a first message sent twice."""
    return message.conversation_id or f"{message.owner} {message.message_id}"


def accept_message(
    connection: Connection, message: NewMessage, turn_id: str, server_id: str, now_s: float
) -> Accepted:
    """The message's turn, and its first event if it is new.

    Args:
        turn_id: The id of a new turn. A turn that has it already was accepted by an earlier run of the same work.

    Raises:
        NotFound: The conversation is unknown, or somebody else's.
        Conflict: The message id was used with another text.
        Busy: Too many messages of this conversation wait.
    """
    conversation_id = _conversation(connection, message, now_s)
    if conversation_id is not None:
        earlier = _earlier(connection, conversation_id, message)
        if earlier is not None:
            return Accepted(earlier, is_new=earlier.turn_id == turn_id)
    turn = TurnRef(
        conversation_id=conversation_id or message.conversation_id or secrets.token_urlsafe(18),
        turn_id=turn_id,
        ordinal=1 if conversation_id is None else _next_ordinal(connection, conversation_id),
        message_id=message.message_id,
    )
    if conversation_id is None:
        row = {"conversation_id": turn.conversation_id, "owner": message.owner, "created_at_s": now_s}
        connection.execute(_ADD_CONVERSATION, row)
    return Accepted(turn, is_new=True, first=_store(connection, turn, message, server_id, now_s))


def find_accepted(connection: Connection, message: NewMessage, now_s: float) -> TurnRef | None:
    """The turn of this message, if it was accepted before; nothing is stored.

    Raises:
        NotFound, Conflict: As for accept_message.
    """
    conversation_id = _conversation(connection, message, now_s)
    return None if conversation_id is None else _earlier(connection, conversation_id, message)


def _conversation(connection: Connection, message: NewMessage, now_s: float) -> str | None:
    """The caller's conversation that the message belongs to; None when it starts one."""
    if message.conversation_id is None:
        return _started_with(connection, message, now_s)
    owner = connection.execute(OWNER, {"conversation": message.conversation_id}).scalar()
    if owner is None and message.may_start:
        return None
    if owner != message.owner:
        raise NotFound
    return message.conversation_id


def _started_with(connection: Connection, message: NewMessage, now_s: float) -> str | None:
    """The conversation that this caller started with this message id in the last hour: the reply to it was lost."""
    asked = {"by": message.owner, "message": message.message_id, "since_s": now_s - _REPEATED_WITHIN_S}
    found: str | None = connection.execute(_STARTED, asked).scalar()
    return found


def _earlier(connection: Connection, conversation_id: str, message: NewMessage) -> TurnRef | None:
    """The turn that this message id already has in the conversation."""
    row = connection.execute(_SAME, {"conversation": conversation_id, "message": message.message_id}).first()
    if row is None:
        return None
    if row.text_hash != _hash(message.text):
        raise Conflict
    return turn_ref(row)


def _next_ordinal(connection: Connection, conversation_id: str) -> int:
    """The next turn's number. Turns end in order, so those that are still open are the newest ones."""
    rows = connection.execute(_NEWEST, {"conversation": conversation_id}).all()
    if sum(row.is_open for row in rows) > WAITING_AT_MOST:
        raise Busy(
            f"{WAITING_AT_MOST} messages of this conversation wait",
            customer_text="Several of your messages are still waiting for an answer. Please wait a moment.",
        )
    last: int = rows[0].ordinal
    return last + 1


def _store(
    connection: Connection, turn: TurnRef, message: NewMessage, server_id: str, now_s: float
) -> Recorded:
    event = TurnAccepted(message_id=message.message_id, text=message.text, locale=message.locale)
    recorded = Recorded(seq=1, at=datetime.fromtimestamp(now_s, UTC), event=event)
    row = {
        **turn.model_dump(),
        "text_hash": _hash(message.text),
        "is_open": 1,
        "lease_owner": server_id,
        "lease_until_s": now_s + LEASE_S,
        "accepted_at_s": now_s,
    }
    connection.execute(_ADD_TURN, row)
    connection.execute(_ADD_EVENTS, event_row(turn, (recorded,)))
    return recorded


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
