"""The check of the articles: green on what ships, and red with file, line, value and remedy for each fault."""

import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from knowledge.check import LONGEST_PASSAGE, Report, check_articles
from knowledge.corpus_files import MAX_ARTICLE_BYTES, read_corpus
from settings import ROOT

SHIPPED = ROOT / "knowledge" / "corpus"
TODAY = date(2026, 11, 28)
HOST = "https://help.example.com"


def _article(name: str, language: str = "en", body: str = "Theft is covered.", **changes: str) -> str:
    values = {
        "title": name.title(),
        "url": f"{HOST}/{language}/{name}",
        "language": language,
        "updated": "2026-01-31",
    } | changes
    head = "\n".join(f"{key}: {value}" for key, value in values.items())
    return f"---\n{head}\n---\n{body}\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Four good articles: two in each of two languages."""
    for language in ("en", "es"):
        (tmp_path / language).mkdir()
        for name in ("theft", "fire"):
            _write(tmp_path, f"{language}/{name}.md", _article(name, language))
    return tmp_path


def _write(folder: Path, file: str, text: str) -> None:
    (folder / file).write_text(text, encoding="utf-8")


def _check(folder: Path) -> Report:
    return check_articles(folder, TODAY)


def test_what_ships_is_good() -> None:
    """The demo company would serve dead links and lopsided translations."""
    report = _check(SHIPPED)

    assert (report.faults, report.warnings) == ((), ())
    assert [(shelf.language, shelf.articles >= 30) for shelf in report.shelves] == [
        ("en", True),
        ("es", True),
    ]
    corpus = read_corpus(SHIPPED)
    for shelf in report.shelves:
        own = [article for article in corpus.articles if article.language == shelf.language]
        passages = [passage for article in own for _, passage in article.parts]
        assert (shelf.articles, shelf.passages) == (len(own), len(passages))
        assert shelf.longest.characters == max(len(passage.text) for passage in passages)


def test_it_says_what_is_where(folder: Path) -> None:
    """An editor would not know which article to shorten, or to look at again first."""
    _write(folder, "en/fire.md", _article("fire", body="Short.\n\nThis one is longer.", updated="2025-02-01"))

    english, spanish = _check(folder).shelves

    assert (english.language, english.articles, english.passages) == ("en", 2, 3)
    assert (english.longest.characters, english.longest.place) == (19, "en/fire.md:9")
    assert english.oldest == (date(2025, 2, 1), "en/fire.md")
    assert (spanish.language, spanish.oldest) == ("es", (date(2026, 1, 31), "es/fire.md"))


LONG = "word " * (LONGEST_PASSAGE // 5 + 1)
FAULTS: dict[str, tuple[str, str]] = {
    "no title": (_article("theft", title=""), '2: key "title" is missing or empty; an article needs title, url, language'),
    "no url": (_article("theft").replace("url: ", "# "), "3: cannot read '# https://help.example.com/en/theft'; known keys: title, url, language, updated, asked"),
    "unknown key": (_article("theft", author="me"), "6: cannot read 'author: me'; known keys: title, url, language, updated, asked"),
    "bad language": (_article("theft", language="English"), '4: language "English" is not a code such as en or es'),
    "bad url": (_article("theft", url="example.com/theft"), '3: url "example.com/theft" must begin with https:// and hold no blanks'),
    "bad date": (_article("theft", updated="31.01.2026"), '5: updated "31.01.2026" is no date; write it as 2026-11-28'),
    "future date": (_article("theft", updated="2062-01-31"), "5: updated 2062-01-31 lies in the future; today is 2026-11-28"),
    "double url": (_article("theft", url=f"{HOST}/en/fire/"), f"3: en/fire.md has the url {HOST}/en/fire/ already; change one of them"),
    "double url in another language": (_article("theft", url=f"{HOST}/es/fire"), "en/theft.md has the url"),
    "double id": (_article("theft", language="es", url=f"{HOST}/en/theft"), 'en/theft.md is the es article "theft" already; rename one of them'),
    "dead link to an article": (_article("theft", body="See\n[it](fires.md)."), '8: the link to "fires.md" is dead: there is no file en/fires.md; did you mean en/fire.md?'),
    "dead link to a picture": (_article("theft", body="![it](map.png)"), '7: the link to "map.png" is dead: there is no file en/map.png; correct the link, or take it out'),
    "dead link to another language": (_article("theft", body="[it](../es/fire%20.md)"), "there is no file es/fire .md; did you mean es/fire.md?"),
    "dead address": (_article("theft", body=f"[it]({HOST}/en/fires#x)"), f"no article has the url {HOST}/en/fires#x; did you mean {HOST}/en/fire?"),
    "dead plain address": (_article("theft", body=f"See {HOST.upper()}/nothing."), "no article has the url https://HELP.EXAMPLE.COM/nothing; did you mean"),
    "dead address without a host": (_article("theft", body="[it](/en/fires)"), f"no article has the url {HOST}/en/fires"),
    "dead anchor": (_article("theft", body="# What is it?\nA. [b](#what-it-is)"), '8: the link to "#what-it-is" is dead: no heading of en/theft.md has the anchor #what-it-is; did you mean #what-is-it?'),
    "dead anchor elsewhere": (_article("theft", body="[b](fire.md#how)"), "no heading of en/fire.md has the anchor #how; correct the link, or take it out"),
    "too long to cite": (_article("theft", body=f"A.\n\n{LONG}"), f'9: a passage of {len(LONG) - 1} characters is too long to cite, at most {LONGEST_PASSAGE}: "word word'),
    "empty": (_article("theft", body="# Title\n<!-- a note -->"), "7: the article is empty; write its text, or delete the file"),
    "unclosed comment": (_article("theft", body="A.\n<!-- b -->\n<!-- c"), '9: a comment that begins with "<!--" is not closed; end it with "-->"'),
    "no front matter": ("Theft is covered.", '1: the article must begin with front matter between two "---" lines'),
    "too large": (_article("theft", body="x" * MAX_ARTICLE_BYTES), f"bytes is too large, at most {MAX_ARTICLE_BYTES}; split the article"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "says"), FAULTS.values(), ids=FAULTS)
def test_each_fault_is_named_with_its_file(text: str, says: str, folder: Path) -> None:
    """Somebody would have to find the bad one among hundreds of files."""
    _write(folder, "en/theft.md", text)

    faults = _check(folder).faults

    assert any(f"/theft.md:{says}" in fault or says in fault for fault in faults), faults
    assert all(fault.startswith(("en/theft.md:", "es/")) for fault in faults)
    assert _check(folder).shelves == ()


def test_a_file_in_another_encoding_is_named(folder: Path) -> None:
    """Accents would reach customers as rubbish, or the article not at all."""
    (folder / "es" / "fire.md").write_bytes(_article("fire", "es", "Está cubierto.").encode("latin-1"))

    assert _check(folder).faults == ("es/fire.md:7: the byte 0xe1 is not UTF-8; save the file as UTF-8",)


def test_all_faults_are_told_at_once(folder: Path) -> None:
    """Somebody with many faults would have to run the check again and again."""
    _write(
        folder,
        "en/theft.md",
        _article("theft", title="", updated="soon", body=f"[a](b.md)\n\n{LONG}\n\n<!--"),
    )
    (folder / "es" / "fire.md").write_bytes(b"\xff")
    (folder / "es" / "theft.md").unlink()
    (folder / "es" / "theft.md").symlink_to("nowhere.md")

    assert [fault.split(": ")[0] for fault in _check(folder).faults] == [
        "es/fire.md:1",
        "es/theft.md",
        "en/theft.md:2",
        "en/theft.md:5",
        "en/theft.md:7",
        "en/theft.md:9",
        "en/theft.md:11",
    ]


@pytest.mark.parametrize(
    "body",
    [
        "[a](fire.md), [b](./fire.md), [c](../es/theft.md), [d](<fire.md>)",
        "# What's up, Doc?\n[a](#whats-up-doc) and [b](fire.md)",
        f"[a]({HOST}/en/fire), [b]({HOST}/en/fire/#x), [c](/es/fire?from=chat), {HOST}/en/theft.",
        "[a](https://elsewhere.example.org/x), [b](mailto:a@b.c), [c](tel:+1800), [d](map%20of.png)",
        "<!-- [a](nothing.md) -->Text.",
    ],
)  # fmt: skip
def test_good_links_are_left_alone(body: str, folder: Path) -> None:
    """A check that cries wolf is switched off."""
    _write(folder, "en/theft.md", _article("theft", body=body))
    (folder / "en" / "map of.png").write_bytes(b"")

    assert _check(folder).faults == ()


def test_what_may_be_served_is_a_warning(folder: Path) -> None:
    """A missing translation would go unnoticed, or hold up an article that is needed today."""
    (folder / "es" / "fire.md").unlink()
    _write(folder, "en/theft.md", _article("theft").replace("updated: 2026-01-31\n", ""))

    report = _check(folder)

    assert report.faults == ()
    assert report.warnings == (
        "en/fire.md:1: has no counterpart in es; write fire.md in that language too",
        "en/theft.md:1: says not when its facts were last looked at; add a line such as updated: 2026-01-31",
    )
    assert {shelf.language: shelf.oldest for shelf in report.shelves}["en"] == (
        date(2026, 1, 31),
        "en/fire.md",
    )


def test_a_folder_without_articles_is_a_fault(tmp_path: Path) -> None:
    """A typing error in the folder's name would look like a clean bill of health."""
    nowhere = tmp_path / "nowhere"

    assert _check(nowhere).faults == (
        f"{nowhere}: there are no articles here; give the folder that holds them",
    )


@pytest.mark.parametrize("spoil", [lambda text: text.replace("language: en", "language: e"), lambda _: ""])
def test_what_the_desk_would_leave_out_is_a_fault(spoil: Callable[[str], str], tmp_path: Path) -> None:
    """The check would be green, and customers would still get no answer."""
    folder = shutil.copytree(SHIPPED, tmp_path / "corpus")
    spoiled = folder / "en" / "claims.md"
    spoiled.write_text(spoil(spoiled.read_text(encoding="utf-8")), encoding="utf-8")

    (rejected,) = read_corpus(folder).rejected

    assert rejected in _check(folder).faults
