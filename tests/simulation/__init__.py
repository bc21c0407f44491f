"""A simulated Claude Messages API for tests, which the real SDK talks to.

    async with Simulation(lambda request: Reply.of("Hello.")) as simulation:
        simulation.pace("claude-haiku-5-5", label_ms=350)
        simulation.faults("claude-sonnet-5-5", "429:1, ok, 529x3, close:2:word, hang")
        client = AsyncAnthropic(base_url=simulation.base_url, api_key=simulation.api_key, max_retries=0)
        ...
        assert simulation.calls("claude-sonnet-5-5")[0].body["max_tokens"] == 1500

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
