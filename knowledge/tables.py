"""Read a TOML file as a checked table; whoever edits the file learns from the message alone what to correct.

Why: the company's figures and names stand in files that people edit. A wrong one stops the start with its file, its key
and the remedy, before a customer meets it.
"""

import tomllib
from decimal import Decimal
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from errors import ConfigError

_Table = TypeVar("_Table", bound=BaseModel)


def read_table(path: Path, table: type[_Table]) -> _Table:
    """A TOML file as a checked table; figures with a point are decimal.

    Raises:
        ConfigError: Unreadable, not TOML, or not as the table wants it; names file, key and remedy.
    """
    try:
        data: object = tomllib.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
    except (OSError, UnicodeDecodeError) as exc:
        raise ConfigError(f"{path}: cannot be read ({exc}); put a UTF-8 file there") from exc
    except tomllib.TOMLDecodeError as exc:
        raise ConfigError(f"{path}: not valid TOML: {exc}; correct that line") from exc
    try:
        return table.model_validate(data)
    except ValidationError as exc:
        problem = exc.errors(include_url=False)[0]
        remedy = {"extra_forbidden": "remove this key or correct its spelling", "missing": "add this key"}
        advice = remedy.get(problem["type"], f"correct this value: {problem.get('input')!r}")
        raise ConfigError(f"{path}: {_place(data, problem['loc'])}: {problem['msg']}; {advice}") from exc


def _place(data: object, loc: tuple[int | str, ...]) -> str:
    """Path to a key as a person reads it: a row goes by its name where it has one."""
    parts: list[str] = []
    for step in loc:
        row = data[step] if isinstance(data, list) and isinstance(step, int) else None
        data = data.get(step) if isinstance(data, dict) else row
        name = data.get("name") if isinstance(row, dict) and isinstance(data, dict) else None
        parts.append(f'"{name}"' if name else f"row {step + 1}" if isinstance(step, int) else f"{step}")
    return " / ".join(parts) or "the whole file"
