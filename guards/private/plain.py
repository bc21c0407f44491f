"""Read a stretch of an answer as the customer will see it: without Markdown marks, HTML, escapes and invisible signs.

Why: "ann**@**x.com", "ann&#64;x.com" and "4111<b></b>1111" are an address and a number to whoever reads them.
Each character of the reading remembers where it stands in the answer, so that all of it can be replaced.
"""

import html
import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import NamedTuple

_TAG = r"</?[A-Za-z][^<>@]{0,60}>|<!--[^<>]{0,60}-->"
_ESCAPE = r"&(?:#\d{1,6}|#[xX][0-9a-fA-F]{1,5}|[A-Za-z]{2,8});|%[2-7][0-9A-Fa-f]"
_SIGN = re.compile(
    r"(?P<mask>(?<=[\s(])\*{3,}(?=[\s).,]|\Z))"
    r"|(?P<gone>[*`~\\\u00ad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufe00-\ufe0f\ufeff\u20e3]"
    rf"|{_TAG})|(?P<escape>{_ESCAPE})|(?P<sign>.)",
    re.DOTALL,
)
_AS_IT_IS = re.compile(rf"(?:[\n -$'-)+-;=-\[\]-_a-{{}}|]++|(?!{_TAG}|{_ESCAPE})[<&%])*+")
_UNFINISHED = re.compile(r"(?:<[!/A-Za-z-][^<>@]{0,60}|<|&[#A-Za-z0-9]{0,8}|%[0-9A-Fa-f]?|[*`~\\])\Z")
_MASK = "•"
_PAIRED = ("**", "`", "~~")


class Plain(NamedTuple):
    """A stretch as it reads. Character n of `text` stands in the answer from `starts[n]` to `ends[n]`.

    `is_open`: at its end something begins that may not be shown as it is (a tag, an escape, a mark).
    """

    text: str
    starts: Sequence[int]
    ends: Sequence[int]
    is_open: bool

    @classmethod
    def read(cls, answer: str, start: int) -> "Plain":
        """The stretch of the answer from `start` on."""
        if _AS_IT_IS.fullmatch(answer, start) is not None:
            size = len(answer)
            is_open = _UNFINISHED.search(answer, start) is not None
            return cls(answer[start:], range(start, size), range(start + 1, size + 1), is_open)
        signs = list(_signs(answer, start))
        return cls(
            "".join(sign for sign, _, _ in signs),
            tuple(first for _, first, _ in signs),
            tuple(end for _, _, end in signs),
            _UNFINISHED.search(answer, start) is not None,
        )


def _signs(answer: str, start: int) -> Iterator[tuple[str, int, int]]:
    for found in _SIGN.finditer(answer, start):
        match found.lastgroup:
            case "mask":
                yield _MASK, found.start(), found.end()
            case "escape":
                for sign in _unescaped(found.group()):
                    yield _seen(sign), found.start(), found.end()
            case "sign":
                yield _seen(found.group()), found.start(), found.end()
            case _:
                pass  # nobody sees it


def _unescaped(written: str) -> str:
    """The sign that stands for "&#64;" or "%40"; what stands for none is left as it is."""
    return chr(int(written[1:], 16)) if written[0] == "%" else html.unescape(written)


def _seen(sign: str) -> str:
    """One character: digits of any script as our own, full-width signs as plain ones."""
    if sign.isascii():
        return sign
    if sign.isdecimal():
        return str(unicodedata.decimal(sign))
    bare = unicodedata.normalize("NFKC", sign)
    return bare if len(bare) == 1 else sign


def lost_marks(slice_: str) -> str:
    """Marks of Markdown whose other half stands outside of a stretch that is taken out."""
    return "".join(mark for mark in _PAIRED if slice_.count(mark) % 2)


def small(text: str) -> str:
    """The text in small letters, each of them in its place."""
    lower = text.lower()
    if len(lower) == len(text):
        return lower
    return "".join(sign.lower() if len(sign.lower()) == 1 else sign for sign in text)
