"""Show routing lines, from a running server or from a log that is piped in.

On a terminal a live table of the newest that have room, in the columns that have room; elsewhere a plain line for each.
"""

import json
import urllib.error
import urllib.request
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import Any, TextIO

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from errors import FrontdeskError

_WAIT_S = 60
_MOST = 200  # lines that are kept, however high the terminal is
# Characters that a column is wide; "faults" takes what is left.
_COLUMNS: Mapping[str, int] = {
    "at": 8,
    "intent": 12,
    "sure": 4,
    "by": 5,
    "agreed": 6,
    "guess": 6,
    "label": 7,
    "first": 7,
    "total": 7,
    "engine": 6,
    "tools": 16,
    "USD": 7,
    "faults": 12,
    "outcome": 18,
}
_FIRST_TO_GO = ("guess", "agreed", "label", "USD", "tools", "engine", "by", "first", "sure")
_AROUND = 5  # rows of the screen that hold no lines: head, borders, and the one with the cursor
_COLOURS = {
    "answered": "green",
    "answered_degraded": "yellow",
    "escalated": "cyan",
    "failed_with_notice": "red",
}
_AGREED = {"True": "yes", "False": "[yellow]no[/]", "None": "-"}
Line = dict[str, Any]


def follow_server(url: str, token: str | None, last: int, out: Console) -> None:
    """The last turns of the server at `url`, then new ones, until Ctrl-C.

    Raises:
        FrontdeskError: The server cannot be reached, or does not let us in.
    """
    lines: deque[Line] = deque(maxlen=max(1, last))
    try:
        with _open(f"{url}/ops/turns?limit={lines.maxlen}", token) as response:
            lines.extend(reversed(json.load(response)["turns"]))
        with _open(f"{url}/ops/turns/stream", token) as response:
            _show(lines, (json.loads(raw[6:]) for raw in response if raw.startswith(b"data: ")), out)
    except urllib.error.HTTPError as exc:
        raise FrontdeskError(
            f"{url} answers {exc.code}; set FRONTDESK_OPS_TOKEN to the server's ops token"
        ) from exc
    except OSError as exc:
        raise FrontdeskError(
            f"{url} cannot be reached ({exc}); is the server running, and on this port? (PORT=..., or --url)"
        ) from exc


def follow_pipe(source: TextIO, out: Console) -> None:
    """Every routing line of the log that is piped in, as rows; other lines are passed over."""
    _show(deque(maxlen=_MOST), _routing_lines(source), out)


def _show(lines: deque[Line], coming: Iterable[Line], out: Console) -> None:
    """These lines, and those that come."""
    if not out.is_terminal:
        for line in chain(lines, coming):
            out.print(_plain(line), soft_wrap=True, highlight=False, markup=False)
        return
    with Live(_table(lines, out), console=out, auto_refresh=False) as live:
        for line in coming:
            lines.append(line)
            live.update(_table(lines, out), refresh=True)


def _routing_lines(source: TextIO) -> Iterator[Line]:
    for text in source:
        try:
            line = json.loads(text)
        except ValueError:
            continue
        if isinstance(line, dict) and line.get("event") == "turn.routed":
            yield line


def _open(url: str, token: str | None) -> Any:  # noqa: ANN401 - urllib has no better type
    if not url.startswith(("http://", "https://")):
        raise FrontdeskError(f"{url!r} is not an address; use http://host:port")
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=_WAIT_S)  # noqa: S310 - checked above


def _table(lines: Iterable[Line], out: Console) -> Table:
    """The newest lines: what does not fit on the screen would be cut off at its end."""
    names = _fitting(out.width)
    table = Table(expand=True, header_style="bold")
    for name in names:
        width = None if name == "faults" else _COLUMNS[name]
        table.add_column(name, no_wrap=True, width=width, ratio=1 if width is None else None)
    for line in list(lines)[-max(1, out.height - _AROUND) :]:
        cells = _cells(line)
        table.add_row(*(cells[name] for name in names))
    return table


def _fitting(width: int) -> list[str]:
    """The columns for which there is room, in order."""
    names = list(_COLUMNS)
    for name in _FIRST_TO_GO:
        if sum(_COLUMNS[kept] + 3 for kept in names) + 1 <= width:
            break
        names.remove(name)
    return names


def _plain(line: Line) -> str:
    cells = {name: Text.from_markup(cell).plain for name, cell in _cells(line).items()}
    return "  ".join(f"{cell:{_COLUMNS[name]}}" for name, cell in cells.items())


def _cells(line: Line) -> dict[str, str]:
    outcome = str(line.get("outcome") or "")
    colour = _COLOURS.get(outcome, "white")
    return {
        "at": str(line.get("at", ""))[11:19],
        "intent": str(line.get("intent") or "-"),
        "sure": f"{line.get('confidence') or 0:.2f}",
        "by": str(line.get("decided_by") or "-"),
        "agreed": _AGREED[str(line.get("agreed"))],
        "guess": str(line.get("speculated") or "-"),
        "label": _ms(line.get("label_ms")),
        "first": _ms(line.get("first_text_ms")),
        "total": _ms(line.get("total_ms")),
        "engine": str(line.get("engine") or "-"),
        "tools": ", ".join(line.get("tools") or ()) or "-",
        "USD": f"{line.get('cost_usd') or 0:.5f}",
        "faults": "[yellow]" + ", ".join(line.get("faults") or ()) + "[/]",
        "outcome": f"[{colour}]{outcome}[/]",
    }


def _ms(value: object) -> str:
    return "-" if value is None else f"{value} ms"
