"""Answers lead only to the company's own hosts; nothing in them loads or runs anything."""

import re

import pytest
from hypothesis import given

from guards.links import links_guard
from guards.stream import Scene
from knowledge.brand import Brand
from settings import ROOT
from tests.guards.cutting import assert_same_however_cut, cut, texts_like, through

HOST = "www.acme-insurance.example"
OWN = f"https://{HOST}/help/battery-cover"
GUARD = links_guard(lambda: [HOST])
SCENE = Scene(notice={"removed_link": "(link removed)"}.__getitem__)
STAYS = (
    f"See [Battery cover]({OWN}).",
    f'[Battery]({OWN} "the title") now',
    f"**[Battery cover]({OWN})**",
    f"At {OWN}.",
    f"{HOST}/help and {HOST.removeprefix('www.')}",
    "5 < 6 and a<3, x <- y",
    "Hello! How are you?!",
    "3.5 miles, e.g. in the U.S. at 9 a.m. or etc.",
    "[a figure I cannot confirm] is [1] of two",
    "http is a protocol, www is a web, ftp too",
    "The file v2.pdf, No.Yes, Dr.Who",
    "$84.50!",
    "Write to ann.lee@mail.com, it is your own address",
    "[open",
    "a] b",
)
GOES = (
    ("[prices](http://evil.example.com)", "prices"),
    (f"![picture](https://{HOST}/a.png)", "picture"),
    ("![picture](//evil.com/a.png)", "picture"),
    ("![picture][ref]", "[picture][ref]"),
    ("<img src=x onerror=alert(1)>", ""),
    ("<script>alert(1)</script>", "alert(1)"),
    ("<svg/onload=alert(1)>", ""),
    ("<a href='https://evil.com'>x</a>", "x"),
    ("<!-- hidden --> x", " x"),
    ("<script src=//evil.com", "script src=//evil"),
    ("see https://evil.com/a?b=c now", "see (link removed) now"),
    ("HTTPS://EVIL.COM/x", "(link removed)"),
    ("www.evil.com", "(link removed)"),
    ("ftp://evil.com", "(link removed)"),
    ("evil.com/path", "evil"),
    ("evil.co.uk.", "evil."),
    ("<https://evil.com>", ""),
    (f"<{OWN}>", OWN),
    ("[x][1]\n\n[1]: //evil.com\n", "[x][1]\n\n[1] : //evil\n"),
    ("[x](javascript:alert(1))", "[x] (javascript:alert(1))"),
    ("[x](data:text/html,hi)", "x"),
    (f"[x](https://{HOST}@evil.com)", "x"),
    (f"[x](https://{HOST}.evil.com)", "x"),
    (f"[x](https://{HOST}\\@evil.com)", "x"),
    (f"[x](https://{HOST}:8080/)", "x"),
    ("[x](https://www.acme-insurance.exampl\u00e9/)", "x"),
    ("[x](https://[::1)", "[x] ((link removed)[::1)"),
    ("[x]( https://evil.com )", "[x] ( (link removed) )"),
    ("[x](<https://evil.com>)", "x"),
    ("[a [b] c](https://evil.com)", "[a [b] c] ((link removed))"),
    ("[a \\] b](javascript:1)", "[a \\] b] (javascript:1)"),
    ("[https://evil.com](https://evil.com)", ""),
    ("[a](http://evil.com", "[a] ((link removed)"),
    ("[a\nb]: //198.51.100.7/x", "[a\nb] : //198.51.100.7/x"),
    ("1. [a]: //198.51.100.7/x", "1. [a] : //198.51.100.7/x"),
    ("<<b>script>alert(1)<<b>/script>", "script>alert(1)/script>"),
    ("<[script](//evil.com)>alert(1)", "script>alert(1)"),
    ("<<![CDATA[", "[CDATA["),
)


@pytest.mark.parametrize("text", STAYS)
def test_what_leads_nowhere_else_stays(text: str) -> None:
    """Customers would lose the link to the article that answers them."""
    assert through(GUARD.make(SCENE), [text]) == (text, [])


@pytest.mark.parametrize(("text", "after"), GOES)
def test_what_would_lead_elsewhere_keeps_its_words_only(text: str, after: str) -> None:
    """An injected answer would send customers, or their browser, to somebody else's server."""
    said, fired = through(GUARD.make(SCENE), [text])

    assert said == after
    assert fired


@pytest.mark.parametrize("text", [*STAYS, *(text for text, _ in GOES)])
def test_cuts_make_no_difference_to_a_link(text: str) -> None:
    """A link would slip through where the model paused in it."""
    for width in (1, 2, 3, 7):
        pieces = [text[at : at + width] for at in range(0, len(text), width)]
        assert_same_however_cut(lambda: GUARD.make(SCENE), pieces)


@given(
    cut(
        texts_like(
            "[",
            "](",
            ")",
            "!",
            "<",
            ">",
            "http",
            "://",
            OWN,
            "evil.com",
            ".com",
            "www.",
            "]:",
            "\n",
            "x",
            "[x](//evil.com)",
        )
    )
)
def test_no_text_leads_elsewhere_however_it_is_cut(pieces: list[str]) -> None:
    """Law: the output does not depend on the cuts; and nothing in it is a link to another host, an image or a tag."""
    assert_same_however_cut(lambda: GUARD.make(SCENE), pieces)

    said = through(GUARD.make(SCENE), pieces)[0]
    targets = re.findall(r"\]\(([^)]*)\)", said) + re.findall(r"(?<!\w)https?://\S+", said)
    own = (f"https://{HOST}", "link removed")
    assert [target for target in targets if not target.startswith(own)] == []
    assert re.search(r"!\[[^\]]*\]\(|<[A-Za-z/!?]|^\[[^\n\]]*\]:", said, re.MULTILINE) is None


def test_every_article_lies_on_a_host_that_may_be_linked() -> None:
    """The sources of every answer would lose their links."""
    hosts = Brand.load(ROOT / "knowledge" / "brand.toml").hosts
    corpus = "\n".join(
        path.read_text(encoding="utf-8") for path in (ROOT / "knowledge" / "corpus").rglob("*.md")
    )

    assert set(re.findall(r"^url: https://([^/\s]+)", corpus, re.MULTILINE)) <= set(hosts)
