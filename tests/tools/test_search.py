"""The search tool gives passages to cite, in the customer's language, or says honestly that there are none."""

from dataclasses import dataclass, field

from knowledge.passages import Passage
from tests.agents.scripts import NoRecords
from tests.tools.places import context
from tools.search import PASSAGES, search_tool

PASSAGE = Passage("https://x/a#1", "An article", "https://x/a", "es", "El robo está cubierto.")


@dataclass
class _Index:
    found: tuple[Passage, ...]
    asked: list[tuple[str, str, int]] = field(default_factory=list)

    async def search(self, query: str, language: str, limit: int) -> tuple[Passage, ...]:
        self.asked.append((query, language, limit))
        return self.found


async def test_passages_are_handed_on() -> None:
    """Claude would have nothing to cite."""
    index = _Index((PASSAGE,))
    outcome = await search_tool(index).call(context(NoRecords()), {"query": "robo"})

    assert outcome.passages == (PASSAGE,)
    assert outcome.text == "1 passages found."
    assert index.asked == [("robo", "es", PASSAGES)]


async def test_nothing_found_is_said() -> None:
    """Claude would answer about cover from memory."""
    outcome = await search_tool(_Index(())).call(context(NoRecords()), {"query": "cohetes"})

    assert outcome.passages == ()
    assert outcome.text.startswith("Nothing was found. Say so honestly")


def test_a_search_may_run_on_a_guess() -> None:
    """Every search would wait for the classifier, and the answer with it."""
    tool = search_tool(_Index(()))

    assert (tool.effect, tool.lead, tool.slots) == ("read", "search", ())
