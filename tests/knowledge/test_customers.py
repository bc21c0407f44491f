"""The file of demo customers: its days count from today, and a slip in it is refused with its place."""

from datetime import date, timedelta
from pathlib import Path

import pytest

from errors import ConfigError
from knowledge.customers import Customers
from settings import ROOT

TODAY = date(2026, 11, 22)
SHIPPED = ROOT / "knowledge" / "customers.toml"
SMALL = """
[[customer]]
id = "C-1"
name = "Ada Testwell"

[[customer.policy]]
number = "AP-1"
product = { en = "car insurance" }
vehicle = "2019 Honda Civic"
covers = { en = "liability" }
begins = -100
ends = 264
renews = true
premium_usd_month = 88.00
bill = [{ number = "B-1", due = -10, days = 30, amount_usd = 88.00, paid = -11 }]
claim = [{ number = "CL-1", about = { en = "hail" }, happened = -5, reported = -4, state = "in_review", since = -3 }]
"""


def _file(folder: Path, text: str) -> Path:
    path = folder / "customers.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_dozen_customers_are_shipped_and_every_state_of_a_claim_can_be_seen() -> None:
    """Whoever tries the desk out finds each case."""
    customers = list(Customers.read(SHIPPED, TODAY).on(TODAY))

    assert len(customers) == 12
    assert {claim.state for item in customers for claim in item.claims} == {
        *("reported", "in_review", "documents_needed", "approved", "paid", "declined"),
    }
    assert {len(item.policies) for item in customers} == {0, 1, 2}
    assert {policy.state for item in customers for policy in item.policies} == {
        "active",
        "cancelled",
        "ended",
    }


@pytest.mark.parametrize("today", [TODAY, date(2027, 3, 1), date(2028, 2, 29)])
def test_days_are_counted_from_the_day_of_loading(tmp_path: Path, today: date) -> None:
    """A bill that was due last spring would make the demonstration look forgotten."""
    [customer] = Customers.read(_file(tmp_path, SMALL), today).on(today)

    assert customer.policies[0].begins_on == today - timedelta(100)
    assert (customer.bills[0].due_on, customer.bills[0].covers_to) == (
        today - timedelta(10),
        today + timedelta(19),
    )
    assert customer.claims[0].state_since == today - timedelta(3)
    assert {customer.bills[0].policy_number, customer.claims[0].policy_number} == {"AP-1"}


def test_the_digest_follows_the_bytes(tmp_path: Path) -> None:
    """A changed file must be loaded again."""
    before = Customers.read(_file(tmp_path, SMALL), TODAY).digest

    assert Customers.read(_file(tmp_path, SMALL), TODAY).digest == before
    assert Customers.read(_file(tmp_path, SMALL + "\n# a word\n"), TODAY).digest != before


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("vehicle =", "car =", '"Ada Testwell" / policy / row 1 / vehicle: Field required; add this key'),
        ("renews = true", "renews = true\ncolour = 1", "policy / row 1 / colour: Extra inputs are not permitted"),
        ("begins = -100", "begins = 300", 'customer "C-1" / policy: Value error, begins_on lies after ends_on'),
        ("begins = -100", 'begins = "-100"', "policy / row 1 / begins: Input should be a valid integer"),
        ("premium_usd_month = 88.00", "premium_usd_month = -1.00", 'customer "C-1" / policy / premium_usd_month: Input should be greater'),
        ("amount_usd = 88.00", "amount_usd = 88.001", 'customer "C-1" / bill / amount_usd: Decimal input should have no more than 2 decimal places'),
        ('state = "in_review"', 'state = "lost"', "state: Input should be 'reported'"),
        ("reported = -4", "reported = -9", 'customer "C-1" / claim: Value error, happened_on, reported_on, state_since must follow'),
        ('number = "AP-1"', 'number = "A P"', 'customer "C-1" / policy / policy_number: String should match'),
        ('id = "C-1"', 'id = ""', "id: String should have at least 1 character"),
        ("[[customer]]", "[[customer]]\nid = 1", "not valid TOML"),
    ],
)  # fmt: skip
def test_a_slip_is_refused_with_its_place(tmp_path: Path, old: str, new: str, says: str) -> None:
    """Whoever edits the file learns from the message alone what to correct."""
    assert old in SMALL
    path = _file(tmp_path, SMALL.replace(old, new, 1))

    with pytest.raises(ConfigError) as refused:
        Customers.read(path, TODAY)

    assert str(path) in str(refused.value)
    assert says in str(refused.value)


@pytest.mark.parametrize(
    ("number", "kind"),
    [('id = "C-1"', "customer id"), ('number = "AP-1"', "policy"), ('"B-1"', "bill"), ('"CL-1"', "claim")],
)
def test_a_number_stands_once(tmp_path: Path, number: str, kind: str) -> None:
    """Two customers with one policy number could see each other's."""
    other = SMALL.replace("C-1", "C-2").replace("AP-1", "AP-2").replace("B-1", "B-2").replace("CL-1", "CL-2")
    twice = SMALL + other.replace(number.replace("-1", "-2"), number)

    with pytest.raises(ConfigError, match=f"{kind}.* stands twice; give each its own"):
        Customers.read(_file(tmp_path, twice), TODAY)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    """One readable line instead of a trace."""
    with pytest.raises(ConfigError, match="cannot be read"):
        Customers.read(tmp_path / "customers.toml", TODAY)
