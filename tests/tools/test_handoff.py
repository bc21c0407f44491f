"""A wish for a person becomes one ticket a message, however often it is tried."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from errors import ToolError
from events import HandoffRequested
from store.records import StoredRecords
from tests.tools.places import context, records_in
from tools.handoff import handoff_tool

TOOL = handoff_tool()
CALL = {"reason": "accident", "summary": "A crash on Main Street."}


@pytest.fixture
async def records(tmp_path: Path) -> AsyncIterator[StoredRecords]:
    """Real records on a file of the test's own."""
    async with records_in(tmp_path) as stored:
        yield stored


async def test_a_ticket_is_stored_and_named(records: StoredRecords) -> None:
    """The customer could not refer to it on the phone."""
    outcome = await TOOL.call(context(records), CALL)

    ticket_id = outcome.values["ticket_id"]
    assert ticket_id.startswith("T-")
    assert ticket_id in outcome.text
    assert outcome.deeds == (HandoffRequested(ticket_id=ticket_id, reason="accident"),)


async def test_a_message_makes_one_ticket(records: StoredRecords) -> None:
    """A turn that is run again words its summary anew; two colleagues would call the same customer."""
    first = await TOOL.call(context(records, key="k1"), CALL)
    again = await TOOL.call(context(records, key="k2"), {**CALL, "summary": "They had a crash."})
    later = await TOOL.call(context(records, key="k1", turn_id="turn2"), {**CALL, "reason": "fraud"})

    assert first.values == again.values
    assert later.values != first.values


async def test_an_unknown_reason_is_refused(records: StoredRecords) -> None:
    """The desk could not sort its queue."""
    with pytest.raises(ToolError, match="reason: Input should be 'asked_for_person'") as refused:
        await TOOL.call(context(records), {**CALL, "reason": "boredom"})

    assert refused.value.field == "reason"


def test_a_ticket_waits_for_the_route() -> None:
    """A wrong guess would call a colleague for nothing."""
    assert (TOOL.effect, TOOL.lead) == ("write", "handoff")
    assert TOOL.schema["properties"]["reason"]["enum"][0] == "asked_for_person"
