"""Tell followers on this server that events were committed.

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
    """Events of one turn that are on disk now."""

    turn: TurnRef
    events: tuple[Recorded, ...]


@dataclass(slots=True)
class Subscription:
    """What one follower has not read yet. `overran` is set when it was too slow; it must read the log again."""

    queue: asyncio.Queue[Committed] = field(default_factory=lambda: asyncio.Queue(QUEUE_LIMIT))
    overran: bool = False


class Wake:
    """Followers of conversations on this server; the empty name follows all."""

    def __init__(self) -> None:
        self._followers: dict[str, list[Subscription]] = defaultdict(list)

    @contextmanager
    def subscribe(self, conversation_id: str) -> Iterator[Subscription]:
        """Hear of every commit in this conversation ("" for all) while the context is open."""
        subscription = Subscription()
        self._followers[conversation_id].append(subscription)
        try:
            yield subscription
        finally:
            followers = self._followers[conversation_id]
            self._followers[conversation_id] = [other for other in followers if other is not subscription]
            if not self._followers[conversation_id]:
                del self._followers[conversation_id]

    def publish(self, committed: Committed) -> None:
        """Hand events to the followers; never blocks."""
        for name in (committed.turn.conversation_id, ""):
            for subscription in self._followers.get(name, ()):
                try:
                    subscription.queue.put_nowait(committed)
                except asyncio.QueueFull:
                    subscription.overran = True
