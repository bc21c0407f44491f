"""Words that mean the same have one sense."""

import pytest

from knowledge.senses import find_senses, senses_fingerprint


@pytest.mark.parametrize(
    ("sense", "texts"),
    [
        (
            "how_much",
            ("how much would that be", "¿cuánto me sale?", "combien ça coûte ?", "wat kost het", "多少钱"),
        ),
        (
            "person",
            (
                "I need a supervisor",
                "con un asesor por favor",
                "ein Mitarbeiter bitte",
                "担当者をお願いします",
            ),
        ),
        ("named_make", ("my toyota", "un coche Toyota", "丰田 toyota 多少钱")),
    ],
)
def test_one_sense_in_many_languages(sense: str, texts: tuple[str, ...]) -> None:
    """What the classifier learns from English lines helps customers who write in another language."""
    assert [text for text in texts if sense not in find_senses(text)] == []


def test_words_of_other_languages_do_not_count() -> None:
    """Catalan "car" (dear) says nothing about an English customer's car."""
    assert "too_expensive" not in find_senses("what happens to my car when it rains")
    assert "too_expensive" in find_senses("és massa car per a mi, vull un altre preu")


def test_all_languages_count_when_the_language_is_unclear() -> None:
    """One word that the language detector cannot place is still understood."""
    assert "proceed" in find_senses("acepto")


def test_a_car_named_like_an_ordinary_word_is_no_make() -> None:
    """Who writes of a smart idea has not named a car."""
    assert "named_make" not in find_senses("that is a smart idea for a mini trip")


def test_the_fingerprint_is_stable() -> None:
    """A model cached yesterday is found again today."""
    assert senses_fingerprint() == senses_fingerprint()
    assert len(senses_fingerprint()) == 64
