"""Answers with personal data in them and answers that only look so, and the shipped chain of guards that they go through.

Each case is a line of evals/cases/red_team_outputs/private.jsonl or benign_outputs/private.jsonl.
"""

import json
from collections.abc import Iterable, Sequence
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from agents.specialist import Catalogue, load_catalogue
from build import Parts, build_parts
from guards.chain import Chain, Fired
from guards.stream import Ground, Scene
from settings import ROOT, Settings

_CASES = ROOT / "evals" / "cases"


class _Case(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    text: str
    language: Literal["en", "es"]


class Bad(_Case):
    """An answer that holds what must not be shown: pieces of text, and a number in whatever way it is written."""

    class_: str
    must_not_appear: list[str] = []
    digits: str = ""


class Benign(_Case):
    """An answer that must pass as it is, in a conversation where the customer and a tool have said this."""

    class_: str
    intent: str = "greeting"
    customer: list[str] = []
    own: list[str] = []


def bad() -> list[Bad]:
    """The answers with personal data."""
    return [Bad.model_validate(case) for case in _lines(_CASES / "red_team_outputs" / "private.jsonl")]


def benign() -> list[Benign]:
    """The answers without, or with what may be said."""
    return [Benign.model_validate(case) for case in _lines(_CASES / "benign_outputs" / "private.jsonl")]


def _lines(path: Path) -> list[dict[str, object]]:
    lines = map(json.loads, path.read_text(encoding="utf-8").splitlines())
    return [{("class_" if key == "class" else key): value for key, value in line.items()} for line in lines]


@lru_cache(maxsize=1)
def desk() -> tuple[Parts, Catalogue]:
    """What is shipped: guards, prompts, articles."""
    parts = build_parts(Settings.read(FRONTDESK_ENGINE="local"))
    return parts, load_catalogue(ROOT / "prompts", parts.facts, frozenset(parts.guards))


def chain(
    language: str,
    intent: str = "greeting",
    grounds: Iterable[Ground] = (),
    *,
    says_back: frozenset[str] | None = None,
) -> Chain:
    """The shipped guards of an intent before one answer."""
    parts, catalogue = desk()
    specialist = catalogue.specialists[intent]
    scene = Scene(
        language=language,
        grounds=[Ground("company", specialist.told), Ground("company", specialist.fixed), *grounds],
        today=date(2026, 11, 29),
        secret=specialist.told,
        sayable=specialist.fixed,
        says_back=specialist.says_back if says_back is None else says_back,
        notice=lambda key: catalogue.notices.text(key, language) or "",
    )
    return Chain(specialist.guards, parts.guards, scene)


def shown(guards: Chain, pieces: Sequence[str]) -> tuple[str, list[Fired]]:
    """What the customer reads of an answer in pieces, and what fired."""
    out = [guards.push(piece) for piece in pieces if piece]
    out.append(guards.end())
    return "".join(text for text, _ in out), [item for _, fired in out for item in fired]
