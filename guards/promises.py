"""Promise nothing that an assistant has no authority for: the sentence becomes what is true, the rest flows on.

Why: "your claim will be paid" in a chat binds nobody and is believed all the same. Payment, discounts, legal effect,
the beginning of cover, guarantees, approvals, waived fees, earlier dates and fixed prices are decided by people and
contracts. What articles and tools truly say may be said, and so may conditions, negations and questions.

How: the patterns of guards/promises.toml are followed word by word; only the words that may belong to one are held, but not
the first word of the answer if it says nothing by itself. When a pattern has matched, its sentence is looked at as a whole,
to its end or for LIMIT characters. From where it begins to promise it is replaced by the notice of its class.
Law: all is decided at words and ends of sentences, so the output does not depend on how the input was cut.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

from guards.openers import Openers
from guards.ordinary import parted
from guards.promisefile import read_promises
from guards.promisejudge import CLAUSE_ENDS, LETTER, LONGEST_WORD, WORD, Found, Judge, Sentence
from guards.stream import Guard, Scene, Segment
from guards.wordpaths import Leads, Match, Path, State, WordPaths
from knowledge.brand import Commitments

LIMIT = 320
_NOTICE = "promise"
_KEPT = 1_024  # characters of text after which what was shown is forgotten
_TOKEN = re.compile(rf"({LETTER}{{1,{LONGEST_WORD}}})|[.!?…\n]")
_IN_WORD = re.compile(LETTER).match
_IS_WORD = re.compile(rf"{LETTER}{{1,{LONGEST_WORD}}}").fullmatch
_IS_SIGNS = re.compile(rf"(?:(?!{LETTER})\W)+").fullmatch
_CLOSERS = re.compile(r"[.!?…\"'”’»*_)\]]*")
_PAUSES = re.compile(r"[.!?…]")
_LIST_MARK = re.compile(r"\s*(?:[-*+•>]\s+)*")


def promises_guard(own: Commitments) -> Guard:
    """The guard with the built-in patterns and the company's own.

    Raises:
        ConfigError: A pattern is not understood: file, pattern, what is known.
    """
    words = read_promises(own)
    paths = WordPaths(
        [Path(each.steps, each.between) for each in words.commitments],
        Leads(words.lists["lead"], words.lists["connector"]),
    )
    openers = Openers(words.lists["opener"], paths.starters, LETTER, LONGEST_WORD)

    def make(scene: Scene) -> _Watch:
        paths.forget()
        return _Watch(paths, openers, Judge(words, scene), scene)

    return Guard(
        "promises",
        "Nothing is promised that an assistant has no authority for: payment, discounts, legal effect, approvals.",
        make,
    )


class _Cut(NamedTuple):
    """Where what sets a word off from the last one begins, and the state before that word."""

    at: int
    before: State


class _Watch:
    """One answer, read word by word."""

    trims = True

    def __init__(self, paths: WordPaths, openers: Openers, judge: Judge, scene: Scene) -> None:
        self._paths = paths
        self._openers = openers
        self._judge = judge
        self._scene = scene
        self._state = paths.start
        self._text = ""
        self._at = 0  # what lies before is shown or dropped
        self._read = 0  # what lies before has been read
        self._begun = 0  # where the sentence begins
        # Behind the last word, or the mark that ends a sentence: from there on the next word is held.
        self._free = 0
        self._cuts: list[
            _Cut
        ] = []  # one for each of the words that are open, and perhaps of words before them
        self._opened = 0  # what lies before is the answer's first word, shown whatever follows
        self._is_opened = False  # whether that is known
        self._stop = 0  # behind a mark that may end the sentence
        self._found: list[tuple[Match, int]] = []  # what has matched in the sentence, and its cut
        self._is_dropping = False
        self._told: set[str] = set()
        self._ahead = paths.start  # the state behind the words that pass unread

    @property
    def held(self) -> str:
        """What is held back."""
        return self._text[self._at :]

    @property
    def is_free(self) -> bool:
        """Whether only words are held back with which something may begin, and what sets them off."""
        return not (self._found or self._is_dropping) and self._at == self._first_open()

    def take_back(self) -> None:
        """Let go of them."""
        if self._state.open:
            self._state = self._cuts[-self._state.open].before
        self._text = self._text[: self._at]
        self._read = self._free = self._at
        self._stop = 0
        self._cuts.clear()

    def unread(self, _text: str) -> bool:
        """What has been read has changed the state."""
        return False

    def begin(self) -> None:
        """What passes follows what has been read."""
        self._ahead = self._state

    def passing(self, words: Sequence[str], _coming: str) -> int | None:
        """All that are not open; None when a pattern has matched."""
        states = [self._ahead]
        for word in words:
            following = states[-1].passing.get(word) or self._follow(states[-1], word)
            if following is None:
                return None
            states.append(following)
        count = max(0, len(words) - states[-1].open)
        self._ahead = states[count]
        return count

    def _follow(self, state: State, written: str) -> State | None:
        """The state after a word with the signs before it, as `_take` would find it."""
        signs, word = parted(written)
        if _IS_SIGNS(signs) is None or _IS_WORD(word) is None:
            return None
        *_, behind = _PAUSES.split(signs)
        is_ended = "\n" in signs or (
            len(behind) < len(signs) and any(map(str.isspace, behind)) and not word[0].islower()
        )
        if is_ended and not (state.is_start and state.lead):
            following, matches = self._paths.follow(self._paths.start, word)
        else:
            following, matches = self._paths.follow(state, word)
        if matches:
            return None
        self._paths.let_pass(state, written, following)
        return following

    def skip(self, text: str) -> None:
        """Read text that is shown already."""
        self._text += text
        self._take(len(self._text), [])
        self._at = len(self._text)
        if self._at > _KEPT:
            self._forget()

    def push(self, text: str) -> list[Segment]:
        """Take in text; give out all but what may still become a promise."""
        self._text += text
        out: list[Segment] = []
        if not self._is_opened:
            self._opened, self._is_opened = self._openers.shown(self._text)
        whole = self._whole()
        if whole > self._read:
            self._take(whole, out)
            self._show(self._held_from(), out)
        if not self._at:
            self._begin_to_show(out)
        if self._at > _KEPT:
            self._forget()
        return out

    def end(self) -> list[Segment]:
        """The answer is over, and so is its last sentence."""
        out: list[Segment] = []
        self._take(len(self._text), out)
        self._close(len(self._text), out)
        self._show(len(self._text), out)
        return out

    def _whole(self) -> int:
        """Up to where words are whole."""
        text, whole = self._text, len(self._text)
        while whole > self._read and _IN_WORD(text[whole - 1]):
            whole -= 1
        return whole + (len(text) - whole) // LONGEST_WORD * LONGEST_WORD

    def _held_from(self) -> int:
        if self._found:
            return max(self._found[0][1], self._opened)
        return max(self._first_open(), self._opened) if self._state.open else self._free

    def _first_open(self) -> int:
        """Where the first word that is open begins, or the next one will."""
        return self._cuts[-self._state.open].at if self._state.open else self._free

    def _begin_to_show(self, out: list[Segment]) -> None:
        """Nothing of the answer is shown yet: letters need not wait for the end of their word where they lead nowhere."""
        coming = self._text[self._read :]
        leads_on = bool(self._found or self._is_dropping or self._state.walks)
        is_harmless = coming and not leads_on and not self._openers.is_starting(coming)
        self._show(len(self._text) if is_harmless else self._opened, out)

    def _take(self, end: int, out: list[Segment]) -> None:
        """Read on up to here; most words lead from nothing to nothing, and cost no more than a look."""
        state, last = self._state, None
        for token in _TOKEN.finditer(self._text, self._read, end):
            word = token[1]
            if word is None or self._stop:
                if last is not None:
                    self._free = last.end()
                self._state = state
                self._mark(token, out)
                state, last = self._state, None
                if word is None:
                    continue
            following, matches = state.following.get(word) or self._paths.follow(state, word)
            if following.open or matches or self._found:
                if last is not None:
                    self._free = last.end()
                self._cuts.append(_Cut(self._free, state))
                self._state = following
                self._note(matches, token.end(), out)
                state, last = self._state, None
            else:
                state, last = following, token
        if last is not None:
            self._free = last.end()
        self._state, self._read = state, end

    def _mark(self, token: re.Match[str], out: list[Segment]) -> None:
        """A mark ends the sentence if a line ends too, or if a new sentence begins behind it."""
        text, start = self._text, token.start()
        if text[start] == "\n":
            self._close(_closed(text, self._stop) if self._stop else start, out)
            self._stop, self._free = 0, max(self._free, token.end())
        elif token[1] is None:
            self._stop = token.end()
        else:
            between = text[self._stop : start]
            if any(sign.isspace() for sign in between) and not text[start].islower():
                self._close(_closed(text, self._stop), out)
            self._stop = 0

    def _note(self, matches: Sequence[Match], end: int, out: list[Segment]) -> None:
        """A word that may matter: keep what has matched until the sentence can be looked at."""
        self._free = end
        if self._is_dropping:
            return
        self._found += [(match, self._cuts[-match.words - match.lead].at) for match in matches]
        if self._found and end - self._found[0][1] > LIMIT:
            self._decide(end, out, is_whole=False)
            self._begin(end)
            self._state = self._paths.middle

    def _close(self, end: int, out: list[Segment]) -> None:
        """The sentence ends here; one that only leads to the next ("Good news!") goes on with it."""
        if self._found:
            self._decide(end, out, is_whole=True)
        elif self._is_dropping:
            self._at = max(self._at, end)
            self._is_dropping = False
        elif self._state.is_start and self._state.lead:
            return
        self._begin(end)
        self._state = self._paths.start

    def _begin(self, at: int) -> None:
        self._begun = self._free = at
        self._cuts.clear()
        self._found.clear()

    def _decide(self, end: int, out: list[Segment], *, is_whole: bool) -> None:
        """Replace the sentence from its first promise on, if it makes any."""
        sentence = Sentence.of(self._text[self._begun : end])
        for match, cut in self._found:
            commitment = self._judge.commitment(match.path)
            found = Found.of(match, sentence, cut - self._begun)
            if not self._judge.is_harmless(commitment, found, sentence):
                is_inner = found.first > found.lead or cut < self._opened
                self._replace(max(cut, self._opened), end, commitment.kind, out, is_inner=is_inner)
                self._is_dropping = not is_whole
                return

    def _replace(self, start: int, end: int, kind: str, out: list[Segment], *, is_inner: bool) -> None:
        self._show(start, out)
        out.append(Segment(self._instead(kind, self._text[start:end], is_inner=is_inner), kind))
        self._at = end

    def _instead(self, kind: str, dropped: str, *, is_inner: bool) -> str:
        """What is true, each truth once an answer, behind what the sentence had said before."""
        notice = self._scene.notice(f"promise_{kind}") or self._scene.notice(_NOTICE)
        notice = "" if notice in self._told else notice
        self._told.add(notice)
        word = WORD.search(dropped)
        separator = dropped[: word.start() if word is not None else 0]
        bold = "**" if dropped.count("**") % 2 else ""
        if is_inner:
            ended = _PAUSES.search(separator)
            pause = ended[0] if ended else "." if CLAUSE_ENDS.search(separator) is not None else "…"
            return f"{bold}{pause} {notice}".rstrip()
        before = _LIST_MARK.match(separator)
        return f"{before[0] if before is not None and notice else ''}{notice}{bold}"

    def _show(self, end: int, out: list[Segment]) -> None:
        if self._is_dropping:
            self._at = max(self._at, self._read)
        elif end > self._at:
            out.append(Segment(self._text[self._at : end]))
            self._at = end

    def _forget(self) -> None:
        """Keep the memory of a long answer small."""
        gone = min(self._begun, self._at)
        self._text = self._text[gone:]
        self._cuts = [cut._replace(at=cut.at - gone) for cut in self._cuts]
        self._found = [(match, cut - gone) for match, cut in self._found]
        self._at, self._read, self._begun = self._at - gone, self._read - gone, self._begun - gone
        self._free, self._stop = self._free - gone, max(0, self._stop - gone)
        self._opened = max(0, self._opened - gone)


def _closed(text: str, stop: int) -> int:
    """The end of the sentence, behind quotation marks and brackets that close."""
    found = _CLOSERS.match(text, stop)
    return stop if found is None else found.end()
