"""How well and how fast passages are found: the shipped articles, and a made-up company with 20,000 passages.

Prints load times (again: with one article changed), search times, in how many cases of evals/cases/retrieval.jsonl and
retrieval_later.jsonl one of the first three articles is a right one, and in how many of retrieval_nothing.jsonl (other
things) something is found. "situation" is told apart: what happened to somebody, without naming what is asked for.
Bounded: about 40 s on two cores.
"""

import json
import random
import time
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from pydantic import BaseModel

from knowledge.corpus_files import Article, Corpus, read_corpus
from knowledge.index import KnowledgeIndex
from knowledge.passages import Passage
from settings import ROOT

_CASES = ROOT / "evals" / "cases"
CASES = (_CASES / "retrieval.jsonl", _CASES / "retrieval_later.jsonl")
NOTHING = _CASES / "retrieval_nothing.jsonl"
NAMED_KINDS = ("plain", "paraphrase", "misspelt", "other_words")
PASSAGES = 20_000
PASSAGES_OF_ARTICLE = 8
WORDS_OF_PASSAGE = 30
PHRASES_OF_ARTICLE = 14
WORDS_OF_PHRASE = 8
MADE_UP_WORDS = 12_000
LIMIT = 6
ARTICLES_COUNTED = 3


class Case(BaseModel):
    """A question, and the articles that answer it; `kind` says how it is worded."""

    question: str
    language: str
    article: str
    also: list[str]
    kind: str


class Other(BaseModel):
    """A question about something else, for which nothing must be found."""

    question: str
    language: str


def read_cases(paths: Sequence[Path] = CASES) -> list[Case]:
    """The cases of the evals."""
    lines = (line for path in paths for line in path.read_text(encoding="utf-8").splitlines())
    return [Case.model_validate(json.loads(line)) for line in lines]


def read_others(path: Path = NOTHING) -> list[Other]:
    """The questions about other things."""
    return [Other.model_validate(json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines()]


def wrong_finds(index: KnowledgeIndex, others: Sequence[Other]) -> dict[str, tuple[int, int]]:
    """By language: searches that found something where nothing should be found, questions."""
    found = Counter(other.language for other in others if index.search(other.question, other.language, LIMIT))
    asked = Counter(other.language for other in others)
    return {language: (found[language], total) for language, total in asked.items()}


def share(counts: Mapping[tuple[str, str], tuple[int, int, int]], language: str | None = None) -> float:
    """Share of right articles (0 to 1) over the named kinds, of one language or of all."""
    chosen = [
        (right, total)
        for (spoken, kind), (right, _, total) in counts.items()
        if kind in NAMED_KINDS and language in (None, spoken)
    ]
    return sum(right for right, _ in chosen) / sum(total for _, total in chosen)


def rates(index: KnowledgeIndex, cases: Sequence[Case]) -> dict[tuple[str, str], tuple[int, int, int]]:
    """By language and kind: right articles among the first three, searches that found nothing, cases."""
    article_of = {article.url: article.article_id for article in index.articles}
    counts: defaultdict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0, 0])
    for case in cases:
        passages = index.search(case.question, case.language, LIMIT)
        articles = list(dict.fromkeys(article_of[passage.url] for passage in passages))[:ARTICLES_COUNTED]
        count = counts[case.language, case.kind]
        count[0] += not {case.article, *case.also}.isdisjoint(articles)
        count[1] += not passages
        count[2] += 1
    return {key: (right, nothing, total) for key, (right, nothing, total) in counts.items()}


def made_up(shipped: KnowledgeIndex) -> Corpus:
    """20,000 passages of English words from the shipped articles, as often as there, among made-up ones."""
    chance = random.Random(20_000)
    real = [
        word
        for article in shipped.articles
        for _, passage in article.parts
        if article.language == "en"
        for word in passage.text.split()
    ]
    invented = [
        "".join(chance.choices("abcdefghilmnoprstuv", k=chance.randint(4, 11))) for _ in range(MADE_UP_WORDS)
    ]
    return Corpus(
        tuple(_article(number, real, invented, chance) for number in range(PASSAGES // PASSAGES_OF_ARTICLE))
    )


def _article(number: int, real: list[str], invented: list[str], chance: random.Random) -> Article:
    url = f"https://example.com/{number}"
    title = " ".join([*chance.choices(real, k=2), *chance.choices(invented, k=2)])
    texts = [
        " ".join(
            chance.choices(real, k=WORDS_OF_PASSAGE // 2) + chance.choices(invented, k=WORDS_OF_PASSAGE // 2)
        )
        for _ in range(PASSAGES_OF_ARTICLE)
    ]
    parts = tuple(
        (title, Passage(f"{url}#{at}", title, url, "en", text)) for at, text in enumerate(texts, start=1)
    )
    asked = tuple(
        " ".join(chance.choices(real, k=WORDS_OF_PHRASE - 2) + chance.choices(invented, k=2))
        for _ in range(PHRASES_OF_ARTICLE)
    )
    return Article(str(number), f"{number}.md", title, url, "en", parts, asked)


def search_ms(index: KnowledgeIndex, cases: Sequence[Case]) -> tuple[float, float]:
    """Time of one search in milliseconds: median, and 95th percentile."""
    took: list[float] = []
    for case in cases:
        started = time.perf_counter()
        index.search(case.question, case.language, LIMIT)
        took.append((time.perf_counter() - started) * 1000)
    took.sort()
    return took[len(took) // 2], took[int(len(took) * 0.95)]


def _report(name: str, corpus: Corpus, cases: Sequence[Case]) -> KnowledgeIndex:
    started = time.perf_counter()
    index = KnowledgeIndex.of(corpus)
    load_s = time.perf_counter() - started
    first, *rest = corpus.articles
    started = time.perf_counter()
    KnowledgeIndex.of(Corpus((replace(first, title=first.title + "!"), *rest)), index)
    again_s = time.perf_counter() - started
    index.search(cases[0].question, cases[0].language, LIMIT)
    p50, p95 = search_ms(index, cases)
    print(
        f"{name:<10} {len(index.articles):>6} articles {index.passages:>7} passages  load {load_s:6.2f} s  "
        f"again {again_s:5.2f} s  search p50 {p50:5.2f} ms  p95 {p95:5.2f} ms"
    )
    return index


def main() -> None:
    """Print both tables."""
    cases = read_cases()
    shipped = _report("shipped", read_corpus(ROOT / "knowledge" / "corpus"), cases)
    english = [case for case in cases if case.language == "en"]
    others = [other for other in read_others() if other.language == "en"]
    invented = made_up(shipped)
    _report("made up", invented, english)
    counts = rates(shipped, cases)
    print(f"\n{'language':<9} {'kind':<12} {'right in first 3':>17} {'nothing found':>14}")
    for (language, kind), (right, nothing, total) in sorted(counts.items()):
        print(f"{language:<9} {kind:<12} {right:>9} of {total:<4} {nothing:>14}")
    print(f"{'all':<9} {'but situation':<13} {share(counts):>11.1%}")
    for language, (found, total) in sorted(wrong_finds(shipped, read_others()).items()):
        print(f"{language:<9} {'other things':<12} {'found all the same':>20} {found} of {total}")
    both = KnowledgeIndex.of(Corpus((*shipped.articles, *invented.articles)))
    found, total = wrong_finds(both, others)["en"]
    print(
        f"\nen, the shipped articles among the made-up ones, which have the same words by chance: "
        f"{share(rates(both, english)):.1%} right, other things found all the same {found} of {total}"
    )


if __name__ == "__main__":
    main()
