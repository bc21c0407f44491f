"""One group of writes: run each, commit all, and say what came of each.

Law: a write that breaks breaks alone. When a group fails for a reason of its own, each of its writes gets a
transaction to itself, and only the one at fault hears of the failure. Runs in the writer's thread.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, ProgrammingError

from errors import FrontdeskError, Unavailable

Result = TypeVar("Result")
Work = Callable[[Connection], Result]


@dataclass(frozen=True, slots=True)
class Failed:
    """Nothing was written; `error` goes to whoever waits."""

    error: Exception


@dataclass(frozen=True, slots=True)
class Locked:
    """Somebody else has the write lock; nothing was tried."""

    error: DBAPIError


Outcome = Any  # what the work gave, or Failed


def run_group(connection: Connection, group: Sequence[Work[Any]]) -> list[Outcome] | Locked:
    """The outcome of each write, once all are on disk."""
    try:
        connection.begin()
    except DBAPIError as exc:
        if fault_of(exc) == "db_busy":
            return Locked(exc)
        return [Failed(unavailable(exc)) for _ in group]
    try:
        outcomes = [_outcome(connection, work) for work in group]
        connection.commit()
    except Exception as exc:  # noqa: BLE001 - it is raised again, at the caller whose work it is
        connection.rollback()
        if isinstance(exc, DBAPIError) and is_outage(exc):
            return [Failed(unavailable(exc)) for _ in group]
        return [Failed(exc)] if len(group) == 1 else [_alone(connection, work) for work in group]
    return outcomes


def _alone(connection: Connection, work: Work[Any]) -> Outcome:
    outcomes = run_group(connection, [work])
    return Failed(unavailable(outcomes.error)) if isinstance(outcomes, Locked) else outcomes[0]


def _outcome(connection: Connection, work: Work[Any]) -> Outcome:
    """What the work gave, or what it refused; told only after the commit, because it may rest on the others."""
    try:
        return work(connection)
    except FrontdeskError as exc:
        return Failed(exc)


def is_outage(error: DBAPIError) -> bool:
    """Whether the database itself is in trouble (locked, full, damaged, gone), and not the statement."""
    return not isinstance(error, IntegrityError | ProgrammingError | DataError)


def unavailable(error: DBAPIError) -> Unavailable:
    """The failure as its callers hear of it."""
    fault = fault_of(error)
    return Unavailable(f"database: {fault}", code=fault)


def fault_of(error: DBAPIError) -> str:
    """The routing log's code of a database failure."""
    text = str(error.orig)
    if "locked" in text or "busy" in text:
        return "db_busy"
    return "db_full" if "full" in text else "db_error"
