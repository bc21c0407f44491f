"""Send one message through the whole desk and show what happened: for prompt engineers, before and after an edit.

Runs everything for real on a database of its own that is thrown away, so a trial leaves nothing behind.
"""

import tempfile
from pathlib import Path

from rich.console import Console
from rich.markdown import Markdown
from rich.table import Table
from rich.text import Text

from events import (
    ActionChanged,
    AnswerCorrected,
    EngineCalled,
    Event,
    FaultSeen,
    GuardFired,
    LabelGiven,
    Recorded,
    RouteDecided,
    SpecialistStarted,
    ToolCalled,
    ToolReturned,
)
from guards.screen import Verdict
from readers.reply import fold_reply
from readers.routing_line import fold_routing_line
from router.attempt import CUSTOMER
from server import open_house
from settings import Settings
from store.log import NewMessage

_RESULT_SHOWN = 240


async def run_trial(
    settings: Settings, messages: list[str], out: Console, customer: str | None = None
) -> None:
    """Answer the messages as one conversation and print each turn: labels, route, tools, guards, answer, cost.

    Args:
        customer: The id of the customer who has signed in; None: a visitor writes.
    """
    owner = "visitor:trial" if customer is None else f"{CUSTOMER}{customer}"
    with tempfile.TemporaryDirectory(prefix="frontdesk-try-") as folder:
        own = settings.model_copy(update={"database_url": f"sqlite:///{Path(folder) / 'trial.db'}"})
        async with open_house(own) as house:
            conversation_id: str | None = None
            for number, text in enumerate(messages, start=1):
                message = NewMessage(owner, text, f"trial-{number}", conversation_id)
                accepted = await house.runner.start(message)
                conversation_id = accepted.turn.conversation_id
                recorded = [
                    item async for news in house.event_log.follow_turn(accepted.turn) for item in news
                ]
                _print_turn(text, recorded, out)
                _print_screened(house.keeper.current().screen.judge(text), out)
                reply = fold_reply(accepted.turn, [item.event for item in recorded])
                out.print(Markdown(reply.text))
                for citation in reply.citations:
                    out.print(f"  [dim]source: {citation.title}  {citation.url}[/]")
                line = fold_routing_line(accepted.turn, recorded)
                out.print(
                    f"[dim]{line.outcome}  {line.engine}  {line.total_ms} ms  {line.cost_usd:.6f} USD[/]\n"
                )


def _print_turn(text: str, recorded: list[Recorded], out: Console) -> None:
    out.rule(f"[bold]{text[:80]}[/]", align="left")
    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    table.add_column(style="cyan", no_wrap=True)
    table.add_column(overflow="fold")
    for item in recorded:
        row = _row(item.event)
        if row is not None:
            table.add_row(*row)
    out.print(table)


def _print_screened(verdict: Verdict, out: Console) -> None:
    """What the screen found, how it had to read the message for it, which pattern it was, and the words as read."""
    for finding in verdict.findings:
        out.print(
            Text(
                f"  screen: {finding.what} ({finding.level}), pattern {finding.pattern}: {finding.words}",
                style="magenta",
            )
        )


def _row(event: Event) -> tuple[str, str] | None:
    match event:
        case LabelGiven():
            label = event.label
            also = f", also {', '.join(label.also)}" if label.also else ""
            return f"{event.source} label", f"{label.intent} {label.confidence:.2f} ({label.language}){also}"
        case RouteDecided():
            asks = f", asks back: {', '.join(event.clarify)}" if event.clarify else ""
            return "route", f"{event.intent} by {event.decided_by}, guess: {event.speculated}{asks}"
        case SpecialistStarted():
            return "specialist", f"{event.intent}, prompt {event.prompt_version}"
        case ToolCalled() | ToolReturned() | ActionChanged():
            return _tool_row(event)
        case GuardFired() | AnswerCorrected():
            return _guard_row(event)
        case FaultSeen():
            return "fault", f"{event.code} at {event.where}"
        case EngineCalled():
            return (
                "engine",
                f"{event.model}, {event.stop_reason}, {event.took_ms} ms, {event.usage.output_tokens} tokens out",
            )
        case _:
            return None


def _guard_row(event: GuardFired | AnswerCorrected) -> tuple[str, str]:
    if isinstance(event, GuardFired):
        return "guard", f"{event.guard}: {event.what}"
    return "corrected", "\n".join(f"{proof.sentence} / article: {proof.quote}" for proof in event.proofs)


def _tool_row(event: ToolCalled | ToolReturned | ActionChanged) -> tuple[str, str]:
    match event:
        case ToolCalled():
            return "tool asked", f"{event.name} {event.arguments}"
        case ToolReturned():
            return "tool gave", f"{'ok' if event.ok else 'refused'}: {event.result[:_RESULT_SHOWN]}"
        case ActionChanged():
            terms = ", ".join(f"{name} {value}" for name, value in event.action.terms.items())
            return f"change {event.action.state}", terms
