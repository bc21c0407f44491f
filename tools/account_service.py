"""Customers' contracts from the company's own HTTP service; what is sent and expected stands in docs/customer-api.yaml.

Why: an answer is not believed because it came. It must fit its model, be in US dollars, and name the customer and the
terms that were asked for; a service that mixes customers up shows nobody anything. Made by build.py.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Annotated, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from errors import RemoteError
from knowledge.account import Bill, Claim, Policy, Receipt, Terms
from remote import Service

_MOST = 500


class _Answer(BaseModel):
    """Whose it is comes with every answer; further fields are left aside."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    customer_id: str
    currency: Literal["USD"]


class _Policies(_Answer):
    policies: Annotated[tuple[Policy, ...], Field(max_length=_MOST)]


class _Bills(_Answer):
    bills: Annotated[tuple[Bill, ...], Field(max_length=_MOST)]


class _Claims(_Answer):
    claims: Annotated[tuple[Claim, ...], Field(max_length=_MOST)]


class _Terms(_Answer):
    terms: Terms


class _Receipt(_Answer):
    receipt: Receipt


_Given = TypeVar("_Given", bound=_Answer)


class RemoteAccounts:
    """The company's service. It is asked for one customer at a time, by the id in their token."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def policies(self, customer_id: str) -> Sequence[Policy]:
        """The customer's policies; none when the service does not know them.

        Raises:
            RemoteError: No usable answer.
        """
        found = await self._list("policies", _Policies, customer_id)
        return found.policies if found is not None else ()

    async def bills(self, customer_id: str) -> Sequence[Bill]:
        """The customer's bills of all policies.

        Raises:
            RemoteError: No usable answer.
        """
        found = await self._list("bills", _Bills, customer_id)
        return found.bills if found is not None else ()

    async def claims(self, customer_id: str) -> Sequence[Claim]:
        """The customer's claims of all policies.

        Raises:
            RemoteError: No usable answer.
        """
        found = await self._list("claims", _Claims, customer_id)
        return found.claims if found is not None else ()

    async def cancellation_terms(self, customer_id: str, policy_number: str, last_day: date) -> Terms:
        """What cancelling that policy for the end of that day would do, as the service says.

        Raises:
            RemoteError: No usable answer, or the service refuses; `reason` says why.
        """
        query = {
            "customer_id": customer_id,
            "policy_number": policy_number,
            "last_day": last_day.isoformat(),
        }
        answer = await self._service.ask("GET", "cancellation-terms", _Terms, query=query)
        terms = _of(customer_id, answer).terms
        if (terms.policy_number, terms.last_day) != (policy_number, last_day):
            raise _lie("other terms than were asked for")
        return terms

    async def cancel(self, customer_id: str, terms: Terms, key: str) -> Receipt:
        """Cancel on exactly these terms, once per key.

        Raises:
            RemoteError: Refused, or no usable answer; `may_have_acted` says whether it may have been carried out.
        """
        body = {"customer_id": customer_id, **terms.model_dump(mode="json")}
        answer = await self._service.ask("POST", "cancellations", _Receipt, body=body, key=key)
        receipt = _of(customer_id, answer).receipt
        if any(getattr(receipt, name) != value for name, value in terms):
            raise _lie("a receipt for something else")
        return receipt

    async def _list(self, path: str, answer: type[_Given], customer_id: str) -> _Given | None:
        query: Mapping[str, str] = {"customer_id": customer_id}
        try:
            return _of(customer_id, await self._service.ask("GET", path, answer, query=query))
        except RemoteError as exc:
            if exc.reason == "not_found":
                return None
            raise


def _of(customer_id: str, answer: _Given) -> _Given:
    """The answer, if it is about the customer who was asked for."""
    if answer.customer_id != customer_id:
        raise _lie("the data of another customer")
    return answer


def _lie(what: str) -> RemoteError:
    """It answered, so it may have acted; what it says is of no use."""
    return RemoteError(f"customers: {what}", kind="invalid")
