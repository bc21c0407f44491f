r"""Where personal data may begin: a word before "@" or "at", seven digits, letters before digits, or a word that ends the text.

Why: ordinary text must cost almost nothing. So one pattern looks for what is rare (a sign, digits, a spelled "at"), and
only there is it read back to where the address or number begins.
Law, as for every lookout (guards/spot.py): a place is found from its first character on, while the rest has not come yet.
"""

import re
from typing import NamedTuple

from guards.private.plain import small
from guards.private.runs import WORDS

_GONE = r"[*`~\\\u00ad\u200b-\u200f\u2060-\u2064\ufeff\ufe0f\u20e3]"
_LETTER = r"[^\W\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]"
_IN_WORD = rf"(?:{_LETTER}|[.+%'-])"
_SPELLED = ("arroba", "dot", "punto", "underscore", "dash", "hyphen", "guion", "guión", "barra")
SPELLED = frozenset({"at", *_SPELLED})
"""Words that stand for a sign of an address, behind its first word."""
_LONGEST = 110
_LOOKED_BEHIND = 3


UNDER_WAY = r"[\d\s.()/-]{0,30}"
"""What may stand between the digits of a number, and in it, while it tells nothing yet."""


def _so_far(word: str) -> str:
    """A word, or its beginning at the end of the text."""
    return "".join(rf"(?:\Z|{re.escape(letter)}" for letter in word) + ")" * len(word)


_AT = (
    rf"at\s(?:\Z|{_LETTER}{{1,40}}(?:\Z|[.](?:\Z|{_LETTER})|\s?[\[({{<]|\s(?:\Z|{_so_far('dot')}|{_so_far('punto')}))"
    r"|(?:gmail|hotmail|outlook|yahoo|icloud|proton))"
)
_GAP = rf"(?:[\s.\-‐-―−·|/,()_]|{_GONE}|</?[a-z]{{1,8}}/?>|&\#?\w{{1,6}};)"
_DIGIT_WORDS = "|".join(WORDS)
_ELEMENT = rf"(?:\d{_GAP}{{0,8}}|(?:{_DIGIT_WORDS}){_GAP}{{1,8}})"
_UNFINISHED = r"(?:[a-z]{1,7}|<[^<>]{0,10}|&\#?\w{0,6})?\Z"
_SPELLED_DIGITS = (
    rf"(?:{_DIGIT_WORDS}){_GAP}{{1,8}}(?:{_ELEMENT}{{5}}(?:\d|{_DIGIT_WORDS})|{_ELEMENT}{{0,5}}{_UNFINISHED})"
)
_APART = rf"{_LETTER}\s{_LETTER}[\s@＠]"
_TRIGGER = re.compile(
    rf"[@＠﹫&<%\d\s\[({{_\-](?:"
    rf"(?<=[@＠﹫&<])"
    rf"|(?<=%)(?:\Z|[2-7])"
    rf"|(?<=\d)(?:(?<![^\W_].){_GAP}{{0,8}}(?:{_ELEMENT}{{5}}(?:\d{UNDER_WAY}|{_DIGIT_WORDS})|{_ELEMENT}{{0,5}}{_UNFINISHED})"
    rf"|(?<=[a-z].)(?:\Z|[\-. ]?(?:\Z|[a-z\d]))|(?P<apart>(?<=[a-z][ .-].)\d(?:\Z|[ .-](?:\Z|\d))))"
    rf"|(?<=[\[({{<])\s?(?:\Z|[@＠.]|(?:at|arroba|a|dot|punto)\s?(?:\Z|[\])}}>])|ar(?:r(?:o(?:ba?)?)?)?\Z|do?\Z|pu?n?t?\Z)"
    rf"|(?<=[_-])(?:at|arroba|dot|punto)[_-]"
    rf"|(?<=\s)(?:{_AT}|(?:{'|'.join(_SPELLED)})\s|(?P<behind>{_APART}|{_SPELLED_DIGITS})))"
    rf"|\A(?P<first>{_APART}|{_SPELLED_DIGITS})"
)
_BEFORE_SIGN = re.compile(
    rf"(?:(?<!{_LETTER}){_LETTER}(?:\s{_LETTER})+|<?{_IN_WORD}+)(?<={_LETTER}|[.+%'-]){_GONE}{{0,4}}\s?[\[({{<]{{0,2}}\s?\Z"
)
_HEAD = re.compile(r"[+(（＋]{1,2}\s?\Z")
_CAPITALS = re.compile(r"(?<![^\W_])[A-ZÑ]{1,4}[ .-]\Z")
_BEGUN_WORDS = sorted(
    {word[:end] for word in ("at", *_SPELLED) for end in range(1, len(word) + 1)}, reverse=True
)
# From the end of the text backwards: a sign or the beginning of "at" or "dot", and a word before it.
_ENDING = re.compile(
    rf"(?:{_LETTER}\s)+{_LETTER}(?!{_IN_WORD})"
    rf"|(?:(?:{'|'.join(word[::-1] for word in _BEGUN_WORDS)})?\s|\s?[\[({{<]{{1,2}}\s?)?{_GONE}{{0,4}}{_IN_WORD}{{1,100}}<?"
    r"|\s?[+(（＋]{1,2}|<"
)


def begins(word: str, following: str) -> bool:
    """Whether these words may begin an address that is spelled out, or digits: letters apart, or a word for a digit."""
    if word in SPELLED or following in SPELLED:
        return True
    if not following:
        return len(word) == 1 or word in WORDS
    return (len(word) == 1 and len(following) == 1) or (word in WORDS and following in WORDS)


class Place(NamedTuple):
    """Where something may begin, and up to where that can be seen."""

    first: int
    last: int

    def start(self) -> int:
        """The first character."""
        return self.first

    def end(self) -> int:
        """Behind the last character that was looked at."""
        return self.last


class Opens:
    """Looks for places where personal data may begin."""

    def search(self, text: str, at: int = 0) -> Place | None:
        """The first such place that does not begin before `at`."""
        ahead = small(text[max(0, at - _LOOKED_BEHIND) :])
        shift = len(text) - len(ahead)
        triggered = None
        found = _TRIGGER.search(ahead, max(0, at - shift - 1))
        while found is not None and (triggered := _place(text, at, shift, found)) is None:
            found = _TRIGGER.search(ahead, found.start() + 1)
        ending = _ENDING.match(ahead[at - shift :][: -_LONGEST - 1 : -1])
        if ending is None or (triggered is not None and triggered.first <= len(text) - ending.end()):
            return triggered
        return Place(len(text) - ending.end(), len(text))


OPENS = Opens()


def _place(text: str, at: int, shift: int, found: re.Match[str]) -> Place | None:
    """Where that begins of which the trigger is a part; None when nothing stands before it that could begin it."""
    sign, end = shift + found.start(), shift + found.end()
    is_behind = found["behind"] is not None
    if sign + is_behind < at:
        return None
    if is_behind or found["first"] is not None:
        return Place(sign + is_behind, end)
    first = max(at, sign - _LONGEST)
    if text[sign].isdecimal():
        back = _before_digits(text, first, sign)
        return (
            None
            if back is None and found["apart"] is not None
            else Place(sign if back is None else back.start(), end)
        )
    back = _BEFORE_SIGN.search(text, first, sign)
    return None if back is None else Place(back.start(), end)


def _before_digits(text: str, first: int, sign: int) -> re.Match[str] | None:
    """What belongs to the digits and stands before them: a word, the letters of an account, "+" or "("."""
    if sign > first and (text[sign - 1].isalnum() or text[sign - 1] in ".+%'-_"):
        return _BEFORE_SIGN.search(text, first, sign)
    return _CAPITALS.search(text, first, sign) or _HEAD.search(text, first, sign)
