"""Customers on bad lines: each sends its messages, comes back until it has every answer, and forgets nothing it saw.

They are signed in, so that a customer whose very first reply is lost is the same customer when it comes back.
"""

import asyncio
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

import httpx2

from api.callers import customer_token
from settings import Settings
from tests.serving import SECRET, STREAM, Frame, frames_of, text_of
from tests.waiting import PATIENCE_S

JWT = {"FRONTDESK_JWT_SECRET": SECRET}
DESK = {**JWT, "FRONTDESK_CALLER_LIMIT": "off"}
"""Settings of a server for these customers, who write more often than people do."""
_ENDS = {"RUN_FINISHED", "RUN_ERROR"}
_COME_BACK_S = (0.05, 0.4)
Doors = Callable[[], str]


def signed_in(customer: str) -> dict[str, str]:
    """The header of this customer."""
    token = customer_token(Settings.read(**JWT), customer, days=1)
    return {"Authorization": f"Bearer {token}"}


@dataclass
class Asked:
    """One message and all that came back for it.

    `breaks` counts lines that broke or servers that were not there; `accepted` is set as soon as the client knows that
    the message was taken.
    """

    thread: str
    message_id: str
    text: str
    frames: list[Frame] = field(default_factory=list)
    breaks: int = 0
    resumes: int = 0
    refusals: int = 0
    accepted: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def is_over(self) -> bool:
        """Whether the end has come; "resume" is not the end, it says to come back."""
        last = self.frames[-1] if self.frames else None
        return last is not None and last.type in _ENDS and last.event.get("code") != "resume"

    @property
    def shown(self) -> str:
        """The words that the client has put together."""
        return text_of(self.frames)

    @property
    def turn_ids(self) -> set[str]:
        """The turns that the frames say they are of; one, if the message was never lost."""
        return {frame.event_id.partition(":")[0] for frame in self.frames}

    @property
    def body(self) -> dict[str, object]:
        """The message as an AG-UI client sends it."""
        said = [{"id": "u", "role": "user", "content": self.text}]
        return {"threadId": self.thread, "runId": self.message_id, "messages": said}


class Customer:
    """One customer with one conversation. `door` names the server for the next try."""

    def __init__(self, name: str, door: Doors) -> None:
        self.thread = f"thread-of-{name}-0000"
        self.asked: list[Asked] = []
        self._door = door
        headers = signed_in(name)
        self._client = httpx2.AsyncClient(headers=headers, timeout=PATIENCE_S, trust_env=False)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.aclose()

    def asks(self, text: str) -> Asked:
        """The next message, still to be sent."""
        self.asked.append(Asked(self.thread, f"m{len(self.asked) + 1}", text))
        return self.asked[-1]

    async def get_answer(self, asked: Asked) -> None:
        """Send it, and come back until its end is there."""
        while not asked.is_over:
            try:
                was_refused = await self.read_once(asked)
            except httpx2.TransportError:
                asked.breaks += 1
                was_refused = True
            if was_refused:
                await asyncio.sleep(random.uniform(*_COME_BACK_S))

    async def read_once(self, asked: Asked) -> bool:
        """Read on as far as this line holds; true when there was nothing to read yet."""
        headers = {**STREAM, **({"Last-Event-ID": asked.frames[-1].event_id} if asked.frames else {})}
        posted = self._client.stream("POST", f"{self._door()}/chat", json=asked.body, headers=headers)
        async with posted as response:
            if response.status_code in {429, 503}:
                assert int(response.headers["retry-after"]) > 0
                asked.refusals += 1
                return True
            assert response.status_code == httpx2.codes.OK, await response.aread()
            asked.resumes += bool(asked.frames)
            asked.accepted.set()
            async for frame in frames_of(response):
                if frame.event.get("code") == "resume":
                    break
                asked.frames.append(frame)
        return not asked.is_over

    async def whole(self, asked: Asked) -> list[Frame]:
        """The whole stream of the message, once more from its beginning."""
        posted = self._client.stream("POST", f"{self._door()}/chat", json=asked.body, headers=STREAM)
        async with posted as response:
            assert response.status_code == httpx2.codes.OK, await response.aread()
            return [frame async for frame in frames_of(response)]

    async def reply(self, asked: Asked) -> dict[str, Any]:
        """The reply to the message, as JSON."""
        response = await self._client.post(f"{self._door()}/chat", json=asked.body)
        assert response.status_code == httpx2.codes.OK, response.text
        reply: dict[str, Any] = response.json()
        return reply


async def check_streams(customers: Sequence[Customer]) -> int:
    """I3: what each client put together is the stored reply, frame for frame; returns how many were resumed.

    The streams of messages that had no trouble are compared by their words alone, to save time.
    """
    resumed = 0
    for customer in customers:
        for asked in customer.asked:
            assert len(asked.turn_ids) == 1, (asked.thread, asked.message_id, asked.turn_ids)
            assert asked.shown == (await customer.reply(asked))["text"] != ""
            if asked.resumes or asked.breaks:
                resumed += bool(asked.resumes)
                assert asked.frames == await customer.whole(asked)
    return resumed
