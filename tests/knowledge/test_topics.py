"""Texts of one topic meet, whatever their words."""

import pytest

from knowledge.topics import NO_TOPIC, find_topics


@pytest.mark.parametrize(
    ("one", "other", "language", "topic"),
    [
        ("how much comes out of my own wallet", "Deductibles", "en", "own_share"),
        ("someone nicked my bike", "Is theft covered?", "en", "theft"),
        ("the car won't start", "Do you tow?", "en", "breakdown"),
        ("¿pongo yo algo?", "¿Qué es un deducible?", "es", "own_share"),
        ("me volaron la moto", "Está cubierto el robo", "es", "theft"),
    ],
)
def test_two_wordings_share_their_topic(one: str, other: str, language: str, topic: str) -> None:
    """A customer who does not know the word "deductible" would find nothing."""
    assert topic in find_topics(one, language) & find_topics(other, language)


@pytest.mark.parametrize("text", ["how tall is the tower", "what a nice song"])
def test_other_things_have_no_topic(text: str) -> None:
    """A tower would count as a tow."""
    assert find_topics(text, "en") == {NO_TOPIC}


def test_a_language_that_is_not_listed_has_neither_topics_nor_their_absence() -> None:
    """German articles would all seem to be about nothing."""
    assert find_topics("Selbstbeteiligung", "de") == frozenset()
