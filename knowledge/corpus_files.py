"""Read the company's articles: Markdown with flat front matter, cut into passages of 1 to 3 sentences.

A passage is one paragraph as it was written, without link syntax, so that a quotation is word for word what the
article says. Another company replaces the folder; nothing here knows what it is about.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from errors import ConfigError
from knowledge.passages import Passage

_KEYS = ("title", "url", "language", "updated")
_LINK = re.compile(r"\[([^\]]+)\]\([^)]*\)")
_EMPHASIS = re.compile(r"(\*\*|__|`)")


@dataclass(frozen=True, slots=True)
class Article:
    """One article. `parts` are its headings with their passages, in order."""

    article_id: str
    file: str
    title: str
    url: str
    language: str
    parts: tuple[tuple[str, Passage], ...]


def read_corpus(folder: Path) -> tuple[Article, ...]:
    """All articles below `folder`, in a stable order; none when the folder is missing or empty.

    Raises:
        ConfigError: An article cannot be read: file, line, what was expected.
    """
    return tuple(read_article(path, folder) for path in sorted(folder.rglob("*.md")))


def read_article(path: Path, folder: Path) -> Article:
    """One article.

    Raises:
        ConfigError: Not UTF-8, no front matter, or a key is missing.
    """
    file = str(path.relative_to(folder))
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as exc:
        raise ConfigError(f"{file}: this is not UTF-8; save the file as UTF-8") from exc
    front, start = _front(file, lines)
    article_id = path.stem
    parts = tuple(
        (heading, Passage(f"{front['url']}#{number}", front["title"], front["url"], front["language"], text))
        for number, (heading, text) in enumerate(_paragraphs(lines[start:]), start=1)
    )
    return Article(article_id, file, front["title"], front["url"], front["language"], parts)


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
    for key in ("title", "url", "language"):
        if not front.get(key):
            raise ConfigError(
                f'{file}:1: key "{key}" is missing; an article needs a title, a url and a language'
            )
    return front, end + 1


def _paragraphs(lines: list[str]) -> Iterator[tuple[str, str]]:
    """(heading, paragraph) pairs; a list stays together with its lines."""
    heading, paragraph = "", list[str]()
    for line in [*lines, ""]:
        if line.strip() and not line.startswith("#"):
            paragraph.append(_plain(line))
            continue
        if paragraph:
            yield heading, " ".join(paragraph)
            paragraph = []
        if line.startswith("#"):
            heading = line.lstrip("# ").strip()


def _plain(line: str) -> str:
    return _EMPHASIS.sub("", _LINK.sub(r"\1", line)).strip()
