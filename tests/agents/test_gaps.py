"""A question that the articles do not answer is recorded, and nothing else is."""

import pytest

from engine.base import Cited, Piece, Text
from events import GapSeen
from knowledge.passages import Passage
from tests.agents.scripts import Scripted, Stage, done, echo, specialist, use
from tools.registry import Toolbox, ToolContext, ToolOutcome, tool

PASSAGE = Passage("https://x/a#1", "An article", "https://x/a", "en", "Theft is covered.")


@tool(effect="read", lead="search")
async def look_up(context: ToolContext, query: str) -> ToolOutcome:
    """Find passages."""
    return ToolOutcome("found", passages=(PASSAGE,) if query == "theft" else ())


async def _gaps(*scripts: list[Piece]) -> list[GapSeen]:
    stage = Stage(Scripted([*scripts]), Toolbox.of(echo, look_up), specialist("echo", "look_up"))
    await stage.play()
    return [event for event in stage.events if isinstance(event, GapSeen)]


def _looks_up(*queries: str) -> list[Piece]:
    return [*(use("look_up", f"c{at}", query=query) for at, query in enumerate(queries)), done("tool_use")]


CITED = Cited(PASSAGE.source, PASSAGE.text, "Theft is covered.")


async def test_a_search_that_found_nothing_is_a_gap() -> None:
    """Nobody would ever write the article that customers look for."""
    assert await _gaps(_looks_up("boats", "ships"), [Text("I found nothing."), done()]) == [
        GapSeen(kind="nothing_found", looked_up=("boats", "ships"))
    ]


async def test_passages_that_did_not_help_are_a_gap_of_another_kind() -> None:
    """An article that speaks of it, but does not answer, would never be completed."""
    assert await _gaps(_looks_up("boats", "theft"), [Text("I do not know."), done()]) == [
        GapSeen(kind="nothing_cited", looked_up=("boats", "theft"))
    ]


@pytest.mark.parametrize(
    "scripts",
    [
        [[Text("Hello."), done()]],
        [[use("echo", word="hola"), done("tool_use")], [Text("Hello."), done()]],
        [_looks_up("boats", "theft"), [Text("Theft is covered."), CITED, done()]],
        [_looks_up("boats"), [Text("I found"), done("cut")]],
        [_looks_up("boats"), [done()]],
    ],
    ids=["no search", "another tool", "answered", "broken off", "silent"],
)
async def test_what_was_answered_or_went_wrong_is_no_gap(scripts: list[list[Piece]]) -> None:
    """The list of gaps would be full of what is none."""
    assert await _gaps(*scripts) == []
