"""Check the folder of articles: everything that is wrong with it at once, and what is where.

Why: the desk leaves a bad article out and serves on, so a mistake would only show as an answer that is missing. This
is for whoever writes the articles, before they are served. A fault stops; a warning does not.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from errors import ConfigError
from knowledge.corpus_files import article_files, read_text
from knowledge.front import Flaw, Front, read_front
from knowledge.links import Site, anchors_of, bare_url, links_of
from knowledge.markup import Words, read_blocks

LONGEST_PASSAGE = 600
"""Characters. The longest of the demo company's has 448: a citation is to point at words, not at a page."""
_SHOWN = 60
_OPENS = "<!--"


@dataclass(frozen=True, slots=True)
class Longest:
    """The longest passage, in characters, and where it stands."""

    characters: int
    place: str


@dataclass(frozen=True, slots=True)
class Shelf:
    """The articles of one language."""

    language: str
    articles: int
    passages: int
    longest: Longest
    oldest: tuple[date, str] | None


@dataclass(frozen=True, slots=True)
class Report:
    """One line for each fault and warning, with file, line, value and remedy; when there is no fault, what is where."""

    faults: tuple[str, ...]
    warnings: tuple[str, ...]
    shelves: tuple[Shelf, ...]


@dataclass(frozen=True, slots=True)
class _Draft:
    """An article as it lies in the folder, perhaps with flaws."""

    path: Path
    file: str
    text: str
    front: Front
    passages: tuple[Words, ...]

    def value(self, key: str) -> str:
        return self.front.values.get(key, "")

    def line(self, place: int) -> int:
        return self.text.count("\n", 0, place) + 1

    @property
    def updated(self) -> date | None:
        try:
            return date.fromisoformat(self.value("updated"))
        except ValueError:
            return None


def check_articles(folder: Path, today: date) -> Report:
    """Everything there is to say about the articles below this folder."""
    drafts: list[_Draft] = []
    faults: list[str] = []
    for path in article_files(folder):
        try:
            drafts.append(_draft(path, folder))
        except ConfigError as exc:
            faults.append(str(exc))
    if not drafts:
        faults.append(f"{folder}: there are no articles here; give the folder that holds them")
    site = Site.of(
        folder,
        {draft.file: anchors_of(draft.text, draft.front.end) for draft in drafts},
        (url for draft in drafts if (url := draft.value("url"))),
    )
    for draft in drafts:
        own = [*draft.front.flaws, *_in_text(draft), *_in_date(draft, today), *_in_links(draft, site)]
        faults += [
            f"{draft.file}:{flaw.line}: {flaw.says}" for flaw in sorted(own, key=lambda flaw: flaw.line)
        ]
    faults += _doubled(drafts)
    return Report(tuple(faults), tuple(_warnings(drafts)), () if faults else tuple(_shelves(drafts)))


def _draft(path: Path, folder: Path) -> _Draft:
    file = path.relative_to(folder).as_posix()
    text, _ = read_text(path, file)
    front = read_front(text)
    blocks = read_blocks(text, front.end)
    passages = tuple(words for block in blocks if block.kind != "heading" for words in block.passages())
    return _Draft(path, file, text, front, passages)


def _in_text(draft: _Draft) -> Iterator[Flaw]:
    """Nothing to cite, too much to cite, or a note that swallows the rest."""
    if not draft.passages:
        yield Flaw(draft.line(draft.front.end), "the article is empty; write its text, or delete the file")
    for words in draft.passages:
        if len(words.text) > LONGEST_PASSAGE:
            yield Flaw(
                draft.line(words.start),
                f"a passage of {len(words.text)} characters is too long to cite, at most {LONGEST_PASSAGE}: "
                f'"{words.text[:_SHOWN]}..."; put an empty line into it, or write shorter sentences',
            )
    opened = draft.text.rfind(_OPENS)
    if opened >= draft.front.end and "-->" not in draft.text[opened:]:
        yield Flaw(
            draft.line(opened), f'a comment that begins with "{_OPENS}" is not closed; end it with "-->"'
        )


def _in_date(draft: _Draft, today: date) -> Iterator[Flaw]:
    given, line = draft.value("updated"), draft.front.lines.get("updated", 1)
    if given and draft.updated is None:
        yield Flaw(line, f'updated "{given}" is no date; write it as {today.isoformat()}')
    elif draft.updated is not None and draft.updated > today + timedelta(days=1):
        yield Flaw(line, f"updated {given} lies in the future; today is {today.isoformat()}")


def _in_links(draft: _Draft, site: Site) -> Iterator[Flaw]:
    for link in links_of(draft.text, draft.front.end):
        if (says := site.fault(link.target, draft.file, draft.value("url"))) is not None:
            yield Flaw(draft.line(link.place), f'the link to "{link.target}" is dead: {says}')


def _doubled(drafts: list[_Draft]) -> Iterator[str]:
    """Two articles with one address, or of one language with one name: only the first could be cited or paired."""
    urls: dict[str, _Draft] = {}
    names: dict[tuple[str, str], _Draft] = {}
    for draft in drafts:
        url, language = draft.value("url"), draft.value("language")
        line = draft.front.lines.get("url", 1)
        if url and (first := urls.setdefault(bare_url(url), draft)) is not draft:
            yield f"{draft.file}:{line}: {first.file} has the url {url} already; change one of them"
        name = draft.path.stem
        if language and (first := names.setdefault((language, name), draft)) is not draft:
            line = draft.front.lines["language"]
            yield f'{draft.file}:{line}: {first.file} is the {language} article "{name}" already; rename one of them'


def _warnings(drafts: list[_Draft]) -> Iterator[str]:
    """What can be served, but is not as it should be: no date, or no translation."""
    languages = {draft.value("language") for draft in drafts if draft.value("language")}
    found: dict[str, set[str]] = {}
    for draft in drafts:
        found.setdefault(draft.path.stem, set()).add(draft.value("language"))
    for draft in drafts:
        if not draft.value("updated"):
            yield f"{draft.file}:1: says not when its facts were last looked at; add a line such as updated: 2026-01-31"
        for language in sorted(languages - found[draft.path.stem]):
            yield f"{draft.file}:1: has no counterpart in {language}; write {draft.path.name} in that language too"


def _shelves(drafts: list[_Draft]) -> Iterator[Shelf]:
    by_language: defaultdict[str, list[_Draft]] = defaultdict(list)
    for draft in drafts:
        by_language[draft.value("language")].append(draft)
    for language, own in sorted(by_language.items()):
        passages = [(len(words.text), draft, words) for draft in own for words in draft.passages]
        characters, draft, words = max(passages, key=lambda passage: passage[0])
        dated = [(draft.updated, draft.file) for draft in own if draft.updated is not None]
        yield Shelf(
            language,
            len(own),
            len(passages),
            Longest(characters, f"{draft.file}:{draft.line(words.start)}"),
            min(dated, default=None),
        )
