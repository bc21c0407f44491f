"""Previews of changes, and what came of them. A preview is stored once per key; its state changes one step at a time."""

import time
from collections.abc import Callable

from pydantic import ValidationError
from sqlalchemy import ColumnElement, Connection, and_, insert, select, update

from errors import RowUnreadable
from events import Action, ActionState
from store.database import Database
from store.leases import hold_open
from store.records import short_id
from store.schema import actions

_OPEN: tuple[ActionState, ...] = ("running", "unknown")


class StoredActions:
    """The actions on the database. The id of a preview follows from its key, so a retry finds the first one."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock

    async def preview(
        self, key: str, conversation_id: str, turn_id: str, customer_id: str, action: Action
    ) -> Action:
        """Store it once per key, under an id of its own; the stored one is returned.

        Raises:
            LeaseLost: The turn has ended elsewhere; nothing was stored.
        """
        named = action.model_copy(update={"preview_id": short_id("P", key)})

        def work(connection: Connection) -> Action:
            hold_open(connection, self._database.backend, conversation_id, turn_id)
            mine = and_(_is(conversation_id, named.preview_id), actions.c.customer_id == customer_id)
            known = _find(connection, mine)
            if known is not None:
                return known
            row = {
                "conversation_id": conversation_id,
                "preview_id": named.preview_id,
                "customer_id": customer_id,
                "tool": named.tool,
                "subject": named.subject,
                "state": named.state,
                "payload": named.model_dump_json(),
                "created_at_s": self._clock(),
            }
            connection.execute(insert(actions), row)
            return named

        return await self._database.write(work)

    async def find(self, conversation_id: str, customer_id: str, preview_id: str) -> Action | None:
        """The customer's action of that id in this conversation, as it stands now.

        Raises:
            RowUnreadable: It cannot be read.
        """
        mine = and_(_is(conversation_id, preview_id), actions.c.customer_id == customer_id)
        return await self._database.read(lambda connection: _find(connection, mine))

    async def change(
        self,
        conversation_id: str,
        preview_id: str,
        state: ActionState,
        *,
        out_of: ActionState,
        receipt: str = "",
    ) -> Action:
        """Give it this state if it is in the state `out_of`; how it stands afterwards.

        Raises:
            RowUnreadable: It is not there, or cannot be read.
        """
        this = _is(conversation_id, preview_id)

        def work(connection: Connection) -> Action:
            self._database.backend.hold(connection, conversation_id)
            known = _find(connection, this)
            if known is None:
                raise RowUnreadable(f"action {preview_id}: not there")
            if known.state != out_of:
                return known
            changed = known.model_copy(update={"state": state, "receipt": receipt or known.receipt})
            values = {"state": state, "payload": changed.model_dump_json()}
            connection.execute(update(actions).where(this).values(values))
            return changed

        return await self._database.write(work)

    async def is_open(self, customer_id: str, tool: str, subject: str) -> bool:
        """Whether it is being carried out on this subject, or may have been, in any conversation of the customer."""
        query = select(actions.c.preview_id).where(
            and_(
                actions.c.customer_id == customer_id,
                actions.c.tool == tool,
                actions.c.subject == subject,
                actions.c.state.in_(_OPEN),
            )
        )
        return await self._database.read(lambda connection: connection.execute(query).first() is not None)


def _is(conversation_id: str, preview_id: str) -> ColumnElement[bool]:
    return and_(actions.c.conversation_id == conversation_id, actions.c.preview_id == preview_id)


def _find(connection: Connection, where: ColumnElement[bool]) -> Action | None:
    payload = connection.execute(select(actions.c.payload).where(where)).scalar()
    if payload is None:
        return None
    try:
        return Action.model_validate_json(payload)
    except ValidationError:
        raise RowUnreadable("action: not as it was written") from None
