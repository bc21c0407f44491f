"""Tell followers on this server that events were committed, here or elsewhere, and when it is time to leave.

Why: a follower reads the log once and then wants to hear of new events without asking the database each time.
A follower that falls far behind is told to read the log again instead of being buffered without end.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from events import Recorded, TurnRef

QUEUE_LIMIT = 512


@dataclass(frozen=True, slots=True)
class Committed:
    """Events of one turn that are on disk now; none when another server wrote them, and they must be read there.

    Of a turn that runs elsewhere only the conversation and the number are known.
    """

    turn: TurnRef
    events: tuple[Recorded, ...]
    has_ended: bool


@dataclass(slots=True)
class Subscription:
    """What one follower has not read yet.

    `overran`: it was too slow and must read the log again. `left`: the server stops, it must go.
    `waits_for_end`: it follows something that ends by itself, so it is the last to be sent away.
    """

    waits_for_end: bool
    overran: bool = False
    left: bool = False
    _queue: asyncio.Queue[Committed | None] = field(default_factory=lambda: asyncio.Queue(QUEUE_LIMIT))

    def put(self, committed: Committed | None) -> None:
        """Hand over a commit (None: only wake up); never blocks."""
        try:
            self._queue.put_nowait(committed)
        except asyncio.QueueFull:
            self.overran = True

    def begin_again(self) -> None:
        """Forget what is queued: the follower reads the log now."""
        while not self._queue.empty():
            self._queue.get_nowait()
        self.overran = False

    async def next(self, until_s: float) -> Committed | None:
        """The next commit; None when the loop's clock reads `until_s`, or the follower must look at its flags."""
        if self.overran or self.left:
            return None
        try:
            async with asyncio.timeout_at(until_s):
                return await self._queue.get()
        except TimeoutError:
            return None


class Wake:
    """Followers of conversations on this server; the empty name hears of the ends of all turns.

    `hears_others`: what other servers commit is told here too.
    """

    def __init__(self) -> None:
        self.hears_others = False
        self._followers: dict[str, list[Subscription]] = defaultdict(list)
        self._sent_away: set[bool] = set()

    @contextmanager
    def subscribe(self, conversation_id: str, *, waits_for_end: bool = False) -> Iterator[Subscription]:
        """Hear of every commit in this conversation ("": of the end of every turn) while the context is open."""
        subscription = Subscription(waits_for_end, left=waits_for_end in self._sent_away)
        self._followers[conversation_id].append(subscription)
        try:
            yield subscription
        finally:
            followers = self._followers[conversation_id]
            self._followers[conversation_id] = [other for other in followers if other is not subscription]
            if not self._followers[conversation_id]:
                del self._followers[conversation_id]

    def publish(self, committed: Committed) -> None:
        """Hand events to the followers."""
        for subscription in self._followers.get(committed.turn.conversation_id, ()):
            subscription.put(committed)
        if committed.has_ended:
            for subscription in self._followers.get("", ()):
                subscription.put(committed)

    def refresh(self) -> None:
        """Make all followers read the log again: something may have been missed."""
        for followers in self._followers.values():
            for subscription in followers:
                subscription.overran = True
                subscription.put(None)

    def send_away(self, *, waiting_for_end: bool) -> None:
        """Make followers leave, and those who come later: the endless ones, or those who wait for a turn's end."""
        self._sent_away.add(waiting_for_end)
        for followers in self._followers.values():
            for subscription in followers:
                if subscription.waits_for_end == waiting_for_end:
                    subscription.left = True
                    subscription.put(None)
