"""Before a turn ends: a change that was begun in it and that nobody can vouch for is handed to a person.

Why: a server may die, or a tool run out of time, after a change was sent and before its outcome was recorded. A turn without
the customer's yes has begun nothing, so it costs nothing; and as every turn is brought to an end, here or on another server,
nothing stays half done without somebody knowing.
"""

from events import Deed
from router.desk import Desk
from router.known import Incoming
from router.opencall import Word
from tools.account import Account
from tools.actions import unconfirmed


async def settle(desk: Desk, incoming: Incoming, word: Word | None) -> tuple[Deed, ...]:
    """What has to be told: nothing, or that the outcome is not known and a person has a ticket for it.

    Raises:
        Unavailable: The database does not answer.
    """
    account = account_of(desk, incoming)
    if account is None or word is None or word.consent is None:
        return ()
    turn = incoming.turn
    return await unconfirmed(account, desk.records, turn.conversation_id, turn.turn_id, word.consent)


def account_of(desk: Desk, incoming: Incoming) -> Account | None:
    """The account of whoever wrote the message; None for a visitor."""
    return None if incoming.customer_id is None else desk.account_of(incoming.customer_id)
