"""A simulated Claude Messages API for tests: `async with Simulation(brain) as sim`, then the real SDK.

Subjects: content, prompt, request (what comes in); rules (what is refused); reply, brains, rendering (what is said);
acts, connection, server (how it is sent); faults (how it breaks); cache, limits, seals (what is remembered).
"""

from tests.simulation import brains, faults
from tests.simulation.brains import Classifier, Script
from tests.simulation.limits import Limits
from tests.simulation.recorded import Recorded
from tests.simulation.reply import Brain, BrainError, Cited, Data, Reply, Text, Thinking, ToolUse
from tests.simulation.request import MessageRequest
from tests.simulation.server import Simulation
from tests.simulation.timing import Timing

__all__ = [
    "Brain",
    "BrainError",
    "Cited",
    "Classifier",
    "Data",
    "Limits",
    "MessageRequest",
    "Recorded",
    "Reply",
    "Script",
    "Simulation",
    "Text",
    "Thinking",
    "Timing",
    "ToolUse",
    "brains",
    "faults",
]
