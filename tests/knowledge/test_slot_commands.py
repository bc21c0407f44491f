"""Wishes about an open quote are told from answers, and from messages about anything else."""

from datetime import date
from pathlib import Path

import pytest

from knowledge.slots import Reading, read_slots
from knowledge.vehicles import Vehicles

VEHICLES = Vehicles.load(Path(__file__).parents[2] / "knowledge" / "vehicles.toml")
TODAY = date(2026, 3, 1)


def read(text: str, awaiting: str | None = None, **known: str | int) -> Reading:
    """The message read with what is known."""
    return read_slots(text, VEHICLES, awaiting, known, TODAY)


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("skip", "skip"),
        ("I don't know the exact model", "skip"),
        ("no lo sé", "skip"),
        ("ni idea del modelo", "skip"),
        ("help please", "help"),
        ("where do I find that?", "help"),
        ("¿dónde lo veo?", "help"),
    ],
)
def test_a_command_belongs_to_an_open_question(text: str, command: str) -> None:
    """Not knowing it keeps the customer in the quote; outside one it is up to the classifier."""
    assert read(text, "mileage") == Reading({}, whole=True, command=command)  # type: ignore[arg-type]
    assert not read(text).whole
    assert not read(text, make="Nissan").whole


@pytest.mark.parametrize(
    "text",
    [
        "can we start over please",
        "quiero empezar de nuevo",
        "empecemos de nuevo",
        "No, never mind, start over",
        "new quote please",
        "forget the quote",
        "Actually, forget the quote please.",
        "forget it, drop the quote",
        "no, cancel the quote",
        "never mind the price",
        "I don't want a quote anymore",
        "can you cancel my car insurance quote? I changed my mind",
        "let's drop this quote",
        "olvida la cotización",
        "olvídate del precio",
        "déjalo, ya no quiero el precio",
        "mejor cancela el presupuesto, por favor",
        "oublie le devis",
        "je ne veux plus de devis",
        "vergiss das Angebot",
        "lascia perdere il preventivo",
        "não quero mais a cotação",
    ],
)
def test_a_customer_can_drop_the_quote_in_their_own_words(text: str) -> None:
    """Who wants no price is asked no more questions, also after the last detail; outside a quote it means nothing."""
    dropped = Reading({}, whole=True, command="start_over")

    assert read(text, "year", make="Nissan") == dropped
    assert read(text, "make") == dropped
    assert read(text, make="Nissan", model="Leaf") == dropped
    assert not read(text).whole


@pytest.mark.parametrize(
    "text",
    [
        "cancel my policy",
        "cancela mi póliza",
        "cancel the quote and my policy",
        "forget the form, I want to talk to someone",
        "forget the price, does it cover hail?",
        "don't cancel the quote",
        "I don't want to cancel the quote",
        "no quiero cancelar el presupuesto",
        "no olvides la cotización",
        "n'oublie pas le devis",
        "olvidé el precio",
        "did you forget the quote?",
        "can you drop the price?",
        "I want the price",
        "forget it",
        "gracias de nuevo",
    ],
)
def test_other_wishes_leave_the_quote_alone(text: str) -> None:
    """Nobody loses the details they gave because they spoke of a policy, or of the price."""
    assert read(text, "year", make="Nissan") == Reading({}, whole=False)


def test_a_hedge_is_not_a_command_when_a_value_follows() -> None:
    """Who says "I don't know, about 40k" has answered."""
    assert read("I don't know, about 40k", "mileage") == Reading({"mileage": 40_000}, whole=True)


def test_a_command_far_before_the_end_of_a_message_is_none() -> None:
    """What stands behind the part that is read may say the contrary."""
    assert read("forget the quote" + " " * 600 + "said nobody", "year") == Reading({}, whole=False)
