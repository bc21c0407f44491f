"""Tell followers on this server that events were committed, here or elsewhere, and when it is time to leave.

Why: a follower reads the log once and then wants to hear of new events without asking the database each time.
A follower that falls far behind is told to read the log again instead of being buffered without end.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from events import Recorded, TurnRef

UNREAD_LIMIT = 512


@dataclass(frozen=True, slots=True)
class Committed:
    """Events of one turn that are on disk now; none when another server wrote them, and they must be read there.

    Of a turn that runs elsewhere only the conversation and the number are known.
    """

    turn: TurnRef
    events: tuple[Recorded, ...]
    has_ended: bool


class Subscription:
    """What one follower has not read yet: a list, because thousands of followers wait with nothing in it.

    Attributes:
        waits_for_end: It follows something that ends by itself, so it is the last to be sent away.
        overran: It was too slow and must read the log again.
        left: The server stops, it must go.
    """

    __slots__ = ("_unread", "_waiting", "left", "overran", "waits_for_end")

    def __init__(self, *, waits_for_end: bool, left: bool) -> None:
        self.waits_for_end = waits_for_end
        self.overran = False
        self.left = left
        self._unread: list[Committed] = []
        self._waiting: asyncio.Future[None] | None = None

    def put(self, committed: Committed) -> None:
        """Hand over a commit; never blocks."""
        if len(self._unread) < UNREAD_LIMIT:
            self._unread.append(committed)
        else:
            self.overran = True
        self.wake()

    def wake(self) -> None:
        """The follower looks at its flags, or at what came."""
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)

    def begin_again(self) -> None:
        """Forget what is unread: the follower reads the log now."""
        self._unread.clear()
        self.overran = False

    async def next(self, until_s: float) -> Committed | None:
        """The next commit; None when the loop's clock reads `until_s`, or the follower must look at its flags."""
        if not (self._unread or self.overran or self.left):
            loop = asyncio.get_running_loop()
            self._waiting = loop.create_future()
            timer = loop.call_at(until_s, self.wake)
            try:
                await self._waiting
            finally:
                timer.cancel()
                self._waiting = None
        is_next = self._unread and not self.overran and not self.left
        return self._unread.pop(0) if is_next else None


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
        subscription = Subscription(waits_for_end=waits_for_end, left=waits_for_end in self._sent_away)
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
                subscription.wake()

    def send_away(self, *, waiting_for_end: bool) -> None:
        """Make followers leave, and those who come later: the endless ones, or those who wait for a turn's end."""
        self._sent_away.add(waiting_for_end)
        for followers in self._followers.values():
            for subscription in followers:
                if subscription.waits_for_end == waiting_for_end:
                    subscription.left = True
                    subscription.wake()
