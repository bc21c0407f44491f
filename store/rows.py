"""Rows of the log and the values they stand for."""

from collections.abc import Iterable
from typing import Any

from pydantic import ValidationError
from sqlalchemy import ColumnElement, Row, and_

from errors import RowUnreadable
from events import Recorded, TurnRef, recorded_list
from store.schema import turns


def event_row(turn: TurnRef, recorded: tuple[Recorded, ...]) -> dict[str, object]:
    """The row that holds these consecutive events."""
    return {
        "conversation_id": turn.conversation_id,
        "ordinal": turn.ordinal,
        "first_seq": recorded[0].seq,
        "last_seq": recorded[-1].seq,
        "payload": recorded_list.dump_json(list(recorded)).decode(),
    }


def recorded_in(payloads: Iterable[str]) -> list[Recorded]:
    """The events in these rows, in order.

    Raises:
        RowUnreadable: A row does not hold what we write; its text is in no message, because it may be a customer's.
    """
    try:
        return [item for payload in payloads for item in recorded_list.validate_json(payload)]
    except ValidationError as exc:
        where = exc.errors(include_input=False, include_url=False)[0]
        raise RowUnreadable(f"{where['type']} at {where['loc']}") from None


def turn_ref(row: Row[Any]) -> TurnRef:
    """The turn of a row of the table `turns`."""
    return TurnRef(
        conversation_id=row.conversation_id,
        turn_id=row.turn_id,
        ordinal=row.ordinal,
        message_id=row.message_id,
    )


def is_turn(turn: TurnRef) -> ColumnElement[bool]:
    """The row of this turn in the table `turns`."""
    return and_(turns.c.conversation_id == turn.conversation_id, turns.c.ordinal == turn.ordinal)
