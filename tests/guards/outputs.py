"""Scripted answers of a model, bad and good, and the shipped guards that they go through.

They are lines of `evals/cases/red_team_outputs/*.jsonl` (with what must not appear) and `benign_outputs/*.jsonl`.
"""

import random
from collections.abc import Sequence
from itertools import pairwise
from typing import Literal

from agents.cover import Answer
from guards.chain import Chain, Fired
from guards.stream import Ground, Scene
from settings import ROOT
from tests.agents.folders import parts, shipped

_CASES = ROOT / "evals" / "cases"
_CUTS = 3
Folder = Literal["red_team_outputs", "benign_outputs"]


class Output(Answer):
    """An answer in a conversation, and where and how it is put to the guards."""

    def scene(self, *before: Ground, may_retake: bool = False) -> Scene:
        """Where it is said; its notices are the shipped ones."""
        notices = shipped().notices
        return Scene(
            language=self.language,
            grounds=[*before, *self.said()],
            sayable=shipped().specialists["product_info"].fixed,
            notice=lambda key: notices.text(key, self.language) or "",
            may_retake=may_retake,
        )

    def cuts(self) -> list[list[str]]:
        """The text as one piece, and some times in pieces of chance."""
        chance = random.Random(self.text)
        found = [[self.text]]
        for _ in range(_CUTS):
            places = sorted(
                chance.sample(range(len(self.text) + 1), min(len(self.text), chance.randint(1, 12)))
            )
            found.append([self.text[a:b] for a, b in pairwise([0, *places, len(self.text)])])
        return found


def outputs(folder: Folder, name: str) -> list[Output]:
    """The cases of one file."""
    lines = (_CASES / folder / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    return [Output.model_validate_json(line) for line in lines]


def chained(
    scene: Scene, pieces: Sequence[str], names: tuple[str, ...] | None = None
) -> tuple[str, list[Fired], bool]:
    """What a customer reads behind these guards (all shipped ones), what fired, and whether another answer is wanted."""
    chain = Chain(names or shipped().specialists["product_info"].guards, parts().guards, scene)
    said = [chain.push(piece) for piece in pieces]
    if not chain.wants_retake:
        said.append(chain.end())
    return (
        "".join(text for text, _ in said),
        [item for _, fired in said for item in fired],
        chain.wants_retake,
    )
