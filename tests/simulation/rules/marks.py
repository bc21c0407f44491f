"""Rules for cache marks: at most four, and those for an hour before those for five minutes."""

from tests.simulation.errors import invalid
from tests.simulation.prompt import Prompt
from tests.simulation.units import units_of

MAX_MARKS = 4


def check(prompt: Prompt) -> None:
    """Refuse too many marks, or a long one after a short one."""
    lifetimes = [unit.mark.ttl for unit in units_of(prompt) if unit.mark is not None]
    if len(lifetimes) > MAX_MARKS:
        raise invalid(
            f"A maximum of {MAX_MARKS} blocks with cache_control may be provided. Found {len(lifetimes)}."
        )
    if "5m" in lifetimes and "1h" in lifetimes[lifetimes.index("5m") :]:
        raise invalid(
            "cache_control: a ttl='1h' block must not come after a ttl='5m' block (order: tools, system, messages)"
        )
