"""What a question is about is told by the words that not every article uses."""

import pytest

from knowledge.corpus_files import Article, read_corpus
from knowledge.passages import Passage
from knowledge.telling import TellingWords
from settings import ROOT

SHIPPED = TellingWords.of(read_corpus(ROOT / "knowledge" / "corpus").articles)


@pytest.mark.parametrize(
    ("one", "other", "language"),
    [
        ("Do you insure my drones?", "is a drone covered by your car insurance", "en"),
        ("¿Aseguran drones?", "¿mi dron está cubierto por el seguro?", "es"),
        ("Can I insure a boat?", "BOATS!", "de"),
    ],
)
def test_the_same_question_in_other_words_shares_them(one: str, other: str, language: str) -> None:
    """Every wording would be a gap of its own."""
    assert SHIPPED.of_question(one, language) & SHIPPED.of_question(other, language)


@pytest.mark.parametrize(
    ("one", "other", "language"),
    [
        ("Hello, do you insure drones please?", "Hello, do you insure horses please?", "en"),
        ("¿Aseguran drones en su póliza?", "¿Aseguran caballos en su póliza?", "es"),
    ],
)
def test_another_question_in_the_same_words_shares_none(one: str, other: str, language: str) -> None:
    """All gaps would be one: every customer of an insurer asks about insurance."""
    assert not SHIPPED.of_question(one, language) & SHIPPED.of_question(other, language)


def test_a_question_of_common_words_keeps_some() -> None:
    """It could not be grouped at all."""
    assert "travel" in SHIPPED.of_question("travel insurance", "en")
    assert "insur" not in SHIPPED.of_question("travel insurance", "en")
    assert SHIPPED.of_question("insured policy", "en") == {"insur", "polici"}
    assert SHIPPED.of_question("?", "en") == frozenset()


def test_common_words_follow_from_the_articles() -> None:
    """Another company, that sells boats, would have all its gaps told apart by the word "boat"."""
    articles = [
        Article(str(at), f"{at}.md", "Boats", f"https://x/{at}", "en", (("", Passage(f"https://x/{at}#1", "Boats", "", "en", f"w{at}")),), asked=("my boat",))
        for at in range(10)
    ]  # fmt: skip

    assert TellingWords.of(articles).common == {"en": frozenset({"boat", "my"})}
    assert TellingWords.of([]).of_question("My car", "en") == {"my", "car"}
