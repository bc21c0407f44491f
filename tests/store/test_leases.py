"""A turn whose server is gone is taken over soon, once, and in order."""

import pytest
from structlog.testing import capture_logs

from store.database import Database
from store.log import LEASE_S, EventLog
from store.wake import Wake
from tests.store.filling import END, begin, taken_over, write


class Clock:
    """Seconds since 1970, as the test says."""

    now_s = 1_000_000.0

    def __call__(self) -> float:
        """What time it is."""
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    """A clock that stands still."""
    return Clock()


@pytest.fixture
def first(database: Database, clock: Clock) -> EventLog:
    """A server that will die."""
    return EventLog(database, Wake(), "first", clock)


@pytest.fixture
def second(database: Database, clock: Clock) -> EventLog:
    """A server that lives on."""
    return EventLog(database, Wake(), "second", clock)


@pytest.mark.fault("P9")
async def test_a_dead_servers_turns_are_taken_over_once_and_in_order(
    first: EventLog, second: EventLog, clock: Clock
) -> None:
    """After a crash every open message is answered by exactly one server."""
    one = await begin(first)
    two = await begin(first, 2, one.conversation_id)
    done = await begin(first, 3)
    await write(first, done, [[END]])

    assert await second.lapsed_leases() == {}
    clock.now_s += LEASE_S + 0.1
    with capture_logs() as lines:
        assert await taken_over(second) == [one, two]
    assert await taken_over(second) == []
    assert await taken_over(first) == []
    assert [(line["fault"], line["holder"], line["turn_id"]) for line in lines] == [
        ("lock_stolen", "first", turn.turn_id) for turn in (one, two)
    ]


async def test_a_lease_that_was_renewed_meanwhile_is_left_alone(
    first: EventLog, second: EventLog, clock: Clock
) -> None:
    """A server that was only late keeps its turn, although another one has seen that the lease had run out."""
    turn = await begin(first)
    clock.now_s += LEASE_S + 0.1
    seen = await second.lapsed_leases()
    await first.renew_leases([turn.turn_id])
    clock.now_s += LEASE_S + 0.1  # and late once more

    assert seen.keys() == {turn.turn_id}
    assert await second.take_over(seen, 10) == []


async def test_a_living_server_keeps_its_turns(first: EventLog, second: EventLog, clock: Clock) -> None:
    """A long answer is not taken away from the server that is giving it."""
    turn = await begin(first)
    forgotten = await begin(first, 2)
    for _ in range(3):
        clock.now_s += LEASE_S - 1
        await first.renew_leases([turn.turn_id])

    assert await taken_over(second) == [forgotten]


async def test_a_server_renews_only_what_is_its_own(first: EventLog, second: EventLog, clock: Clock) -> None:
    """A server that was asleep cannot take back what another one has taken over."""
    turn = await begin(first)
    clock.now_s += LEASE_S + 0.1
    assert await taken_over(second) == [turn]
    clock.now_s += LEASE_S - 1
    await first.renew_leases([turn.turn_id])
    clock.now_s += 1.1

    assert await taken_over(first) == [turn]


async def test_many_leases_are_renewed_at_once(first: EventLog, second: EventLog, clock: Clock) -> None:
    """A full desk is still one server's."""
    turn = await begin(first)
    clock.now_s += LEASE_S - 1
    await first.renew_leases([*(f"turn-{number}" for number in range(1200)), turn.turn_id])
    clock.now_s += 2

    assert await second.lapsed_leases() == {}


async def test_a_server_that_leaves_hands_over_at_once(first: EventLog, second: EventLog) -> None:
    """A restart does not cost the customers who wait the time of a lease."""
    turn = await begin(first)
    await first.release_leases()

    with capture_logs() as lines:
        assert await taken_over(second) == [turn]
    assert lines == []  # given up is not stolen


@pytest.mark.fault("P12")
async def test_a_clock_that_was_set_back_does_not_keep_a_dead_servers_turns(
    first: EventLog, second: EventLog, clock: Clock
) -> None:
    """After the computer's time was put right by an hour, nobody waits an hour for an answer."""
    turn = await begin(first)
    clock.now_s -= 3600

    assert await taken_over(second) == [turn]


async def test_no_more_is_taken_over_than_there_is_room_for(first: EventLog, second: EventLog) -> None:
    """A server that inherits thousands of turns must not fall over too."""
    for number in range(5):
        await begin(first, number)
    await first.release_leases()

    assert len(await taken_over(second, 3)) == 3
    assert len(await taken_over(second, 3)) == 2


async def test_an_open_turn_before_is_seen_wherever_it_runs(first: EventLog, second: EventLog) -> None:
    """Messages of one conversation are answered in order, also over two servers."""
    one = await begin(first)
    two = await begin(second, 2, one.conversation_id)

    assert await second.has_open_before(two)
    assert not await second.has_open_before(one)
    await write(first, one, [[END]])
    assert not await second.has_open_before(two)
