"""Questions that the articles do not answer, those that mean much the same together: a fold over recorded turns.

Why: whoever writes the articles wants to know which one is missing, and how badly.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from events import Frozen, GapSeen, Recorded, RouteDecided, TurnAccepted, TurnRef

TellingOf = Callable[[str, str], frozenset[str]]
_SHARED = 0.5  # questions that share more than this belong together


class GapQuestion(Frozen):
    """One question: what the customer wrote, and what was looked up for it."""

    turn_id: str
    at: datetime
    language: str
    text: str
    looked_up: tuple[str, ...]


class Gap(Frozen):
    """Questions that mean much the same. `examples` has the newest of each language, newest first.

    `nothing_found`: how often the search came back empty; in the other cases it found passages, and none of them helped.
    """

    count: int
    nothing_found: int
    last_at: datetime
    languages: tuple[str, ...]
    examples: tuple[GapQuestion, ...]


class Gaps(Frozen):
    """All gaps, the most frequent first."""

    questions: int
    gaps: tuple[Gap, ...]


def fold_gaps(turns: Iterable[tuple[TurnRef, Sequence[Recorded]]], telling: TellingOf) -> Gaps:
    """The gaps in these turns, which come oldest first.

    Args:
        turns: Turns with all their events; those without a gap do not count.
        telling: From a text and its customer's language to the stems that say what it is about.
    """
    groups = _Groups()
    for question, kind in _questions(turns):
        words = telling(" ".join(question.looked_up) or question.text, question.language)
        group = groups.nearest(words)
        group.questions.append(question)
        group.nothing_found += kind == "nothing_found"
    gaps = sorted(map(_gap, groups.all), key=lambda gap: (gap.count, gap.last_at), reverse=True)
    return Gaps(questions=sum(gap.count for gap in gaps), gaps=tuple(gaps))


@dataclass(slots=True)
class _Group:
    """Questions that share telling words with the first of them."""

    number: int
    words: frozenset[str]
    questions: list[GapQuestion] = field(default_factory=list)
    nothing_found: int = 0

    def shares(self, words: frozenset[str]) -> float:
        """How much of the shorter one is in the other, 0 to 1."""
        return len(words & self.words) / max(1, min(len(words), len(self.words)))


class _Groups:
    """The groups so far, oldest first, and those that each word leads to."""

    def __init__(self) -> None:
        self.all: list[_Group] = []
        self._led_to: defaultdict[str, list[_Group]] = defaultdict(list)

    def nearest(self, words: frozenset[str]) -> _Group:
        """The group that shares most of these words, the older one of two; a new one when none shares enough."""
        near = [group for word in sorted(words) for group in self._led_to[word]]
        group = max(near, key=lambda group: (group.shares(words), -group.number), default=None)
        if group is not None and group.shares(words) > _SHARED:
            return group
        made = _Group(len(self.all), words)
        self.all.append(made)
        for word in words:
            self._led_to[word].append(made)
        return made


def _questions(
    turns: Iterable[tuple[TurnRef, Sequence[Recorded]]],
) -> Iterator[tuple[GapQuestion, str]]:
    """Each question with the kind of its gap."""
    for turn, recorded in turns:
        text, language = "", ""
        for item in recorded:
            match item.event:
                case TurnAccepted():
                    text = item.event.text
                case RouteDecided():
                    language = item.event.language
                case GapSeen():
                    question = GapQuestion(
                        turn_id=turn.turn_id,
                        at=item.at,
                        language=language,
                        text=text,
                        looked_up=item.event.looked_up,
                    )
                    yield question, item.event.kind
                case _:
                    pass


def _gap(group: _Group) -> Gap:
    newest_first = sorted(group.questions, key=lambda question: question.at, reverse=True)
    newest_of = {question.language: question for question in reversed(newest_first)}
    examples = sorted(newest_of.values(), key=lambda question: question.at, reverse=True)
    return Gap(
        count=len(newest_first),
        nothing_found=group.nothing_found,
        last_at=newest_first[0].at,
        languages=tuple(question.language for question in examples),
        examples=tuple(examples),
    )
