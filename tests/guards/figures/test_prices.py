"""What an amount is said to be: a price, something else, or the customer's own figure."""

import pytest

from guards.figures.prices import Role, is_amount, role_of
from guards.figures.reading import read_figures
from guards.stream import Ground
from tests.guards.figures.conversations import shown


@pytest.mark.parametrize(
    ("says", "role"),
    [
        ("Your premium would be $60.", "price"),
        ("$60 a month.", "price"),
        ("$60 is what it costs to insure it.", "price"),
        ("A $60 premium.", "price"),
        ("The deductible is $60. Your premium is higher.", "other"),
        ("Your premium is lower with a $60 deductible.", "other"),
        ("Your deductible of $60 lowers the premium.", "other"),
        ("You get $60.", "other"),
        ("You get $60 for it, said nobody.", "other"),
        ("You get $60 for it as your premium.", "price"),
        ("You get $60 for it, which is the premium.", "other"),
        ("You said $60 a month.", "theirs"),
        ("The $60 a month you mentioned.", "theirs"),
        ("You said so, but it is $60 a month.", "price"),
        ("You said so. It is $60 a month.", "price"),
        ("I can't go down to $60 a month.", "theirs"),
        ("I can't, and that is final, so it is $60 a month.", "price"),
        ("I can't say, $60 a month it is.", "price"),
        ("It is not $60 a month.", "theirs"),
        ("It is not that far from $60 a month.", "price"),
        ("Tu presupuesto de $60 al mes.", "theirs"),
        ("Nuestra prima es de $60.", "price"),
    ],
)
def test_the_nearest_word_says_what_an_amount_is(says: str, role: Role) -> None:
    """A deductible would be withheld as an invented price, or told as a price."""
    ((text, figure),) = read_figures(says)

    assert role_of(text, figure, is_over=True) == role


@pytest.mark.parametrize(
    ("says", "role"),
    [
        ("It is $60 ", None),
        ("It is $60 for one ", None),
        ("It is $60 for each car in there", None),
        ("It is $60 for each car in there. ", "other"),
        ("It is $60 for each car that stands in there, ", "other"),
        ("It is $60 for each car that stands in there or ", "other"),
        ("The fee is $60 for", None),
    ],
)
def test_it_waits_for_the_words_that_tell(says: str, role: Role | None) -> None:
    """The verdict would depend on how far the model had come."""
    text, figure = next(iter(read_figures(says)))

    assert role_of(text, figure, is_over=False) == role


@pytest.mark.parametrize(
    ("says", "expected"),
    [
        ("Your premium would be 84", True),
        ("your price: 84.50", True),
        ("It comes to about 92 for the Leaf", True),
        ("te saldría en unos 92 con todo", True),
        ("84.50 is your premium", True),
        ("84.50 is the ratio", False),
        ("The premium for the 2022 Leaf", False),
        ("The premium is 2022", False),
        ("You pay 3 times", False),
        ("It has 5 seats", False),
        ("the premium is 84%", False),
    ],
)
def test_a_number_without_a_unit_is_an_amount_where_a_price_is_spoken_of(says: str, expected: bool) -> None:
    """A premium without its dollar sign would pass, or the year of a car would be withheld."""
    assert [is_amount(text, figure) for text, figure in read_figures(says)] == [expected]


@pytest.mark.parametrize(
    ("ground", "says", "is_shown"),
    [
        (
            Ground("passage", "In the example the premium is $71 a month."),
            "The example's premium is $71 a month.",
            True,
        ),
        (Ground("passage", "The fee is $71."), "The example's premium is $71 a month.", False),
        (Ground("answer", "Your premium is $71 a month."), "As said, the premium is $71 a month.", True),
        (Ground("answer", "You said $71 a month."), "So your premium is $71 a month.", False),
        (Ground("tool", "Paid last month: $71 premium."), "Your premium is $71 a month.", False),
        (Ground("tool", "Paid: 71.25"), "The bill was $71.25.", True),
        (Ground("tool", "Paid: 71"), "The bill was $71.", False),
        (Ground("price", '{"monthly_premium": 71, "driver_age": 34}'), "Your premium is $71 a month.", True),
        (Ground("price", '{"monthly_premium": 71, "doors": 35}'), "Your premium is $35 a month.", False),
        (Ground("price", "84 US dollars"), "Your premium is €84 a month.", False),
        (Ground("customer", "they want 71"), "You said they want $71.", True),
        (Ground("customer", "it was on July 8"), "You wrote that it was on July 8, 2026.", True),
        (Ground("answer", "it was on July 8"), "It was on July 8, 2026.", False),
        (Ground("answer", "it was on July 8, 2026"), "It was on July 8.", True),
        (Ground("answer", "it was on July 8, 2026"), "It was in July 2026.", True),
        (Ground("answer", "it was on July 8, 2026"), "It was on July 8, 2025.", False),
        (Ground("customer", "I am 47"), "Con 47 años de experiencia.", True),
        (Ground("company", "form 47"), "Con 47 años de experiencia.", False),
        (Ground("company", "since 1985"), "We have insured cars for 41 years.", True),
        (Ground("company", "since 1985"), "We have insured cars for 40 years.", True),
        (Ground("company", "since 1985"), "We have insured cars for 42 years.", False),
        (Ground("passage", "within a year"), "You have 12 months.", True),
        (Ground("passage", "within 12 months"), "You have at least one year.", True),
        (Ground("passage", "within 14 days"), "You have two weeks.", True),
        (Ground("passage", "within 15 business days"), "You have 15 days.", False),
        (Ground("passage", "all of it"), "The car is 100% electric.", True),
        (Ground("passage", "all of it"), "You get 100% of it back.", False),
        (Ground("passage", "no deductible"), "The deductible is $0.", True),
        (Ground("passage", "no premium"), "The premium is $0.", False),
    ],
)
def test_who_said_a_figure_decides_whether_it_may_be_said(ground: Ground, says: str, is_shown: bool) -> None:
    """An article's amount, or the customer's wish, would be told as a price; or what a tool said would be withheld."""
    text, fired = shown(says, ground)

    assert (text == says) is is_shown
    assert bool(fired) is not is_shown
