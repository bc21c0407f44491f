r"""Find something in an answer as it streams, and change it before it is shown; the base of most guards.

Why: a guard must see a whole e-mail address, figure or name before it can judge it, and must not hold back an answer
for it. So a guard says where such a thing *may* begin (`Lookout.opens`), and is asked about that place, with one more
word of text each time, until it rules (`Lookout.decide`). Everything else flows on at once.

To write a guard:

1. `opens` finds where something may begin. It must also match, up to the end of the text, every *beginning* of such a
   place, because the rest may not have come yet; `opening(characters, words)` builds it for you. A pattern of your own
   says it with `\Z`: `(?<![\w.+-])[\w.+-]{1,64}(?:@|\Z)` for e-mail addresses. It matches fewer than `limit`
   characters, may look behind, and never looks ahead (no `(?=`, no `\b` or `$` at its end). You are not asked about
   less than it has matched: let it take in what tells nothing yet, such as all digits of a number.
2. `decide(view)` is a pure function: a `Ruling`, or None for "show me more". `view.text` holds up to `context`
   characters before `view.start` (shown already, as the engine wrote them) and whole words after it. A ruling
   covers `view.text` up to `end`, with the changes in it; a ruling without changes lets it pass. Say None as long as
   the next word could change your mind; with `view.is_over` there is no next word and None lets it pass.
3. `make=lambda scene: Spotter(Lookout(opens, decide))` in your `Guard`. A decide that needs the scene is a method
   or a `partial`; look at `scene.grounds` when asked, because they grow.

Law: the output does not depend on how the input was cut, whatever `decide` does. It is asked at the ends of words
only, counted from where the thing begins, and sees nothing beyond. Not more than `limit` characters are held back:
then it is asked a last time, with `is_over`. tests/guards/cutting.py has the property test for your guard.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from guards.stream import Segment

LIMIT = 160
CONTEXT = 240
# A word, with one blank behind it.
# Writing without blanks (Thai, Chinese, Japanese) has no ends of words to wait for: each of its letters counts as one.
_WORD = re.compile(r"[^\W_\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]{1,64} ?")
# A guard that has wanted so many characters waits for one more of them before it is asked again.
_PATIENCE = 8
# Where it was asked far more often than answers give reason to, it waits for so many times what it has seen.
_TIMES_WEARY = 4
_TRIES, _TIRES_BY, _WEARY_AT = 4, 4, 200
_KEPT = 1_024  # characters of text after which what was shown is forgotten, but for the context


class Change(NamedTuple):
    """Text that is not shown: from `start` to `end` of the view, `instead` in its place ("" drops it).

    `what` names the class of what was found for the event, never the text.
    """

    start: int
    end: int
    instead: str
    what: str


class Ruling(NamedTuple):
    """The text up to `end` (a place in the view, behind its start) is decided: shown, but for the changes, in order."""

    end: int
    changes: tuple[Change, ...] = ()


class View(NamedTuple):
    """What a guard is asked about: something that may begin at `start`; `is_over` when no more text will be shown to it."""

    text: str
    start: int
    is_over: bool


class Place(Protocol):
    """A place that a lookout has found; every match of a pattern is one."""

    def start(self) -> int:
        """Its first character."""
        ...

    def end(self) -> int:
        """Behind the last character that was looked at."""
        ...


class Opens(Protocol):
    """Finds where something may begin; every pattern does."""

    def search(self, text: str, at: int, /) -> Place | None:
        """The first place that does not begin before `at`."""
        ...


def _no_closing(_fired: frozenset[str]) -> str:
    return ""


@dataclass(frozen=True, slots=True)
class Lookout:
    """What to look for; see the head of this file.

    Attributes:
        opens: Where something may begin.
        decide: What is to be done about it.
        limit: How many characters are held back at most.
        context: How many characters before the place `decide` sees.
        closing: Text to add when the answer is over, given the classes of all that was changed in it.
    """

    opens: Opens
    decide: Callable[[View], Ruling | None]
    limit: int = LIMIT
    context: int = CONTEXT
    closing: Callable[[frozenset[str]], str] = _no_closing


class Spotter:
    """One answer under a lookout: a step of the chain."""

    def __init__(self, lookout: Lookout) -> None:
        self._lookout = lookout
        self._text = ""
        self._at = 0  # what lies before is shown
        self._asked = 0  # decide wanted more text than up to here; 0 when nothing is open
        self._tries = 0  # how often decide was asked about this place
        self._weary = 0  # grows with tries that honest text does not take, shrinks with what is shown since
        self._tried = 0  # the place up to which it has shrunk
        self._fired: frozenset[str] = frozenset()

    def push(self, text: str) -> list[Segment]:
        """Take in text; give out all but what may still become a match."""
        self._text = text = self._text + text
        at, size = self._at, len(text)
        found = self._lookout.opens.search(text, at)
        if found is None:  # nearly always
            free = size
        elif found.end() == size < found.start() + self._lookout.limit:
            free = found.start()
        else:
            return self._look(found, is_over=False)
        if free == at:
            return []
        self._at, self._asked, self._tries = free, 0, 0
        if free - self._lookout.context > _KEPT:
            self._forget()
        return [Segment(text[at:free])]

    def foresee(self, ahead: str) -> list[Segment]:
        """Give out what is safe if this text comes next; nothing that is decided together with words of it."""
        text, size, at = self._text + ahead, len(self._text), self._at
        seer = Spotter(self._lookout)
        seer._text, seer._at, seer._asked = text, at, self._asked
        seen = seer.push("")
        if any(segment.fired for segment in seen):
            return []
        for segment in seen:
            if at + len(segment.text) > size:
                break
            at += len(segment.text)
        found = self._lookout.opens.search(text, at)
        free = size if found is None else min(size, found.start())
        out: list[Segment] = []
        if max(at, free) > self._at:
            self._show(max(at, free), out)
        return out

    def end(self) -> list[Segment]:
        """Decide on what is left."""
        out = self._look(self._lookout.opens.search(self._text, self._at), is_over=True)
        closing = self._lookout.closing(self._fired)
        return [*out, Segment(closing)] if closing else out

    @property
    def held(self) -> str:
        """What is held back."""
        return self._text[self._at :]

    @property
    def is_free(self) -> bool:
        """Whether the guard has not been asked yet about what is held back."""
        return not self._asked

    def take_back(self) -> None:
        """Let go of what is held back."""
        self._text = self._text[: self._at]

    def unread(self, _text: str) -> bool:
        """What has been decided stays so."""
        return False

    def skip(self, text: str) -> None:
        """Note text that is shown already, as nothing begins in it."""
        self._text += text
        self._at = len(self._text)
        self._forget()

    def _look(self, found: Place | None, *, is_over: bool) -> list[Segment]:
        out: list[Segment] = []
        while found is not None:
            if found.start() > self._at:
                self._show(found.start(), out)
            if (view := self._next_view(found, is_over=is_over)) is None:
                break
            self._tire()
            ruling = self._lookout.decide(view)
            if ruling is None and not view.is_over:
                self._asked = self._at + len(view.text) - view.start
            else:
                self._obey(ruling or Ruling(len(view.text)), view, out)
                found = self._lookout.opens.search(self._text, self._at)
        else:
            self._show(len(self._text), out)
        self._forget()
        return out

    def _next_view(self, found: Place, *, is_over: bool) -> View | None:
        """What decide is to see next; None while that has not come yet."""
        last = self._at + self._lookout.limit
        text = self._text
        if found.end() == len(text) < last and not is_over:
            return None
        end = max(self._asked, found.end())
        waited = max(0, self._asked - self._at)
        enough = end + (waited // _PATIENCE if self._weary < _WEARY_AT else waited * _TIMES_WEARY)
        stop = min(last, len(text))
        end = min(enough, stop)
        while True:
            word = _WORD.match(text, end)
            end = min(word.end() if word is not None else end + 1, stop)
            if end > enough or end == stop:
                break
        is_growing = word is not None and end == len(text) < min(word.start() + 65, last) and text[-1] != " "
        if (is_growing or end <= enough) and end != last and not is_over:
            return None
        first = max(0, self._at - self._lookout.context)
        is_last = end == last or (is_over and end == len(text))
        return View(text[first:end], self._at - first, is_last)

    def _obey(self, ruling: Ruling, view: View, out: list[Segment]) -> None:
        offset = self._at - view.start
        end = max(offset + ruling.end, self._at + 1)
        for change in ruling.changes:
            self._show(offset + change.start, out)
            out.append(Segment(change.instead, change.what))
            self._fired |= {change.what}
            self._at = offset + change.end
        self._show(max(end, self._at), out)

    def _show(self, end: int, out: list[Segment]) -> None:
        if end > self._at:
            out.append(Segment(self._text[self._at : end]))
        self._at = end
        self._asked = self._tries = 0

    def _tire(self) -> None:
        """Count a try. What ordinary words may skip costs no more than _TRIES, so that it makes no difference here."""
        self._weary = max(0, self._weary - (self._at - self._tried))
        self._tried = self._at
        self._tries += 1
        if self._tries > _TRIES:
            self._weary += _TIRES_BY

    def _forget(self) -> None:
        """Keep the memory of a long answer small; what decide sees does not change."""
        gone = self._at - self._lookout.context
        if gone > _KEPT:
            self._text = self._text[gone:]
            self._at -= gone
            self._asked = max(0, self._asked - gone)
            self._tried -= gone


def opening(characters: str, words: Iterable[str] = (), behind: str = "") -> re.Pattern[str]:
    r"""A pattern for `Lookout.opens`: one of the characters, or one of the words, or its beginning at the end of a text.

    Args:
        characters: The inside of a character class, such as `\d$€`.
        words: In small letters; Ten and TEN match as well, accents must be given both ways. They match with what ends
            them, or while they are still coming in ("te" at the end of the text); "tennis" does not for "ten".
        behind: A pattern for what follows one of the characters and tells nothing yet.
    """
    tree = _Tree()
    for word in words:
        branch = tree
        for letter in word:
            branch = branch.setdefault(letter, _Tree())
        branch.is_word = True
    source = _source(tree)
    # Letters in any case are matched several times slower, so that is left for words that begin with a capital.
    begun = rf"|(?<![^\W_])(?:{source}|(?=[^\W\d_a-z])(?i:{source}))" if tree else ""
    return re.compile(f"[{characters}]{behind}{begun}")


class _Tree(dict[str, "_Tree"]):
    """What may follow the letters so far; `is_word` when they are a word."""

    is_word = False


def _source(tree: _Tree, *, is_root: bool = True) -> str:
    """A pattern for the rest of the words, cut off where the text is."""
    branches = [] if is_root else ["\\Z"]
    if tree.is_word:
        branches.append(r"[\W\d_]")
    branches += [re.escape(letter) + _source(rest, is_root=False) for letter, rest in tree.items()]
    return f"(?:{'|'.join(branches)})"
