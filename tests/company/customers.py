"""The work of a company's customer service, by the contract in docs/customer-api.yaml, on the demo customers.

It holds every request and every answer of its own against the contract, so a test that uses it checks both.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from knowledge.account import refund_usd
from knowledge.customers import Customer, Customers
from settings import ROOT
from tests.company.contract import customer_contract
from tests.company.server import Answer, Call


@dataclass
class CustomerService:
    """The company's records: customers, and the cancellations that were carried out."""

    today: date
    customers: dict[str, Customer] = field(init=False)
    cancelled: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        file = Customers.read(ROOT / "knowledge" / "customers.toml", self.today)
        self.customers = {customer.customer_id: customer for customer in file.on(self.today)}

    def __call__(self, call: Call) -> Answer:
        """The answer to one call, once per key."""
        answer = self._answer(call)
        customer_contract().check(call, answer)
        return answer

    def _answer(self, call: Call) -> Answer:
        asked = {**call.query, **(call.json if call.body else {})}
        customer = self.customers.get(asked["customer_id"])
        if customer is None:
            return Answer.refusal("not_found", 404)
        match call.path:
            case "/policies":
                return _said(customer, policies=_plain(customer.policies))
            case "/bills":
                return _said(customer, bills=_plain(customer.bills))
            case "/claims":
                return _said(customer, claims=_plain(customer.claims))
            case "/cancellation-terms":
                return self._terms(customer, asked)
            case _:
                return self._cancel(customer, asked)

    def _terms(self, customer: Customer, asked: dict[str, Any]) -> Answer:
        policy = next(
            (item for item in customer.policies if item.policy_number == asked["policy_number"]), None
        )
        last_day = date.fromisoformat(asked["last_day"])
        if policy is None:
            return Answer.refusal("not_found", 404)
        if policy.state != "active":
            return Answer.refusal("already_cancelled", 409)
        if not self.today <= last_day <= policy.ends_on:
            return Answer.refusal("last_day_past" if last_day < self.today else "last_day_late")
        bills = [bill for bill in customer.bills if bill.policy_number == policy.policy_number]
        terms = {
            "policy_number": policy.policy_number,
            "last_day": asked["last_day"],
            "refund_usd": str(refund_usd(bills, last_day)),
        }
        return _said(customer, terms=terms)

    def _cancel(self, customer: Customer, asked: dict[str, Any]) -> Answer:
        terms = self._terms(customer, asked)
        if terms.status != 200:
            return terms
        if asked != {"customer_id": customer.customer_id, **terms.body["terms"]}:
            return Answer.refusal("terms_changed", 409)
        self.cancelled.append(asked)
        kept = [
            item.model_copy(update={"state": "cancelled", "last_day": date.fromisoformat(asked["last_day"])})
            if item.policy_number == asked["policy_number"]
            else item
            for item in customer.policies
        ]
        self.customers[customer.customer_id] = customer.model_copy(update={"policies": tuple(kept)})
        receipt = {**terms.body["terms"], "receipt_number": f"RC-{len(self.cancelled):04}"}
        return _said(customer, receipt=receipt)


def _plain(rows: Iterable[Any]) -> list[Any]:
    return [row.model_dump(mode="json") for row in rows]


def _said(customer: Customer, **more: object) -> Answer:
    return Answer.of({"customer_id": customer.customer_id, "currency": "USD", **more, "clerk": "desk 7"})
