"""An answer leans only on words that exist, and only in sentences that were shown."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.sources import Sources, citations_of
from engine.base import Cited
from knowledge.corpus_files import read_corpus
from knowledge.excerpts import excerpts
from knowledge.passages import Passage
from knowledge.verify import state_of
from settings import ROOT

FOLDER = ROOT / "knowledge" / "corpus"
SHIPPED = [passage for article in read_corpus(FOLDER).articles[:2] for _, passage in article.parts]


def _passage(number: int, text: str, before: str = "", after: str = "") -> Passage:
    return Passage(
        f"https://x/a#{number}",
        "An article",
        "https://x/a",
        "en",
        text,
        file="a.md",
        version="v1",
        start=100 * number,
        end=100 * number + len(text),
        before=before,
        after=after,
        before_span=(100 * number - 100, 100 * number - 50),
        after_span=(100 * number + 100, 100 * number + 150),
    )


THEFT = _passage(2, "Theft is covered.", "Fire is covered.", "Hail is covered.")
HAIL = _passage(3, "Hail is covered.", "Theft is covered.")
SENTENCE = "Yes, it is."


def _sources(*found: Passage) -> Sources:
    sources = Sources()
    sources.learn(found)
    return sources


@pytest.mark.parametrize(
    ("quote", "blocks", "cited"),
    [
        ("Theft is covered.", None, [(2, "Theft is covered.")]),
        (" Theft is covered. ", None, [(2, "Theft is covered.")]),
        ("Fire is covered.", (0, 1), [(1, "Fire is covered.")]),
        ("Hail is covered.", (2, 3), [(3, "Hail is covered.")]),
        ("Fire is covered.Theft is covered.", (0, 2), [(1, "Fire is covered."), (2, "Theft is covered.")]),
    ],
)
def test_words_that_exist_are_cited(
    quote: str, blocks: tuple[int, int] | None, cited: list[tuple[int, str]]
) -> None:
    """True answers would stand there without their sources."""
    sources = _sources(THEFT)

    assert sources.cite(Cited(THEFT.source, quote, SENTENCE, blocks))
    assert [(proof.source, proof.quote, proof.sentence) for proof in sources.proofs(f"So: {SENTENCE}")] == [
        (f"https://x/a#{number}", words, SENTENCE) for number, words in cited
    ]


def test_a_proof_says_where_the_words_stand() -> None:
    """Nobody could look them up, also when they stand in a neighbour of what was found."""
    sources = _sources(THEFT)
    sources.cite(Cited(THEFT.source, "Theft is covered.Hail is covered.", SENTENCE, (1, 3)))

    assert [
        (proof.file, proof.version, proof.start, proof.end, proof.title, proof.url)
        for proof in sources.proofs(SENTENCE)
    ] == [
        ("a.md", "v1", 200, 217, "An article", "https://x/a"),
        ("a.md", "v1", 300, 350, "An article", "https://x/a"),
    ]


@pytest.mark.parametrize(
    ("source", "quote", "blocks"),
    [
        (THEFT.source, "All is covered.", None),
        (THEFT.source, "Hail is covered.", None),
        (THEFT.source, " ", None),
        (THEFT.source, "Theft is covered.", (0, 1)),
        (THEFT.source, "Theft is covered.", (3, 4)),
        (THEFT.source, "Theft is covered.", (2, 1)),
        (THEFT.source, "Theft is covered.", (-2, -1)),
        ("https://x/b#1", "Theft is covered.", None),
        ("https://x/b#1", "Theft is covered.", (0, 1)),
        (HAIL.source, "Hail is covered.", (2, 3)),
    ],
)
def test_words_that_do_not_stand_there_are_not_cited(
    source: str, quote: str, blocks: tuple[int, int] | None
) -> None:
    """An invented source would lend its weight to an invented fact."""
    sources = _sources(THEFT)

    assert not sources.cite(Cited(source, quote, SENTENCE, blocks))
    assert sources.proofs(SENTENCE) == ()


def test_after_two_searches_both_excerpts_can_be_cited() -> None:
    """A second look at the same article would make the citations of the first one false, or the other way round."""
    sources = _sources(THEFT)
    sources.learn([THEFT, HAIL])

    for quote, blocks in (("Hail is covered.", (2, 3)), ("Fire is covered.", (0, 1))):
        assert sources.cite(Cited(THEFT.source, quote, SENTENCE, blocks))
    assert sources.cite(Cited(HAIL.source, "Hail is covered.", SENTENCE))


@pytest.mark.parametrize(
    ("words", "text", "sentence"),
    [
        ("It is covered.", "Yes. It is covered. Call us.", "It is covered."),
        (" It is covered ", "Yes: It is covered, as", "It is covered"),
        ("It is covered. We pay.", "It is covered. Call us.", "It is covered."),
        ("It is.\nWe pay.\nFire too.", "It is.\nFire too.", "It is. Fire too."),
        ("We pay 100%.", "We pay a part.", None),
        ("", "Anything.", ""),
    ],
)
def test_only_sentences_that_were_shown_have_a_source(words: str, text: str, sentence: str | None) -> None:
    """A guard took the sentence away, and its source would still be shown."""
    sources = _sources(THEFT)
    sources.cite(Cited(THEFT.source, "Theft is covered.", words))

    assert [proof.sentence for proof in sources.proofs(text)] == ([] if sentence is None else [sentence])


def test_a_pointer_is_shown_once() -> None:
    """The list of sources under an answer would repeat itself."""
    sources = _sources(THEFT)
    for words in ("One.", "Two.", "Two."):
        sources.cite(Cited(THEFT.source, "Theft is covered.", words))
    proofs = sources.proofs("One. Two.")

    assert [proof.sentence for proof in proofs] == ["One.", "Two."]
    assert [citation.quote for citation in citations_of(proofs)] == ["Theft is covered."]


@given(st.lists(st.sampled_from(SHIPPED), unique=True, min_size=1, max_size=6), st.data())
def test_whatever_is_cited_what_is_shown_stands_in_the_articles(
    found: list[Passage], data: st.DataObject
) -> None:
    """A citation shown points at text that exists, at the place that its proof names."""
    sources = _sources(*found)
    for _ in range(data.draw(st.integers(1, 6))):
        excerpt = data.draw(st.sampled_from(excerpts(found)))
        start = data.draw(st.integers(-1, len(excerpt.passages)))
        end = data.draw(st.integers(start, len(excerpt.passages) + 1))
        told = "".join(passage.text for passage in excerpt.passages[max(0, start) : end])
        quote = data.draw(st.sampled_from([told, told[3:-3], f"{told} And more.", found[0].text]))
        blocks = data.draw(st.sampled_from([(start, end), None]))
        sources.cite(Cited(data.draw(st.sampled_from([excerpt.source, found[0].source])), quote, "", blocks))

    for proof in sources.proofs(""):
        assert any(proof.quote in passage.text for passage in SHIPPED if passage.url == proof.url)
        assert state_of(proof, FOLDER) == "ok"
