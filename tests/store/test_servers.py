"""Several servers on one PostgreSQL: one order in each conversation, nothing twice, nobody forgotten."""

import asyncio
import threading

import pytest
from sqlalchemy import Connection, select

from store.accounts import StoredAccounts
from store.actions import StoredActions
from store.database import Database
from store.log import EventLog, NewMessage
from store.records import StoredRecords
from store.rows import is_turn
from store.schema import turns
from store.wake import Wake
from tests.store.filling import begin, message, open_turn, patient, taken_over, two_servers
from tests.store.test_accounts import CUSTOMERS, END, NOW_S
from tests.store.test_actions import DRAFT as ACTION
from tests.store.test_records import DRAFT


@pytest.fixture
def url(postgres_url: str) -> str:
    """The address of an empty database."""
    return postgres_url


@pytest.mark.fault("P8")
async def test_messages_to_two_servers_at_once_are_numbered_without_gaps(url: str) -> None:
    """Whoever's message a load balancer sends where, the conversation has one order."""
    async with two_servers(url) as logs:
        first = await begin(logs[0])
        many = [message(number, first.conversation_id) for number in range(2, 18)]
        accepted = await asyncio.gather(
            *(logs[number % 2].accept(message) for number, message in enumerate(many))
        )

    assert sorted(item.turn.ordinal for item in accepted) == list(range(2, 18))


@pytest.mark.fault("P6")
async def test_one_message_sent_to_two_servers_at_once_is_one_turn(url: str) -> None:
    """A client that repeats its first message through another server has one conversation and one answer."""
    started = NewMessage("visitor:a", "hello", "m2", "a-thread-of-a-client", may_start=True)
    async with two_servers(url) as logs:
        for sent in (message(), started):
            accepted = await asyncio.gather(*(logs[number % 2].accept(sent) for number in range(10)))
            assert len({item.turn.turn_id for item in accepted}) == 1
            assert sum(item.is_new for item in accepted) == 1


async def test_a_call_that_runs_on_two_servers_leaves_one_quote_and_one_ticket(url: str) -> None:
    """A server that lost a turn and does not know it yet must not double what the next one does."""
    async with patient(url) as one, patient(url) as other:
        both = [StoredRecords(one), StoredRecords(other)]
        turn = await open_turn(one)
        its = turn.conversation_id, turn.turn_id
        made = await asyncio.gather(*(records.save_quote("key", *its, DRAFT) for records in both * 5))
        tickets = await asyncio.gather(
            *(
                records.save_ticket(f"key{number}", *its, "asked_for_person", "They ask.")
                for number, records in enumerate(both * 5)
            )
        )

        assert len({quote.quote_id for quote in made}) == len(await both[0].quotes_of(its[0])) == 1
        assert len(set(tickets)) == 1


async def test_a_cancellation_that_runs_on_two_servers_is_done_once(url: str) -> None:
    """The customer's yes arrives twice, at two servers: one preview, one step, one receipt."""
    async with patient(url) as one, patient(url) as other:
        accounts = [StoredAccounts(database, lambda: NOW_S) for database in (one, other)]
        actions = [StoredActions(database) for database in (one, other)]
        await asyncio.gather(*(stored.load(CUSTOMERS) for stored in accounts))
        turn = await open_turn(one)
        its = turn.conversation_id, turn.turn_id
        previews = await asyncio.gather(*(stored.preview("k", *its, "C-1", ACTION) for stored in actions))
        ends = await asyncio.gather(
            *(
                stored.change(
                    its[0], previews[0].preview_id, "done", out_of="previewed", receipt=f"R-{number}"
                )
                for number, stored in enumerate(actions * 4)
            )
        )
        terms = await accounts[0].cancellation_terms("C-1001", "AP-1001-1", END)
        receipts = await asyncio.gather(*(stored.cancel("C-1001", terms, "key") for stored in accounts * 4))

    assert previews[0] == previews[1]
    assert len({end.receipt for end in ends}) == 1
    assert len({receipt.receipt_number for receipt in receipts}) == 1


async def test_two_servers_share_a_dead_ones_turns_and_none_twice(url: str) -> None:
    """After a crash every open message is answered by exactly one of those that live."""
    async with two_servers(url) as logs:
        begun = [await begin(logs[0], number) for number in range(12)]
        await logs[0].release_leases()
        taken = await asyncio.gather(*(taken_over(log, 2) for log in logs * 6))

    assert sorted(turn.turn_id for turns in taken for turn in turns) == sorted(turn.turn_id for turn in begun)


async def test_a_turn_is_not_taken_over_while_its_server_is_writing(url: str, database: Database) -> None:
    """What a server is just saying is said before another one goes on."""
    later = EventLog(database, Wake(), "there", clock=lambda: 4_000_000_000.0)
    async with patient(url) as slow:
        turn = await begin(EventLog(slow, Wake(), "here"))
        mine = select(turns.c.turn_id).where(is_turn(turn)).with_for_update()
        is_writing, may_end = threading.Event(), threading.Event()

        def work(connection: Connection) -> None:
            connection.execute(mine)
            is_writing.set()
            may_end.wait()

        writing = asyncio.ensure_future(slow.write(work))
        await asyncio.to_thread(is_writing.wait)
        try:
            assert await taken_over(later) == []
        finally:
            may_end.set()
            await writing

        assert await taken_over(later) == [turn]
