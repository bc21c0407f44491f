"""The rooms that are single files keep to the order of imports; import-linter watches the packages."""

import ast
from pathlib import Path

import pytest

from settings import ROOT

ALLOWED = {
    "errors": set[str](),
    "settings": {"errors"},
    "logsink": set[str](),
    "events": set[str](),
    "templates": set[str](),
    "remote": {"errors", "events"},
}
ROOMS = {path.parent.name for path in ROOT.glob("*/__init__.py")} | {path.stem for path in ROOT.glob("*.py")}


def _imports(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    found |= {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module}
    return {name.partition(".")[0] for name in found} & ROOMS


@pytest.mark.parametrize("name", sorted(ALLOWED))
def test_the_lowest_rooms_import_nothing_above_them(name: str) -> None:
    """A circle would begin here: everything imports these modules."""
    assert _imports(ROOT / f"{name}.py") <= ALLOWED[name]


def test_no_company_stands_in_the_program() -> None:
    """Another company brings its own prompts and knowledge; the program must not know the demo company."""
    sources = [
        path for path in ROOT.rglob("*.py") if not {".venv", "tests", "bench", "var"} & set(path.parts)
    ]
    pages = [*ROOT.glob("web/*.js"), *ROOT.glob("web/*.html")]

    named = [
        str(path) for path in [*sources, *pages] if "acme" in path.read_text(encoding="utf-8").casefold()
    ]

    assert named == []
