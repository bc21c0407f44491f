"""Show the questions that the articles did not answer: a table for people, or JSON for machines."""

from datetime import UTC, datetime

from rich.console import Console
from rich.table import Table
from rich.text import Text

from readers.gaps import Gap, Gaps
from settings import Settings
from store.database import Database
from store.gaps import read_gaps

_PATIENCE_S = 60.0
_SHOWN = 160


async def show_gaps(settings: Settings, days: int, out: Console, *, as_json: bool) -> None:
    """Read the database, which a server may be using, and print the gaps of the last days.

    Raises:
        ConfigError: There is no such database.
        Unavailable: The database does not answer.
    """
    async with Database(settings.database_url, reader_wait_s=_PATIENCE_S) as database:
        gaps = await read_gaps(database, settings.knowledge, days, datetime.now(UTC))
    if as_json:
        out.out(gaps.model_dump_json(indent=2), highlight=False)
    elif gaps.gaps:
        out.print(_table(gaps))
    else:
        out.print(f"[green]none[/] in the last {days} days")


def _table(gaps: Gaps) -> Table:
    table = Table("times", "found nothing", "last", "languages", caption=f"{gaps.questions} questions")
    table.add_column("as customers asked it", overflow="fold")
    for gap in gaps.gaps:
        last = gap.last_at.strftime("%Y-%m-%d %H:%M")
        table.add_row(str(gap.count), str(gap.nothing_found), last, ", ".join(gap.languages), _asked(gap))
    return table


def _asked(gap: Gap) -> Text:
    """The newest question of each language, each on one line; nothing in it can steer the terminal."""
    texts = (" ".join(question.text.split()) for question in gap.examples)
    shown = (text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…" for text in texts)
    return Text("\n".join("".join(c if c.isprintable() else "\ufffd" for c in text) for text in shown))
