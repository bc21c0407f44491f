"""The one broad handler of the program: what goes wrong inside is told to the log, and goes no further.

Why: one turn that fails must not take the others along, and a failure's own words may hold a customer's, so a log
line gets the kind and the place of an error and never its message.
"""

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import structlog

from errors import FrontdeskError, LeaseLost, Unavailable

log = structlog.get_logger()
_FRAMES = 4


@dataclass(slots=True)
class Contained:
    """What was caught, if anything."""

    error: Exception | None = None

    @property
    def code(self) -> str:
        """The code of the failure, for the customer's client and the routing line."""
        return self.error.code if isinstance(self.error, FrontdeskError) else "internal_error"

    @property
    def customer_text(self) -> str:
        """What a customer may read about it."""
        error = self.error if isinstance(self.error, FrontdeskError) else FrontdeskError()
        return error.customer_text


@contextmanager
def contained(event: str, **facts: str) -> Iterator[Contained]:
    """Catch whatever fails inside and log it as `event` with these facts; a cancellation passes through."""
    caught = Contained()
    try:
        yield caught
    except Exception as exc:  # noqa: BLE001 - see above
        caught.error = _root(exc)
        is_expected = isinstance(caught.error, LeaseLost | Unavailable)
        say = log.warning if is_expected else log.error
        say(
            event,
            code=caught.code,
            error=type(caught.error).__name__,
            where=_where(caught.error) or _where(exc),
            **facts,
        )


def _root(error: Exception) -> Exception:
    """The first failure inside a group of failures."""
    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    return error


def _where(error: Exception) -> str:
    """File, line and function where it happened, innermost first."""
    frames = traceback.extract_tb(error.__traceback__)
    return " < ".join(
        f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in reversed(frames[-_FRAMES:])
    )
