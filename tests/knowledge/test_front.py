"""The head of an article: what it says, and everything that is wrong with it at once."""

import pytest

from knowledge.front import read_front

HEAD = (
    '---\ntitle: "Theft"\nurl: https://x.example/theft\nlanguage: en\nasked:\n  - my car is gone\n'
    '  - "where is it: help"\nupdated: 2026-01-01\n---\n'
)


def test_a_good_head_is_read() -> None:
    """An article would have no title, or its head would be quoted to customers."""
    front = read_front(f"{HEAD}Text.")

    assert front.flaws == ()
    assert front.values == {
        "title": "Theft",
        "url": "https://x.example/theft",
        "language": "en",
        "asked": "",
        "updated": "2026-01-01",
    }
    assert front.asked == ("my car is gone", "where is it: help")
    assert front.lines["updated"] == 8
    assert f"{HEAD}Text."[front.end :] == "Text."


@pytest.mark.parametrize("text", ["", "Text.", "\n---\ntitle: x\n---\n", "---\ntitle: x\n"])
def test_a_file_without_a_head_is_no_article(text: str) -> None:
    """It would be cited without a title or an address."""
    (flaw,) = read_front(text).flaws

    assert (flaw.line, flaw.says) == (
        1,
        'the article must begin with front matter between two "---" lines',
    )


def test_everything_that_is_wrong_is_told_at_once() -> None:
    """Somebody with ten faults would have to run the check ten times."""
    text = "---\ntitel: x\ntitle:\nurl: ftp://x\nurl: https://x.example/a\nlanguage: English\nasked: help\n- a\n---\n"

    assert [(flaw.line, flaw.says) for flaw in read_front(text).flaws] == [
        (2, "cannot read 'titel: x'; known keys: title, url, language, updated, asked"),
        (5, 'key "url" stands in line 4 already; keep one of them'),
        (7, '"asked" is a list; write each phrase below it, as "  - phrase"'),
        (8, "cannot read '- a'; known keys: title, url, language, updated, asked"),
        (3, 'key "title" is missing or empty; an article needs title, url, language'),
        (6, 'language "English" is not a code such as en or es'),
        (4, 'url "ftp://x" must begin with https:// and hold no blanks'),
    ]


def test_an_address_without_a_host_is_told() -> None:
    """The desk would not start, or not take up any article, because of one bracket."""
    text = "---\ntitle: x\nurl: https://[help.example/x\nlanguage: en\n---\n"
    flaws = [(flaw.line, flaw.says) for flaw in read_front(text).flaws]

    assert flaws == [
        (3, 'url "https://[help.example/x" is no address: what stands before the first / names no host')
    ]
