"""Follow a turn or a conversation: what is in the log first, then what is committed, in order and without gaps.

Law: resuming after any event gives exactly the rest. A follower therefore never trusts what it hears over what it
reads: after a gap, or when it was too slow, it reads the log again.
"""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Protocol

from events import Recorded, TurnRef, is_end
from store.wake import Subscription, Wake

IDLE_S = 7.0
_POLL_S = 0.25
_POLL_BELOW_WAKE_S = 2.0


class _Tail(Protocol):
    @property
    def events(self) -> list[Recorded]: ...
    @property
    def is_over(self) -> bool: ...
    @property
    def is_elsewhere(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class _Begun:
    """A turn that begins here and now."""

    events: list[Recorded]
    is_over = is_elsewhere = False


class _Log(Protocol):
    """What followers read from."""

    async def read_tail(self, turn: TurnRef, after_seq: int) -> _Tail: ...

    async def turn_at(self, conversation_id: str, ordinal: int) -> TurnRef: ...


async def follow_turn(
    log: _Log, wake: Wake, turn: TurnRef, after_seq: int, first: Recorded | None = None
) -> AsyncGenerator[Sequence[Recorded], None]:
    """The turn's events after this number as they are committed, until the turn ends or the server stops.

    What is there at the same moment comes together, so that it can be sent together.
    Who has just had the turn accepted here brings its `first` event, and nothing has to be read.

    A turn that does not exist yet is waited for. Nothing, `()`, comes whenever nothing came for IDLE_S seconds. Whoever
    is sent away by the stop gets what is in the log by then: the end that it waited for may be there.
    """
    seq = after_seq
    with wake.subscribe(turn.conversation_id, waits_for_end=True) as subscription:
        async with aclosing(_follow(log, wake, subscription, turn, after_seq, first)) as follower:
            async for news in follower:
                yield news
                seq = news[-1].seq if news else seq
        if subscription.left and (rest := (await log.read_tail(turn, seq)).events):
            yield rest


async def follow_conversation(
    log: _Log, wake: Wake, conversation_id: str, ordinal: int, after_seq: int
) -> AsyncGenerator[tuple[TurnRef, Sequence[Recorded]], None]:
    """Every event of the conversation from this place on, turn by turn in order, until the server stops.

    They come together as above; whenever nothing came for IDLE_S seconds, there are none, perhaps of a turn that has no
    id yet.
    """
    with wake.subscribe(conversation_id) as subscription:
        while not subscription.left:
            turn = TurnRef(conversation_id=conversation_id, turn_id="", ordinal=ordinal, message_id="")
            async with aclosing(_follow(log, wake, subscription, turn, after_seq)) as follower:
                async for news in follower:
                    if news and not turn.turn_id:
                        turn = await log.turn_at(conversation_id, ordinal)
                    yield turn, news
                    del news  # as in _follow
            ordinal, after_seq = ordinal + 1, 0


async def follow_ends(log: _Log, wake: Wake) -> AsyncGenerator[TurnRef | None, None]:
    """Turns of all conversations as they end, from now on, until the server stops; None as a sign of life."""
    clock = asyncio.get_running_loop().time
    with wake.subscribe("") as subscription:
        while not subscription.left:
            if subscription.overran:
                subscription.begin_again()
            committed = await subscription.next(clock() + IDLE_S)
            if committed is None:
                yield None
            elif committed.turn.turn_id:
                yield committed.turn
            else:
                yield await log.turn_at(committed.turn.conversation_id, committed.turn.ordinal)


async def _follow(
    log: _Log,
    wake: Wake,
    subscription: Subscription,
    turn: TurnRef,
    after_seq: int,
    first: Recorded | None = None,
) -> AsyncGenerator[Sequence[Recorded], None]:
    clock = asyncio.get_running_loop().time
    seq, spoke_s = after_seq, clock()
    while not subscription.left:
        subscription.begin_again()
        tail = await log.read_tail(turn, seq) if first is None else _Begun([first])
        first = None
        poll_s = _POLL_BELOW_WAKE_S if wake.hears_others else _POLL_S
        read_again_s = clock() + (poll_s if tail.is_elsewhere else IDLE_S)
        news: list[Recorded] | None = tail.events
        is_over = tail.is_over
        del tail  # thousands may wait here: each holds as little as can be
        while news is not None:
            if news:
                yield news
                seq, spoke_s = news[-1].seq, clock()
                if is_end(news[-1].event):
                    return
            if is_over:
                return
            if clock() >= spoke_s + IDLE_S:
                yield ()
                spoke_s = clock()
            del news
            news = await _hear(subscription, turn, seq, min(read_again_s, spoke_s + IDLE_S))
            if not news and clock() >= read_again_s:
                break


async def _hear(subscription: Subscription, turn: TurnRef, seq: int, until_s: float) -> list[Recorded] | None:
    """The turn's events after this number that the next commit brings; None when the log must be read again."""
    committed = await subscription.next(until_s)
    if subscription.left or subscription.overran:
        return None
    if committed is None or committed.turn.ordinal != turn.ordinal:
        return []
    news = [recorded for recorded in committed.events if recorded.seq > seq]
    if not news:
        return None if committed.has_ended or not committed.events else []
    return news if news[0].seq == seq + 1 else None
