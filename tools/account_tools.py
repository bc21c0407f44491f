"""What signed-in customers ask about what they have: their policy, their bills, how far their claim is. All only read.

Whose it is comes with the call (ToolContext.account); no argument can name a customer.
"""

from datetime import date
from decimal import Decimal
from typing import Annotated

from pydantic import Field

from knowledge.account import Bill, Claim, Policy, in_language
from knowledge.dates import long_date
from tools.account import signed_in
from tools.registry import ToolContext, ToolOutcome, tool

PolicyNumber = Annotated[
    str | None,
    Field(
        description="Number of the customer's policy as they wrote it; null when they named none.",
        max_length=40,
    ),
]
_OF_POLICY = ("policies", "policy_number", "product", "vehicle")
_PAYMENTS_TOLD = 3


@tool(
    effect="read",
    values=(*_OF_POLICY, "covers", "premium_usd_month", "begins_on", "ends_on", "last_day"),
    names_prices=True,
    own_data=True,
)
async def get_policy(context: ToolContext, policy_number: PolicyNumber = None) -> ToolOutcome:
    """Look up the signed-in customer's own policy: vehicle, covers, term, premium, and whether it is in force.

    Use it for questions about what this customer has: what is covered on their policy, their policy number, when it ends or
    renews, what they pay. Leave policy_number null unless the customer named one; with several policies the result lists
    them, so ask which is meant. It knows nobody but the signed-in customer; when it says that the customer has not signed in,
    ask them kindly to do so. How things work in general stands in the help articles, not here.
    """
    policy = await signed_in(context.account).policy(policy_number)
    language = context.language
    values = {
        **_named(policy, language),
        "covers": in_language(policy.covers, language),
        "premium_usd_month": str(policy.premium_usd_month),
        "begins_on": long_date(policy.begins_on, language),
        "ends_on": long_date(policy.ends_on, language),
        "last_day": long_date(policy.last_day, language) if policy.last_day else "",
    }
    if policy.state == "active":
        end = "then renews by itself" if policy.renews else "and does not renew by itself"
    else:
        end = "no longer renews"
    left = f"; cancelled, last day of cover {policy.last_day}" if policy.last_day else f"; {policy.state}"
    text = (
        f"Policy {policy.policy_number}: {values['product']}, {policy.vehicle}. Covers: {values['covers']}. "
        f"Premium {policy.premium_usd_month} US dollars per month. Term from {policy.begins_on} to {policy.ends_on}, {end}"
        f"{left}."
    )
    return ToolOutcome(text, values=values, code=policy.state)


@tool(
    effect="read",
    values=(*_OF_POLICY, "amount_usd", "due_on", "paid_usd", "paid_on"),
    names_prices=True,
    own_data=True,
)
async def get_billing(context: ToolContext, policy_number: PolicyNumber = None) -> ToolOutcome:
    """Look up the bills of the signed-in customer's own policy: what is open, when it is due, what was paid last.

    Use it for questions such as what they owe, when the next payment is due, or whether a payment has arrived. Leave
    policy_number null unless the customer named one; with several policies the result lists them, so ask which is meant. Give
    the amounts and dates exactly as they stand in the result. It takes no payment and changes none; a bill that the customer
    disputes belongs to a person.
    """
    account = signed_in(context.account)
    policy = await account.policy(policy_number)
    bills = await account.bills(policy.policy_number)
    today, language = context.now.date(), context.language
    unpaid = [bill for bill in bills if bill.paid_on is None]
    paid = sorted(
        (bill for bill in bills if bill.paid_on is not None), key=lambda bill: bill.paid_on or today
    )
    values = _named(policy, language)
    code = "settled"
    if unpaid:
        code = "overdue" if unpaid[0].due_on < today else "due"
        owed = [bill for bill in unpaid if code == "due" or bill.due_on < today]
        first = owed if code == "overdue" else owed[:1]
        values["amount_usd"] = str(sum((bill.amount_usd for bill in first), Decimal(0)))
        values["due_on"] = long_date(unpaid[0].due_on, language)
    if paid:
        values["paid_usd"] = str(paid[-1].amount_usd)
        values["paid_on"] = long_date(paid[-1].paid_on or today, language)
    told = [
        *(_bill(bill, today) for bill in unpaid),
        *(_bill(bill, today) for bill in paid[-_PAYMENTS_TOLD:]),
    ]
    text = f"Policy {policy.policy_number} ({policy.vehicle}). {' '.join(told) or 'No bill is on record.'}"
    return ToolOutcome(text, values=values, code=code)


@tool(
    effect="read",
    values=("claims", "claim_number", "about", "happened_on", "reported_on", "state_since", "paid_usd"),
    names_prices=True,
    own_data=True,
)
async def get_claim_status(
    context: ToolContext,
    claim_number: Annotated[
        str | None,
        Field(
            description="Number of the claim as the customer wrote it; null when they named none.",
            max_length=40,
        ),
    ] = None,
) -> ToolOutcome:
    """Look up how far the signed-in customer's own claim is.

    Use it when they ask how their claim is getting on, whether it has been decided or paid. Leave claim_number null unless the
    customer named one; with several claims the result lists them, so ask which is meant. Say where the claim stands and since
    when; promise neither a payment nor a date. A claim that the customer disputes, or a new one, belongs to a person.
    """
    claim = await signed_in(context.account).claim(claim_number)
    return ToolOutcome(
        _claim(claim, context.language), values=_claim_values(claim, context.language), code=claim.state
    )


def _named(policy: Policy, language: str) -> dict[str, str]:
    return {
        "policy_number": policy.policy_number,
        "vehicle": policy.vehicle,
        "product": in_language(policy.product, language),
    }


def _bill(bill: Bill, today: date) -> str:
    state = (
        f"paid on {bill.paid_on}" if bill.paid_on else "overdue" if bill.due_on < today else "not paid yet"
    )
    return f"Bill {bill.bill_number}: {bill.amount_usd} US dollars, due on {bill.due_on}, {state}."


def _claim(claim: Claim, language: str) -> str:
    paid = f" Paid out: {claim.paid_usd} US dollars." if claim.paid_usd is not None else ""
    return (
        f"Claim {claim.claim_number} ({in_language(claim.about, language)}) of {claim.happened_on}, reported on "
        f"{claim.reported_on}: {claim.state.replace('_', ' ')} since {claim.state_since}.{paid}"
    )


def _claim_values(claim: Claim, language: str) -> dict[str, str]:
    return {
        "claim_number": claim.claim_number,
        "about": in_language(claim.about, language),
        "happened_on": long_date(claim.happened_on, language),
        "reported_on": long_date(claim.reported_on, language),
        "state_since": long_date(claim.state_since, language),
        "paid_usd": str(claim.paid_usd) if claim.paid_usd is not None else "",
    }
