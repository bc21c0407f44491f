"""One who floods the desk is slowed down; everybody else notices nothing."""

import pytest

from errors import ConfigError
from router import quota as quota_module
from router.quota import Quota, Quotas, Rate
from tests.engine.calls import Clock

MINUTELY = Rate(60, 60.0)


def test_a_flood_is_let_in_at_the_rate_and_no_faster() -> None:
    """Fifty messages a second are slowed down to one; what the others send is not touched."""
    clock = Clock()
    quota = Quota(MINUTELY, clock)
    taken = 0
    for _ in range(50 * 30):
        taken += quota.take("visitor:noisy") == 0
        assert quota.take(f"visitor:{clock.now}") == 0
        clock.now += 1 / 50

    assert taken in range(60 + 29, 60 + 31)


def test_the_wait_that_is_told_is_enough_and_not_too_long() -> None:
    """Whoever comes back when told is let in."""
    clock = Clock()
    quota = Quota(Rate(3, 60.0), clock)
    assert [quota.take("a") for _ in range(4)] == [0, 0, 0, 20]
    clock.now += 12.5
    assert quota.take("a") == 8
    clock.now += 7.5

    assert quota.take("a") == 0
    assert quota.take("a") == 20


def test_an_allowance_fills_up_again_but_not_without_end() -> None:
    """After a quiet hour it is one full allowance, not sixty."""
    clock = Clock()
    quota = Quota(MINUTELY, clock)
    for _ in range(2):
        assert [quota.take("a") for _ in range(61)] == [*[0] * 60, 1]
        clock.now += 3600


def test_who_has_a_full_allowance_is_forgotten() -> None:
    """Memory follows the callers of the last minute, not those of all time."""
    clock = Clock()
    quota = Quota(MINUTELY, clock)
    for number in range(100):
        quota.take(f"visitor:{number}")
    clock.now += 61
    quota.take("visitor:new")

    assert list(quota._full_at) == ["visitor:new"]


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A flood of new callers must not fill the server."""
    monkeypatch.setattr(quota_module, "CALLERS_AT_MOST", 10)
    quota = Quota(MINUTELY, Clock())
    for number in range(100):
        quota.take(f"visitor:{number}")

    assert len(quota._full_at) == 10


def test_without_a_rate_nobody_is_limited() -> None:
    """A company may leave this to its own gateway."""
    quota = Quota(None)

    assert not any(quota.take("a") for _ in range(1000))


def test_owner_and_address_each_have_an_allowance() -> None:
    """Throwing the visitor token away does not help whoever floods from one address."""
    quotas = Quotas(Quota(Rate(2, 60.0), Clock()), Quota(Rate(3, 60.0), Clock()))

    assert [quotas.take("a", "1.2.3.4") for _ in range(3)] == [0, 0, 30]
    assert [quotas.take("b", "1.2.3.4"), quotas.take("c", "1.2.3.4")] == [0, 20]
    assert quotas.take("customer:d", None) == 0


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ("60/minute", MINUTELY),
        ("5/second", Rate(5, 1.0)),
        ("1000/hour", Rate(1000, 3600.0)),
        ("off", None),
    ],
)
def test_rates_as_operators_write_them(text: str, rate: Rate | None) -> None:
    """A rate is a number and a unit, or off."""
    assert Rate.read(text, "FRONTDESK_CALLER_LIMIT") == rate


@pytest.mark.parametrize("text", ["", "60", "0/minute", "60/day", "-1/second", "fast", "60 / minute"])
def test_another_rate_is_refused_at_the_start(text: str) -> None:
    """A typing error must not leave the desk open to a flood."""
    with pytest.raises(ConfigError, match=r"FRONTDESK_CALLER_LIMIT: .*write for example 60/minute"):
        Rate.read(text, "FRONTDESK_CALLER_LIMIT")
