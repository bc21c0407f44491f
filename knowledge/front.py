"""What stands at the head of an article: its title, address, language and date, one `key: value` a line.

Why apart: the desk leaves an article out for the first thing that is wrong with it; `frontdesk knowledge check`
tells everything that is wrong.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

ASKED = "asked"
KEYS = ("title", "url", "language", "updated", ASKED)
NEEDED = ("title", "url", "language")
_PHRASE = re.compile(r"\s+-\s+(\S.*)")
_SHAPES = {
    "language": (re.compile(r"[a-z]{2,3}"), "is not a code such as en or es"),
    "url": (re.compile(r"https?://[^\s/?#]\S*"), "must begin with https:// and hold no blanks"),
}


@dataclass(frozen=True, slots=True)
class Flaw:
    """Something that is wrong, with its line (counted from 1), and what would help."""

    line: int
    says: str


@dataclass(frozen=True, slots=True)
class Front:
    """The head of an article.

    Attributes:
        values: What each key says.
        lines: In which line each key stands.
        asked: How customers ask for it, in their words.
        end: Number of characters of the file's text before the article's own.
    """

    values: Mapping[str, str]
    lines: Mapping[str, int]
    asked: tuple[str, ...]
    end: int
    flaws: tuple[Flaw, ...]


def read_front(text: str) -> Front:
    """The head of this file's text, with all that is wrong in it."""
    lines = text.splitlines(keepends=True)
    end = next((n for n, line in enumerate(lines[1:], start=1) if line.strip() == "---"), None)
    if not lines or lines[0].strip() != "---" or end is None:
        flaw = Flaw(1, 'the article must begin with front matter between two "---" lines')
        return Front({}, {}, (), 0, (flaw,))
    values: dict[str, str] = {}
    places: dict[str, int] = {}
    asked: list[str] = []
    flaws: list[Flaw] = []
    key = ""
    for number, line in enumerate(lines[1:end], start=2):
        if key == ASKED and (phrase := _PHRASE.fullmatch(line.rstrip())):
            asked.append(phrase[1].strip('"'))
            continue
        key, colon, value = (part.strip() for part in line.partition(":"))
        if not colon or key not in KEYS:
            flaws.append(Flaw(number, f"cannot read {line.strip()!r}; known keys: {', '.join(KEYS)}"))
        elif key in places:
            flaws.append(Flaw(number, f'key "{key}" stands in line {places[key]} already; keep one of them'))
        elif key == ASKED and value:
            flaws.append(Flaw(number, f'"{ASKED}" is a list; write each phrase below it, as "  - phrase"'))
        else:
            values[key], places[key] = value.strip('"'), number
    flaws += _wrong_values(values, places)
    return Front(values, places, tuple(asked), len("".join(lines[: end + 1])), tuple(flaws))


def _wrong_values(values: Mapping[str, str], lines: Mapping[str, int]) -> Iterator[Flaw]:
    for key in NEEDED:
        if not values.get(key):
            yield Flaw(
                lines.get(key, 1), f'key "{key}" is missing or empty; an article needs {", ".join(NEEDED)}'
            )
    for key, (shape, says) in _SHAPES.items():
        if (value := values.get(key)) and not shape.fullmatch(value):
            yield Flaw(lines[key], f'{key} "{value}" {says}')
        elif value and key == "url" and not _is_address(value):
            yield Flaw(
                lines[key], f'{key} "{value}" is no address: what stands before the first / names no host'
            )


def _is_address(url: str) -> bool:
    try:
        return bool(urlsplit(url).hostname)
    except ValueError:
        return False
