"""Words lose their markup and keep their place, so that a quotation can be found again in the file."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.markup import read_blocks, words_at

ARTICLE = (
    "Front.\n\n## What **is** it? ##\n"
    "It is [a cover](cover.md) for **cars** with `four` wheels.\n"
    "Not<!-- ask legal\n\n first --> for boats.\n\n"
    "You need:\n- a licence\n- a ![photo](p.png)\n\n<!-- a note -->\n\n``\n\n"
    "One is it. **Two** is not. Three is. [Four](f.md) is. Five too.\n"
)


def _passages(text: str, start: int = 0) -> list[tuple[str, int, int]]:
    return [
        (words.text, words.start, words.end)
        for block in read_blocks(text, start)
        for words in block.passages()
    ]


def test_blocks_are_read_without_their_markup() -> None:
    """A customer would read stars and notes; an empty passage would be refused by the API."""
    assert [(block.kind, block.words.text) for block in read_blocks(ARTICLE)] == [
        ("paragraph", "Front."),
        ("heading", "What is it?"),
        ("paragraph", "It is a cover for cars with four wheels. Not for boats."),
        ("list", "You need:\n- a licence\n- a photo"),
        ("paragraph", "One is it. Two is not. Three is. Four is. Five too."),
    ]
    assert [text for text, _, _ in _passages(ARTICLE, ARTICLE.index("One is"))] == [
        "One is it. Two is not.",
        "Three is. Four is. Five too.",
    ]


def test_every_passage_stands_where_it_says() -> None:
    """Ops would look a quotation up in the wrong place, and call a true one stale."""
    for text, start, end in _passages(ARTICLE):
        assert words_at(ARTICLE, start, end).strip() == text
        assert ARTICLE[start] == text[0]
        assert ARTICLE[end - 1] == text[-1]


def test_a_place_outside_holds_other_words() -> None:
    """A proof that points elsewhere would count as good."""
    assert words_at(ARTICLE, 0, 5).strip() == "Front"
    assert words_at(ARTICLE, len(ARTICLE), len(ARTICLE) + 50).strip() == ""
    assert words_at(ARTICLE, 7, 3).strip() == ""


@given(
    st.lists(
        st.sampled_from(
            ["One. ", "two ", "**", "`", "[a. B](c)", "<!--", "-->", "\n", "\n\n", "- ", "# ", "é", "\r\n", "\x85", "| "]
        ),
        max_size=30,
    )
)  # fmt: skip
def test_whatever_is_written_words_keep_their_places(pieces: list[str]) -> None:
    """An odd article would end in a crash at start, or in proofs that point nowhere."""
    article = "".join(pieces)

    for text, start, end in _passages(article):
        assert text
        assert "".join(text.split()) == "".join(words_at(article, start, end).split())


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("a <!-- b", ["a"]),
        ("a<!-- b -->c", ["ac"]),
        ("a\n<!-- b -->\nc", ["a", "c"]),
        ("a\r\nb\r\n\r\nc", ["a b", "c"]),
        ("#no heading", ["#no heading"]),
        ("", []),
    ],
)
def test_odd_files_are_read(written: str, read: list[str]) -> None:
    """A note, or the line ends of another system, would show in an answer."""
    assert [text for text, _, _ in _passages(written)] == read
