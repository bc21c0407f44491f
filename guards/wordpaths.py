"""Follow patterns of words through a text that is still coming, one word at a time.

Why: a guard must know after every word whether something that it looks for has begun, so that it holds back that and
no more. The patterns are those of guards/screen_rulefile.py. They become a machine whose states are made when a text first
needs them: a word then costs a look into a dictionary, however many patterns there are.
Made once with the patterns, shared by all answers; following a word changes nothing but the memory of it.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from guards.screen_rules import Step
from guards.screen_words import bare, undressed

_LONGEST_LEAD = 8
REMEMBERS = 20_000
"""How many words are followed from some state before all is forgotten and learned anew."""


@dataclass(frozen=True, slots=True)
class Path:
    """A pattern to follow: its steps, and the words that may not stand in its gaps."""

    steps: tuple[Step, ...]
    between: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Leads:
    """Words that belong to what they lead to: `first` at the beginning of a sentence ("Yes, ..."), `inner` anywhere ("and")."""

    first: frozenset[str] = frozenset()
    inner: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Match:
    """The path of this number ends with the word just read; it is `words` long, and `lead` words lead to it."""

    path: int
    words: int
    lead: int


@dataclass(frozen=True, slots=True)
class _Walk:
    """A path on its way: the step to come, how many other words may come before it, and as for Match."""

    path: int
    step: int
    gap: int
    words: int
    lead: int


@dataclass(slots=True)
class State:
    """Where the paths are after some words.

    Attributes:
        open: How many of the last words may belong to a match; 0: none.
        is_start: Whether the next word begins a sentence, but for what leads to it.
        following: For words as they are written, what `WordPaths.follow` has found.
        passing: For words with the signs before them, the state after a word with which nothing matches.
    """

    walks: frozenset[_Walk]
    lead: int
    is_start: bool
    open: int
    following: "dict[str, tuple[State, tuple[Match, ...]]]" = field(default_factory=dict)
    passing: "dict[str, State]" = field(default_factory=dict)


class WordPaths:
    """All paths. `start` is the state at the beginning of a sentence, `middle` inside one.

    `starters`: the words with which a path, or what leads to one, may begin.
    """

    def __init__(self, paths: Sequence[Path], leads: Leads, remembers: int = REMEMBERS) -> None:
        self._paths = tuple(paths)
        self._leads = leads
        self._firsts = _firsts(self._paths)
        self.starters = leads.first | leads.inner | self._firsts.keys()
        self._known = _known(self._paths, leads)
        self._states: dict[tuple[frozenset[_Walk], int, bool], State] = {}
        self._remembers = remembers
        self._count = 0
        self.start = self._state(frozenset(), 0, is_start=True)
        self.middle = self._state(frozenset(), 0, is_start=False)

    def follow(self, state: State, word: str) -> tuple[State, tuple[Match, ...]]:
        """The state after one more word, and what has matched with it; from then on `state.following` has it too."""
        known = plain(word)
        if known not in self._known:
            known = ""
        found = state.following.get(known)
        if found is None:
            found = state.following[known] = self._step(state, known)
        state.following[word] = found
        self._count += 1
        return found

    def let_pass(self, state: State, written: str, following: State) -> None:
        """Remember in `state.passing` what follows this word with the signs before it."""
        state.passing[written] = following
        self._count += 1

    def forget(self) -> None:
        """Keep the memory small; for the end of an answer, as states in use stay good."""
        if self._count > self._remembers:
            self._count = 0
            self._states = {}
            self.start = self._state(frozenset(), 0, is_start=True)
            self.middle = self._state(frozenset(), 0, is_start=False)

    def _step(self, state: State, word: str) -> tuple[State, tuple[Match, ...]]:
        walks: set[_Walk] = set()
        matches: list[Match] = []
        for walk in state.walks:
            path = self._paths[walk.path]
            if word in path.steps[walk.step].words:
                self._advance(walk.path, walk.step, walk.words + 1, walk.lead, walks, matches)
            if walk.gap and word not in path.between:
                walks.add(_Walk(walk.path, walk.step, walk.gap - 1, walk.words + 1, walk.lead))
        for number in self._firsts.get(word, ()):
            if state.is_start or not self._paths[number].steps[0].is_first:
                self._advance(number, 0, 1, state.lead, walks, matches)
        may_lead = word in self._leads.inner or (
            (state.is_start or state.lead > 0) and word in self._leads.first
        )
        lead = state.lead + 1 if may_lead and state.lead < _LONGEST_LEAD else 0
        following = self._state(frozenset(walks), lead, is_start=state.is_start and lead > 0)
        return following, tuple(sorted(matches, key=lambda match: (-match.words, match.path)))

    def _advance(
        self, path: int, step: int, words: int, lead: int, walks: set[_Walk], matches: list[Match]
    ) -> None:
        """Past this step."""
        steps = self._paths[path].steps
        if step + 1 == len(steps):
            matches.append(Match(path, words, lead))
        else:
            walks.add(_Walk(path, step + 1, steps[step + 1].gap, words, lead))

    def _state(self, walks: frozenset[_Walk], lead: int, *, is_start: bool) -> State:
        key = (walks, lead, is_start)
        state = self._states.get(key)
        if state is None:
            opened = max([lead, *(walk.words + walk.lead for walk in walks)])
            state = self._states[key] = State(walks, lead, is_start, opened)
        return state


@lru_cache(maxsize=8_192)
def plain(word: str) -> str:
    """A word as patterns are written: small letters, no accents, no apostrophes, doubled letters once.

    But "sí" is "yes": it is another word than "si".
    """
    return "yes" if word in {"sí", "Sí", "SÍ"} else bare(undressed(word)).replace("_", "")


def _firsts(paths: Sequence[Path]) -> Mapping[str, Sequence[int]]:
    found: defaultdict[str, list[int]] = defaultdict(list)
    for number, path in enumerate(paths):
        for word in path.steps[0].words:
            found[word].append(number)
    return dict(found)


def _known(paths: Sequence[Path], leads: Leads) -> frozenset[str]:
    steps = (step.words for path in paths for step in path.steps)
    return frozenset().union(leads.first, leads.inner, *steps, *(path.between for path in paths))
