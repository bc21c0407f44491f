"""The fault table itself: a row is as good as its tests, and a run says so with its exit code."""

import subprocess
import sys
from pathlib import Path

import pytest

from settings import ROOT
from tests.faults.rows import Ran, Result, Row, State, read_rows, results, summary, table

PLAIN, HALF, NONE = (
    Row("A1", "a fault"),
    Row("A2", "another", lacks="its log"),
    Row("A3", "none", unused="no need"),
)
_TESTS = """
import pytest

@pytest.mark.fault("U1", "U2")
def test_good(figure, size):
    figure(f"{size.kills} kills")

@pytest.mark.lab
@pytest.mark.fault("U3")
def test_long():
    assert BROKEN != "U3"

def test_of_no_row():
    assert BROKEN != "none"
"""


def _found(row: Row, *outcomes: str) -> Result:
    ran = [Ran((row.name,), outcome, 1.0, ("7 ms",)) for outcome in outcomes]  # type: ignore[arg-type]
    (result,) = results([row], [*ran, Ran(("B9",), "failed", 1.0)])
    return result


@pytest.mark.parametrize(
    ("row", "outcomes", "state"),
    [
        (PLAIN, ["passed", "passed"], "pass"),
        (PLAIN, ["passed", "failed"], "FAIL"),
        (PLAIN, ["passed", "skipped"], "skipped"),
        (PLAIN, [], "not shown"),
        (HALF, ["passed"], "partly"),
        (HALF, [], "not shown"),
        (NONE, [], "-"),
    ],
)
def test_a_row_is_as_good_as_its_worst_test(row: Row, outcomes: list[str], state: State) -> None:
    """A row would be green that nobody has shown."""
    assert _found(row, *outcomes).state == state


def test_a_line_says_how_many_tests_what_and_how_much() -> None:
    """Who reads the table would have to look for what was measured."""
    lines = table([_found(PLAIN, "passed", "passed"), _found(HALF, "passed"), _found(NONE)])

    assert lines == [
        "A1  pass        2 tests   2.0 s  a fault: 7 ms",
        "A2  partly       1 test   1.0 s  another: 7 ms [not shown: its log]",
        "A3  -                            none [no need]",
    ]


def test_the_summary_counts_the_rows() -> None:
    """The last line is what people read."""
    found = [_found(PLAIN, "passed"), _found(HALF, "passed"), _found(PLAIN, "failed"), _found(PLAIN)]

    assert summary(found) == "4 rows: 1 pass, 1 partly shown, 1 FAIL, 1 not shown"


def test_every_row_says_what_it_is() -> None:
    """A row without words tells nobody what has passed."""
    rows = read_rows()

    assert all(row.says and not (row.lacks and row.unused) for row in rows.values())
    assert {name for name, row in rows.items() if row.lacks != read_rows(is_full=True)[name].lacks} == {
        "T6",
        "L1",
        "L9",
    }
    assert {name[0] for name in rows} == set("UTDPLS")


def _run(folder: Path, broken: str, *options: str) -> subprocess.CompletedProcess[str]:
    """Pytest on three small tests; the one that is named fails."""
    (folder / "test_small.py").write_text(f"BROKEN = {broken!r}\n{_TESTS}", encoding="utf-8")
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "tests.faults.plugin",
        "-p",
        "no:cacheprovider",
        "-c",
        "/dev/null",
    ]
    return subprocess.run(  # noqa: S603 - our own words
        [*command, f"--rootdir={folder}", str(folder), *options],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_run_of_the_lab_is_its_tests_its_table_and_an_exit_code(tmp_path: Path) -> None:
    """Make faults would say that all is well although a row has failed."""
    good, bad = _run(tmp_path, "none", "--faults"), _run(tmp_path, "U3", "--faults", "--rows", "U1,U3")

    assert (good.returncode, bad.returncode) == (0, 1)
    assert "2 passed, 1 deselected" in good.stdout
    assert any(
        line.startswith("U1  pass") and line.endswith(": 8 kills") for line in good.stdout.splitlines()
    )
    assert any(line.startswith("U4  not shown") for line in good.stdout.splitlines())
    assert "2 rows: 1 pass, 1 FAIL" in bad.stdout


def test_any_other_run_leaves_out_the_long_tests_and_says_what_it_has_met(tmp_path: Path) -> None:
    """The whole test-suite would take an hour, or hide that a row has failed."""
    done = _run(tmp_path, "U3")

    assert done.returncode == 0
    assert "2 passed, 1 deselected" in done.stdout
    assert "Faults: 2 rows: 2 pass (make faults prints the table)" in done.stdout


@pytest.mark.parametrize(
    ("options", "says"), [(["--rows", "U99"], "U99 is no row"), (["--size", "huge"], "invalid choice")]
)
def test_what_is_not_there_cannot_be_asked_for(tmp_path: Path, options: list[str], says: str) -> None:
    """A slip on the command line would run nothing, and look like success."""
    done = _run(tmp_path, "none", "--faults", *options)

    assert done.returncode != 0
    assert says in done.stdout + done.stderr


def test_a_mark_of_no_row_is_refused(tmp_path: Path) -> None:
    """A slip in a mark would take a test out of the table."""
    (tmp_path / "test_slip.py").write_text(
        'import pytest\n\n@pytest.mark.fault("U99")\ndef test_it():\n    pass\n', encoding="utf-8"
    )
    done = _run(tmp_path, "none")

    assert done.returncode != 0
    assert '"U99" is no row of tests/faults/rows.toml' in done.stdout + done.stderr
