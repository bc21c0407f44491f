"""Repeat offenders wait, a little longer each time; everybody else does not."""

from router.offenders import LONGEST_WAIT_S, OWNERS_AT_MOST, PATIENCE, REMEMBERED_S, Offenders


class _Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def _after(hits: int) -> tuple[Offenders, _Clock]:
    clock = _Clock()
    offenders = Offenders(clock)
    for _ in range(hits):
        offenders.note("visitor:1")
    return offenders, clock


def test_the_first_ones_cost_nothing() -> None:
    """A customer who is misunderstood twice notices nothing."""
    offenders, _ = _after(PATIENCE - 1)

    assert offenders.wait_s("visitor:1") == 0


def test_the_wait_grows_and_is_bounded() -> None:
    """Trying out attacks becomes tedious, and nobody is locked out."""
    waits = [_after(hits)[0].wait_s("visitor:1") for hits in range(PATIENCE, PATIENCE + 8)]

    assert waits[:4] == [5, 10, 20, 40]
    assert waits[-1] == LONGEST_WAIT_S
    assert waits == sorted(waits)


def test_the_wait_ends() -> None:
    """After it the next message is taken, and after ten quiet minutes all is forgotten."""
    offenders, clock = _after(PATIENCE)
    clock.now += 4.2
    assert offenders.wait_s("visitor:1") == 1
    clock.now += 0.8
    assert offenders.wait_s("visitor:1") == 0
    clock.now += REMEMBERED_S
    offenders.note("visitor:1")
    assert offenders.wait_s("visitor:1") == 0


def test_others_are_not_touched() -> None:
    """Two visitors behind one address have nothing to do with each other."""
    offenders, _ = _after(20)

    assert offenders.wait_s("visitor:2") == 0


def test_memory_is_bounded() -> None:
    """A flood of new visitors must not fill the server; the oldest are forgotten."""
    offenders, _ = _after(PATIENCE)
    for number in range(OWNERS_AT_MOST):
        offenders.note(f"visitor:new-{number}")

    assert offenders.wait_s("visitor:1") == 0
    assert len(offenders._times) == OWNERS_AT_MOST
