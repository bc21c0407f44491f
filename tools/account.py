"""A signed-in customer's own account: the one door through which tools see what a customer has.

Why: the model can name nobody. An Account is made by the server for the customer of the token, and everything behind it
is that customer's; a number of somebody else's policy is looked for among one's own, so it is as unknown as one that
does not exist. Behind the door stands the desk's own data or the company's service; the tools do not know which.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Protocol, TypeVar

from errors import RemoteError, ToolError, ToolQuestion
from events import Action, ActionState
from knowledge.account import Bill, Claim, Policy, Receipt, Terms

_Item = TypeVar("_Item", Policy, Claim)
_FAULTS = {
    "timeout": "tool_timeout",
    "down": "tool_error",
    "refused": "tool_error",
    "invalid": "tool_result_invalid",
}


class Accounts(Protocol):
    """Whatever knows customers' contracts. A customer it does not know has nothing.

    Raises:
        RemoteError: No usable answer, or a refusal; `reason` says why ("already_cancelled", ...).
        Unavailable: The desk's own database does not answer.
    """

    async def policies(self, customer_id: str) -> Sequence[Policy]:
        """The customer's policies, in the company's order."""
        ...

    async def bills(self, customer_id: str) -> Sequence[Bill]:
        """The customer's bills of all policies."""
        ...

    async def claims(self, customer_id: str) -> Sequence[Claim]:
        """The customer's claims of all policies."""
        ...

    async def cancellation_terms(self, customer_id: str, policy_number: str, last_day: date) -> Terms:
        """What cancelling that policy for the end of that day would do; changes nothing."""
        ...

    async def cancel(self, customer_id: str, terms: Terms, key: str) -> Receipt:
        """Cancel on exactly these terms, once per key; asked again with the key, the first receipt is returned."""
        ...


class Actions(Protocol):
    """Where previews are kept, and what came of them."""

    async def preview(
        self, key: str, conversation_id: str, turn_id: str, customer_id: str, action: Action
    ) -> Action:
        """Store it once per key, under an id of its own; the stored one is returned."""
        ...

    async def find(self, conversation_id: str, customer_id: str, preview_id: str) -> Action | None:
        """The customer's action of that id in this conversation, as it stands now."""
        ...

    async def change(
        self,
        conversation_id: str,
        preview_id: str,
        state: ActionState,
        *,
        out_of: ActionState,
        receipt: str = "",
    ) -> Action:
        """Give it this state if it is in the state `out_of`; how it stands afterwards."""
        ...

    async def is_open(self, customer_id: str, tool: str, subject: str) -> bool:
        """Whether it is being carried out on this subject, or may have been, in any conversation of the customer."""
        ...


@dataclass(frozen=True, slots=True)
class Account:
    """The account of one customer, who has signed in."""

    customer_id: str
    accounts: Accounts
    actions: Actions

    async def policies(self) -> Sequence[Policy]:
        """Their policies.

        Raises:
            ToolError: They cannot be had right now.
        """
        with _asking():
            return await self.accounts.policies(self.customer_id)

    async def bills(self, policy_number: str) -> list[Bill]:
        """Bills of their policy, oldest first.

        Raises:
            ToolError: They cannot be had right now.
        """
        with _asking():
            found = await self.accounts.bills(self.customer_id)
        return sorted(
            (bill for bill in found if bill.policy_number == policy_number), key=lambda bill: bill.due_on
        )

    async def claims(self) -> Sequence[Claim]:
        """Their claims.

        Raises:
            ToolError: They cannot be had right now.
        """
        with _asking():
            return await self.accounts.claims(self.customer_id)

    async def policy(self, number: str | None) -> Policy:
        """The policy of this number; without a number the only one there is.

        Raises:
            ToolError: They have none, or none of that number. ToolQuestion: They have several; which one?
        """
        found = await self.policies()
        if not found:
            raise ToolError(
                "the customer has no policy with us; say so and offer a person", code="no_policies"
            )
        named = {"policies": "\n".join(f"- **{item.policy_number}** ({item.vehicle})" for item in found)}
        listed = "; ".join(f"{item.policy_number} ({item.vehicle})" for item in found)
        if number is None:
            if len(found) == 1:
                return found[0]
            raise ToolQuestion(
                f"the customer has several policies: {listed}. Ask which one is meant",
                code="which_policy",
                field="policy_number",
                values=named,
            )
        own = _named(number, {item.policy_number: item for item in found})
        if own is None:
            raise ToolQuestion(
                f"the customer has no policy of that number; theirs: {listed}. Ask which one is meant",
                code="unknown_policy",
                field="policy_number",
                values=named,
            )
        return own

    async def claim(self, number: str | None) -> Claim:
        """The claim of this number; without a number the only one there is.

        Raises:
            ToolError: They have none. ToolQuestion: They have none of that number, or several; which one?
        """
        found = await self.claims()
        if not found:
            raise ToolError(
                "the customer has no claim on record; say so and offer a person", code="no_claims"
            )
        if number is None and len(found) == 1:
            return found[0]
        own = _named(number or "", {item.claim_number: item for item in found})
        if own is not None:
            return own
        listed = "; ".join(f"{item.claim_number} (of {item.happened_on})" for item in found)
        raise ToolQuestion(
            f"ask which claim is meant; the customer has: {listed}",
            code="which_claim" if number is None else "unknown_claim",
            field="claim_number",
            values={"claims": "\n".join(f"- **{item.claim_number}**" for item in found)},
        )


def signed_in(account: Account | None) -> Account:
    """The account, if there is one.

    Raises:
        ToolError: The customer has not signed in.
    """
    if account is None:
        raise ToolError(
            "the customer has not signed in, so nothing about their own contract can be seen here; ask them kindly to "
            "sign in on our website and to ask again, and offer a person instead",
            code="sign_in",
        )
    return account


@contextmanager
def _asking() -> Iterator[None]:
    """What the back end fails with, as the model is told."""
    try:
        yield
    except RemoteError as exc:
        message = "the customer's data cannot be had right now; say so honestly and offer a person"
        raise ToolError(message, code=_FAULTS[exc.kind]) from exc


def is_same(number: str, written: str) -> bool:
    """Whether a number is the one that somebody has written: "ap 1001 1" is AP-1001-1, and so is "10011"."""
    own, given = _plain(number), _plain(written)
    return given in {own, "".join(filter(str.isdigit, own))} and given != ""


def _named(written: str, own: Mapping[str, _Item]) -> _Item | None:
    """The only one of these whose number has been written."""
    found = [item for number, item in own.items() if is_same(number, written)]
    return found[0] if len(found) == 1 else None


def _plain(number: str) -> str:
    return "".join(sign for sign in number.casefold() if sign.isalnum())
