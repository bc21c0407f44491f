"""How many turns at once: measured, with a short queue; whoever gets no place is told when to come back."""

import asyncio
import random
from contextlib import AsyncExitStack, suppress
from itertools import chain, repeat

import pytest

from errors import Overloaded
from router.admission import (
    AT_FIRST,
    AT_LEAST,
    AT_THE_DOOR,
    DOOR_S,
    LATE_S,
    LOOK_EVERY_S,
    QUEUE_AT_LEAST,
    QUEUE_AT_MOST,
    SLOW_S,
    WAIT_S,
    Admission,
)
from router.company import Company

pytestmark = pytest.mark.quick_time
MOST = 500


async def _filled(places: int) -> Admission:
    admission = Admission(places)
    for _ in range(places):
        await admission.enter()
    return admission


async def _in_use(admission: Admission) -> None:
    """As many turns as it lets in."""
    while admission.under_way < int(admission.limit):
        await admission.enter()


async def test_a_free_place_is_taken_at_once() -> None:
    """On a quiet day nobody waits for anything."""
    admission = Admission(2)
    await admission.enter()
    await admission.enter()

    assert (admission.under_way, admission.waiting) == (2, 0)


async def test_who_waits_gets_the_next_place_in_order() -> None:
    """A short burst is answered whole, the first one first."""
    admission = await _filled(1)
    entered: list[int] = []

    async def come(number: int) -> None:
        await admission.enter()
        entered.append(number)

    async with asyncio.TaskGroup() as group:
        for number in range(3):
            group.create_task(come(number))
        await asyncio.sleep(WAIT_S / 2)
        assert entered == []
        for served in range(1, 4):
            admission.leave()
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            assert entered == list(range(served))

    assert (admission.under_way, admission.waiting) == (1, 0)


async def test_nobody_waits_longer_than_was_promised() -> None:
    """A customer hears within a second that there is no place, and when to come back."""
    admission = await _filled(1)
    loop = asyncio.get_running_loop()
    started = loop.time()
    with pytest.raises(Overloaded) as refused:
        await admission.enter()

    assert loop.time() - started == pytest.approx(WAIT_S)
    assert refused.value.status == 503
    assert 1 <= refused.value.retry_after_s <= 10
    assert (admission.under_way, admission.waiting) == (1, 0)


async def test_the_queue_has_an_end() -> None:
    """Beyond it a refusal costs nothing but itself."""
    admission = await _filled(1)
    async with asyncio.TaskGroup() as group:
        waiting = [group.create_task(admission.enter()) for _ in range(QUEUE_AT_MOST)]
        await asyncio.sleep(0)
        assert admission.is_congested
        started = asyncio.get_running_loop().time()
        with pytest.raises(Overloaded):
            await admission.enter()
        assert asyncio.get_running_loop().time() == started
        for task in waiting:
            task.cancel()

    assert not admission.is_congested


async def test_the_queue_is_as_long_as_what_gets_a_place_in_time() -> None:
    """On a slow day nobody is made to wait for a refusal that was certain from the beginning; a better day is noticed."""
    admission = await _filled(1)
    async with asyncio.TaskGroup() as group:
        for _ in range(QUEUE_AT_MOST):
            group.create_task(_try(admission))
    shortened = 0
    async with asyncio.TaskGroup() as group:
        while not admission.is_congested:
            shortened += 1
            group.create_task(_try(admission))
            await asyncio.sleep(0)
    for _ in range(2 * QUEUE_AT_MOST):
        called = asyncio.ensure_future(admission.enter())
        await asyncio.sleep(0)
        admission.leave()
        await called
    longer = [asyncio.ensure_future(_try(admission)) for _ in range(QUEUE_AT_MOST - 1)]
    await asyncio.sleep(0)

    assert shortened == QUEUE_AT_LEAST
    assert admission.waiting == QUEUE_AT_MOST - 1
    await asyncio.wait(longer)


async def _try(admission: Admission) -> None:
    with suppress(Overloaded):
        await admission.enter()


async def test_who_leaves_the_queue_takes_no_place_along() -> None:
    """Customers who give up must not use up the desk, not even in the moment in which they are called."""
    admission = await _filled(1)
    gone = asyncio.ensure_future(admission.enter())
    called = asyncio.ensure_future(admission.enter())
    await asyncio.sleep(0)
    gone.cancel()
    await asyncio.wait([gone])
    admission.leave()
    called.cancel()
    await asyncio.wait([called])

    assert (admission.under_way, admission.waiting) == (0, 0)


async def test_not_everybody_is_told_to_come_back_at_once() -> None:
    """A herd that was sent away together must not return together."""
    random.seed(1)
    admission = await _filled(1)
    told = set()
    for _ in range(30):
        with pytest.raises(Overloaded) as refused:
            await admission.enter()
        told.add(refused.value.retry_after_s)

    assert len(told) > 2


async def test_the_limit_grows_while_it_is_used_and_the_machine_is_on_time() -> None:
    """A large machine, or turns that mostly wait for Claude, may have many under way; but never more than was set."""
    admission = Admission(MOST)
    admission.note(0.0)
    assert admission.limit == AT_FIRST
    for _ in range(100):
        await _in_use(admission)
        admission.note(0.001)

    assert admission.limit == MOST


async def test_a_growing_limit_calls_in_who_waits() -> None:
    """Those in the queue need not wait for somebody's end when the machine can take more."""
    admission = Admission(MOST)
    await _in_use(admission)
    waiting = asyncio.ensure_future(admission.enter())
    await asyncio.sleep(0)
    admission.note(0.0)
    await waiting

    assert admission.under_way == AT_FIRST + 1


async def test_a_late_loop_cuts_the_limit_below_what_is_under_way() -> None:
    """Turns that are there get the machine for themselves until it is on time again."""
    admission = Admission(MOST, asyncio.get_running_loop().time)
    for _ in range(20):
        await _in_use(admission)
        admission.note(0.0)
    before = admission.under_way
    admission.note(5 * LATE_S)
    cut = admission.limit
    admission.note(5 * LATE_S)

    assert AT_LEAST < cut < before
    assert admission.limit == cut  # the cut is given time to show
    await asyncio.sleep(2)
    admission.note(5 * LATE_S)
    assert admission.limit < cut


async def test_a_slow_disk_keeps_the_limit_down() -> None:
    """A loop that is on time may still wait for a disk that is not: more turns at once would wait longer, and no less."""
    admission = Admission(MOST, asyncio.get_running_loop().time)
    for _ in range(20):
        await _in_use(admission)
        admission.note(0.0)
    before = admission.limit
    for _ in range(10):
        admission.note_stored(2 * SLOW_S)
    admission.note(0.0)
    cut = admission.limit
    for _ in range(10):
        admission.note_stored(0.01)
    admission.note(0.0)

    assert cut < before
    assert admission.limit > cut


async def test_there_are_never_fewer_places_than_keep_a_machine_busy() -> None:
    """However slow the machine is, some customers are answered at any time."""
    admission = Admission(MOST, asyncio.get_running_loop().time)
    await _in_use(admission)
    for _ in range(50):
        admission.note(10 * LATE_S)
        await asyncio.sleep(2)

    assert admission.limit == AT_LEAST


async def test_a_machine_that_others_keep_busy_refuses_nobody_for_it() -> None:
    """A late loop with few turns is not our turns' doing: fewer places would not mend it."""
    admission = Admission(MOST, asyncio.get_running_loop().time)
    await admission.enter()
    for _ in range(50):
        admission.note(10 * LATE_S)
        await asyncio.sleep(2)

    assert admission.limit == AT_FIRST


async def test_lateness_is_measured_on_the_loop_itself() -> None:
    """What is measured is what customers feel: how long whatever is ready has to wait for its turn."""
    times = chain([0.0, 0.0], repeat(0.45))  # the first look is due at 0.05, but the loop comes back at 0.45
    admission = Admission(MOST, lambda: next(times))
    running = asyncio.ensure_future(admission.run())
    await asyncio.sleep(0.06)
    running.cancel()
    await asyncio.wait([running])

    assert admission.late_s == pytest.approx(0.3 * 0.4)


async def test_accepted_turns_find_a_place_whatever_the_limit_says() -> None:
    """The turns of a server that died are taken over, also by one that is full."""
    admission = await _filled(1)
    admission.enter_anyway()

    assert admission.under_way == 2
    admission.leave()
    with pytest.raises(Overloaded):
        await admission.enter()


async def test_a_few_are_at_the_door_and_the_others_follow_one_by_one() -> None:
    """Fifty messages at once would keep the loop busy for a second, and everybody else would wait for it."""
    admission = Admission()
    inside: list[int] = [0]
    go_on = asyncio.Event()

    async def come() -> None:
        async with admission.door():
            inside.append(inside[-1] + 1)
            await go_on.wait()
            inside.append(inside[-1] - 1)

    coming = [asyncio.ensure_future(come()) for _ in range(50)]
    await asyncio.sleep(DOOR_S / 2)
    assert inside[-1] == AT_THE_DOOR
    go_on.set()
    await asyncio.gather(*coming)

    assert (max(inside), inside[-1]) == (AT_THE_DOOR, 0)


async def test_a_database_that_does_not_answer_keeps_nobody_out() -> None:
    """The others would wait for those at the door, and those for a database that may never answer."""
    admission = Admission()
    inside: list[int] = []

    async def come(number: int) -> None:
        async with admission.door():
            inside.append(number)
            await asyncio.Event().wait()

    coming = [asyncio.ensure_future(come(number)) for number in range(3 * AT_THE_DOOR)]
    await asyncio.sleep(2.5 * DOOR_S)
    assert inside == list(range(3 * AT_THE_DOOR))
    for task in coming:
        task.cancel()
    await asyncio.gather(*coming, return_exceptions=True)

    async with asyncio.timeout(DOOR_S), admission.door():
        pass


async def test_who_leaves_at_the_door_leaves_no_gap() -> None:
    """Each client that gives up would make the door narrower for ever."""
    admission = Admission()

    async def come() -> None:
        async with admission.door():
            await asyncio.Event().wait()

    coming = [asyncio.ensure_future(come()) for _ in range(2 * AT_THE_DOOR)]
    await asyncio.sleep(DOOR_S / 2)
    for task in coming:
        task.cancel()
    await asyncio.gather(*coming, return_exceptions=True)
    async with AsyncExitStack() as held:
        async with asyncio.timeout(DOOR_S / 2):
            for _ in range(AT_THE_DOOR):
                await held.enter_async_context(admission.door())


async def test_while_it_runs_it_sees_how_busy_the_server_is() -> None:
    """Nobody would find company on a busy server, because nobody looks whether it is one."""
    looked: list[float] = []
    admission = Admission()

    class Looks(Company):
        def look(self) -> None:
            looked.append(asyncio.get_running_loop().time())

    admission.company = Looks()
    measuring = asyncio.create_task(admission.run())
    await asyncio.sleep(10.5 * LOOK_EVERY_S)
    measuring.cancel()

    assert len(looked) == 10
