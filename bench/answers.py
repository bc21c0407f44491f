"""How often the engine without Claude answers with the fact: the shipped articles, evals/cases/answers.jsonl.

Prints by language in how many answers the fact stands at all, in how many it stands in the first passage, and how many
begin with a right article. A few seconds on two cores.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel

from knowledge.choice import best_passages
from knowledge.index import KnowledgeIndex
from knowledge.passages import Passage
from settings import ROOT
from tools.search import PASSAGES

CASES = ROOT / "evals" / "cases" / "answers.jsonl"


class Case(BaseModel):
    """A question, the articles that answer it, and the fact in several wordings of which one must stand there."""

    question: str
    language: str
    articles: list[str]
    facts: list[str]

    def is_told_by(self, passage: Passage) -> bool:
        """Whether the passage tells the fact."""
        return any(fact.casefold() in passage.text.casefold() for fact in self.facts)


@dataclass(slots=True)
class Rate:
    """How many answers of one language told the fact, told it first, and began with a right article."""

    told: int = 0
    told_first: int = 0
    right_article: int = 0
    cases: int = 0


def read_cases(path: Path = CASES) -> list[Case]:
    """The cases of the evals."""
    return [Case.model_validate(json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines()]


def rates(index: KnowledgeIndex, cases: Sequence[Case]) -> dict[str, Rate]:
    """By language."""
    article_of = {article.url: article.article_id for article in index.articles}
    found: dict[str, Rate] = {}
    for case in cases:
        shown = best_passages(index.search(case.question, case.language, PASSAGES), case.question)
        rate = found.setdefault(case.language, Rate())
        rate.cases += 1
        rate.told += any(map(case.is_told_by, shown))
        rate.told_first += any(map(case.is_told_by, shown[:1]))
        rate.right_article += any(article_of[passage.url] in case.articles for passage in shown[:1])
    return found


def main() -> None:
    """Print the table."""
    index = KnowledgeIndex.load(ROOT / "knowledge" / "corpus")
    print(f"{'language':<9} {'fact told':>12} {'fact first':>12} {'right article first':>20}")
    for language, rate in rates(index, read_cases()).items():
        of = f"of {rate.cases}"
        print(f"{language:<9} {rate.told:>6} {of} {rate.told_first:>6} {of} {rate.right_article:>14} {of}")


if __name__ == "__main__":
    main()
