"""How fast the simulated model answers, in milliseconds; one value per model or for all."""

from dataclasses import dataclass
from typing import TypedDict


@dataclass(frozen=True, slots=True)
class Timing:
    """Waits of one reply.

    Attributes:
        label_ms: Until the whole answer, for requests with an output schema.
        first_text_ms: Until the first byte of any other answer.
        chunk_ms: Between two pieces of a streamed answer; an answer in one body waits as long as its stream would.
        chunk_chars: Characters a piece holds, at least 1.
    """

    label_ms: float = 0
    first_text_ms: float = 0
    chunk_ms: float = 0
    chunk_chars: int = 24


class Pace(TypedDict, total=False):
    """Changes to a timing; what is left out stays."""

    label_ms: float
    first_text_ms: float
    chunk_ms: float
    chunk_chars: int
