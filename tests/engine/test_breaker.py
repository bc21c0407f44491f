"""The breaker: stops asking a model that fails, finds out by one probe when it is back."""

import pytest

from engine.breaker import (
    FAILURES_TO_OPEN,
    FIRST_PAUSE_S,
    LONGEST_NAMED_PAUSE_S,
    LONGEST_PAUSE_S,
    Breaker,
)
from tests.engine.calls import Clock


def _state(breaker: Breaker) -> str:
    return breaker.state


def _opened(clock: Clock) -> Breaker:
    breaker = Breaker("m", clock, chance=lambda: 0.0)
    for _ in range(FAILURES_TO_OPEN):
        breaker.failed("upstream_5xx")
    return breaker


def test_a_single_failure_changes_nothing() -> None:
    """One bad answer must not send everybody to basic mode."""
    breaker = Breaker("m", Clock())
    for _ in range(10):
        breaker.failed("upstream_5xx")
        breaker.succeeded()

    assert _state(breaker) == "closed"


def test_failures_in_a_row_open_it() -> None:
    """During an outage nobody waits for the same timeout again."""
    breaker = _opened(Clock())

    assert _state(breaker) == "open"
    assert not breaker.may_call()


def test_a_heavy_failure_counts_for_several() -> None:
    """A timeout has cost a customer eight seconds; two of them are enough."""
    breaker = Breaker("m", Clock())
    breaker.failed("first_token_timeout", weight=2)
    assert _state(breaker) == "closed"
    breaker.failed("first_token_timeout", weight=2)

    assert _state(breaker) == "open"


@pytest.mark.fault("U4")
def test_exactly_one_call_is_the_probe() -> None:
    """Everybody at once would overload an API that is just getting up."""
    clock = Clock()
    breaker = _opened(clock)
    clock.now += FIRST_PAUSE_S

    assert [breaker.may_call() for _ in range(5)] == [True, False, False, False, False]
    assert _state(breaker) == "half_open"


def test_a_good_probe_closes_it() -> None:
    """Customers get Claude back without anybody's doing."""
    clock = Clock()
    breaker = _opened(clock)
    clock.now += FIRST_PAUSE_S
    breaker.may_call()
    breaker.succeeded(is_probe=True)

    assert _state(breaker) == "closed"
    assert breaker.may_call()


def test_bad_probes_double_the_pause_up_to_its_limit() -> None:
    """A long outage is probed rarely, and its end is still noticed within half a minute."""
    clock = Clock()
    breaker = _opened(clock)
    pauses = []
    for _ in range(5):
        before = clock.now
        while not breaker.may_call():
            clock.now += 0.5
        pauses.append(clock.now - before)
        breaker.failed("upstream_5xx", is_probe=True)

    assert pauses == [5.0, 10.0, 20.0, LONGEST_PAUSE_S, LONGEST_PAUSE_S]


def test_calls_from_before_do_not_disturb_the_probe() -> None:
    """A slow failure from before the outage must not shut a model out that has just answered."""
    clock = Clock()
    breaker = _opened(clock)
    breaker.succeeded()
    assert _state(breaker) == "open"
    clock.now += FIRST_PAUSE_S
    breaker.may_call()
    breaker.failed("upstream_5xx")
    breaker.succeeded()

    assert _state(breaker) == "half_open"


def test_an_abandoned_probe_lets_the_next_one_try() -> None:
    """A customer who leaves in the middle of the probe must not lock everybody out for good."""
    clock = Clock()
    breaker = _opened(clock)
    clock.now += FIRST_PAUSE_S
    breaker.may_call()
    breaker.abandoned()

    assert breaker.may_call()


@pytest.mark.fault("U2")
@pytest.mark.parametrize(("named_s", "pause_s"), [(7.0, 7.0), (3600.0, LONGEST_NAMED_PAUSE_S)])
def test_a_named_pause_opens_it_at_once(named_s: float, pause_s: float) -> None:
    """When the API says how long to wait, asking before is rude and useless; an hour is too long to stay away."""
    clock = Clock()
    breaker = Breaker("m", clock, chance=lambda: 0.0)
    breaker.failed("retry_after_over_budget", named_s)
    clock.now += pause_s - 0.01
    assert not breaker.may_call()
    clock.now += 0.02

    assert breaker.may_call()


def test_pauses_differ_from_server_to_server() -> None:
    """Ten servers that lost Claude together must not come back in the same moment."""
    pauses = set()
    for chances in ([0.0], [0.5], [1.0]):
        clock = Clock()
        breaker = Breaker("m", clock, chance=chances.pop)
        breaker.failed("upstream_529", 10.0)
        start = clock.now
        while not breaker.may_call():
            clock.now += 0.25
        pauses.add(clock.now - start)

    assert len(pauses) == 3
    assert min(pauses) >= 10.0
