"""When the first words of an answer are shown: with the slowest guard, and that is soon.

Counted in characters, as if they came one by one, over all answers of bench/first_text.py.
"""

import re
from collections.abc import Callable
from functools import cache

from bench.first_text import Start, starts
from guards.chain import Chain
from guards.stream import Step
from tests.agents.folders import parts, shipped

SOON = 20
_WORD_OVER = re.compile(r"\S*\s*")


def _came(shown: Callable[[str], bool], text: str) -> int:
    """How many characters have come when the first of them is shown."""
    return next((count for count, letter in enumerate(text, start=1) if shown(letter)), len(text))


def _behind_chain(chain: Chain) -> Callable[[str], bool]:
    return lambda letter: bool(chain.push(letter)[0])


def _behind(step: Step) -> Callable[[str], bool]:
    return lambda letter: any(segment.text for segment in step.push(letter))


@cache
def _waits() -> list[tuple[Start, int, int]]:
    """Each answer, when its first words are shown, and when the slowest guard would show them by itself."""
    names, guards = shipped().specialists["product_info"].guards, parts().guards
    found = []
    for start in (start for row in starts(shipped()).values() for start in row):
        came = _came(_behind_chain(Chain(names, guards, start.scene)), start.text)
        alone = max(_came(_behind(guards[name].make(start.scene)), start.text) for name in names)
        found.append((start, came, alone))
    return found


def test_customers_wait_for_the_slowest_guard_and_not_for_all_of_them() -> None:
    """The first words would come several words later than any guard needs."""
    late = []
    for start, came, alone in _waits():
        over = _WORD_OVER.match(start.text, alone)
        if over is not None and came > over.end():
            late.append(start.text[:came])

    assert late == []


def test_nearly_all_answers_begin_to_show_within_their_first_words() -> None:
    """Customers would look at an empty answer; what an engine sends first is about as long."""
    came = [came for _, came, _ in _waits()]

    assert sum(count <= SOON for count in came) >= 0.95 * len(came)
    assert sorted(came)[len(came) // 2] <= SOON / 2
