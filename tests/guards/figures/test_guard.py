"""The guard of figures: what nobody said is not shown, what was said always is, and nothing else is touched."""

import random
import re
from collections import Counter
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events import Quote
from guards.figures import figures_guard
from guards.stream import Ground, Scene
from knowledge.corpus_files import read_corpus
from settings import ROOT
from templates import render
from tests.agents.folders import shipped
from tests.guards.cutting import assert_same_however_cut, cut, texts_like, through
from tests.guards.figures.conversations import (
    VALID_UNTIL,
    Planted,
    Said,
    benign,
    days,
    right,
    scene,
    shown,
    step,
    wrong,
)
from tools.quote import in_words, quote_values

NOTICES = {
    "withheld_price": "a price from a quote",
    "withheld_figure": "a figure I can't confirm",
    "withheld_price_note": "Ask for a quote.",
    "withheld_note": "Ask a person.",
}
TEXTS = texts_like(
    "$", "84", "84.50", "94.5", "twenty", "-", "four", "dollars", "a month", "premium", "deductible", "you said", "30",
    "days", "and", "or", "to", ",", ".", "%", "1-800-123-4567", "555", "9", "AM", "March", "3", "2026", "é", "二", "\n", "**",
    most=16,
)  # fmt: skip


@pytest.mark.parametrize("case", wrong(), ids=lambda case: case.says)
def test_a_planted_figure_is_not_shown(case: Planted) -> None:
    """A customer would rely on a price, a deadline or a phone number that does not exist."""
    text, fired = shown(case.says, **NOTICES)

    assert not [figure for figure in case.figures if figure in text]
    assert set(fired) == {case.what}


@pytest.mark.parametrize("case", right(), ids=lambda case: case.says)
def test_a_figure_that_was_said_is_shown(case: Said) -> None:
    """A customer would not learn what the quote, the article or they themselves have said."""
    says = case.filled(VALID_UNTIL)

    assert shown(says) == (says, [])


@pytest.mark.parametrize("says", benign())
def test_what_is_no_figure_is_left_alone(says: str) -> None:
    """Honest answers would be full of holes."""
    assert shown(says) == (says, [])


def test_there_are_enough_cases_of_every_kind() -> None:
    """The rates that are told of this guard would rest on a handful of sentences."""
    kinds = Counter(case.what for case in wrong())

    assert len(wrong()) >= 60
    assert len(right()) >= 60
    assert len(benign()) >= 100
    assert set(kinds) == {"price", "amount", "percentage", "date", "time", "duration", "phone"}
    assert {case.language for case in [*wrong(), *right()]} == {"en", "es"}


@given(cut(TEXTS))
def test_cuts_make_no_difference_to_made_up_text(pieces: list[str]) -> None:
    """A wrong figure could slip through between two pieces."""
    assert_same_however_cut(lambda: step(**NOTICES), pieces)


@given(st.randoms(use_true_random=False))
def test_cuts_make_no_difference_to_the_cases(chance: random.Random) -> None:
    """A planted figure could be shown when the model sends it digit by digit."""
    says = [case.filled(VALID_UNTIL) for case in right()] + [case.says for case in wrong()] + benign()
    text = "\n".join(chance.sample(says, 4))
    cuts = sorted(chance.randint(0, len(text)) for _ in range(chance.randint(0, 40)))

    assert_same_however_cut(
        lambda: step(**NOTICES), [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    )


@pytest.mark.parametrize(
    ("says", "text"),
    [
        ("It is **$94.50 a month**.", "It is **a price from a quote**."),
        ("It is **$94.50** a month.", "It is **a price from a quote** a month."),
        ("Between $80 and $90 a month.", "A price from a quote."),
        ("It is between $80 and $84.50 a month.", "It is between a price from a quote and $84.50 a month."),
        ("A 45-day deadline.", "A figure I can't confirm deadline."),
        ("$94.50 is the price.", "A price from a quote is the price."),
        ("Fine.\n- 45 days", "Fine.\n- A figure I can't confirm"),
        ("It takes 30-45 days.", "It takes a figure I can't confirm."),
        ("Open 9 AM-8 PM.", "Open a figure I can't confirm."),
        ("It takes 45 or 60 days.", "It takes a figure I can't confirm."),
    ],
)
def test_what_is_shown_instead_reads_well(says: str, text: str) -> None:
    """A customer would read a sentence with a hole, or half a range."""
    answer, fired = shown(says, **{name: text for name, text in NOTICES.items() if "note" not in name})

    assert answer == text
    assert fired


def test_the_answer_ends_with_where_to_get_the_figure_once() -> None:
    """A customer would be left without a price and without a way to one."""
    prices, _ = shown("It is $94.50 a month. Or $95.50 a month.", **NOTICES)
    both, _ = shown("It is $94.50 a month and takes 45 days.", **NOTICES)
    none, _ = shown("It is $84.50 a month.", **NOTICES)

    assert prices.endswith(". Or a price from a quote.\n\nAsk for a quote.")
    assert both.endswith("\n\nAsk for a quote.\n\nAsk a person.")
    assert none == "It is $84.50 a month."


def test_without_the_companys_words_there_is_an_ellipsis() -> None:
    """A company whose notices lack these texts would show the figure after all."""
    assert shown("It is $94.50 a month.") == ("It is ….", ["price"])


def test_what_a_tool_returns_counts_from_then_on() -> None:
    """A price that was just worked out would be withheld, or one that comes later would be believed."""
    seen = scene()
    guard = figures_guard().make(seen)
    before = "".join(item.text for item in guard.push("First $99.10 a month it was. "))
    seen.grounds.append(Ground("price", "Quote Q-2: 99.10 US dollars per month."))
    after = "".join(item.text for item in [*guard.push("Then $99.10 a month."), *guard.end()])

    assert before == "First … it was. "
    assert after == "Then $99.10 a month."


@pytest.mark.parametrize("language", ["en", "es"])
def test_every_passage_of_the_articles_passes(language: str) -> None:
    """A quoted article would be altered."""
    articles = [
        article
        for article in read_corpus(ROOT / "knowledge" / "corpus").articles
        if article.language == language
    ]
    assert len(articles) >= 30
    for article in articles:
        for _, passage in article.parts:
            guard = figures_guard().make(Scene(grounds=[Ground("passage", passage.text)]))
            assert through(guard, [passage.text]) == (passage.text, []), passage.source


def test_every_shipped_reply_passes() -> None:
    """The desk's own fixed words would be altered."""
    catalogue = shipped()
    said = 0
    for specialist in catalogue.specialists.values():
        for replies in (specialist.replies, catalogue.notices):
            for text in (text for by_language in replies.texts.values() for text in by_language.values()):
                guard = figures_guard().make(
                    Scene(grounds=[Ground("company", specialist.told + specialist.fixed)])
                )
                assert through(guard, [text]) == (text, [])
                said += 1
    assert said > 100


@pytest.mark.parametrize("language", ["en", "es", "de"])
@pytest.mark.parametrize("key", ["price", "after_quote"])
def test_the_price_as_the_local_engine_says_it_passes(key: str, language: str) -> None:
    """A customer without Claude would get a quote without a price."""
    quote = Quote(
        quote_id="Q-7K", make="Kia", model="Rio 5", year=2020, mileage=42_000, driver_age=31,
        monthly_premium_usd=Decimal("1084.50"), valid_until=VALID_UNTIL,
    )  # fmt: skip
    specialist = shipped().specialists["quote"]
    text = render(specialist.replies.text(key, language) or "", quote_values(quote, language))
    grounds = [Ground("company", specialist.told + specialist.fixed), Ground("price", in_words(quote))]

    assert through(figures_guard().make(Scene(grounds=grounds)), [text]) == (text, [])
    without = through(figures_guard().make(Scene(grounds=grounds[:1])), [text])
    assert "1084" not in without[0]
    assert without[1][0] == "price"


def test_every_example_of_a_good_answer_passes() -> None:
    """An answer just as the prompts want it would be altered."""
    found = 0
    for specialist in shipped().specialists.values():
        for example in re.findall("(?s)<example>(.*?)</example>", "\n".join(specialist.system)):
            asked, _, answer = re.split(r"(<reply>|\nEva(?: \(right\))?: )", example, maxsplit=1)
            answer = re.split("</reply>|\nWhy: ", answer)[0]
            grounds = [
                Ground("company", specialist.told + specialist.fixed),
                Ground("customer", asked),
                Ground("tool", asked),
            ]
            assert through(figures_guard().make(Scene(grounds=grounds)), [answer]) == (answer, [])
            found += 1
    assert found > 25


def test_days_are_written_in_every_way() -> None:
    """A case would say a day of another year."""
    assert set(days(VALID_UNTIL).values()) == {
        "2026-12-22", "December 22, 2026", "22 de diciembre de 2026", "12/22/2026",
    }  # fmt: skip
