"""Customers for a load test: each sends one message and reads the stream to its end; as cheap as asyncio can be."""

import asyncio
import json
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Self

NOBODY: Mapping[str, str] = MappingProxyType({})
REFUSALS = frozenset({429, 503})
_PATIENCE_S = 60.0
_LEAD_S = 2.0  # until customers who begin together no longer walk in step


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one message went: HTTP status (0: the line broke), and seconds to it, to the first words and to the end.

    `says_when`: the response tells when to come back.
    """

    status: int
    head_s: float
    first_s: float
    total_s: float
    is_whole: bool
    says_when: bool


@dataclass(slots=True)
class Sample:
    """All messages of one load; `besides`: how many were answered before or after the seconds that count."""

    seconds: float
    outcomes: list[Outcome] = field(default_factory=list)
    besides: int = 0

    def __iadd__(self, other: "Sample") -> Self:
        """One more load of the same kind."""
        self.seconds += other.seconds
        self.outcomes += other.outcomes
        self.besides += other.besides
        return self

    @property
    def whole(self) -> list[Outcome]:
        """Those that were answered to the end."""
        return [outcome for outcome in self.outcomes if outcome.is_whole]

    @property
    def broken(self) -> list[Outcome]:
        """Those that were neither answered to the end nor refused with a time to come back."""
        return [
            outcome
            for outcome in self.outcomes
            if not (outcome.is_whole or (outcome.status in REFUSALS and outcome.says_when))
        ]

    @property
    def turns_a_second(self) -> float:
        """Answers that came to their end, for each second of the load."""
        return (len(self.whole) - self.besides) / self.seconds

    @property
    def statuses(self) -> Counter[int]:
        """How many of each status."""
        return Counter(outcome.status for outcome in self.outcomes)

    def first_ms(self, share: float) -> float:
        """Milliseconds to the first words: this quantile of the whole answers."""
        return quantile([outcome.first_s for outcome in self.whole], share) * 1000

    def refused_ms(self, share: float) -> float:
        """Milliseconds until a refusal: this quantile of the messages that were refused."""
        refused = [outcome.total_s for outcome in self.outcomes if outcome.status in REFUSALS]
        return quantile(refused, share) * 1000


def quantile(values: Sequence[float], share: float) -> float:
    """The value below which this share lies; 0 without values."""
    found = sorted(values)
    return found[min(len(found) - 1, int(share * len(found)))] if found else 0.0


async def say(
    port: int, text: str, headers: Mapping[str, str] = NOBODY, body: Mapping[str, object] | None = None
) -> Outcome:
    """One message from somebody new, or from whom the headers name; in this body, if one is given."""
    data = json.dumps(body or {"message": text}).encode()
    more = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    head = (
        f"POST /chat HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\naccept: text/event-stream\r\nconnection: close\r\n"
        f"content-type: application/json\r\ncontent-length: {len(data)}\r\n"
        f"{more}\r\n"
    )
    started = time.perf_counter()
    status, head_s, first_s, is_whole, says_when, tail = 0, 0.0, 0.0, False, False, b""
    try:
        async with asyncio.timeout(_PATIENCE_S):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            try:
                writer.write(head.encode() + data)
                answered = (await reader.readuntil(b"\r\n\r\n")).lower()
                status, says_when = int(answered.split()[1]), b"\r\nretry-after:" in answered
                head_s = time.perf_counter() - started
                while data := await reader.read(65_536):
                    tail = tail[-64:] + data
                    if not first_s and b"TEXT_MESSAGE_CONTENT" in tail:
                        first_s = time.perf_counter() - started
                    is_whole = is_whole or b"RUN_FINISHED" in tail
            finally:
                writer.close()
    except (OSError, EOFError, TimeoutError, IndexError):
        pass
    total_s = time.perf_counter() - started
    return Outcome(status, head_s, first_s, total_s, is_whole and status == 200, says_when)


async def at_once(port: int, text: str, customers: int, seconds: float) -> Sample:
    """So many customers who each write again as soon as they are answered; the seconds count when all are at it."""
    counts_from = time.perf_counter() + _LEAD_S
    ends = counts_from + seconds
    sample = Sample(seconds)

    async def customer() -> None:
        while time.perf_counter() < ends:
            outcome = await say(port, text)
            sample.outcomes.append(outcome)
            if outcome.is_whole and not counts_from <= time.perf_counter() < ends:
                sample.besides += 1

    await asyncio.gather(*(customer() for _ in range(customers)))
    return sample


async def at_rate(
    port: int,
    text: str,
    a_second: float,
    seconds: float,
    headers: Mapping[str, str] = NOBODY,
    together: int = 1,
) -> Sample:
    """So many new customers (or messages of the one in the headers) a second, however long the others wait.

    Args:
        together: How many come in the same moment.
    """
    sample = Sample(seconds)
    started = time.perf_counter()

    async def customer(number: int) -> None:
        comes_s = started + number // together * together / a_second
        await asyncio.sleep(max(0.0, comes_s - time.perf_counter()))
        sample.outcomes.append(await say(port, text, headers))

    await asyncio.gather(*(customer(number) for number in range(int(a_second * seconds))))
    return sample
