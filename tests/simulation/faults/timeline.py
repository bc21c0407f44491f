"""The row of faults that lies before one model, taken step by step as requests come."""

from collections.abc import Iterable

from tests.simulation.faults.base import Fault
from tests.simulation.faults.script import Step, parse


class Timeline:
    """Steps still to come; when none is left, every request is answered well. Times are seconds of one clock."""

    def __init__(self, plan: str | Iterable[Fault | Step]) -> None:
        steps = parse(plan) if isinstance(plan, str) else plan
        self._steps = [step if isinstance(step, Step) else Step((step,)) for step in steps]
        self._used = 0
        self._until: float | None = None

    def next(self, now: float) -> tuple[Fault, ...]:
        """The faults that strike the request that comes now."""
        while self._steps:
            step = self._steps[0]
            if step.seconds is not None and self._until is None:
                self._until = now + step.seconds
            if self._is_over(step, now):
                self._steps.pop(0)
                self._used, self._until = 0, None
                continue
            self._used += 1
            return step.faults
        return ()

    def _is_over(self, step: Step, now: float) -> bool:
        if self._until is not None:
            return now >= self._until
        return step.times is not None and self._used >= step.times
