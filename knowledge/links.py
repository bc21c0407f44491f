"""The links of an article, and which of them lead nowhere: to no article, no heading, or no address of the company.

Why: a customer who follows a dead link loses trust in the answer above it. Which hosts are the company's own follows
from its articles' addresses; links to other hosts are not looked at.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path, PurePosixPath
from posixpath import normpath
from typing import Self
from urllib.parse import unquote, urljoin, urlsplit

from knowledge.markup import read_blocks, read_body

_TARGET = re.compile(r"\]\(\s*<?([^\s)>]+)|(https?://[^\s)>\]\"'*]+)", re.IGNORECASE)
_SENTENCE_MARKS = ".,;:!?"
_NOT_IN_ANCHORS = re.compile(r"[^\w\s-]")


@dataclass(frozen=True, slots=True)
class Link:
    """Where a link leads, and where in the file's text that is written."""

    target: str
    place: int


@dataclass(frozen=True, slots=True)
class Site:
    """What links may lead to.

    Attributes:
        folder: Of the articles.
        anchors: Of each file (below the folder), those of its headings.
        urls: The articles' addresses, bare.
        hosts: The company's own, as these addresses name them.
    """

    folder: Path
    anchors: Mapping[str, frozenset[str]]
    urls: frozenset[str]
    hosts: frozenset[str]

    @classmethod
    def of(cls, folder: Path, anchors: Mapping[str, frozenset[str]], urls: Iterable[str]) -> Self:
        """The site of articles with these anchors and addresses."""
        bare = frozenset(bare_url(url) for url in urls)
        return cls(folder, anchors, bare, frozenset(urlsplit(url).netloc for url in bare))

    def fault(self, target: str, file: str, url: str) -> str | None:
        """What is wrong with a link in this file, whose article has this address; None: it leads somewhere."""
        scheme, path = urlsplit(target).scheme, target.partition("#")[0]
        if scheme in {"http", "https"} or path.startswith("/"):
            return self._fault_of_address(urljoin(url, target))
        return None if scheme else self._fault_of_file(target, file)

    def _fault_of_address(self, address: str) -> str | None:
        bare = bare_url(address)
        if urlsplit(bare).netloc not in self.hosts or bare in self.urls:
            return None
        return f"no article has the url {address}{_meant(bare, self.urls)}"

    def _fault_of_file(self, target: str, file: str) -> str | None:
        path, _, anchor = target.partition("#")
        other = normpath(PurePosixPath(file).parent / unquote(path)) if path else file
        if other not in self.anchors and (other.endswith(".md") or not (self.folder / other).exists()):
            return f"there is no file {other}{_meant(other, self.anchors)}"
        wanted = f"#{unquote(anchor).casefold()}"
        known = self.anchors.get(other, frozenset({wanted}))
        if anchor and wanted not in known:
            return f"no heading of {other} has the anchor #{anchor}{_meant(wanted, known)}"
        return None


def links_of(text: str, start: int) -> Iterator[Link]:
    """The links in the file's text from this place on, and the plain addresses."""
    body = read_body(text, start)
    for found in _TARGET.finditer(body.text):
        inline, plain = found.groups()
        group = 1 if inline else 2
        yield Link(inline or plain.rstrip(_SENTENCE_MARKS), body.at[found.start(group)])


def anchors_of(text: str, start: int) -> frozenset[str]:
    """The anchors of the headings, as GitHub makes them: "#", small letters, "-" for blanks, no marks."""
    headings = (block.words.text for block in read_blocks(text, start) if block.kind == "heading")
    named = (_NOT_IN_ANCHORS.sub("", heading.casefold()) for heading in headings)
    return frozenset(f"#{name.replace(' ', '-')}" for name in named)


def bare_url(url: str) -> str:
    """The address without what does not choose the article: anchor, query, slash at the end, capitals of the host."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.casefold()}{parts.path.rstrip('/')}"


def _meant(given: str, known: Iterable[str]) -> str:
    near = get_close_matches(given, sorted(known), n=1)
    return f"; did you mean {near[0]}?" if near else "; correct the link, or take it out"
