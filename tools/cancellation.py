"""End a signed-in customer's policy, in two phases: preview, and after their yes to it, once (tools/actions.py)."""

from datetime import date
from typing import Annotated

from pydantic import Field

from errors import RemoteError, ToolError, ToolQuestion
from events import Action, ActionChanged
from knowledge.account import Terms
from knowledge.dates import long_date
from tools.account import Account, is_same, signed_in
from tools.account_tools import PolicyNumber
from tools.actions import agreed, key_of, preview, unconfirmed
from tools.registry import ToolContext, ToolOutcome, tool

NAME = "request_cancellation"
# What a back end may refuse with, as the model is told it. The codes are those of docs/customer-api.yaml.
_REFUSALS = {
    "not_found": ("there is no such policy any more", None),
    "already_cancelled": ("the policy has been cancelled already", None),
    "policy_ended": ("the policy has ended already", None),
    "last_day_past": ("the last day cannot lie in the past; ask for another day", "last_day"),
    "last_day_late": ("the policy ends before that day anyway; ask for another day", "last_day"),
    "terms_changed": (
        "the terms have changed since the preview; make a new preview and ask for a yes to that",
        None,
    ),
}


@tool(
    effect="write",
    values=("policies", "policy_number", "vehicle", "last_day", "refund_usd", "preview_id", "receipt"),
    names_prices=True,
    own_data=True,
)
async def request_cancellation(
    context: ToolContext,
    policy_number: PolicyNumber = None,
    last_day: Annotated[
        date | None,
        Field(description="Last day of cover, as a date; null when the customer has not said which day."),
    ] = None,
    preview_id: Annotated[
        str | None,
        Field(
            description="Null at first. The id of the preview, once the customer has said yes to it.",
            max_length=40,
        ),
    ] = None,
) -> ToolOutcome:
    """Cancel the signed-in customer's own policy, in two steps that cannot be joined.

    First call it with preview_id null: nothing changes, and the result is a preview of what exactly would happen. Show the
    customer the policy number, the last day and the money back, and ask for a plain yes. Only when their next message is that
    yes, call it again with the preview_id; the server checks the yes itself and refuses without it. When the result says that
    the outcome is not known, say that we are checking and that a person will confirm, and never call it again for that policy.
    """
    account = signed_in(context.account)
    if preview_id is not None:

        def fits(action: Action) -> bool:
            is_same_policy = policy_number is None or is_same(action.subject, policy_number)
            return is_same_policy and last_day in {None, Terms.model_validate(action.terms).last_day}

        return await _carry_out(context, account, await agreed(context, account, preview_id, fits))
    policy = await account.policy(policy_number)
    if policy.state != "active":
        raise _refused("already_cancelled" if policy.state == "cancelled" else "policy_ended")
    if last_day is None:
        raise ToolQuestion(
            "ask the customer which day is to be the last day of cover", code="which_day", field="last_day"
        )
    terms = await _terms(account, policy.policy_number, last_day)
    action = await preview(context, account, NAME, policy.policy_number, terms.model_dump(mode="json"))
    text = (
        f"Preview {action.preview_id}; nothing has changed yet. {_in_words(action)} "
        "Show this to the customer and ask for a plain yes; then call again with this preview_id."
    )
    values = {**_values(action, context.language), "vehicle": policy.vehicle}
    return ToolOutcome(text, values=values, deeds=(ActionChanged(action=action),), code="preview")


async def _terms(account: Account, policy_number: str, last_day: date) -> Terms:
    try:
        return await account.accounts.cancellation_terms(account.customer_id, policy_number, last_day)
    except RemoteError as exc:
        if exc.reason in _REFUSALS:
            raise _refused(exc.reason) from exc
        raise ToolError(
            "a cancellation cannot be prepared right now; nothing has changed. Say so honestly and offer a person",
            code="not_done",
        ) from exc


async def _carry_out(context: ToolContext, account: Account, action: Action) -> ToolOutcome:
    """Do what was agreed to, once; an action that was done already gives its receipt again."""
    if action.state == "done":
        return _done(context, action)
    conversation_id, preview_id = context.conversation_id, action.preview_id
    key = key_of(conversation_id, preview_id)
    terms = Terms.model_validate(action.terms)
    try:
        receipt = await account.accounts.cancel(account.customer_id, terms, key)
    except RemoteError as exc:
        if exc.may_have_acted:
            return await _unknown(context, account, action)
        await account.actions.change(conversation_id, preview_id, "refused", out_of="running")
        if exc.reason in _REFUSALS:
            raise _refused(exc.reason) from exc
        raise ToolError(
            "the cancellation could not be passed on; nothing has changed. Say so honestly and offer a person",
            code="not_done",
        ) from exc
    done = await account.actions.change(
        conversation_id, preview_id, "done", out_of="running", receipt=receipt.receipt_number
    )
    return _done(context, done)


async def _unknown(context: ToolContext, account: Account, action: Action) -> ToolOutcome:
    deeds = await unconfirmed(
        account, context.records, context.conversation_id, context.turn_id, action.preview_id
    )
    return ToolOutcome(
        "It is not known whether the cancellation was carried out. Say that we are checking, and that a person will confirm it "
        "to the customer; do not say that it is done or not done, and do not call this tool again for this policy.",
        values=_values(action, context.language),
        deeds=deeds,
        code="unknown",
        fault="effect_ambiguous",
    )


def _done(context: ToolContext, action: Action) -> ToolOutcome:
    text = f"Done, once. {_in_words(action)} Receipt {action.receipt}. Tell the customer, with the receipt number."
    return ToolOutcome(
        text, values=_values(action, context.language), deeds=(ActionChanged(action=action),), code="done"
    )


def _refused(reason: str) -> ToolError:
    why, field = _REFUSALS[reason]
    text = f"nothing was cancelled: {why}"
    return ToolError(text, code=reason) if field is None else ToolQuestion(text, code=reason, field=field)


def _in_words(action: Action) -> str:
    terms = Terms.model_validate(action.terms)
    return f"Policy {terms.policy_number} ends; last day of cover: {terms.last_day}; money paid back: {terms.refund_usd} US dollars."


def _values(action: Action, language: str) -> dict[str, str]:
    terms = Terms.model_validate(action.terms)
    return {
        "policy_number": terms.policy_number,
        "last_day": long_date(terms.last_day, language),
        "refund_usd": str(terms.refund_usd),
        "preview_id": action.preview_id,
        "receipt": action.receipt,
    }
