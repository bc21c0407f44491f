"""One group of writes: run each, commit all, tell each what came of it.

Law: a write that breaks breaks alone. When a group fails for a reason of its own, each of its writes gets a
transaction to itself, and only the one at fault hears of the failure.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection

from errors import FrontdeskError, Unavailable

Result = TypeVar("Result")
Work = Callable[[AsyncConnection], Awaitable[Result]]
Tell = Callable[[Exception, int], str]


@dataclass(slots=True)
class Write:
    """Work that waits for its commit. `since` is a monotonic time in seconds."""

    work: Work[Any]
    done: asyncio.Future[Any]
    since: float

    def refuse(self, error: Exception) -> None:
        """Tell whoever waits that nothing was written; somebody who went away is not told."""
        if not self.done.done():
            self.done.set_exception(error)


async def run_group(connection: AsyncConnection, group: list[Write], tell: Tell) -> str | None:
    """Run and commit the group in the transaction that is open; returns the code of a database fault, if any."""
    group = [write for write in group if not write.done.done()]  # nothing is written for somebody who gave up
    try:
        outcomes = [await _outcome(connection, write) for write in group]
        await connection.commit()
    except OperationalError as exc:
        await connection.rollback()
        fault = tell(exc, len(group))
        for write in group:
            write.refuse(Unavailable(f"database: {fault}", code=fault))
        return fault
    except Exception as exc:  # noqa: BLE001 - it is raised again, at the caller whose work it is
        await connection.rollback()
        if len(group) == 1:
            group[0].refuse(exc)
            return None
        faults = [await run_group(connection, [write], tell) for write in group]
        return next((fault for fault in faults if fault is not None), None)
    for write, outcome in zip(group, outcomes, strict=True):
        if isinstance(outcome, FrontdeskError):
            write.refuse(outcome)
        elif not write.done.done():
            write.done.set_result(outcome)
    return None


async def _outcome(connection: AsyncConnection, write: Write) -> object:
    """What the work gave, or what it refused; told only after the commit, because it may rest on the others."""
    try:
        return await write.work(connection)
    except FrontdeskError as exc:
        return exc


def fault_of(error: Exception) -> str:
    """The routing log's code of a database failure."""
    text = str(error.orig) if isinstance(error, DBAPIError) else ""
    if "locked" in text or "busy" in text:
        return "db_busy"
    return "db_full" if "full" in text else "db_error"
