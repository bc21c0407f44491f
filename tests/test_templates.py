"""Templates fill in what they know, and drop lines that would say nothing."""

import pytest

from templates import BRACES, render


def test_variables_are_filled_in() -> None:
    """A customer would read `{{make}}`."""
    assert render("Your {{make}} {{ model }}.", {"make": "Kia", "model": "EV6"}) == "Your Kia EV6."


def test_a_line_without_values_is_dropped() -> None:
    """A customer would read "Perhaps you mean ?"."""
    assert render("One {{a}}\nTwo {{b}} {{c}}\nThree", {"a": "", "c": "x"}) == "Two  x\nThree"


def test_a_value_is_not_read_as_a_template() -> None:
    """A customer could write variables into their name and read what they hold."""
    assert render("Hello {{name}}", {"name": "{{price}}", "price": "secret"}) == "Hello {{price}}"


@pytest.mark.parametrize("text", ["{{a}}", "{{ a }}", "{{a b}}", "{{}}", "{{a", "{{{a}}}"])
def test_whatever_looks_like_a_variable_is_seen(text: str) -> None:
    """A misspelt variable would reach a customer as it is."""
    assert BRACES.search(f"x {text} y")


@pytest.mark.parametrize("text", ["{a}", "}}", '{"a": {"b": 1}}', "plain"])
def test_other_braces_are_text(text: str) -> None:
    """Examples of JSON could not stand in a prompt."""
    assert BRACES.search(text) is None
