"""The demo customers in the desk's own database."""

import asyncio
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from errors import RemoteError
from knowledge.account import Terms
from knowledge.customers import Customers
from settings import ROOT
from store.accounts import FRESH_FOR_S, StoredAccounts
from store.database import Database
from tests.store.filling import patient

TODAY = date(2026, 11, 22)
NOW_S = datetime(2026, 11, 22, 12, tzinfo=UTC).timestamp()
FILE = ROOT / "knowledge" / "customers.toml"
CUSTOMERS = Customers.read(FILE, TODAY)
END = date(2026, 11, 30)


def _at(database: Database, now_s: float = NOW_S) -> StoredAccounts:
    return StoredAccounts(database, lambda: now_s)


@pytest.fixture
async def accounts(database: Database) -> StoredAccounts:
    """The shipped customers, loaded on a Sunday in November."""
    stored = _at(database)
    await stored.load(CUSTOMERS)
    return stored


async def test_a_customer_sees_what_is_theirs(accounts: StoredAccounts) -> None:
    """The demonstration would show one customer another's bills."""
    assert [item.policy_number for item in await accounts.policies("C-1002")] == ["AP-1002-1", "AP-1002-2"]
    assert {item.policy_number for item in await accounts.bills("C-1002")} == {"AP-1002-1", "AP-1002-2"}
    assert [item.claim_number for item in await accounts.claims("C-1001")] == ["CL-20418"]


@pytest.mark.parametrize("customer_id", ["C-9999", "", "c-1001", "C-1001 ", "' OR 1=1 --"])
async def test_a_customer_who_is_not_known_has_nothing(accounts: StoredAccounts, customer_id: str) -> None:
    """An id that nearly fits must open nobody's account."""
    assert await accounts.policies(customer_id) == ()
    assert await accounts.bills(customer_id) == ()
    assert await accounts.claims(customer_id) == ()


async def test_a_restart_loads_nothing_again(accounts: StoredAccounts, database: Database) -> None:
    """What was cancelled would be active again after every restart."""
    terms = await accounts.cancellation_terms("C-1001", "AP-1001-1", END)
    await accounts.cancel("C-1001", terms, "k1")
    later = _at(database, NOW_S + 86_400)
    await later.load(CUSTOMERS)

    assert [item.state for item in await later.policies("C-1001")] == ["cancelled"]


@pytest.mark.parametrize(
    ("after_s", "change"),
    [(FRESH_FOR_S + 1, lambda text: text), (1, lambda text: f"{text}\n# edited\n")],
    ids=["after four weeks", "when the file has changed"],
)
async def test_the_file_is_loaded_anew(
    accounts: StoredAccounts,
    database: Database,
    tmp_path: Path,
    after_s: float,
    change: Callable[[str], str],
) -> None:
    """The next bill of a demonstration lies ahead, and an edited file counts."""
    path = tmp_path / "customers.toml"
    path.write_text(change(FILE.read_text(encoding="utf-8")), encoding="utf-8")
    day = (datetime.fromtimestamp(NOW_S, UTC) + timedelta(seconds=after_s)).date()
    later = _at(database, NOW_S + after_s)
    before = await accounts.bills("C-1001")
    await later.load(Customers.read(path, day))

    assert [bill.due_on - day for bill in await later.bills("C-1001")] == [
        bill.due_on - TODAY for bill in before
    ]


async def test_without_a_file_there_are_no_customers(accounts: StoredAccounts, database: Database) -> None:
    """A company that deletes the file must not go on showing invented people."""
    await _at(database).load(None)

    assert await accounts.policies("C-1001") == ()


async def test_servers_that_start_at_once_load_once(database: Database, url: str) -> None:
    """The second one would find half of the first one's rows."""
    async with patient(url) as second:
        await asyncio.gather(*(_at(item).load(CUSTOMERS) for item in (database, second, database)))

        assert len(await _at(second).policies("C-1002")) == 2


@pytest.mark.parametrize(
    ("customer_id", "number", "last_day", "reason"),
    [
        ("C-1001", "AP-1002-1", END, "not_found"),
        ("C-1001", "AP-0000-1", END, "not_found"),
        ("C-1001", "AP-1001-1", TODAY - timedelta(1), "last_day_past"),
        ("C-1001", "AP-1001-1", TODAY + timedelta(175), "last_day_late"),
        ("C-1005", "AP-1005-1", END, "already_cancelled"),
        ("C-1009", "AP-1009-1", END, "policy_ended"),
    ],
)
async def test_what_cannot_be_cancelled_is_refused_with_its_reason(
    accounts: StoredAccounts, customer_id: str, number: str, last_day: date, reason: str
) -> None:
    """The customer hears why, and somebody else's policy is as unknown as none."""
    terms = Terms(policy_number=number, last_day=last_day, refund_usd=Decimal(0))
    for asked in (
        accounts.cancellation_terms(customer_id, number, last_day),
        accounts.cancel(customer_id, terms, "k1"),
    ):
        with pytest.raises(RemoteError) as refused:
            await asked
        assert (refused.value.kind, refused.value.reason) == ("refused", reason)
        assert not refused.value.may_have_acted


@pytest.mark.parametrize("last_day", [TODAY, TODAY + timedelta(174)])
async def test_today_and_the_last_day_of_the_term_may_be_chosen(
    accounts: StoredAccounts, last_day: date
) -> None:
    """A day that belongs to the term is no mistake."""
    assert (await accounts.cancellation_terms("C-1001", "AP-1001-1", last_day)).last_day == last_day


async def test_a_preview_changes_nothing(accounts: StoredAccounts) -> None:
    """Looking at the terms must not cost a policy."""
    before = await accounts.policies("C-1001")
    await accounts.cancellation_terms("C-1001", "AP-1001-1", END)

    assert await accounts.policies("C-1001") == before


async def test_cancelling_again_under_the_key_gives_the_first_receipt(accounts: StoredAccounts) -> None:
    """Three retries, one cancellation."""
    terms = await accounts.cancellation_terms("C-1002", "AP-1002-2", END)
    receipts = [await accounts.cancel("C-1002", terms, "k1") for _ in range(3)]
    with pytest.raises(RemoteError) as refused:
        await accounts.cancel("C-1002", terms, "another key")

    assert receipts[0].receipt_number.startswith("R-")
    assert receipts == [receipts[0]] * 3
    assert refused.value.reason == "already_cancelled"
    states = {item.policy_number: (item.state, item.last_day) for item in await accounts.policies("C-1002")}
    assert states == {"AP-1002-1": ("active", None), "AP-1002-2": ("cancelled", END)}


async def test_terms_that_have_changed_are_not_carried_out(accounts: StoredAccounts) -> None:
    """The customer agreed to one sum and would get another."""
    terms = await accounts.cancellation_terms("C-1001", "AP-1001-1", END)
    with pytest.raises(RemoteError) as refused:
        await accounts.cancel("C-1001", terms.model_copy(update={"refund_usd": Decimal(1000)}), "k1")

    assert refused.value.reason == "terms_changed"
    assert [item.state for item in await accounts.policies("C-1001")] == ["active"]
