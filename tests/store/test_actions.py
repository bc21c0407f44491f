"""Previews and what came of them: stored once per key, changed one step at a time."""

import asyncio
from datetime import UTC, datetime

import pytest
from sqlalchemy import update

from errors import RowUnreadable
from events import Action, ActionState, TurnRef
from store.actions import StoredActions
from store.database import Database
from store.log import EventLog, NewMessage
from store.schema import actions as table
from store.wake import Wake

DRAFT = Action(
    preview_id="",
    tool="request_cancellation",
    subject="AP-1",
    terms={"policy_number": "AP-1", "last_day": "2026-12-31", "refund_usd": "1.00"},
    state="previewed",
    expires_at=datetime(2026, 11, 22, 12, 15, tzinfo=UTC),
)


@pytest.fixture
def actions(database: Database) -> StoredActions:
    """The actions of a new database."""
    return StoredActions(database)


@pytest.fixture
async def turn(database: Database) -> TurnRef:
    """A turn of the conversation "conv", in which the previews are made."""
    message = NewMessage("customer:C-1", "cancel it", "m1", "conv", may_start=True)
    return (await EventLog(database, Wake(), "here").accept(message)).turn


async def _preview(actions: StoredActions, turn: TurnRef, key: str = "k1") -> Action:
    return await actions.preview(key, turn.conversation_id, turn.turn_id, "C-1", DRAFT)


async def test_a_preview_is_stored_once_per_key(actions: StoredActions, turn: TurnRef) -> None:
    """A turn that is run again after a crash would show a second preview, and the yes would be to the first."""
    first = await _preview(actions, turn)
    other = DRAFT.model_copy(update={"subject": "AP-2"})
    again = await actions.preview("k1", "conv", turn.turn_id, "C-1", other)

    assert first.preview_id.startswith("P-")
    assert again == first
    assert (await _preview(actions, turn, "k2")).preview_id != first.preview_id


@pytest.mark.parametrize(("conversation_id", "customer_id"), [("other", "C-1"), ("conv", "C-2")])
async def test_it_is_found_by_its_own_customer_in_its_own_conversation(
    actions: StoredActions, turn: TurnRef, conversation_id: str, customer_id: str
) -> None:
    """Somebody else's preview id would cancel somebody else's policy."""
    action = await _preview(actions, turn)

    assert await actions.find("conv", "C-1", action.preview_id) == action
    assert await actions.find(conversation_id, customer_id, action.preview_id) is None


async def test_a_state_changes_only_out_of_the_one_that_is_meant(
    actions: StoredActions, turn: TurnRef
) -> None:
    """Two servers would both begin the same cancellation."""
    action = await _preview(actions, turn)
    running = await actions.change("conv", action.preview_id, "running", out_of="previewed")
    late = await actions.change("conv", action.preview_id, "unknown", out_of="previewed")
    done = await actions.change("conv", action.preview_id, "done", out_of="running", receipt="R-1")

    assert (running.state, late.state) == ("running", "running")
    assert (done.state, done.receipt) == ("done", "R-1")
    assert await actions.find("conv", "C-1", action.preview_id) == done


async def test_of_many_at_once_all_learn_the_same(actions: StoredActions, turn: TurnRef) -> None:
    """Retries that meet must not see different ends."""
    action = await _preview(actions, turn)
    await actions.change("conv", action.preview_id, "running", out_of="previewed")
    ends = await asyncio.gather(
        *(
            actions.change("conv", action.preview_id, "done", out_of="running", receipt=f"R-{number}")
            for number in range(5)
        )
    )

    assert {end.receipt for end in ends} == {"R-0"}


@pytest.mark.parametrize(
    ("state", "is_open"),
    [("previewed", False), ("running", True), ("unknown", True), ("done", False), ("refused", False)],
)
async def test_what_may_have_happened_is_open_in_every_conversation(
    actions: StoredActions, turn: TurnRef, state: ActionState, is_open: bool
) -> None:
    """In another window the customer would cancel a second time, under another key."""
    action = await _preview(actions, turn)
    await actions.change("conv", action.preview_id, state, out_of="previewed")

    assert await actions.is_open("C-1", "request_cancellation", "AP-1") is is_open
    assert not await actions.is_open("C-2", "request_cancellation", "AP-1")
    assert not await actions.is_open("C-1", "request_cancellation", "AP-2")
    assert not await actions.is_open("C-1", "another_tool", "AP-1")


async def test_what_is_not_there_is_not_changed(actions: StoredActions) -> None:
    """A receipt without its action would be lost without a word."""
    with pytest.raises(RowUnreadable, match="not there"):
        await actions.change("conv", "P-NONE", "done", out_of="running")


async def test_a_damaged_row_is_told_without_its_text(
    actions: StoredActions, turn: TurnRef, database: Database
) -> None:
    """What a customer agreed to is theirs, also in an error."""
    action = await _preview(actions, turn)
    damage = update(table).values(payload='{"subject": "AP-1"}')
    await database.write(lambda connection: connection.execute(damage))

    with pytest.raises(RowUnreadable) as refused:
        await actions.find("conv", "C-1", action.preview_id)
    assert "AP-1" not in str(refused.value)
