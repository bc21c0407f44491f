"""Never say another insurer's name: the company's list, in any spelling, becomes "another company".

Why: the brand names no competitor, whatever the customer names (the list is `brand.toml`, beside the articles).
A name is found in any case, with accents or look-alike letters, with dots, dashes or blanks between its letters. A name
that is an ordinary word too ("progressive") counts only where the text plainly means the company.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from guards.look_alikes import looks_like, same
from guards.spot import Change, Lookout, Ruling, Spotter, View
from guards.stream import Guard, Scene

NOTICE = "another_company"
_PIECE = re.compile(r"[^\W_]+(?:[@$!|€¢+][^\W_]+)*")
_JOINS_ANYTHING = re.compile(r"[-._*·\u00ad\u200b-\u200f\u2060\ufeff]{1,3}")
_POSSESSIVE = ("'s", "’s")
_LONGEST_GAP = 3
_HEAD_LETTERS = 4
_INSURANCE = re.compile(
    r"(?:insur\w*|auto|car|polic\w+|quotes?|rates?|premiums?|agents?|seguros?|asegur\w*|p[oó]lizas?|cotizaci\w+)\b",
    re.IGNORECASE,
)
_BESIDE_A_NAME = re.compile(
    r"(?:\b(?:with|from|by|than|versus|vs\.?|to|like|at|against|con|que|de|frente a|como|en)\s+)$",
    re.IGNORECASE,
)
_BEGINS_SENTENCE = re.compile(r"(?:^|[.!?…:\n]\s*)[\s*_\"'«“(\[-]*$")


@dataclass(frozen=True, slots=True)
class _Name:
    """A name as its words in small Latin letters."""

    words: tuple[str, ...]
    is_everyday: bool

    @property
    def letters(self) -> str:
        return "".join(self.words)


@dataclass(frozen=True, slots=True)
class _Found:
    """How far a name reaches in the view; `is_whole` is false while it may only be beginning."""

    name: _Name
    end: int
    is_whole: bool


def competitors_guard(names: Iterable[tuple[str, bool]]) -> Guard:
    """The guard over these names; each with whether it is an everyday word too."""
    known = tuple(dict.fromkeys(_Name(_words(name), is_everyday) for name, is_everyday in names))
    opens = _opening({name.letters[:_HEAD_LETTERS] for name in known})

    def make(scene: Scene) -> Spotter:
        instead = scene.notice(NOTICE) or "another company"
        return Spotter(Lookout(opens, partial(_decide, known, instead), limit=80))

    def begins(word: str, following: str) -> bool:
        view = View(f"{word} {following}", 0, is_over=False)
        return any(True for _ in _readings(known, view))

    return Guard(
        "competitors", "No competitor of the company's list is named, in any spelling.", make, begins
    )


def _words(name: str) -> tuple[str, ...]:
    plain = "".join(
        next((letter for letter in "abcdefghijklmnopqrstuvwxyz" if same(sign, letter)), sign) for sign in name
    )
    return tuple(re.findall(r"[a-z0-9]+", plain))


def _opening(heads: Iterable[str]) -> re.Pattern[str]:
    """A pattern for the first letters of names and whatever passes for them, cut off where the text is.

    The first letter comes as one class, before anything else is looked at: so the search skips most of a text.
    """
    rests: dict[str, list[str]] = {}
    for head in sorted(heads):
        rests.setdefault(head[0], []).append(
            "".join(f"(?:\\Z|[^\\w\\s]{{0,2}}\\s?(?:\\Z|{_signs(letter)}" for letter in head[1:])
            + "))" * len(head[1:])
        )
    if not rests:
        return re.compile(r"(?!)")
    first = "".join(_signs(letter)[1:-1] for letter in rests)
    branches = "|".join(f"(?<={_signs(letter)})(?:{'|'.join(found)})" for letter, found in rests.items())
    return re.compile(f"[{first}](?<![^\\W_].)(?:{branches})")


def _signs(letter: str) -> str:
    """A class of the characters that pass for this letter, in both cases."""
    return f"[{''.join(re.escape(sign) for sign in sorted(looks_like(letter)))}]"


def _decide(known: Sequence[_Name], instead: str, view: View) -> Ruling | None:
    """Wait while a name may be coming; replace the longest one that has come."""
    found = list(_readings(known, view))
    if not view.is_over and any(not item.is_whole for item in found):
        return None
    whole = [item for item in found if item.is_whole]
    best = max(whole, key=lambda item: item.end, default=None)
    if best is None:
        return Ruling(_first_word_end(view))
    if best.name.is_everyday:
        is_meant = _means_company(view, best.end)
        if is_meant is None:
            return None
        if not is_meant:
            return Ruling(best.end)
    return Ruling(best.end, (Change(view.start, best.end, instead, "competitor"),))


def _readings(known: Sequence[_Name], view: View) -> Iterator[_Found]:
    """Names that stand, or may be beginning, where the view starts."""
    pieces = list(_PIECE.finditer(view.text, view.start))
    for name in known:
        if (
            pieces
            and same(pieces[0].group()[0], name.words[0][0])
            and (found := _read(name, view.text, pieces)) is not None
        ):
            yield found


def _read(name: _Name, text: str, pieces: Sequence[re.Match[str]]) -> _Found | None:
    letters = name.letters
    borders = {sum(map(len, name.words[:count])) for count in range(1, len(name.words))}
    at, only_letters = 0, True
    for number, piece in enumerate(pieces):
        if number and not (
            at in borders or only_letters or _joins(text, pieces[number - 1].end(), piece.start())
        ):
            return None
        if number and piece.start() - pieces[number - 1].end() > _LONGEST_GAP:
            return None
        said = piece.group()
        only_letters = only_letters and len(said) == 1
        rest = letters[at:]
        if not all(same(sign, letter) for sign, letter in zip(said, rest, strict=False)):
            return None
        if len(said) > len(rest):
            is_plural = len(name.words) == 1 and said[len(rest) :] in {"s", "S"}
            return _Found(name, piece.start() + len(rest), is_whole=True) if is_plural else None
        at += len(said)
        if at == len(letters):
            return _Found(name, piece.end(), is_whole=True)
    return _Found(name, len(text), is_whole=False) if at else None


def _joins(text: str, start: int, end: int) -> bool:
    return _JOINS_ANYTHING.fullmatch(text, start, end) is not None


def _first_word_end(view: View) -> int:
    piece = _PIECE.match(view.text, view.start)
    return piece.end() if piece is not None else view.start + 1


def _means_company(view: View, end: int) -> bool | None:
    """Whether an everyday word is a company here; None while the next word must be seen."""
    before, said, after = view.text[: view.start], view.text[view.start : end], view.text[end:]
    following = after.lstrip(" ")
    if following in {"", "'", "’"} and not view.is_over:
        return None
    word = _PIECE.match(following)
    if word is not None and word.end() == len(following) and not view.is_over and len(following) > len(after):
        return None
    if _INSURANCE.match(following):
        return True
    ends_here = not following or not (following[0].isalnum() or following[0] == "-")
    has_capital = said[0].isupper()
    if has_capital and following.startswith(_POSSESSIVE):
        return True
    if has_capital and not _BEGINS_SENTENCE.search(before):
        return ends_here or not following[0].isupper()
    return ends_here and _BESIDE_A_NAME.search(before) is not None
