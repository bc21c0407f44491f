"""Change something in two phases: show exactly what would happen, and do it once after the customer's yes to just that.

Why: nobody may lose a policy because a model misread them, a line broke, or a server died. A preview changes nothing. The
server, never the model, says whether the customer's message is a plain yes to it (router/opencall.py). What is then done
has a key made of the conversation and the preview, the same through every retry and restart; when nobody can say whether
it was done, a person is asked, and it is never tried under another key.
States: previewed -> running -> done | refused | unknown. Used by the tools that change a contract.
"""

import hashlib
from collections.abc import Callable, Mapping
from datetime import timedelta

import structlog

from errors import ToolError
from events import Action, ActionChanged, Deed, HandoffRequested
from tools.account import Account
from tools.registry import Records, ToolContext

log = structlog.get_logger()
HOLDS_FOR = timedelta(minutes=15)
UNCONFIRMED = "unconfirmed_change"
"""Reason of the ticket for a change that may have happened."""


async def preview(
    context: ToolContext, account: Account, tool: str, subject: str, terms: Mapping[str, str]
) -> Action:
    """A stored preview of what the tool would do; nothing is changed.

    Raises:
        ToolError: The same is being done already, or may have been.
    """
    if await account.actions.is_open(account.customer_id, tool, subject):
        raise _being_checked()
    drafted = Action(
        preview_id="",
        tool=tool,
        subject=subject,
        terms=dict(terms),
        state="previewed",
        expires_at=context.now + HOLDS_FOR,
    )
    return await account.actions.preview(
        context.key, context.conversation_id, context.turn_id, account.customer_id, drafted
    )


async def agreed(
    context: ToolContext, account: Account, preview_id: str, fits: Callable[[Action], bool]
) -> Action:
    """The action that the customer has just agreed to, marked as running; or one that is done already.

    One that is running was begun by an attempt at this very turn that did not come to its end: it is gone on with.

    Args:
        fits: Whether what the model asks for beside the preview is what the preview says.

    Raises:
        ToolError: There is no such preview, the customer's message is not a plain yes to it, it has expired, or other terms
            are meant. Nothing was done.
    """
    action = await account.actions.find(context.conversation_id, account.customer_id, preview_id)
    if action is None:
        raise _nothing_done("there is no such preview", "preview_unknown")
    is_agreed = context.consent == preview_id
    if action.state == "previewed":
        if not is_agreed:
            raise _nothing_done(
                "the customer's last message is not a plain yes to this preview, shown in the answer just before",
                "not_agreed",
            )
        if not fits(action):
            raise _nothing_done("the preview that the customer agreed to has other terms", "preview_changed")
        if context.now > action.expires_at:
            raise _nothing_done("the preview has expired", "preview_expired")
        action = await account.actions.change(
            context.conversation_id, preview_id, "running", out_of="previewed"
        )
    if action.state == "refused":
        raise _nothing_done("it was refused before", "preview_over")
    if action.state == "unknown" or (action.state == "running" and not is_agreed):
        raise _being_checked()
    return action


def key_of(conversation_id: str, preview_id: str) -> str:
    """The idempotency key under which a preview is carried out, however often that is tried."""
    return hashlib.sha256(f"action\n{conversation_id}\n{preview_id}".encode()).hexdigest()


async def unconfirmed(
    account: Account, records: Records, conversation_id: str, turn_id: str, preview_id: str
) -> tuple[Deed, ...]:
    """Nobody can say whether a running action was carried out: a ticket for a person, and a loud line in the log.

    Nothing when the action is not running (any more).
    """
    action = await account.actions.find(conversation_id, account.customer_id, preview_id)
    if action is None or action.state != "running":
        return ()
    summary = (
        f"{action.tool}, {action.subject}: sent, and no answer says whether it was carried out. Look in the company's "
        f"records (idempotency key {key_of(conversation_id, preview_id)}) and confirm to the customer. "
        f"Agreed: {', '.join(f'{name} {value}' for name, value in action.terms.items())}."
    )
    key = f"{conversation_id}/{preview_id}/{UNCONFIRMED}"
    ticket_id = await records.save_ticket(key, conversation_id, turn_id, UNCONFIRMED, summary)
    left = await account.actions.change(conversation_id, preview_id, "unknown", out_of="running")
    log.error("action.unconfirmed", code="effect_ambiguous", tool=action.tool, preview_id=preview_id)
    return (
        ActionChanged(action=left),
        HandoffRequested(ticket_id=ticket_id, reason=UNCONFIRMED),
    )


def _nothing_done(why: str, code: str) -> ToolError:
    return ToolError(
        f"nothing was done: {why}. If the customer still wants it, call again with preview_id null, show the new preview, "
        "and ask for a yes",
        code=code,
    )


def _being_checked() -> ToolError:
    return ToolError(
        "nothing was done now: the same change was sent before, and nobody has confirmed yet whether it was carried out. "
        "Say that we are checking and that a person will confirm; do not try again",
        code="being_checked",
    )
