"""Whether a question wants a figure, in the languages that customers write in."""

import pytest

from knowledge.questions import asks_for_figure


@pytest.mark.parametrize(
    "question",
    [
        "How much is the late fee?",
        "HOW LONG is a quote valid",
        "until what age can I drive",
        "what is the limit?",
        "¿Cuántas veces al año?",
        "cuanto cuesta",
        "¿Cuál es el límite?",
        "combien de jours",
        "wie lange gilt das",
    ],
)
def test_a_figure_is_wanted(question: str) -> None:
    """The customer would be shown a definition instead of the amount."""
    assert asks_for_figure(question)


@pytest.mark.parametrize(
    "question", ["Is hail covered?", "¿Está cubierto el granizo?", "how do I cancel", "", "?"]
)
def test_no_figure_is_wanted(question: str) -> None:
    """The customer would be shown any amount instead of the explanation."""
    assert not asks_for_figure(question)
