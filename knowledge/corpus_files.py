"""Read the company's articles: Markdown with flat front matter, cut into passages of 1 to 3 sentences.

A passage is a paragraph as it was written, or three sentences of a longer one, without markup, so that a quotation
is word for word what the article says. Another company replaces the folder; nothing here knows what it is about.
An article that cannot be read is left out and reported; the others are served.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from errors import ConfigError
from knowledge.front import read_front
from knowledge.invisible import carriers, is_reordered
from knowledge.markup import Words, read_blocks
from knowledge.passages import Passage

MAX_ARTICLE_BYTES = 512_000
_VERSION_DIGITS = 12


@dataclass(frozen=True, slots=True)
class Article:
    """One article.

    Attributes:
        parts: Its headings with their passages, in order.
        asked: How customers ask for it, in their words; searched, but never shown or cited.
    """

    article_id: str
    file: str
    title: str
    url: str
    language: str
    parts: tuple[tuple[str, Passage], ...]
    asked: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Corpus:
    """All articles of a folder; `rejected` says of each file that was left out why, and what would help."""

    articles: tuple[Article, ...]
    rejected: tuple[str, ...] = ()


def read_corpus(folder: Path) -> Corpus:
    """All articles below `folder`, in a stable order; none when the folder is missing or empty.

    Of two articles with one url the first is kept.
    """
    found: dict[str, Article] = {}
    rejected: list[str] = []
    for path in article_files(folder):
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


def article_files(folder: Path) -> Iterator[Path]:
    """The files of articles below `folder`, in a stable order; those whose name begins with a dot do not count."""
    yield from (path for path in sorted(folder.rglob("*.md")) if not path.name.startswith("."))


def read_article(path: Path, folder: Path) -> Article:
    """One article.

    Raises:
        ConfigError: Cannot be read, not UTF-8, over 512,000 bytes, no front matter, or a key is missing or wrong.
    """
    file = path.relative_to(folder).as_posix()
    text, version = read_text(path, file)
    front = read_front(text)
    if front.flaws:
        raise ConfigError(f"{file}:{front.flaws[0].line}: {front.flaws[0].says}")
    title, url, language = (front.values[key] for key in ("title", "url", "language"))
    whole = Passage(url, title, url, language, "", file=file, version=version)
    parts = tuple(_passages(whole, text, front.end))
    return Article(path.stem, file, title, url, language, parts, front.asked)


def read_text(path: Path, file: str) -> tuple[str, str]:
    """The file's text and version: a hash of its bytes.

    Raises:
        ConfigError: Cannot be read, not UTF-8, or over 512,000 bytes.
    """
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
        line = raw.count(b"\n", 0, exc.start) + 1
        raise ConfigError(
            f"{file}:{line}: the byte {raw[exc.start]:#04x} is not UTF-8; save the file as UTF-8"
        ) from exc
    if "\0" in text:
        raise ConfigError(f"{file}: a zero byte stands in it; save the file again")
    if carriers(text) or is_reordered(text):
        raise ConfigError(
            f"{file}: it holds words that nobody sees ({', '.join(carriers(text)) or 'bidi override'}); take them out"
        )
    return text, version_of(raw)


def version_of(raw: bytes) -> str:
    """The version of a file with these bytes."""
    return hashlib.sha256(raw).hexdigest()[:_VERSION_DIGITS]


def _passages(article: Passage, text: str, start: int) -> Iterator[tuple[str, Passage]]:
    """(heading, passage) pairs of the file's text from this place on; each passage knows its neighbours."""
    found: list[tuple[str, Words]] = []
    heading = ""
    for block in read_blocks(text, start):
        if block.kind == "heading":
            heading = block.words.text
        else:
            found += [(heading, words) for words in block.passages()]
    nothing = Words("", (0, -1))
    around = [nothing, *(words for _, words in found), nothing]
    for number, (under, words) in enumerate(found, start=1):
        before, after = around[number - 1], around[number + 1]
        passage = replace(
            article,
            source=f"{article.url}#{number}",
            text=words.text,
            start=words.start,
            end=words.end,
            before=before.text,
            after=after.text,
            before_span=(before.start, before.end),
            after_span=(after.start, after.end),
        )
        yield under, passage
