"""Show what each guard is for, who uses it, what it stops and what it stops wrongly: a table, or JSON for machines."""

from collections.abc import Sequence
from pathlib import Path

from pydantic import TypeAdapter
from rich.console import Console
from rich.table import Table

from agents.cover import Cover, Share, measure
from build import build_parts, load_prompts
from settings import Settings


def show_guards(settings: Settings, cases: Path, out: Console, *, as_json: bool) -> None:
    """Measure with the company's own lists and prompts, now, and print.

    Raises:
        ConfigError: A prompt file is wrong, or there are no cases.
    """
    parts = build_parts(settings)
    covers = measure(cases, load_prompts(settings, parts), parts.guards, parts.screen)
    if as_json:
        out.out(TypeAdapter(Sequence[Cover]).dump_json(covers, indent=2).decode(), highlight=False)
    else:
        out.print(_table(covers))


def _table(covers: Sequence[Cover]) -> Table:
    table = Table("guard", "purpose", "used by", "stops", "false alarms", "holds back", "CPU")
    table.caption = "holds back: characters at the 95th percentile; CPU: ms for each 1,000 characters"
    for cover in covers:
        held = "-" if cover.held_back_p95 is None else str(cover.held_back_p95)
        stops = "\n".join(f"{kind} {_of(share)}" for kind, share in cover.stopped.items())
        table.add_row(
            cover.name,
            cover.purpose,
            ", ".join(cover.used_by) or "nobody",
            stops or "no cases",
            _of(cover.false_alarms),
            held,
            f"{cover.cpu_ms:.1f}",
        )
    return table


def _of(share: Share) -> str:
    return f"{share.count} of {share.of}"
