"""All retries of a process come out of one purse, and what only a person can mend is told once a minute."""

import asyncio
import json
from contextlib import suppress

import pytest

from engine.alarm import EVERY_S, Alarm
from engine.base import Trouble
from engine.budget import SAVED_AT_MOST, SHARE, RetryBudget
from engine.resilient import Patience, Resilient
from errors import EngineBusy, EngineError
from tests.engine.calls import REQUEST, Clock, Scripted, heard, words

SHORT = Patience(first_piece_s=2.0, retry_total_s=1.2)
BUSY = EngineBusy("busy", fault="upstream_529", retry_after_s=0.01)


def test_the_purse_pays_for_a_share_of_the_calls() -> None:
    """In the long run one retry for five calls, however many of them fail."""
    budget = RetryBudget()
    retries = 0
    for _ in range(1000):
        budget.earn()
        retries += budget.pay()

    assert retries in range(round(1000 * SHARE), round(1000 * SHARE + SAVED_AT_MOST) + 1)


def test_a_quiet_day_fills_the_purse_and_no_more() -> None:
    """A trouble after a good night is repaired; it does not pay for a storm."""
    budget = RetryBudget()
    for _ in range(1000):
        budget.earn()

    assert budget.left == SAVED_AT_MOST
    assert sum(budget.pay() for _ in range(100)) == SAVED_AT_MOST


@pytest.mark.fault("U20")
@pytest.mark.quick_time
async def test_when_every_second_try_fails_the_load_stays_below_the_budget() -> None:
    """No breaker opens, because good answers come in between; and still nobody's retries add up to a second outage."""
    engine = Scripted([step for _ in range(300) for step in ([BUSY], words("Hello."))])
    resilient = Resilient(engine, SHORT)
    answered = 0
    for _ in range(200):
        with suppress(EngineError):
            answered += bool(await heard(resilient))

    assert len(engine.requests) <= 200 * (1 + SHARE) + SAVED_AT_MOST
    assert answered > 100
    assert set(resilient.states.values()) == {"closed"}


@pytest.mark.quick_time
async def test_a_retry_that_nobody_pays_for_is_not_made_and_told() -> None:
    """Ops see why a short trouble was not repaired."""
    resilient = Resilient(Scripted([[BUSY], words("Hello.")]), SHORT)
    while resilient.budget.pay():
        pass
    stream = resilient.stream(REQUEST)
    told = await anext(stream)
    with pytest.raises(EngineBusy):
        await anext(stream)

    assert told == Trouble("retry_budget_spent")


@pytest.mark.fault("U20")
@pytest.mark.quick_time
async def test_a_herd_that_was_told_to_wait_comes_back_as_a_trickle() -> None:
    """Two hundred customers hear "wait a second" in the same moment: ten of them ask again, the others go elsewhere."""
    engine = Scripted([*[[EngineBusy("wait", retry_after_s=1.0)]] * 200, words("Hello.")])
    resilient = Resilient(engine, Patience())

    async def ask() -> None:
        with suppress(EngineError):
            await heard(resilient)

    async with asyncio.TaskGroup() as group:
        for _ in range(200):
            group.create_task(ask())

    assert len(engine.requests) <= 200 + SAVED_AT_MOST


@pytest.mark.fault("U3", "U6")
@pytest.mark.parametrize(("fault", "level"), [("upstream_auth", "critical"), ("upstream_spend_cap", "error")])
def test_what_only_a_person_can_mend_is_one_line_a_minute(
    fault: str, level: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whoever is on call is woken once, and told what to do."""
    clock = Clock()
    alarm = Alarm(clock)
    for _ in range(600):
        alarm.ring(fault, "claude-sonnet-5-5", "req_1")
        clock.now += 0.25
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    assert len(lines) == 600 * 0.25 // EVERY_S + 1
    assert {(line["event"], line["level"], line["fault"]) for line in lines} == {
        ("upstream.refused", level, fault)
    }
    assert all(line["remedy"] for line in lines)


def test_what_passes_by_itself_wakes_nobody(capsys: pytest.CaptureFixture[str]) -> None:
    """An overload is in the routing line and in the figures; that is enough."""
    Alarm(Clock()).ring("upstream_529", "claude-sonnet-5-5", None)

    assert capsys.readouterr().out == ""
