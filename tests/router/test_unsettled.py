"""A change that was begun in a turn which ends badly is handed to a person before the end is told."""

from pathlib import Path

import pytest

from engine.local import Local
from events import ActionChanged, HandoffRequested, TurnFailed, TurnRef
from server import House, open_house
from store.actions import StoredActions
from store.log import NewMessage
from tests.engines import Scripted, Swap, only
from tests.router.running import CANARY, kinds, only_of, whole
from tests.serving import local_settings

CUSTOMER = "customer:C-1001"


async def _previewed(house: House) -> tuple[TurnRef, str]:
    """A conversation whose last answer showed a preview, and the preview's id."""
    asked = NewMessage(CUSTOMER, "please cancel my policy at the end of the month", "m1")
    turn = (await house.runner.start(asked)).turn
    return turn, only_of(await whole(house, turn), ActionChanged).action.preview_id


@pytest.mark.parametrize(("text", "is_open"), [("yes", True), ("hello", False)])
async def test_a_turn_that_breaks_after_it_began_a_change_leaves_it_to_a_person(
    tmp_path: Path, text: str, is_open: bool
) -> None:
    """A bug in the wrong moment must not hide that a policy may be gone; without a yes nothing can have begun."""
    swap = Swap(Local())
    async with open_house(local_settings(tmp_path), only(swap)) as house:
        turn, preview_id = await _previewed(house)
        actions = StoredActions(house.database)
        await actions.change(turn.conversation_id, preview_id, "running", out_of="previewed")
        swap.engine = Scripted([ValueError(f"a bug that quotes {CANARY}")])
        answer = NewMessage(CUSTOMER, text, "m2", turn.conversation_id)
        told = await whole(house, (await house.runner.start(answer)).turn)
        left = await actions.find(turn.conversation_id, "C-1001", preview_id)

    assert only_of(told, TurnFailed).code == "internal_error"
    assert left is not None
    assert left.state == ("unknown" if is_open else "running")
    assert ("action.changed" in kinds(told)) == is_open
    if is_open:
        assert only_of(told, ActionChanged).action == left
        assert only_of(told, HandoffRequested).reason == "unconfirmed_change"
        assert kinds(told).index("handoff.requested") < kinds(told).index("turn.failed")
