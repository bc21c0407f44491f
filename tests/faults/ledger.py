"""What a database holds after a fault run, read past the servers, and the invariants that must hold in it."""

from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from itertools import pairwise

from sqlalchemy import select

from events import Recorded, TurnAccepted, TurnFailed, TurnFinished, TurnRef, is_end
from readers.routing_line import fold_routing_line
from store.database import Database
from store.log import EventLog
from store.schema import tickets
from store.wake import Wake
from tests.faults.crowd import Asked, Customer

_ALL = 100_000


@dataclass(frozen=True)
class Stored:
    """All turns of these conversations, each conversation's in order, and the tickets: (thread, turn id, summary)."""

    turns: dict[str, list[tuple[TurnRef, list[Recorded]]]]
    tickets: list[tuple[str, str, str]]

    @property
    def outcomes(self) -> Counter[str]:
        """How the turns ended."""
        return Counter(
            str(fold_routing_line(turn, recorded).outcome)
            for turns in self.turns.values()
            for turn, recorded in turns
        )


async def read_stored(url: str, threads: Iterable[str]) -> Stored:
    """What the database at this address holds."""
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(Database(url, reader_wait_s=60))
        event_log = EventLog(database, Wake(), "ledger")
        turns = {thread: await event_log.read_turns(thread, _ALL) for thread in threads}
        query = select(tickets.c.conversation_id, tickets.c.turn_id, tickets.c.summary)
        found = await database.read(lambda connection: connection.execute(query).all())
    return Stored(turns, [tuple(row) for row in found])


def check_stored(stored: Stored, customers: Sequence[Customer]) -> None:
    """I1, I2 (tickets) and I4: every message once, with one end, in the order in which it was accepted."""
    for customer in customers:
        turns = stored.turns[customer.thread]
        assert [turn.message_id for turn, _ in turns] == [asked.message_id for asked in customer.asked]
        for (turn, recorded), asked in zip(turns, customer.asked, strict=True):
            _check_turn(turn, recorded, asked)
        ended = [(recorded[0].at, recorded[-1].at) for _, recorded in turns]
        assert all(before[1] <= after[1] for before, after in pairwise(ended))
    assert max(Counter(turn_id for _, turn_id, _ in stored.tickets).values(), default=1) == 1


def _check_turn(turn: TurnRef, recorded: Sequence[Recorded], asked: Asked) -> None:
    where = (asked.thread, asked.message_id)
    assert asked.turn_ids == {turn.turn_id}, where
    assert [item.seq for item in recorded] == list(range(1, len(recorded) + 1)), where
    assert [item.event.text for item in recorded if isinstance(item.event, TurnAccepted)] == [asked.text]
    assert [is_end(item.event) for item in recorded].count(True) == 1, where
    last = recorded[-1].event
    assert isinstance(last, TurnFinished | TurnFailed), where
    if isinstance(last, TurnFailed):
        assert (last.code, bool(last.message)) == ("interrupted", True), where
