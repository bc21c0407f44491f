"""Competitors are never named, in any spelling; ordinary words that look like their names stay."""

import pytest
from hypothesis import given

from guards.competitors import competitors_guard
from guards.stream import Scene
from knowledge.brand import Brand
from settings import ROOT
from tests.guards.cutting import assert_same_however_cut, cut, texts_like, through

_BRAND = Brand.load(ROOT / "knowledge" / "brand.toml")
GUARD = competitors_guard(
    (name, company.everyday) for company in _BRAND.competitor for name in (company.name, *company.aliases)
)
SCENE = Scene(notice={"another_company": "another company"}.__getitem__)
NAMED = (
    "GEICO is cheaper, they say.",
    "You could try geico.",
    "G\u0435ico with a Cyrillic letter",
    "G.E.I.C.O. has an app",
    "g e i c o spelled out",
    "G3ICO and Ge1co",
    "Ge\u200bico with nothing in it",
    "**Geico** in bold",
    "Geico's price",
    "two Geicos",
    "State Farm's offer",
    "statefarm, state-farm",
    "STATE  FARM",
    "With us or with Progressive you pay monthly.",
    "compared to progressive, we are closer",
    "progressive insurance rates",
    "Progressive's rates",
    "Liberty Mutual and Allstate",
    "All-state",
    "USAA or U.S.A.A.",
    "It comes from Lemonade.",
    "Root Insurance is another one",
    "dearer than Root",
    "Switch from Farmers to us",
    "Con Progressive pagarías más.",
    "la oferta de Línea Directa",
    "linea directa",
    "en MUTUA MADRILENA",
    "axa",
)
HARMLESS = (
    "progressive damage to the battery",
    "a nationwide network of workshops",
    "Nationwide towing is included.",
    "Travelers abroad are covered.",
    "the root cause",
    "farmers drive a lot",
    "Progressive lenses are not insured.",
    "the state farms out the work",
    "general questions, in general",
    "The general idea is simple.",
    "Lemonade is tasty.",
    "mercury levels",
    "a US AA battery",
    "relaxation, taxa, axial",
    "The General Motors car",
    "American family cars are safe.",
    "all the states",
)


def shown(text: str) -> str:
    """The text behind the guard."""
    return through(GUARD.make(SCENE), [text])[0]


@pytest.mark.parametrize("text", NAMED)
def test_a_competitor_is_not_named_in_any_spelling(text: str) -> None:
    """The brand would advertise for another company, or speak ill of it."""
    after, fired = through(GUARD.make(SCENE), [text])

    assert "another company" in after
    assert set(fired) == {"competitor"}


@pytest.mark.parametrize("text", HARMLESS)
def test_ordinary_words_stay(text: str) -> None:
    """Customers would read "another company damage to the battery"."""
    assert shown(text) == text


@pytest.mark.parametrize("text", [*NAMED, *HARMLESS])
def test_cuts_make_no_difference_to_a_name(text: str) -> None:
    """A name would slip through where the model paused in it."""
    for width in (1, 2, 3, 7):
        pieces = [text[at : at + width] for at in range(0, len(text), width)]
        assert_same_however_cut(lambda: GUARD.make(SCENE), pieces)


@given(
    cut(
        texts_like("State", "Farm", "geico", "G.E", "ico", "with", "Progressive", "'s", ".", "insurance", "-")
    )
)
def test_no_cut_of_any_text_makes_a_difference(pieces: list[str]) -> None:
    """Law: the output does not depend on how the engine cut its text."""
    assert_same_however_cut(lambda: GUARD.make(SCENE), pieces)


def test_the_longest_name_is_replaced_as_a_whole() -> None:
    """What is left of a name, such as "Mutual", would give it away."""
    assert shown("at Liberty Mutual now") == "at another company now"


def test_without_a_list_nothing_is_looked_for() -> None:
    """A company that has no list must not lose a word."""
    assert through(competitors_guard([]).make(Scene()), ["GEICO"]) == ("GEICO", [])


def test_without_a_text_of_the_company_the_name_goes_all_the_same() -> None:
    """A forgotten notice must not let the name through."""
    assert through(GUARD.make(Scene()), ["try Geico"])[0] == "try another company"
