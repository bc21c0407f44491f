"""Passages are found by what customers write, accents and slips included, and nonsense finds nothing."""

from pathlib import Path

import pytest

from bench.retrieval import rates, read_cases
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


@pytest.mark.parametrize(
    ("language", "kind", "least"),
    [
        ("en", "plain", 14),
        ("en", "misspelt", 10),
        ("en", "paraphrase", 13),
        ("es", "plain", 14),
        ("es", "misspelt", 10),
        ("es", "paraphrase", 12),
    ],
)
def test_the_shipped_articles_are_found(language: str, kind: str, least: int) -> None:
    """A change of the index would make answers worse, and nobody would notice."""
    right, _, total = rates(SHIPPED, read_cases())[language, kind]

    assert right >= least
    assert total < least + 4
