"""The demo customers in the desk's own database: what they have, and their cancellations, each once per key.

Why: the desk can be tried on a fresh machine, with everything that a company's service would do. A company that names a
service of its own (FRONTDESK_CUSTOMERS_URL) never comes here.
"""

import time
from collections.abc import Callable
from datetime import UTC, date, datetime

from sqlalchemy import Connection, delete, insert, select, update

from errors import RemoteError
from knowledge.account import Bill, Claim, Policy, Receipt, Terms, refund_usd
from knowledge.customers import Customer, Customers
from store.database import Database
from store.records import short_id
from store.schema import demo_cancellations, demo_customers, demo_loads

FRESH_FOR_S = 28 * 86_400
"""After this many seconds a start loads the file again, so that a demonstration never looks stale."""


class StoredAccounts:
    """The customers of the demo. `clock` gives seconds since 1970; its day (UTC) is today."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock

    async def load(self, customers: Customers | None) -> None:
        """Put these customers into the database, unless just they were put there lately; None: there are none.

        Raises:
            Unavailable: It could not be written.
        """
        digest, now = (customers.digest if customers else "none"), self._clock()
        rows = [
            {"customer_id": item.customer_id, "payload": item.model_dump_json()}
            for item in (customers.on(self._today()) if customers else ())
        ]

        def work(connection: Connection) -> None:
            self._database.backend.hold(connection, "demo customers")
            fresh = (demo_loads.c.digest == digest) & (demo_loads.c.loaded_at_s > now - FRESH_FOR_S)
            if connection.execute(select(demo_loads.c.digest).where(fresh)).first() is not None:
                return
            connection.execute(delete(demo_loads))
            connection.execute(delete(demo_customers))
            connection.execute(insert(demo_loads), {"digest": digest, "loaded_at_s": now})
            if rows:
                connection.execute(insert(demo_customers), rows)

        await self._database.write(work)

    async def policies(self, customer_id: str) -> tuple[Policy, ...]:
        """The customer's policies, in the file's order."""
        return (await self._customer(customer_id)).policies

    async def bills(self, customer_id: str) -> tuple[Bill, ...]:
        """The customer's bills of all policies."""
        return (await self._customer(customer_id)).bills

    async def claims(self, customer_id: str) -> tuple[Claim, ...]:
        """The customer's claims of all policies."""
        return (await self._customer(customer_id)).claims

    async def cancellation_terms(self, customer_id: str, policy_number: str, last_day: date) -> Terms:
        """What cancelling that policy for the end of that day would do.

        Raises:
            RemoteError: It cannot be cancelled so; `reason` says why.
        """
        return _terms(await self._customer(customer_id), policy_number, last_day, self._today())

    async def cancel(self, customer_id: str, terms: Terms, key: str) -> Receipt:
        """Cancel on exactly these terms, once per key.

        Raises:
            RemoteError: It cannot be cancelled so (any more); `reason` says why.
        """
        today = self._today()

        def work(connection: Connection) -> Receipt:
            self._database.backend.hold(connection, f"demo customer {customer_id}")
            known = (demo_cancellations.c.customer_id == customer_id) & (
                demo_cancellations.c.idempotency_key == key
            )
            before = connection.execute(select(demo_cancellations.c.payload).where(known)).scalar()
            if before is not None:
                return Receipt.model_validate_json(before)
            customer = _read(connection, customer_id)
            if _terms(customer, terms.policy_number, terms.last_day, today) != terms:
                raise _refused("terms_changed")
            receipt = Receipt(**terms.model_dump(), receipt_number=short_id("R", key))
            this = demo_customers.c.customer_id == customer_id
            changed = _without(customer, terms).model_dump_json()
            connection.execute(update(demo_customers).where(this).values(payload=changed))
            row = {"customer_id": customer_id, "idempotency_key": key, "payload": receipt.model_dump_json()}
            connection.execute(insert(demo_cancellations), row)
            return receipt

        return await self._database.write(work)

    async def _customer(self, customer_id: str) -> Customer:
        return await self._database.read(lambda connection: _read(connection, customer_id))

    def _today(self) -> date:
        return datetime.fromtimestamp(self._clock(), UTC).date()


def _read(connection: Connection, customer_id: str) -> Customer:
    """The customer; one who is not known has nothing."""
    query = select(demo_customers.c.payload).where(demo_customers.c.customer_id == customer_id)
    payload = connection.execute(query).scalar()
    return Customer(customer_id=customer_id) if payload is None else Customer.model_validate_json(payload)


def _terms(customer: Customer, policy_number: str, last_day: date, today: date) -> Terms:
    policy = next((item for item in customer.policies if item.policy_number == policy_number), None)
    if policy is None:
        raise _refused("not_found")
    if policy.state != "active":
        raise _refused("already_cancelled" if policy.state == "cancelled" else "policy_ended")
    if last_day < today:
        raise _refused("last_day_past")
    if last_day > policy.ends_on:
        raise _refused("last_day_late")
    bills = [bill for bill in customer.bills if bill.policy_number == policy_number]
    return Terms(policy_number=policy_number, last_day=last_day, refund_usd=refund_usd(bills, last_day))


def _without(customer: Customer, terms: Terms) -> Customer:
    """The customer after the cancellation."""
    policies = tuple(
        policy.model_copy(update={"state": "cancelled", "last_day": terms.last_day})
        if policy.policy_number == terms.policy_number
        else policy
        for policy in customer.policies
    )
    return customer.model_copy(update={"policies": policies})


def _refused(reason: str) -> RemoteError:
    return RemoteError(f"demo customers: {reason}", kind="refused", reason=reason, may_have_acted=False)
