"""The search on PostgreSQL beside the one in memory: the same articles, the same questions, the same machine.

Prints load times, search times, and in how many cases of evals/cases/retrieval.jsonl one of the first three articles is
a right one. Needs a PostgreSQL that the tests can set up (tests/postgres.py). Bounded: about a minute on two cores.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence

from bench.retrieval import ARTICLES_COUNTED, LIMIT, Case, made_up, read_cases
from knowledge.index import KnowledgeIndex
from knowledge.passages import Passage
from settings import ROOT
from store.database import Database
from store.knowledge import StoredKnowledge
from tests.postgres import running_postgres
from tests.waiting import until

_ROUNDS = 4  # the machine is seldom ours alone
Search = Callable[[str, str, int], Awaitable[tuple[Passage, ...]]]


async def right(search: Search, index: KnowledgeIndex, cases: Sequence[Case]) -> tuple[int, int]:
    """How many cases have a right article among the first three, and how many found nothing."""
    article_of = {article.url: article.article_id for article in index.articles}
    hits = nothing = 0
    for case in cases:
        passages = await search(case.question, case.language, LIMIT)
        articles = list(dict.fromkeys(article_of[passage.url] for passage in passages))[:ARTICLES_COUNTED]
        hits += not {case.article, *case.also}.isdisjoint(articles)
        nothing += not passages
    return hits, nothing


async def search_ms(search: Search, cases: Sequence[Case]) -> tuple[float, float]:
    """Time of one search in milliseconds: median, and 95th percentile; of each question the best of four rounds."""
    best = dict.fromkeys(range(len(cases)), float("inf"))
    for _ in range(_ROUNDS):
        for number, case in enumerate(cases):
            started = time.perf_counter()
            await search(case.question, case.language, LIMIT)
            best[number] = min(best[number], (time.perf_counter() - started) * 1000)
    took = sorted(best.values())
    return took[len(took) // 2], took[int(len(took) * 0.95)]


async def _report(name: str, index: KnowledgeIndex, url: str, cases: Sequence[Case], *, judged: bool) -> None:
    async def in_memory(query: str, language: str, limit: int) -> tuple[Passage, ...]:
        return index.search(query, language, limit)

    async with Database(url) as database, asyncio.TaskGroup() as group:
        stored = StoredKnowledge(database)
        started = time.perf_counter()
        stored.take(index)
        keeping = group.create_task(stored.run())
        await until(lambda: stored.is_ready)
        load_s = time.perf_counter() - started
        for where, search in (("memory", in_memory), ("PostgreSQL", stored.search)):
            p50, p95 = await search_ms(search, cases)
            rates = ""
            if judged:
                hits, nothing = await right(search, index, cases)
                rates = f"  right in first 3: {hits} of {len(cases)}  nothing found: {nothing}"
            print(
                f"{name:<8} {where:<11} {index.passages:>6} passages  p50 {p50:6.2f} ms  p95 {p95:6.2f} ms{rates}"
            )
        print(f"{name:<8} put into the database in {load_s:.1f} s")
        keeping.cancel()


async def _run(url: str) -> None:
    cases = read_cases()
    shipped = KnowledgeIndex.load(ROOT / "knowledge" / "corpus")
    await _report("shipped", shipped, url, cases, judged=True)
    english = [case for case in cases if case.language == "en"]
    await _report("made up", KnowledgeIndex.of(made_up(shipped)), url, english, judged=False)


def main() -> None:
    """Print the table."""
    with running_postgres() as postgres, postgres.database() as url:
        asyncio.run(_run(url))


if __name__ == "__main__":
    main()
