"""Messages that begin together: nobody waits on a calm server, and on a busy one nobody waits long."""

import asyncio

import pytest

from router.company import BUSY, CALM, TOGETHER, WAIT_S, Company

pytestmark = pytest.mark.quick_time


def _company(busy: float) -> Company:
    company = Company()
    while abs(company.busy - busy) > 1e-9:
        company.note(busy)
    return company


async def _joined_s(company: Company, *after_s: float) -> list[float]:
    """When each of those who come so long after now begins; in the loop's seconds from now."""
    loop = asyncio.get_running_loop()
    came_s = loop.time()

    async def come(seconds: float) -> float:
        await asyncio.sleep(seconds)
        await company.join()
        return loop.time() - came_s

    return [round(each, 6) for each in await asyncio.gather(*map(come, after_s))]


@pytest.mark.parametrize("busy", [0.0, CALM])
async def test_on_a_calm_server_everybody_begins_at_once(busy: float) -> None:
    """Company saves work, and there is time for it anyway."""
    assert await _joined_s(_company(busy), 0.0, 0.001) == [0.0, 0.001]


async def test_on_a_busy_server_those_who_come_within_a_moment_begin_together() -> None:
    """The same steps in a row cost less."""
    late = WAIT_S / 2
    assert await _joined_s(_company(1.0), 0.0, late) == [WAIT_S, WAIT_S]


async def test_nobody_waits_for_somebody_who_does_not_come() -> None:
    """The first of each company is the one who waits longest, and that is not long."""
    later = WAIT_S + 0.001
    assert await _joined_s(_company(BUSY), 0.0, later) == [WAIT_S, later + WAIT_S]


async def test_enough_company_is_not_waited_for_any_longer_and_the_next_begin_anew() -> None:
    """A crowd goes in at once."""
    comes_s = [0.001 * number for number in range(TOGETHER + 1)]
    together_s, next_s = comes_s[TOGETHER - 1], comes_s[TOGETHER] + WAIT_S
    assert await _joined_s(_company(1.0), *comes_s) == [*TOGETHER * [together_s], next_s]


async def test_the_busier_the_longer() -> None:
    """A server that is only half busy makes nobody wait for all that may be waited."""
    half = (CALM + BUSY) / 2
    assert await _joined_s(_company(half), 0.0) == [round(WAIT_S / 2, 6)]


async def test_whoever_goes_away_keeps_the_others_from_nothing() -> None:
    """A browser that is closed meanwhile."""
    company = _company(1.0)
    gone = asyncio.create_task(company.join())
    await asyncio.sleep(WAIT_S / 2)
    gone.cancel()
    assert await _joined_s(company, 0.0) == [WAIT_S / 2]


async def test_whoever_comes_when_it_is_calm_again_does_not_overtake() -> None:
    """The second of two messages would be answered as the first."""
    company = _company(1.0)
    first = asyncio.create_task(_joined_s(company, 0.0))
    await asyncio.sleep(WAIT_S / 2)
    company.busy = 0.0

    assert await _joined_s(company, 0.0) == [WAIT_S / 2]
    assert await first == [WAIT_S]


def test_what_counts_is_the_share_of_a_core_that_is_used() -> None:
    """Smoothed, so that one long step makes no server a busy one."""
    now_s, worked_s = 100.0, 7.0
    company = Company(lambda: now_s, lambda: worked_s)
    seen = []
    for _ in range(30):
        now_s, worked_s = now_s + 0.05, worked_s + 0.04
        company.look()
        seen.append(company.busy)
    company.look()  # at the same moment: nothing to be learnt

    assert seen == sorted(seen)
    assert seen[0] < CALM
    assert company.busy == seen[-1] == pytest.approx(0.8, abs=0.01)
