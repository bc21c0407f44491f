"""Make one list of passages of several, by rank alone.

Why: searches by words and by meaning give scores that cannot be compared; places in a list can. A passage that
several searches found comes before one that a single search found.
"""

from collections.abc import Sequence

from knowledge.passages import Passage

K = 60
"""How little the first places count more than the next ones: place n weighs 1 / (K + n).

Source: reciprocal rank fusion; Cormack, Clarke and Büttcher, SIGIR 2009, who found 60 to do well on every collection.
"""


def fuse(rankings: Sequence[Sequence[Passage]], limit: int) -> tuple[Passage, ...]:
    """The passages of all lists, best first; of equals, the one of the earlier list.

    Args:
        rankings: Each best first, and each passage once in it.
        limit: How many passages at most.
    """
    weights: dict[str, float] = {}
    passages: dict[str, Passage] = {}
    for ranking in rankings:
        for place, passage in enumerate(ranking, start=1):
            weights[passage.source] = weights.get(passage.source, 0.0) + 1 / (K + place)
            passages.setdefault(passage.source, passage)
    best = sorted(weights, key=lambda source: -weights[source])
    return tuple(passages[source] for source in best[:limit])
