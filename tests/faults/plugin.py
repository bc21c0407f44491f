"""pytest's side of the fault lab: the marks `fault` and `lab`, the options, and the table at the end.

`@pytest.mark.fault("U4", "U5")` says which rows of rows.toml a test shows; the fixture `figure` adds what it measured.
`--faults` (make faults) runs exactly these tests, in the lab's size, and prints the table. Every other run leaves out
what is marked `lab`, takes the others in a small size, and prints one line about the rows it has met.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, Literal, cast

import pytest
from _pytest.mark.structures import ParameterSet  # what pytest.param gives has no public name

from tests.faults.rows import Ran, Result, read_rows, results, summary, table

Figure = Callable[[str], None]
SizeName = Literal["small", "lab", "full"]
_FAULT, _FIGURE = "fault", "figure"


@dataclass(frozen=True, slots=True)
class Size:
    """How large the long tests are.

    `kills` of a server over `turns`, in each database; `crashes` of PostgreSQL in the same time; `conversations` over
    two servers; `streams` open when a server is told to stop; `pairs` of answers that must not be told apart;
    `long_run`: turns that one server answers; `long_conversation`: turns of one conversation; `articles` of a company;
    `busy_s`: seconds of a busy hour.
    """

    kills: int
    turns: int
    crashes: int
    conversations: int
    streams: int
    pairs: int
    long_run: int
    long_conversation: int
    articles: int
    busy_s: float


SIZES: Final[dict[SizeName, Size]] = {
    "small": Size(
        kills=1,
        turns=12,
        crashes=1,
        conversations=8,
        streams=20,
        pairs=20,
        long_run=200,
        long_conversation=120,
        articles=500,
        busy_s=5,
    ),
    "lab": Size(
        kills=8,
        turns=200,
        crashes=4,
        conversations=60,
        streams=500,
        pairs=300,
        long_run=1_500,
        long_conversation=300,
        articles=10_000,
        busy_s=20,
    ),
    "full": Size(
        kills=140,
        turns=7_000,
        crashes=38,
        conversations=200,
        streams=500,
        pairs=2_000,
        long_run=10_000,
        long_conversation=1_000,
        articles=100_000,
        busy_s=300,
    ),
}


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options of the lab."""
    group = parser.getgroup("faults", "the fault lab")
    group.addoption("--faults", action="store_true", help="run the tests of the fault table, and print it")
    group.addoption("--rows", default="", help="only these rows, for example P2,D3")
    group.addoption("--size", choices=list(SIZES), default=None, help="of the long tests")


def pytest_configure(config: pytest.Config) -> None:
    """Make the marks known, and start to listen."""
    config.addinivalue_line("markers", "fault(*rows): shows these rows of tests/faults/rows.toml")
    config.addinivalue_line("markers", "lab: too long for every run; make faults runs it")
    if not hasattr(config, "workerinput"):  # the workers of a parallel run report to the process that prints
        config.pluginmanager.register(_Lab(config), "fault-lab")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Note the rows of each test; leave out what is not to run.

    Raises:
        pytest.UsageError: A mark names a row that is not in rows.toml.
    """
    known = read_rows()
    wanted = _wanted(config)
    if unknown := wanted - known.keys():
        raise pytest.UsageError(f"--rows: {', '.join(sorted(unknown))} is no row of tests/faults/rows.toml")
    kept: list[pytest.Item] = []
    left_out: list[pytest.Item] = []
    for item in items:
        rows = [row for mark in item.iter_markers(_FAULT) for row in mark.args]
        for row in dict.fromkeys(rows):
            if row not in known:
                raise pytest.UsageError(f'{item.nodeid}: "{row}" is no row of tests/faults/rows.toml')
            item.user_properties.append((_FAULT, row))
        if config.getoption("--faults"):
            runs = bool(wanted.intersection(rows)) if wanted else bool(rows)
        else:
            runs = item.get_closest_marker("lab") is None
        (kept if runs else left_out).append(item)
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = kept


def _size_name(config: pytest.Config) -> SizeName:
    usual = "lab" if config.getoption("--faults") else "small"
    return cast("SizeName", config.getoption("--size") or usual)


def _wanted(config: pytest.Config) -> set[str]:
    return {row.strip() for row in str(config.getoption("--rows")).split(",") if row.strip()}


def shows(row: str, *values: object) -> ParameterSet:
    """One case of a parametrised test that shows a row of its own."""
    return pytest.param(*values, marks=pytest.mark.fault(row))


@pytest.fixture
def figure(request: pytest.FixtureRequest) -> Figure:
    """Call it with what was measured, in a few words; it stands in the table beside the rows of the test."""

    def note(words: str) -> None:
        request.node.user_properties.append((_FIGURE, words))

    return note


@pytest.fixture(scope="session")
def size(pytestconfig: pytest.Config) -> Size:
    """How large the long tests are in this run."""
    return SIZES[_size_name(pytestconfig)]


class _Lab:
    """Hears of every test's end, and prints what that means for the rows."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._ran: list[Ran] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep what a test that stands for rows has shown."""
        rows = _of(report.user_properties, _FAULT)
        if rows and (report.when == "call" or report.outcome != "passed"):
            figures = _of(report.user_properties, _FIGURE)
            self._ran.append(Ran(rows, report.outcome, report.duration, figures))

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """The table, or one line."""
        found = self._results()
        if not self._config.getoption("--faults"):
            met = [result for result in found if result.tests or result.state == "FAIL"]
            if met:
                terminalreporter.write_line(f"Faults: {summary(met)} (make faults prints the table)")
            return
        terminalreporter.section("faults")
        for line in [*table(found), summary(found)]:
            terminalreporter.write_line(line)

    def _results(self) -> list[Result]:
        wanted = _wanted(self._config)
        known = read_rows(is_full=_size_name(self._config) == "full")
        rows = [row for row in known.values() if not wanted or row.name in wanted]
        return results(rows, self._ran)


def _of(properties: Iterable[tuple[str, object]], name: str) -> tuple[str, ...]:
    return tuple(str(value) for key, value in properties if key == name)
