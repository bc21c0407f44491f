"""Articles are read as they were written, and one that cannot be read takes nobody else down."""

from pathlib import Path

import pytest

from errors import ConfigError
from knowledge.corpus_files import MAX_ARTICLE_BYTES, read_article, read_corpus
from settings import ROOT

SHIPPED = ROOT / "knowledge" / "corpus"
FRONT = "---\ntitle: Theft\nurl: https://x.example/theft\nlanguage: en\nupdated: 2026-01-01\n---\n"


def _write(folder: Path, body: str, front: str = FRONT, name: str = "theft.md") -> Path:
    path = folder / name
    path.write_text(front + body, encoding="utf-8")
    return path


def _texts(folder: Path, body: str) -> list[str]:
    return [passage.text for _, passage in read_article(_write(folder, body), folder).parts]


def test_the_shipped_articles_can_all_be_read() -> None:
    """A question could not be answered although the article is there."""
    corpus = read_corpus(SHIPPED)

    assert corpus.rejected == ()
    assert len(corpus.articles) == len(list(SHIPPED.rglob("*.md")))
    assert {article.language for article in corpus.articles} == {"en", "es"}


def test_passages_stand_under_their_headings(tmp_path: Path) -> None:
    """A citation would point at the wrong part of an article."""
    article = read_article(
        _write(tmp_path, "Intro.\n\n## **What** is it? ##\nOne.\nTwo.\n\nThree.\n"), tmp_path
    )

    assert [(heading, passage.text) for heading, passage in article.parts] == [
        ("", "Intro."),
        ("What is it?", "One. Two."),
        ("What is it?", "Three."),
    ]
    first = article.parts[0][1]
    assert (first.source, first.title, first.url, first.language) == (
        "https://x.example/theft#1",
        "Theft",
        "https://x.example/theft",
        "en",
    )
    assert (article.article_id, article.file) == ("theft", "theft.md")


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("See [Complaints](complaints.md) now.", "See Complaints now."),
        ("A ![map](map.png) of **all** `roads`.", "A map of all roads."),
        ("Seen.<!-- a note\nfor us --> Not seen.", "Seen. Not seen."),
    ],
)
def test_markup_is_not_part_of_a_quotation(written: str, read: str, tmp_path: Path) -> None:
    """A customer would read stars and brackets, or a note that was not meant for them."""
    assert _texts(tmp_path, written) == [read]


@pytest.mark.parametrize(
    ("hidden", "how"),
    [("\U000e006f\U000e0062", "tags"), ("\u200b\u200c" * 8, "zero_width"), ("\u202e", "bidi override")],
)
def test_an_article_with_words_that_nobody_sees_is_left_out(hidden: str, how: str, tmp_path: Path) -> None:
    """Whoever can slip such an article in could give orders to a model that the company's editors never see."""
    _write(tmp_path, "Theft is covered." + hidden)
    _write(tmp_path, "Co\u00adop is fine.", FRONT.replace("theft", "coop"), "coop.md")
    corpus = read_corpus(tmp_path)

    assert [article.file for article in corpus.articles] == ["coop.md"]
    assert corpus.rejected == (f"theft.md: it holds words that nobody sees ({how}); take them out",)


def test_lists_and_tables_keep_their_lines(tmp_path: Path) -> None:
    """A list of documents would become one endless sentence."""
    assert _texts(
        tmp_path, "You need:\n- a licence\n- a photo\n\n| a | b |\n| 1 | 2 |\n\n1. First\n2. Then\n"
    ) == [
        "You need:\n- a licence\n- a photo",
        "| a | b |\n| 1 | 2 |",
        "1. First\n2. Then",
    ]


def test_a_long_paragraph_is_cut_at_sentences(tmp_path: Path) -> None:
    """A citation of a whole page points at nothing."""
    sentences = [f"Sentence {number} costs $1.50 a day." for number in range(1, 8)]

    texts = _texts(tmp_path, " ".join(sentences))

    assert [text.count("Sentence") for text in texts] == [2, 2, 3]
    assert " ".join(texts) == " ".join(sentences)


def test_an_abbreviation_ends_no_sentence(tmp_path: Path) -> None:
    """A passage would begin in the middle of a sentence."""
    body = "One, e.g. a car, is it. Two is not. Three is. Four is."

    assert _texts(tmp_path, body) == ["One, e.g. a car, is it. Two is not.", "Three is. Four is."]


@pytest.mark.parametrize(
    ("front", "says"),
    [
        ("No front matter\n", 'theft.md:1: the article must begin with front matter between two "---" lines'),
        ("", 'theft.md:1: the article must begin with front matter between two "---" lines'),
        ("---\ntitle: x\n", 'theft.md:1: the article must begin with front matter between two "---" lines'),
        ("---\ntitel: x\n---\n", "theft.md:2: cannot read 'titel: x'; known keys: title, url, language, updated, asked"),
        ("---\ntitle x\n---\n", "theft.md:2: cannot read 'title x'"),
        ("---\ntitle: x\nlanguage: en\n---\n", 'theft.md:1: key "url" is missing or empty; an article needs title, url, language'),
        (FRONT.replace("Theft", '""'), 'theft.md:2: key "title" is missing or empty'),
        (FRONT.replace(": en", ": English"), 'theft.md:4: language "English" is not a code such as en or es'),
        (FRONT.replace("https:", "javascript:"), 'theft.md:3: url "javascript://x.example/theft" must begin with https://'),
    ],
)  # fmt: skip
def test_an_article_without_its_facts_is_refused(front: str, says: str, tmp_path: Path) -> None:
    """A citation without a title or an address would be shown."""
    with pytest.raises(ConfigError) as refused:
        read_article(_write(tmp_path, "", front), tmp_path)

    assert str(refused.value).startswith(says)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (FRONT.encode() + b"caf\xe9", "bad.md:7: the byte 0xe9 is not UTF-8; save the file as UTF-8"),
        (FRONT.encode() + b"a\0b", "bad.md: a zero byte stands in it; save the file again"),
        (b"x" * (MAX_ARTICLE_BYTES + 1), f"bad.md: {MAX_ARTICLE_BYTES + 1} bytes is too large"),
        (b"", "bad.md:1: the article must begin with front matter"),
    ],
)
def test_a_bad_article_is_left_out_and_the_others_are_served(
    content: bytes, says: str, tmp_path: Path
) -> None:
    """One bad file would take all knowledge away from the desk."""
    (tmp_path / "bad.md").write_bytes(content)
    (tmp_path / "gone.md").symlink_to("nowhere.md")
    (tmp_path / ".#theft.md").symlink_to("nowhere.md")
    _write(tmp_path, "Theft is covered.")

    corpus = read_corpus(tmp_path)

    assert [article.article_id for article in corpus.articles] == ["theft"]
    assert corpus.rejected[0].startswith(says)
    assert corpus.rejected[1] == "gone.md: cannot be read: No such file or directory"
    assert len(corpus.rejected) == 2


def test_two_articles_with_one_address_are_one_too_many(tmp_path: Path) -> None:
    """A citation could point at words that stand in the other article."""
    _write(tmp_path, "One.", name="a.md")
    _write(tmp_path, "Two.", name="b.md")

    corpus = read_corpus(tmp_path)

    assert [article.file for article in corpus.articles] == ["a.md"]
    assert corpus.rejected == ("b.md: a.md has the url https://x.example/theft already; change one of them",)


def test_a_missing_folder_holds_no_articles(tmp_path: Path) -> None:
    """The desk would not start for want of articles, where it can still hand over to a person."""
    assert read_corpus(tmp_path / "nothing").articles == ()
