"""What can go wrong, as values and as a script; see script.py for the words of the script."""

from tests.simulation.faults.base import Fault, Ok
from tests.simulation.faults.refusals import Hang, Status, TooLong, ramp_limit, spend_limit
from tests.simulation.faults.replies import BrokenToolJson, CutByLimit, Empty, Paused, Refused, WrongCaseTool
from tests.simulation.faults.script import Step, parse
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
from tests.simulation.faults.timeline import Timeline

__all__ = [
    "BadJson",
    "Broken",
    "BrokenToolJson",
    "CutByLimit",
    "Empty",
    "ErrorEvent",
    "Fault",
    "Hang",
    "NoStop",
    "Ok",
    "Paused",
    "Pings",
    "Refused",
    "Segments",
    "Stall",
    "Status",
    "Step",
    "Timeline",
    "TooLong",
    "UnknownEvents",
    "WrongCaseTool",
    "parse",
    "ramp_limit",
    "spend_limit",
]
