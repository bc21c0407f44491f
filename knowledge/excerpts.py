"""An excerpt: passages that a search found, between their neighbours, as one readable piece of an article.

Why: a model understands three sentences better with those around them, and a citation still points at 1 to 3 sentences:
each passage is a block of its own. Hits that stand next to each other share one excerpt, so that nothing is told twice.
Both sides use this file: the request that shows the blocks, and the check of what is cited from them.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from knowledge.passages import Passage

_SHARED = 2  # numbers of two hits at most so far apart: they are neighbours, or have one between them


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Passages of one article in order; `source` is that of the first one that was found.

    Law: for one version of an article, the passage at a place of `passages` follows from the source alone.
    """

    source: str
    passages: tuple[Passage, ...]

    @property
    def title(self) -> str:
        """The article's."""
        return self.passages[0].title

    def quoted(self, words: str, start: int, end: int) -> tuple[tuple[Passage, str], ...]:
        """What these words quote from the passages at these places (`end` exclusive); nothing when they do not stand there.

        Several passages are quoted whole, and one pair comes back for each. What stands between two blocks of a
        quotation is the API's affair, so blanks do not count there; within a passage they do.
        """
        chosen = self.passages[start:end] if 0 <= start < end else ()
        words = words.strip()
        if chosen and _dense(words) == _dense("".join(passage.text for passage in chosen)):
            return tuple((passage, passage.text) for passage in chosen)
        return tuple((passage, words) for passage in chosen if words and words in passage.text)[:1]


def excerpts(found: Iterable[Passage]) -> tuple[Excerpt, ...]:
    """The passages found, best first, as excerpts: that with the best one first."""
    groups: list[list[Passage]] = []
    for passage in found:
        near = [group for group in groups if any(_are_near(passage, other) for other in group)]
        joined = [*(other for group in near for other in group), passage]
        place = groups.index(near[0]) if near else len(groups)
        groups = [group for group in groups if group not in near]
        groups.insert(place, joined)
    return tuple(_excerpt(group) for group in groups)


def alone(passage: Passage) -> Excerpt:
    """The passage without its neighbours."""
    return Excerpt(passage.source, (passage,))


def _excerpt(hits: list[Passage]) -> Excerpt:
    """These hits in order, with their neighbours, each passage once."""
    blocks: dict[int, Passage] = {}
    for hit in hits:
        number = hit.number
        if hit.before:
            blocks.setdefault(number - 1, _neighbour(hit, -1))
        if hit.after:
            blocks.setdefault(number + 1, _neighbour(hit, +1))
        blocks[number] = hit
    first = min(hits, key=lambda hit: hit.number)
    return Excerpt(first.source, tuple(blocks[number] for number in sorted(blocks)))


def _neighbour(hit: Passage, step: int) -> Passage:
    """The passage before (-1) or after (+1) the hit; what lies beyond it is not known."""
    text, (start, end) = (hit.before, hit.before_span) if step < 0 else (hit.after, hit.after_span)
    source = f"{hit.source.rpartition('#')[0]}#{hit.number + step}"
    return Passage(
        source,
        hit.title,
        hit.url,
        hit.language,
        text,
        file=hit.file,
        version=hit.version,
        start=start,
        end=end,
    )


def _are_near(one: Passage, other: Passage) -> bool:
    same = (one.url, one.file, one.version) == (other.url, other.file, other.version)
    return same and abs(one.number - other.number) <= _SHARED


def _dense(text: str) -> str:
    return "".join(text.split())
