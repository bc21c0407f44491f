"""What the simulation remembers of one request, for the test to look at."""

import json
from dataclasses import dataclass, field

from tests.simulation.content import JsonObject
from tests.simulation.faults.base import Fault
from tests.simulation.request import MessageRequest


@dataclass(slots=True)
class Recorded:
    """One request and what became of it. Times are monotonic seconds; None means it has not happened.

    Attributes:
        disconnected_at: When the client went away before the answer was complete.
        finished_at: When the last byte of the answer was sent, however faulty it was.
        faults: The scripted faults that struck it.
        parsed: The typed request, None when it was refused before it could be read.
    """

    method: str
    path: str
    headers: dict[str, str]
    raw: bytes
    request_id: str
    arrived_at: float
    began_at: float | None = None
    finished_at: float | None = None
    disconnected_at: float | None = None
    status: int | None = None
    faults: tuple[Fault, ...] = ()
    parsed: MessageRequest | None = field(default=None, repr=False)

    @property
    def body(self) -> JsonObject:
        """The body as JSON; empty when there is none.

        Raises:
            ValueError: The body is not JSON.
        """
        value = json.loads(self.raw) if self.raw else {}
        return value if isinstance(value, dict) else {}

    @property
    def model(self) -> str:
        """The model asked for, empty for requests without one."""
        return self.parsed.model if self.parsed is not None else str(self.body.get("model", ""))
