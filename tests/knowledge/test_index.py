"""Passages are found by what customers write, accents and slips included, and nonsense finds nothing."""

from dataclasses import replace
from pathlib import Path

import pytest

from bench.retrieval import NAMED_KINDS, rates, read_cases, read_others, share, wrong_finds
from knowledge.corpus_files import Article, Corpus, read_corpus
from knowledge.index import KnowledgeIndex
from knowledge.passages import Passage
from settings import ROOT

SHIPPED = KnowledgeIndex.load(ROOT / "knowledge" / "corpus")


def _article(name: str, language: str, *texts: str, title: str = "") -> Article:
    url = f"https://x.example/{name}"
    parts = tuple(
        ("", Passage(f"{url}#{number}", title or name, url, language, text))
        for number, text in enumerate(texts, start=1)
    )
    return Article(name, f"{name}.md", title or name, url, language, parts)


def _found(index: KnowledgeIndex, query: str, language: str = "en") -> list[str]:
    return [passage.url.rsplit("/", 1)[1] for passage in index.search(query, language, 6)]


SMALL = KnowledgeIndex.of(
    Corpus(
        (
            _article("battery", "en", "The batteries of electric cars are covered.", "A used battery needs a report."),
            _article("theft", "en", "A stolen car is covered after a police report."),
            _article("hours", "en", "The phone is open from Monday to Friday."),
            _article("bateria", "es", "Las baterías de los autos eléctricos están cubiertas.", title="Batería"),
            _article("robo", "es", "Un auto robado está cubierto con la denuncia."),
            _article("akku", "ca", "La bateria del cotxe està coberta."),
        )
    )
)  # fmt: skip


@pytest.mark.parametrize(
    ("query", "language", "article"),
    [
        ("battery", "en", "battery"),
        ("BATTERIES!!", "en", "battery"),
        ("is my batery covered", "en", "battery"),
        ("was it stollen?", "en", "theft"),
        ("bateria", "es", "bateria"),
        ("BATERÍAS", "es", "bateria"),
        ("mi vateria", "es", "bateria"),
        ("autos robados", "es", "robo"),
        ("el rovado", "es", "robo"),
        ("cotxe", "ca", "akku"),
    ],
)
def test_words_are_found_as_customers_write_them(query: str, language: str, article: str) -> None:
    """A customer without accents, or in a hurry, would be told that nothing was found."""
    assert _found(SMALL, query, language)[0] == article


@pytest.mark.parametrize(
    "query", ["", "?!", "the", "xyzzy plugh qwrtz", "asdf qwer", "recipe for paella", "x" * 5000]
)
def test_nonsense_finds_nothing(query: str) -> None:
    """A customer would be shown an article that has nothing to do with the question."""
    assert SMALL.search(query, "en", 6) == ()
    assert SHIPPED.search(query, "en", 6) == ()


def test_one_common_word_is_not_an_answer() -> None:
    """A question about a rocket would be answered with whatever else mentions "covered"."""
    assert _found(SMALL, "are interplanetary rockets and telescopes covered") == []


def test_a_question_is_looked_up_in_its_own_language_first() -> None:
    """A Spanish question in an English conversation would find nothing."""
    assert _found(SMALL, "¿están cubiertas las baterías de los autos?", "en")[0] == "bateria"


def test_another_language_gets_the_english_articles() -> None:
    """A German customer's key words would find nothing, although English ones are there."""
    assert _found(SMALL, "electric battery", "de")[0] == "battery"
    assert _found(SMALL, "Monday Friday phone", "ca")[0] == "hours"


def test_passages_come_with_scores_best_first() -> None:
    """The local engine would show two passages where one is enough."""
    passages = SMALL.search("battery report", "en", 6)

    assert passages[0].text == "A used battery needs a report."
    assert [passage.score for passage in passages] == sorted((p.score for p in passages), reverse=True)
    assert passages[0].score > 0
    assert len(SMALL.search("battery report", "en", 1)) == 1


def test_an_empty_folder_finds_nothing(tmp_path: Path) -> None:
    """A desk without articles would crash at the first question."""
    index = KnowledgeIndex.load(tmp_path)

    assert index.search("battery", "en", 6) == ()
    assert (index.articles, index.passages, index.rejected) == ((), 0, ())


def test_a_rejected_article_is_reported(tmp_path: Path) -> None:
    """Nobody would know why an article is never cited."""
    (tmp_path / "bad.md").write_text("no front matter", encoding="utf-8")

    assert KnowledgeIndex.load(tmp_path).rejected == read_corpus(tmp_path).rejected
    assert len(read_corpus(tmp_path).rejected) == 1


def test_the_right_article_is_among_the_first_three() -> None:
    """A change of the index would make answers worse, and nobody would notice."""
    counts = rates(SHIPPED, read_cases())

    assert share(counts) >= 0.90
    assert min(share(counts, language) for language in ("en", "es")) >= 0.85
    assert sum(total for (_, kind), (_, _, total) in counts.items() if kind in NAMED_KINDS) >= 200


@pytest.mark.parametrize(
    ("kind", "least"),
    [("plain", 1.0), ("paraphrase", 0.9), ("misspelt", 0.87), ("other_words", 0.9), ("situation", 0.35)],
)
def test_no_way_of_asking_is_given_up(kind: str, least: float) -> None:
    """Customers who cannot spell, or do not know the word, would pay for what others gain."""
    found = [
        (right, total)
        for (_, asked), (right, _, total) in rates(SHIPPED, read_cases()).items()
        if asked == kind
    ]

    assert sum(right for right, _ in found) / sum(total for _, total in found) >= least


def test_questions_about_other_things_find_nothing() -> None:
    """A customer who asks for a recipe would be shown an article about batteries."""
    counts = wrong_finds(SHIPPED, read_others()).values()

    assert sum(found for found, _ in counts) / sum(total for _, total in counts) <= 0.10


def test_customers_words_lead_to_an_article_but_are_never_shown() -> None:
    """What customers say would be cited as if the company had published it."""
    lent = replace(_article("lent", "en", "Named drivers are covered."), asked=("may my flatmate borrow it",))
    index = KnowledgeIndex.of(Corpus((lent, _article("theft", "en", "A stolen car is covered."))))

    assert [passage.text for passage in index.search("my flatmate borrows it", "en", 6)] == [
        "Named drivers are covered."
    ]


def test_one_article_leaves_room_for_others() -> None:
    """The answer may stand in the second article, and the first would take all places."""
    many = _article("claims", "en", *(f"A claim needs paper {number}." for number in range(9)))
    index = KnowledgeIndex.of(Corpus((many, _article("papers", "en", "A claim needs papers."))))

    assert sorted(_found(index, "claim papers")) == ["claims", "claims", "papers"]


def test_a_reload_takes_apart_only_what_changed() -> None:
    """A saved article of a large company would take half a minute to be live."""
    theft, hours = (
        _article("theft", "en", "A stolen car is covered."),
        _article("hours", "en", "Open on Monday."),
    )
    before = KnowledgeIndex.of(Corpus((theft, hours)))

    changed = _article("hours", "en", "Open on Tuesday.")
    after = KnowledgeIndex.of(Corpus((theft, changed)), before)

    assert after.languages["en"].said[theft] is before.languages["en"].said[theft]
    assert [passage.text for passage in after.search("open on Tuesday", "en", 6)] == ["Open on Tuesday."]
