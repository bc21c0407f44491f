"""Show what each guard is for, who uses it, what it stops and what it stops wrongly: a few lines each, or JSON for machines."""

from collections.abc import Sequence
from pathlib import Path

from pydantic import TypeAdapter
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from agents.cover import Cover, Share, measure
from build import build_parts, load_prompts
from settings import Settings

_CAPTION = "holds back: at the 95th percentile; ms: of CPU for each 1,000 characters"


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
        out.print(*map(_told, covers), _CAPTION)


def _told(cover: Cover) -> RenderableType:
    """One guard in a few lines, which are whole on a narrow terminal too."""
    held = "" if cover.held_back_p95 is None else f", holds back {cover.held_back_p95} characters"
    stopped = [*cover.stopped.values()]
    total = Share(count=sum(share.count for share in stopped), of=sum(share.of for share in stopped))
    kinds = ", ".join(f"{kind} {_of(share)}" for kind, share in cover.stopped.items())
    lines = (
        cover.purpose,
        f"used by: {', '.join(cover.used_by) or 'nobody'}",
        f"stops {_of(total)}: {kinds}" if kinds else "no cases",
        f"false alarms {_of(cover.false_alarms)}{held}, {cover.cpu_ms:.1f} ms",
    )
    return Group(Text(cover.name, style="bold"), *(Padding(Text(line), (0, 0, 0, 2)) for line in lines))


def _of(share: Share) -> str:
    return f"{share.count} of {share.of}"
