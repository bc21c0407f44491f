"""Show routing lines as a live table: from a running server, or from a log that is piped in."""

import json
import urllib.error
import urllib.request
from collections import deque
from collections.abc import Iterator
from typing import Any, TextIO

from rich.console import Console
from rich.live import Live
from rich.table import Table

from errors import FrontdeskError

_WAIT_S = 60
_COLUMNS = (
    "at",
    "intent",
    "sure",
    "by",
    "agreed",
    "guess",
    "label",
    "first",
    "total",
    "engine",
    "tools",
    "USD",
    "faults",
    "outcome",
)
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
        with (
            _open(f"{url}/ops/turns/stream", token) as response,
            Live(_table(lines), console=out, auto_refresh=False) as live,
        ):
            for raw in response:
                if raw.startswith(b"data: "):
                    lines.append(json.loads(raw[6:]))
                    live.update(_table(lines), refresh=True)
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
    lines: deque[Line] = deque(maxlen=40)
    with Live(_table(lines), console=out, auto_refresh=False) as live:
        for line in _routing_lines(source):
            lines.append(line)
            live.update(_table(lines), refresh=True)


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


def _table(lines: deque[Line]) -> Table:
    table = Table(*_COLUMNS, expand=True, header_style="bold")
    for line in lines:
        table.add_row(*_cells(line))
    return table


def _cells(line: Line) -> tuple[str, ...]:
    outcome = str(line.get("outcome") or "")
    colour = _COLOURS.get(outcome, "white")
    return (
        str(line.get("at", ""))[11:19],
        str(line.get("intent") or "-"),
        f"{line.get('confidence') or 0:.2f}",
        str(line.get("decided_by") or "-"),
        _AGREED[str(line.get("agreed"))],
        str(line.get("speculated") or "-"),
        _ms(line.get("label_ms")),
        _ms(line.get("first_text_ms")),
        _ms(line.get("total_ms")),
        str(line.get("engine") or "-"),
        ", ".join(line.get("tools") or ()) or "-",
        f"{line.get('cost_usd') or 0:.5f}",
        "[yellow]" + ", ".join(line.get("faults") or ()) + "[/]",
        f"[{colour}]{outcome}[/]",
    )


def _ms(value: object) -> str:
    return "-" if value is None else f"{value} ms"
