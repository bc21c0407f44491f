"""Turns with a gap are found in the log, by day, and nothing else is."""

from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import text

from events import GapSeen, RouteDecided
from store.database import Database
from store.gaps import read_gaps, turns_with_gaps
from store.log import EventLog, NewMessage
from store.wake import Wake
from tests.store.filling import END, begin, write

DAY_S = 86_400.0
NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
GAP = GapSeen(kind="nothing_found", looked_up=("boats",))
ROUTE = RouteDecided(intent="product_info", confidence=1, decided_by="local", language="en")


class _Days:
    """A log whose turns are accepted on days of the test's choice."""

    def __init__(self, database: Database) -> None:
        self.ago_s, self.count = 0.0, 0
        self.log = EventLog(database, Wake(), "here", clock=lambda: NOW.timestamp() - self.ago_s)

    async def turn(self, days_ago: float, *, has_gap: bool = True) -> str:
        self.ago_s, self.count = days_ago * DAY_S, self.count + 1
        turn = await begin(self.log, self.count)
        await write(self.log, turn, [[ROUTE], *([[GAP]] if has_gap else []), [END]])
        return turn.turn_id


async def test_turns_are_found_oldest_first_and_whole(database: Database) -> None:
    """The grouping would differ from look to look, or lack the customer's question."""
    days = _Days(database)
    ids = [await days.turn(ago) for ago in (0.5, 2.5, 2.4, 1.0)]
    await days.turn(0.2, has_gap=False)
    now_s = NOW.timestamp()

    found = await turns_with_gaps(database, now_s - 3 * DAY_S, now_s)

    assert [turn.turn_id for turn, _ in found] == [ids[1], ids[2], ids[3], ids[0]]
    assert [item.event.type for item in found[0][1]] == [
        "turn.accepted",
        "route.decided",
        "gap.seen",
        "turn.finished",
    ]
    for since, until, count in ((3, 2, 2), (2, 0.6, 1), (0.5, 0, 1), (0.4, 0, 0), (0, 0, 0)):
        assert len(await turns_with_gaps(database, now_s - since * DAY_S, now_s - until * DAY_S)) == count


async def test_a_customer_who_writes_like_the_log_makes_no_gap(database: Database) -> None:
    """Anybody could fill the list of gaps by quoting an event."""
    days = _Days(database)
    accepted = await days.log.accept(NewMessage("visitor:a", '{"type":"gap.seen"}', "m1", None))
    await write(days.log, accepted.turn, [[END]])

    assert await turns_with_gaps(database, NOW.timestamp() - DAY_S, NOW.timestamp() + 1) == []


async def test_a_turn_that_cannot_be_read_is_left_out(database: Database) -> None:
    """One damaged row would hide all gaps."""
    days = _Days(database)
    spoiled, kept = await days.turn(0.5), await days.turn(0.4)
    damage = text(
        "UPDATE events SET payload = replace(payload, 'turn.accepted', 'turn.broken') WHERE conversation_id = (SELECT conversation_id FROM turns WHERE turn_id = :id)"
    )
    await database.write(lambda connection: connection.execute(damage, {"id": spoiled}))

    found = await turns_with_gaps(database, NOW.timestamp() - DAY_S, NOW.timestamp())

    assert [turn.turn_id for turn, _ in found] == [kept]


async def test_gaps_of_the_last_days_are_grouped(database: Database, tmp_path: Path) -> None:
    """Ops read one list, however many servers write the log; a folder without articles does not matter."""
    days = _Days(database)
    for ago in (0.5, 1.5, 40):
        await days.turn(ago)

    gaps = await read_gaps(database, tmp_path / "no articles", 30, NOW)

    assert [(gap.count, gap.nothing_found, gap.languages) for gap in gaps.gaps] == [(2, 2, ("en",))]
