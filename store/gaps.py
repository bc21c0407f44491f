"""Questions that the articles did not answer, read from the log, an hour of it at a time.

Why an hour: the log is searched row by row, and other readers shall not have to wait for a year of it. Hours in which
nobody wrote cost nothing.
"""

import asyncio
from datetime import datetime, timedelta
from functools import partial
from itertools import groupby
from math import inf
from pathlib import Path

import structlog
from sqlalchemy import Connection, and_, exists, func, select

from errors import RowUnreadable
from events import Recorded, TurnRef
from knowledge.corpus_files import read_corpus
from knowledge.telling import TellingWords
from readers.gaps import Gaps, fold_gaps
from store.database import Database
from store.rows import recorded_in, turn_ref
from store.schema import events, turns

LONGEST_DAYS = 366
_STEP_S = 3600.0
_GAP = '"type":"gap.seen"'  # in a customer's text the quotation marks would be escaped
log = structlog.get_logger()


async def read_gaps(database: Database, articles: Path, days: int, now: datetime) -> Gaps:
    """What the articles in this folder did not answer in the days up to now.

    Raises:
        Unavailable: The database does not answer in time.
    """
    turns = await turns_with_gaps(database, (now - timedelta(days=days)).timestamp(), now.timestamp())
    return await asyncio.to_thread(_fold, turns, articles)


def _fold(turns: list[tuple[TurnRef, list[Recorded]]], articles: Path) -> Gaps:
    return fold_gaps(turns, TellingWords.of(read_corpus(articles).articles).of_question)


async def turns_with_gaps(
    database: Database, since_s: float, until_s: float
) -> list[tuple[TurnRef, list[Recorded]]]:
    """The turns accepted between these times (seconds since 1970), oldest first; one that cannot be read is left out.

    Raises:
        Unavailable: The database does not answer in time.
    """
    found: list[tuple[TurnRef, list[Recorded]]] = []
    while (begins_s := await database.read(partial(_next_turn, since_s=since_s))) < until_s:
        end_s = min(begins_s + _STEP_S, until_s)
        for turn, payloads in await database.read(partial(_between, since_s=begins_s, until_s=end_s)):
            try:
                found.append((turn, recorded_in(payloads)))
            except RowUnreadable as exc:
                log.warning("row.unreadable", turn_id=turn.turn_id, reason=str(exc))
        since_s = end_s
    return found


def _next_turn(connection: Connection, since_s: float) -> float:
    """When the first turn from then on was accepted; infinity when there is none."""
    query = select(func.min(turns.c.accepted_at_s)).where(turns.c.accepted_at_s >= since_s)
    first: float | None = connection.execute(query).scalar_one()
    return inf if first is None else first


def _between(connection: Connection, since_s: float, until_s: float) -> list[tuple[TurnRef, list[str]]]:
    """The turns with a gap, each with its rows in order."""
    of_turn = and_(events.c.conversation_id == turns.c.conversation_id, events.c.ordinal == turns.c.ordinal)
    gap = events.alias()
    has_gap = exists().where(
        gap.c.conversation_id == turns.c.conversation_id,
        gap.c.ordinal == turns.c.ordinal,
        gap.c.payload.contains(_GAP, autoescape=True),
    )
    query = (
        select(turns, events.c.payload)
        .join(events, of_turn)
        .where(turns.c.accepted_at_s >= since_s, turns.c.accepted_at_s < until_s, has_gap)
        .order_by(turns.c.accepted_at_s, turns.c.turn_id, events.c.first_seq)
    )
    rows = connection.execute(query).all()
    return [(turn, [row.payload for row in own]) for turn, own in groupby(rows, turn_ref)]
