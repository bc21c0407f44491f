"""Read the company's articles: Markdown with flat front matter, cut into passages of 1 to 3 sentences.

A passage is a paragraph as it was written, or three sentences of a longer one, without link syntax, so that a
quotation is word for word what the article says. Another company replaces the folder; nothing here knows what it is
about. An article that cannot be read is left out and reported; the others are served.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from errors import ConfigError
from knowledge.passages import Passage

MAX_ARTICLE_BYTES = 512_000
_KEYS = ("title", "url", "language", "updated")
_NEEDED = ("title", "url", "language")
_SENTENCES = 3
_LINK = re.compile(r"!?\[([^\]]+)\]\([^)]*\)")
_EMPHASIS = re.compile(r"(\*\*|__|`)")
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_ITEM = re.compile(r"^\s*(?:[-*+]|\d+[.)]|\|)\s")
_HEADING = re.compile(r"^#{1,6}\s+(.*?)\s*#*$")
_SENTENCE_END = re.compile(r"(?<=[.!?…])\s+(?=[^\sa-z])")
_LANGUAGE = re.compile(r"[a-z]{2,3}")
_URL = re.compile(r"https?://\S+")


@dataclass(frozen=True, slots=True)
class Article:
    """One article. `parts` are its headings with their passages, in order."""

    article_id: str
    file: str
    title: str
    url: str
    language: str
    parts: tuple[tuple[str, Passage], ...]


@dataclass(frozen=True, slots=True)
class Corpus:
    """All articles of a folder; `rejected` says of each file that was left out why, and what would help."""

    articles: tuple[Article, ...]
    rejected: tuple[str, ...] = ()


def read_corpus(folder: Path) -> Corpus:
    """All articles below `folder`, in a stable order; none when the folder is missing or empty.

    Files whose name begins with a dot are not looked at. Of two articles with one url the first is kept.
    """
    found: dict[str, Article] = {}
    rejected: list[str] = []
    for path in sorted(folder.rglob("*.md")):
        if path.name.startswith("."):
            continue
        try:
            article = read_article(path, folder)
        except ConfigError as exc:
            rejected.append(str(exc))
            continue
        kept = found.setdefault(article.url, article)
        if kept is not article:
            rejected.append(
                f"{article.file}: {kept.file} has the url {article.url} already; change one of them"
            )
    return Corpus(tuple(found.values()), tuple(rejected))


def read_article(path: Path, folder: Path) -> Article:
    """One article.

    Raises:
        ConfigError: Cannot be read, not UTF-8, over 512,000 bytes, no front matter, or a key is missing or wrong.
    """
    file = str(path.relative_to(folder))
    lines = _text(path, file).splitlines()
    front, start = _front(file, lines)
    body = _COMMENT.sub("", "\n".join(lines[start:])).splitlines()
    parts = tuple(
        (heading, Passage(f"{front['url']}#{number}", front["title"], front["url"], front["language"], text))
        for number, (heading, text) in enumerate(_passages(body), start=1)
    )
    return Article(path.stem, file, front["title"], front["url"], front["language"], parts)


def _text(path: Path, file: str) -> str:
    try:
        raw = path.read_bytes()
    except OSError as exc:
        raise ConfigError(f"{file}: cannot be read: {exc.strerror}") from exc
    if len(raw) > MAX_ARTICLE_BYTES:
        raise ConfigError(
            f"{file}: {len(raw)} bytes is too large, at most {MAX_ARTICLE_BYTES}; split the article"
        )
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        raise ConfigError(f"{file}: this is not UTF-8; save the file as UTF-8") from exc
    if "\0" in text:
        raise ConfigError(f"{file}: a zero byte stands in it; save the file again")
    return text


def _front(file: str, lines: list[str]) -> tuple[Mapping[str, str], int]:
    end = next((n for n, line in enumerate(lines[1:], start=1) if line.strip() == "---"), None)
    if not lines or lines[0].strip() != "---" or end is None:
        raise ConfigError(f'{file}:1: the article must begin with front matter between two "---" lines')
    front: dict[str, str] = {}
    for number, line in enumerate(lines[1:end], start=2):
        key, colon, value = line.partition(":")
        if not colon or key.strip() not in _KEYS:
            raise ConfigError(f"{file}:{number}: cannot read {line!r}; known keys: {', '.join(_KEYS)}")
        front[key.strip()] = value.strip().strip('"')
    _check_front(file, front)
    return front, end + 1


def _check_front(file: str, front: Mapping[str, str]) -> None:
    for key in _NEEDED:
        if not front.get(key):
            raise ConfigError(f'{file}:1: key "{key}" is missing; an article needs {", ".join(_NEEDED)}')
    if not _LANGUAGE.fullmatch(front["language"]):
        raise ConfigError(f'{file}:1: language "{front["language"]}" is not a code such as en or es')
    if not _URL.fullmatch(front["url"]):
        raise ConfigError(f'{file}:1: url "{front["url"]}" must begin with https:// and hold no blanks')


def _passages(lines: list[str]) -> Iterator[tuple[str, str]]:
    """(heading, passage) pairs; a list or a table stays together, line by line."""
    heading = ""
    for block in _blocks(lines):
        if head := _HEADING.match(block[0]):
            heading = _plain(head.group(1))
        elif any(_ITEM.match(line) for line in block):
            yield heading, "\n".join(_plain(line) for line in block)
        else:
            yield from ((heading, text) for text in _pieces(" ".join(_plain(line) for line in block)))


def _blocks(lines: list[str]) -> Iterator[list[str]]:
    """Paragraphs and headings, as the lines they were written in."""
    block: list[str] = []
    for line in [*lines, ""]:
        is_heading = _HEADING.match(line) is not None
        if line.strip() and not is_heading:
            block.append(line)
            continue
        if block:
            yield block
            block = []
        if is_heading:
            yield [line]


def _pieces(paragraph: str) -> Iterator[str]:
    """The paragraph; a longer one in pieces of up to three sentences, about equally long."""
    starts = [0, *(match.end() for match in _SENTENCE_END.finditer(paragraph))]
    pieces = -(-len(starts) // _SENTENCES)
    borders = [starts[number * len(starts) // pieces] for number in range(pieces)]
    for start, end in pairwise([*borders, len(paragraph)]):
        yield paragraph[start:end].strip()


def _plain(line: str) -> str:
    return _EMPHASIS.sub("", _LINK.sub(r"\1", line)).strip()
