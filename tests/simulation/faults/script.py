"""Read a line such as "429:1, ok, 529x3, hang, ok" into steps of faults.

Grammar: steps divided by commas; a step is one fault, or several joined by "+"; a fault is a name and arguments
divided by ":"; behind a step may stand xN (N times), x* (from now on) or "for 5s" (that long from its first use).
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from tests.simulation.acts import End
from tests.simulation.faults.base import Fault, Ok
from tests.simulation.faults.refusals import Hang, Status, TooLong, ramp_limit, spend_limit
from tests.simulation.faults.replies import (
    BrokenToolJson,
    Category,
    CutByLimit,
    Empty,
    Paused,
    Refused,
    WrongCaseTool,
)
from tests.simulation.faults.streams import (
    BadJson,
    Broken,
    ErrorEvent,
    NoStop,
    Pings,
    Segments,
    Stall,
    UnknownEvents,
)
from tests.simulation.faults.torn import Mid

_STEP = re.compile(r"(?P<faults>\S+?)(?:\s*x(?P<times>\d+|\*))?(?:\s+for\s+(?P<seconds>[\d.]+)s)?")
_STATUSES = (401, 402, 403, 404, 408, 409, 413, 500, 503, 504, 529)


@dataclass(frozen=True, slots=True)
class Step:
    """Faults that strike one request together. `times` None: for ever; `seconds`: that long instead of a count."""

    faults: tuple[Fault, ...]
    times: int | None = 1
    seconds: float | None = None


def parse(script: str) -> list[Step]:
    """The steps of a script.

    Raises:
        ValueError: A step cannot be read; the text names it and the known names.
    """
    return [_step(text.strip()) for text in script.split(",") if text.strip()]


def _step(text: str) -> Step:
    match = _STEP.fullmatch(text)
    if match is None:
        raise ValueError(
            f'"{text}" is no step; write for example 429:1, 529x3, hang, cut:2:word or "529 for 5s"'
        )
    faults = tuple(_fault(name) for name in match["faults"].split("+"))
    seconds = float(match["seconds"]) if match["seconds"] else None
    times = None if match["times"] == "*" or seconds is not None else int(match["times"] or 1)
    return Step(faults, times, seconds)


def _fault(text: str) -> Fault:
    name, *arguments = text.split(":")
    make = NAMES.get(name)
    if make is None:
        raise ValueError(f'fault "{name}" is unknown; known: {", ".join(sorted(NAMES))}')
    return make(arguments)


def _too_many(arguments: list[str]) -> Fault:
    match arguments:
        case []:
            return Status(429)
        case ["spend"]:
            return spend_limit()
        case ["ramp"]:
            return ramp_limit()
        case _:
            return Status(429, float(arguments[0]))


def _bad_request(arguments: list[str]) -> Fault:
    return TooLong(int(arguments[0])) if arguments else Status(400)


def _broken(how: End) -> Callable[[list[str]], Fault]:
    def make(arguments: list[str]) -> Fault:
        mid = {"": "", "word": "word", "event": "event"}[arguments[1] if len(arguments) > 1 else ""]
        return Broken(_number(arguments, 1), how, cast("Mid", mid))

    return make


def _status(status: int) -> Callable[[list[str]], Fault]:
    return lambda arguments: Status(status, float(arguments[0]) if arguments else None)


def _number(arguments: list[str], default: int) -> int:
    return int(arguments[0]) if arguments and arguments[0] else default


def _error(arguments: list[str]) -> Fault:
    return ErrorEvent(_number(arguments, 1), arguments[1] if len(arguments) > 1 else "overloaded_error")


def _stall(arguments: list[str]) -> Fault:
    return Stall(float(arguments[0]), int(arguments[1]) if len(arguments) > 1 else 1)


NAMES: dict[str, Callable[[list[str]], Fault]] = {
    "ok": lambda _: Ok(),
    "400": _bad_request,
    "429": _too_many,
    "502": lambda _: Status(502, is_html=True),
    **{str(status): _status(status) for status in _STATUSES},
    "hang": lambda _: Hang(),
    "hang200": lambda _: Hang(after_headers=True),
    "cut": _broken("complete"),
    "close": _broken("close"),
    "reset": _broken("reset"),
    "error": _error,
    "stall": _stall,
    "badjson": lambda arguments: BadJson(_number(arguments, 1)),
    "unknown": lambda _: UnknownEvents(),
    "pings": lambda arguments: Pings(_number(arguments, 50)),
    "nostop": lambda _: NoStop(),
    "bytes": lambda _: Segments("bytes"),
    "utf8": lambda _: Segments("utf8"),
    "empty": lambda _: Empty(),
    "max_tokens": lambda arguments: CutByLimit(int(arguments[0]) if arguments else None),
    "refusal": lambda arguments: Refused(cast("Category", arguments[0]) if arguments else "general_harms"),
    "pause": lambda _: Paused(),
    "tooljson": lambda _: BrokenToolJson(),
    "toolcase": lambda _: WrongCaseTool(),
}
