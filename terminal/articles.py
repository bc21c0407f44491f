"""Show what the check of the articles found: every fault, or what is where."""

from rich.console import Console
from rich.table import Table

from knowledge.check import Report, Shelf


def print_report(report: Report, out: Console, err: Console) -> bool:
    """Print it, faults to `err`; whether the articles are good."""
    for warning in report.warnings:
        out.out(f"warning {warning}", highlight=False)
    for fault in report.faults:
        err.out(fault, highlight=False)
    if report.faults:
        err.print(f"faults: {len(report.faults)}")
        return False
    out.print(_table(report.shelves))
    out.print("[green]ok[/]")
    return True


def _table(shelves: tuple[Shelf, ...]) -> Table:
    table = Table("language", "articles", "passages")
    for name in ("longest passage", "oldest update"):
        table.add_column(name, overflow="fold")
    for shelf in shelves:
        longest = f"{shelf.longest.characters} characters, {shelf.longest.place}"
        oldest = f"{shelf.oldest[0].isoformat()}, {shelf.oldest[1]}" if shelf.oldest else "-"
        table.add_row(shelf.language, str(shelf.articles), str(shelf.passages), longest, oldest)
    return table
