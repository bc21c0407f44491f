"""Read the demo customers: invented people with policies, bills and claims, for trying the desk out.

Why: on a fresh machine there is no company's system to ask. The file gives days as distances from the day it is loaded,
so that a bill that is due next week is due next week whenever somebody looks. A company that has its own system deletes the
file or points the tools at its service; without a file there are no demo customers.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from errors import ConfigError
from knowledge.account import Bill, Claim, ClaimState, Policy, PolicyState
from knowledge.tables import read_table

_Days = Annotated[int, Field(strict=True, ge=-3650, le=3650)]
_Text = dict[str, str]


class Customer(BaseModel):
    """What one customer has. Everything in it hangs together: bills and claims are of the customer's own policies."""

    model_config = ConfigDict(frozen=True)

    customer_id: str
    policies: tuple[Policy, ...] = ()
    bills: tuple[Bill, ...] = ()
    claims: tuple[Claim, ...] = ()


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _Bill(_Row):
    number: str
    due: _Days
    days: Annotated[int, Field(strict=True, ge=1, le=366)]
    amount_usd: Decimal
    paid: _Days | None = None


class _Claim(_Row):
    number: str
    about: _Text
    happened: _Days
    reported: _Days
    state: ClaimState
    since: _Days
    paid_usd: Decimal | None = None


class _Policy(_Row):
    number: str
    product: _Text
    vehicle: str
    covers: _Text
    begins: _Days
    ends: _Days
    renews: bool
    premium_usd_month: Decimal
    state: PolicyState = "active"
    last_day: _Days | None = None
    bill: tuple[_Bill, ...] = ()
    claim: tuple[_Claim, ...] = ()


class _Customer(_Row):
    id: Annotated[str, Field(min_length=1, max_length=150)]
    name: str
    policy: tuple[_Policy, ...] = ()


class _File(_Row):
    customer: tuple[_Customer, ...]


@dataclass(frozen=True, slots=True)
class Customers:
    """The customers of one file; `digest` changes with its bytes."""

    rows: tuple[_Customer, ...]
    digest: str

    @classmethod
    def read(cls, path: Path, today: date) -> Self:
        """The customers in this file.

        Raises:
            ConfigError: Unreadable, not as it should be, or a number stands twice; names file, key and remedy.
        """
        rows = read_table(path, _File).customer
        _check_numbers(path, rows)
        for row in rows:
            try:
                _customer(row, today)
            except ValidationError as exc:
                first = exc.errors(include_url=False)[0]
                where = " / ".join([f'customer "{row.id}"', exc.title.lower(), *map(str, first["loc"])])
                given = f" (given: {first['input']!r})" if first["loc"] else ""
                raise ConfigError(f"{path}: {where}: {first['msg']}{given}; correct it") from exc
        return cls(rows, hashlib.sha256(path.read_bytes()).hexdigest())

    def on(self, today: date) -> Iterator[Customer]:
        """Every customer, with the days counted from this one."""
        return (_customer(row, today) for row in self.rows)


def _check_numbers(path: Path, rows: Iterable[_Customer]) -> None:
    policies = [policy for row in rows for policy in row.policy]
    kinds = {
        "customer id": [row.id for row in rows],
        "policy number": [policy.number for policy in policies],
        "bill number": [bill.number for policy in policies for bill in policy.bill],
        "claim number": [claim.number for policy in policies for claim in policy.claim],
    }
    for kind, numbers in kinds.items():
        twice = next((number for number, times in Counter(numbers).items() if times > 1), None)
        if twice is not None:
            raise ConfigError(f'{path}: {kind} "{twice}" stands twice; give each its own')


def _customer(row: _Customer, today: date) -> Customer:
    return Customer(
        customer_id=row.id,
        policies=tuple(_policy(policy, today) for policy in row.policy),
        bills=tuple(_bill(bill, policy, today) for policy in row.policy for bill in policy.bill),
        claims=tuple(_claim(claim, policy, today) for policy in row.policy for claim in policy.claim),
    )


def _policy(row: _Policy, today: date) -> Policy:
    return Policy(
        policy_number=row.number,
        product=row.product,
        vehicle=row.vehicle,
        covers=row.covers,
        begins_on=today + timedelta(row.begins),
        ends_on=today + timedelta(row.ends),
        renews=row.renews,
        premium_usd_month=row.premium_usd_month,
        state=row.state,
        last_day=None if row.last_day is None else today + timedelta(row.last_day),
    )


def _bill(row: _Bill, policy: _Policy, today: date) -> Bill:
    due_on = today + timedelta(row.due)
    return Bill(
        bill_number=row.number,
        policy_number=policy.number,
        amount_usd=row.amount_usd,
        due_on=due_on,
        covers_from=due_on,
        covers_to=due_on + timedelta(row.days - 1),
        paid_on=None if row.paid is None else today + timedelta(row.paid),
    )


def _claim(row: _Claim, policy: _Policy, today: date) -> Claim:
    return Claim(
        claim_number=row.number,
        policy_number=policy.number,
        about=row.about,
        happened_on=today + timedelta(row.happened),
        reported_on=today + timedelta(row.reported),
        state=row.state,
        state_since=today + timedelta(row.since),
        paid_usd=row.paid_usd,
    )
