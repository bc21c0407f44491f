"""One group of writes: run each, commit all, and say what came of each.

Law: a write that breaks breaks alone. When a group fails for a reason of its own, each of its writes gets a
transaction to itself, and only the one at fault hears of the failure. Runs in the writer's thread.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from errors import FrontdeskError, Unavailable
from store.backend import PASSING, Fault

Result = TypeVar("Result")
Work = Callable[[Connection], Result]
FaultOf = Callable[[DBAPIError], Fault | None]


@dataclass(frozen=True, slots=True)
class Failed:
    """Nothing was written; `error` goes to whoever waits."""

    error: Exception


@dataclass(frozen=True, slots=True)
class Later:
    """Somebody has a lock, or the line broke: the same may work in a moment.

    Nothing was written, unless the line broke in the middle of the commit: then nobody here can know.
    """

    fault: Fault


Outcome = Any  # what the work gave, or Failed, or Later


def run_group(connection: Connection, group: Sequence[Work[Any]], fault_of: FaultOf) -> list[Outcome]:
    """The outcome of each write, once all are on disk."""
    try:
        connection.begin()
    except DBAPIError as exc:
        return [trouble(fault_of(exc)) for _ in group]
    try:
        outcomes = [_outcome(connection, work) for work in group]
        connection.commit()
    except Exception as exc:  # noqa: BLE001 - it is raised again, at the caller whose work it is
        connection.rollback()
        fault = fault_of(exc) if isinstance(exc, DBAPIError) else None
        is_of_one = fault is None or fault == "db_busy"
        if is_of_one and len(group) > 1:
            return [run_group(connection, [work], fault_of)[0] for work in group]
        return [Failed(exc) if fault is None else trouble(fault) for _ in group]
    return outcomes


def _outcome(connection: Connection, work: Work[Any]) -> Outcome:
    """What the work gave, or what it refused; told only after the commit, because it may rest on the others."""
    try:
        return work(connection)
    except FrontdeskError as exc:
        return Failed(exc)


def trouble(fault: Fault | None) -> Failed | Later:
    """What a write hears when the database itself fails."""
    return Later(fault) if fault in PASSING else Failed(unavailable(fault))


def unavailable(fault: Fault | None) -> Unavailable:
    """The failure as callers hear of it."""
    code = fault or "db_error"
    return Unavailable(f"database: {code}", code=code)
