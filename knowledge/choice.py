"""Choose among the passages that were found those that answer the question, for an answer that only quotes.

Why: a search ranks articles well, and the passages of one article less well: all of them speak of the battery. Which of
them answers is told by the question's rarer words, by the figure it asks for, and by the order in which articles are
written: first what holds, in the end what does not.
"""

import math
import re
from collections import Counter

from knowledge.passages import Passage
from knowledge.questions import asks_for_figure
from knowledge.words import Words

PASSAGES_SHOWN = 2
_NEAR_BEST = 0.55
# In shares of the best score; set on evals/cases/answers.jsonl (python -m bench.answers).
_HAS_THE_FIGURE = 0.3
_HAS_THE_WORDS = 0.3
_LATER_IN_ARTICLE = 0.03
_FIGURE = re.compile(r"(?<![\d-])\d[\d,.]*(?!\d*-\d)")  # no telephone number


def best_passages(passages: tuple[Passage, ...], question: str) -> list[Passage]:
    """Those to quote, the best first, those of one article together.

    Args:
        passages: As found, best first.
        question: In the customer's words.
    """
    if not passages:
        return []
    best_score, wants_figure = passages[0].score, asks_for_figure(question)
    shares = _shares(passages, question)

    def fit(passage: Passage) -> float:
        has_it = wants_figure and _FIGURE.search(passage.text) is not None
        return (
            passage.score / (best_score or 1)
            + _HAS_THE_FIGURE * has_it
            + _HAS_THE_WORDS * shares[passage.source]
            - _LATER_IN_ARTICLE * passage.number
        )

    near = [passage for passage in passages if passage.score >= best_score * _NEAR_BEST]
    chosen = sorted(near, key=fit, reverse=True)[:PASSAGES_SHOWN]
    order = list(dict.fromkeys(passage.url for passage in chosen))
    return sorted(chosen, key=lambda passage: order.index(passage.url))


def _shares(passages: tuple[Passage, ...], question: str) -> dict[str, float]:
    """By source: how much of the question the passage has (0 to 1). A word that few of these passages have counts most."""
    words = Words(passages[0].language)
    asked = frozenset(words.stems(question))
    common = {passage.source: asked & frozenset(words.stems(passage.text)) for passage in passages}
    counts = Counter(stem for stems in common.values() for stem in stems)
    weights = {stem: math.log(1 + len(passages) / count) for stem, count in counts.items()}
    total = sum(weights.values()) or 1
    return {source: sum(weights[stem] for stem in stems) / total for source, stems in common.items()}
