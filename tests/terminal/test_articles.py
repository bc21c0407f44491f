"""What the check of the articles found, as people and build servers read it."""

import io
from datetime import date

from rich.console import Console

from knowledge.check import Longest, Report, Shelf
from terminal.articles import print_report


def _printed(report: Report) -> tuple[bool, str, str]:
    out, err = io.StringIO(), io.StringIO()
    is_good = print_report(report, Console(file=out, width=120), Console(file=err, width=20))
    return is_good, out.getvalue(), err.getvalue()


def test_faults_go_to_the_error_stream_one_a_line() -> None:
    """A build server would cut the lines, or colour what stands in brackets."""
    fault = "en/theft.md:8: the link to [x](y.md) is dead: there is no file en/y.md :boom:"

    assert _printed(Report((fault,), ("a warning",), ())) == (
        False,
        "warning a warning\n",
        f"{fault}\nfaults: 1\n",
    )


def test_without_faults_it_says_what_is_where() -> None:
    """An editor would not know what is there."""
    shelves = (
        Shelf("en", 2, 9, Longest(377, "en/theft.md:8"), (date(2026, 1, 31), "en/fire.md")),
        Shelf("es", 1, 4, Longest(99, "es/theft.md:7"), None),
    )
    is_good, shown, complained = _printed(Report((), (), shelves))

    assert (is_good, complained) == (True, "")
    for words in ("377 characters, en/theft.md:8", "2026-01-31, en/fire.md", "ok"):
        assert words in shown
