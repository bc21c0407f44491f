"""Which of the offered choices a customer picked."""

import pytest

from router.pick import pick
from tests.agents.folders import shipped

OFFERED = ("quote", "product_info", "escalate")


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("1", "quote"),
        ("2.", "product_info"),
        ("3)", "escalate"),
        ("(2)", "product_info"),
        ("number 2 please", "product_info"),
        ("the first one", "quote"),
        ("the second", "product_info"),
        ("option 3", "escalate"),
        ("one", "quote"),
        ("two!", "product_info"),
        ("the last one", "escalate"),
        ("el 2", "product_info"),
        ("la segunda", "product_info"),
        ("la primera opción, por favor", "quote"),
        ("número tres", "escalate"),
        ("la última", "escalate"),
        ("uno", "quote"),
        ("a price for my vehicle", "quote"),
        ("un precio para mi vehículo", "quote"),
        ("A price", "quote"),
        ("the price please", "quote"),
        ("precio", "quote"),
        ("el precio, gracias", "quote"),
        ("quote", "quote"),
        ("I want a person", "escalate"),
        ("una persona", "escalate"),
        ("someone... a person from your team", None),
        ("sobre mi póliza", "product_info"),
        ("a question about my policy", "product_info"),
        ("una pregunta sobre sus pólizas", "product_info"),
        ("about my claim", None),
    ],
)
def test_a_pick_is_read_in_english_and_spanish(text: str, intent: str | None) -> None:
    """A customer answers as people do; what is not certain is labelled like any other message."""
    assert pick(text, OFFERED, shipped()) == intent


@pytest.mark.parametrize(
    "text",
    [
        "",
        "???",
        "4",
        "0",
        "1 and 2",
        "2022",
        "yes",
        "no",
        "I come from Spain",
        "hello",
        "I had an accident yesterday",
        "what does a price for a person in your team depend on",
        "one of my kids wants to drive",
    ],
)
def test_another_message_is_no_pick(text: str) -> None:
    """A customer who says something new must not be sent to a choice."""
    assert pick(text, OFFERED, shipped()) is None


def test_a_word_of_two_choices_is_no_pick() -> None:
    """Guessing between two would send half of the customers wrong."""
    assert pick("insurance", ("product_info", "off_topic"), shipped()) is None


def test_a_choice_that_is_gone_cannot_be_picked() -> None:
    """A prompt file was deleted between question and answer; the turn must not fail over it."""
    offered = ("pets", "quote")

    assert pick("1", offered, shipped()) is None
    assert pick("pets", offered, shipped()) is None
    assert pick("2", offered, shipped()) == "quote"
