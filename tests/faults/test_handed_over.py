"""S2: a server dies in a conversation that was handed over, at any moment of the hand-over; the person keeps it.

The desk hands over with a ticket; who takes it from there works outside the desk. So "stays theirs" means here: one ticket that
stays as it is, one closing answer, and not a word of the desk's own accord.
"""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from events import HandoffRequested
from readers.reply import fold_text
from tests.faults.crowd import DESK, Asked, Customer
from tests.faults.ledger import Stored, check_stored, read_stored
from tests.faults.plugin import Figure
from tests.processes import ServerProcess
from tests.simulation import Simulation, Timing
from tests.simulation.demo import demo
from tests.waiting import until

pytestmark = pytest.mark.lab
PLEASE = "I want to talk to a human agent please"
QUICK = Timing(label_ms=20, first_text_ms=20, chunk_ms=1, chunk_chars=200)
MOMENTS = ("closed", "words", "ticket", "accepted")


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'desk.db'}"
    found: str = request.getfixturevalue("postgres_url")
    return found


async def _has_ticket(url: str, thread: str) -> None:
    """Return when the ticket of this conversation is on disk."""
    while not (await read_stored(url, [thread])).tickets:  # noqa: ASYNC110 - another process tells nobody
        await asyncio.sleep(0.02)


async def _bring_about(
    customers: dict[str, Customer], group: asyncio.TaskGroup, api: Simulation, url: str
) -> None:
    """Returns when each customer's hand-over has come as far as the name says, and no farther."""
    asked: dict[str, Asked] = {}
    for moment in MOMENTS:
        asked[moment] = customers[moment].asks(PLEASE)
        group.create_task(customers[moment].get_answer(asked[moment]))
        match moment:
            case "closed":
                await until(lambda: asked["closed"].is_over)
                api.pace(chunk_ms=3_000, chunk_chars=40)
            case "words":
                await until(lambda: asked["words"].shown)
                api.pace(first_text_ms=1_000)
            case "ticket":
                await _has_ticket(url, customers[moment].thread)
            case _:
                await until(asked[moment].accepted.is_set)
    assert [moment for moment in MOMENTS if asked[moment].is_over] == ["closed"]


def _answers(stored: Stored) -> dict[str, list[str]]:
    """The words of each turn, by conversation."""
    return {
        thread: [fold_text(item.event for item in recorded) for _, recorded in turns]
        for thread, turns in stored.turns.items()
    }


@pytest.mark.fault("S2")
async def test_killed_in_a_hand_over_the_conversation_stays_with_the_person(
    tmp_path: Path, stack: AsyncExitStack, url: str, figure: Figure
) -> None:
    """Two people would come, or none, or the desk would go on talking to somebody who was promised a person."""
    api = await stack.enter_async_context(Simulation(demo, timing=QUICK))
    environment = {**api.environment, **DESK, "FRONTDESK_ENGINE": "claude", "FRONTDESK_DATABASE_URL": url}
    process = await stack.enter_async_context(ServerProcess(tmp_path, environment))
    customers = {
        moment: await stack.enter_async_context(Customer(f"C-{moment}", lambda: process.url))
        for moment in MOMENTS
    }
    threads = [customer.thread for customer in customers.values()]
    async with asyncio.TaskGroup() as group:
        await _bring_about(customers, group, api, url)
        await process.kill()
        api.pace(label_ms=20, first_text_ms=20, chunk_ms=1, chunk_chars=200)
        await process.start()
    recovered = await read_stored(url, threads)
    calls = len(api.calls())
    for customer in customers.values():
        assert (await customer.reply(customer.asked[0]))["handoff"]["state"] == "waiting"
    later = await read_stored(url, threads)
    calls_later = len(api.calls())
    for customer in customers.values():
        await customer.get_answer(customer.asks(PLEASE))
    again = await read_stored(url, threads)

    check_stored(again, list(customers.values()))
    for stored in (recovered, later, again):
        assert sorted(thread for thread, *_ in stored.tickets) == sorted(threads)
        for turns in stored.turns.values():
            deeds = [
                item.event
                for _, recorded in turns
                for item in recorded
                if isinstance(item.event, HandoffRequested)
            ]
            assert len({deed.ticket_id for deed in deeds}) == 1
            assert {deed.state for deed in deeds} == {"waiting"}
    assert again.tickets == later.tickets == recovered.tickets
    assert _answers(later) == _answers(recovered)
    assert (calls_later, len(later.outcomes)) == (calls, len(recovered.outcomes))
    assert recovered.outcomes == {"escalated": len(MOMENTS) - 1, "failed_with_notice": 1}  # cut in its words
    figure(
        f"{'PostgreSQL' if 'postgres' in url else 'SQLite'}: killed at {len(MOMENTS)} moments, {len(again.tickets)} tickets before and after"
    )
