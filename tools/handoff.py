"""The hand-over tool: a stored ticket for a person.

A message makes one ticket at most: the key is the turn alone, because a turn that is run again after a crash may
word its summary differently.
"""

from typing import Annotated, Literal

from pydantic import Field

from events import HandoffRequested
from tools.registry import Tool, ToolContext, ToolOutcome, tool

# A local reply of the same name goes with its reason; the first is the plain case, the last is for all else.
Reason = Literal[
    "asked_for_person",
    "complaint",
    "accident",
    "claim_dispute",
    "fraud",
    "legal",
    "bereavement",
    "hardship",
    "self_harm",
    "other",
]


def handoff_tool() -> Tool:
    """The tool; it needs nothing but the server's records."""

    @tool(effect="write", lead="handoff", values=("ticket_id",))
    async def handoff(
        context: ToolContext,
        reason: Annotated[Reason, Field(description="Why a person is needed.")],
        summary: Annotated[
            str,
            Field(
                description="Two or three factual sentences for the colleague: what happened and what the customer wants.",
                max_length=1200,
            ),
        ],
    ) -> ToolOutcome:
        """Pass the conversation to a person of the company and return the ticket number.

        Use it when the customer asks for a person, is upset or complains, reports an accident or a theft,
        disputes a claim or a charge, mentions fraud, a lawyer or a regulator, or is in distress.
        The colleague sees the whole conversation, so do not ask the customer to repeat anything first.
        Afterwards tell the customer the ticket number; do not promise an outcome or a time.
        """
        key = f"{context.conversation_id}/{context.turn_id}/handoff"
        ticket_id = await context.records.save_ticket(
            key, context.conversation_id, context.turn_id, reason, summary
        )
        return ToolOutcome(
            f"Stored. Ticket number: {ticket_id}. A person will continue this conversation.",
            values={"ticket_id": ticket_id},
            deeds=(HandoffRequested(ticket_id=ticket_id, reason=reason),),
        )

    return handoff
