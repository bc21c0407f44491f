"""Prompt folders for tests: copies of the shipped one, edited as a prompt engineer would."""

import shutil
from functools import cache
from pathlib import Path

from agents.specialist import Catalogue, ToolFacts, load_catalogue
from build import Parts, build_parts
from settings import ROOT, Settings

SHIPPED = ROOT / "prompts"


@cache
def parts() -> Parts:
    """The shipped tools and what they stand on."""
    return build_parts(Settings.read(FRONTDESK_ENGINE="local"))


def tool_facts() -> ToolFacts:
    """What the shipped tools offer to prompt files."""
    return parts().facts


@cache
def shipped() -> Catalogue:
    """The catalogue of the shipped prompts."""
    return load(SHIPPED)


def load(folder: Path, before: Catalogue | None = None) -> Catalogue:
    """The catalogue of this folder, checked against the shipped tools and guards."""
    return load_catalogue(folder, tool_facts(), frozenset(parts().guards), before)


def copied(parent: Path) -> Path:
    """A copy of the shipped prompts below `parent`."""
    return Path(shutil.copytree(SHIPPED, parent / "prompts"))


def english_only(folder: Path) -> Path:
    """The folder with an English lexicon, which is read several times as fast."""
    lexicon = folder / "_lexicon.md"
    lines = lexicon.read_text(encoding="utf-8").splitlines()
    kept = [line for line in lines if line.startswith(("---", "kind", "#", "en:"))]
    lexicon.write_text("".join(f"{line}\n" for line in kept), encoding="utf-8")
    return folder


def edit(path: Path, old: str, new: str) -> int:
    """Replace the first `old`, which must be there; the number of the line where it began."""
    text = path.read_text(encoding="utf-8")
    at = text.index(old)
    path.write_text(text[:at] + new + text[at + len(old) :], encoding="utf-8")
    return text[:at].count("\n") + 1
