"""The rows of the fault table, and what a run of their tests says about each.

A row is green only by tests that carry its mark. A row that no test carries is "not shown"; one whose tests show a
part of it says which part is missing (`lacks` in rows.toml, and in smaller sizes than full `lacks_until_full`).
"""

import tomllib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

State = Literal["pass", "partly", "FAIL", "not shown", "skipped", "-"]
_FILE = Path(__file__).with_name("rows.toml")


@dataclass(frozen=True, slots=True)
class Row:
    """One fault. `lacks`: what its tests do not show; `unused`: why the desk cannot have it."""

    name: str
    says: str
    lacks: str = ""
    unused: str = ""


@dataclass(frozen=True, slots=True)
class Ran:
    """One test: the rows it stands for, how it went, seconds, and the figures it has given."""

    rows: tuple[str, ...]
    outcome: Literal["passed", "failed", "skipped"]
    seconds: float
    figures: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Result:
    """What is known of one row after a run."""

    row: Row
    state: State
    tests: int
    seconds: float
    figures: tuple[str, ...]


def read_rows(*, is_full: bool = False) -> dict[str, Row]:
    """The rows in the order of the table, by name, as tests in full size show them or in a smaller one."""
    read: Mapping[str, dict[str, str]] = tomllib.loads(_FILE.read_text(encoding="utf-8"))
    for fields in read.values():
        until_full = fields.pop("lacks_until_full", "")
        if until_full and not is_full:
            fields["lacks"] = until_full
    return {name: Row(name, **fields) for name, fields in read.items()}


def results(rows: Iterable[Row], ran: Iterable[Ran]) -> list[Result]:
    """The result of each row, in the order of the rows."""
    by_row: defaultdict[str, list[Ran]] = defaultdict(list)
    for one in ran:
        for name in one.rows:
            by_row[name].append(one)
    return [_result(row, by_row[row.name]) for row in rows]


def _result(row: Row, ran: Sequence[Ran]) -> Result:
    figures = tuple(dict.fromkeys(figure for one in ran for figure in one.figures))
    tests = sum(one.outcome == "passed" for one in ran)
    return Result(row, _state(row, ran), tests, sum(one.seconds for one in ran), figures)


def _state(row: Row, ran: Sequence[Ran]) -> State:
    outcomes = {one.outcome for one in ran}
    if "failed" in outcomes:
        return "FAIL"
    if "skipped" in outcomes:
        return "skipped"
    if not outcomes:
        return "-" if row.unused else "not shown"
    return "partly" if row.lacks else "pass"


def table(found: Sequence[Result]) -> list[str]:
    """One line for each row."""
    return [_line(result) for result in found]


def _line(result: Result) -> str:
    row = result.row
    says = row.says
    if result.figures:
        says += f": {'; '.join(result.figures)}"
    if result.state == "partly":
        says += f" [not shown: {row.lacks}]"
    elif result.state == "-":
        says += f" [{row.unused}]"
    tests = f"{result.tests} test{'s' * (result.tests != 1)}" if result.tests else ""
    seconds = f"{result.seconds:.1f} s" if result.tests else ""
    return f"{row.name:<4}{result.state:<10}{tests:>9}{seconds:>8}  {says}"


def summary(found: Sequence[Result]) -> str:
    """One line about all of them."""
    states = [result.state for result in found]
    words: tuple[tuple[State, str], ...] = (
        ("pass", "pass"),
        ("partly", "partly shown"),
        ("FAIL", "FAIL"),
        ("skipped", "skipped"),
        ("not shown", "not shown"),
        ("-", "do not apply"),
    )
    counted = [f"{states.count(state)} {word}" for state, word in words if state in states]
    return f"{len(states)} rows: {', '.join(counted)}"
