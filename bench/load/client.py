"""Customers for a load test: each sends one message and reads the stream to its end; as cheap as asyncio can be."""

import asyncio
import json
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

_PATIENCE_S = 60.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one message went: HTTP status (0: the line broke), and seconds to the first words and to the end."""

    status: int
    first_s: float
    total_s: float
    is_whole: bool


@dataclass(slots=True)
class Sample:
    """All messages of one load."""

    seconds: float
    outcomes: list[Outcome] = field(default_factory=list)

    @property
    def whole(self) -> list[Outcome]:
        """Those that were answered to the end."""
        return [outcome for outcome in self.outcomes if outcome.is_whole]

    @property
    def turns_a_second(self) -> float:
        """Answers that came to their end, for each second of the load."""
        return len(self.whole) / self.seconds

    @property
    def statuses(self) -> Counter[int]:
        """How many of each status."""
        return Counter(outcome.status for outcome in self.outcomes)

    def first_ms(self, share: float) -> float:
        """Milliseconds to the first words: this quantile of the whole answers."""
        return quantile([outcome.first_s for outcome in self.whole], share) * 1000

    def refused_ms(self, share: float) -> float:
        """Milliseconds until a refusal: this quantile of the messages that were refused."""
        refused = [outcome.total_s for outcome in self.outcomes if outcome.status in {429, 503}]
        return quantile(refused, share) * 1000


def quantile(values: Sequence[float], share: float) -> float:
    """The value below which this share lies; 0 without values."""
    found = sorted(values)
    return found[min(len(found) - 1, int(share * len(found)))] if found else 0.0


async def say(port: int, text: str) -> Outcome:
    """One message from somebody new."""
    body = json.dumps({"message": text}).encode()
    head = (
        f"POST /chat HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\naccept: text/event-stream\r\nconnection: close\r\n"
        f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    started = time.perf_counter()
    status, first_s, is_whole, tail = 0, 0.0, False, b""
    try:
        async with asyncio.timeout(_PATIENCE_S):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            try:
                writer.write(head.encode() + body)
                status = int((await reader.readline()).split()[1])
                while data := await reader.read(65_536):
                    tail = tail[-64:] + data
                    if not first_s and b"TEXT_MESSAGE_CONTENT" in tail:
                        first_s = time.perf_counter() - started
                    is_whole = is_whole or b"RUN_FINISHED" in tail
            finally:
                writer.close()
    except (OSError, TimeoutError, IndexError):
        pass
    return Outcome(status, first_s, time.perf_counter() - started, is_whole and status == 200)


async def at_once(port: int, text: str, customers: int, seconds: float) -> Sample:
    """So many customers who each write again as soon as they are answered."""
    ends = time.perf_counter() + seconds
    sample = Sample(seconds)

    async def customer() -> None:
        while time.perf_counter() < ends:
            outcome = await say(port, text)
            if time.perf_counter() < ends:
                sample.outcomes.append(outcome)

    await asyncio.gather(*(customer() for _ in range(customers)))
    return sample


async def at_rate(port: int, text: str, a_second: float, seconds: float) -> Sample:
    """So many new customers a second, however long the others wait."""
    sample = Sample(seconds)
    started = time.perf_counter()

    async def customer(number: int) -> None:
        await asyncio.sleep(max(0.0, started + number / a_second - time.perf_counter()))
        sample.outcomes.append(await say(port, text))

    await asyncio.gather(*(customer(number) for number in range(int(a_second * seconds))))
    return sample
