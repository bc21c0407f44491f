"""Promises: what stands instead, how a sentence goes on, and what is not held to be one."""

import pytest
from hypothesis import given, settings

from errors import ConfigError
from guards.promises import LIMIT, promises_guard
from guards.stream import Ground, Scene
from knowledge.brand import Commitment, Commitments
from tests.guards.cutting import assert_same_however_cut, cut, texts_like, through

GUARD = promises_guard(
    Commitments(
        we_are=["Umbrella"],
        sayable=["price is guaranteed minimum"],
        never=[Commitment(kind="courtesy", find=["free ~1 umbrella"])],
    )
)
SCENE = Scene(notice=lambda key: f"({key})")
TEXTS = texts_like(
    "Yes", ",", ".", "!", "?", "\n", "**", "- ", "your claim", "will", "be", "paid", "not", "if", "I", "guarantee",
    "'ll", "we", "cover", "that", "for sure", "Sí", "te", "garantizo", "and", "10.5", "é", "保険", "Approved", "_", "“", "”",
    most=16,
)  # fmt: skip


def shown(text: str, *grounds: Ground) -> tuple[str, list[str]]:
    """What is shown of an answer, and what fired."""
    scene = Scene(grounds=list(grounds), notice=lambda key: f"({key.removeprefix('promise_')})")
    return through(GUARD.make(scene), [text])


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("Hello there. Your claim will be paid. Bye.", "Hello there. (payment) Bye."),
        ("I see, and your claim will be paid. Bye.", "I see. (payment) Bye."),
        ("I see that your claim will be paid.", "I see that… (payment)"),
        ("Good news! Great, your claim will be paid.", "(payment)"),
        ("**Your claim will be paid.** Bye.", "**Your**… (payment) Bye."),
        ("**Note: your claim will be paid.** Bye.", "**Note**. (payment) Bye."),
        ("- One thing\n- Your claim will be paid\n- More", "- One thing\n- (payment)\n- More"),
        ("Your claim will be paid\nBye", "Your… (payment)\nBye"),
        ("Your claim will be paid. Your claim will be paid! Bye.", "Your… (payment) Bye."),
        ("I see your claim will be paid. So your claim will be paid.", "I see… (payment)"),
        ("Your claim will be paid at 10.30 a.m. sharp. Bye.", "Your… (payment) Bye."),
        ("Umbrella guarantees it.", "Umbrella… (guarantee)"),
        ("Hello! Your claim will be paid.", "Hello! (payment)"),
        ("Thanks, your claim will be paid.", "Thanks. (payment)"),
        ("Yes, your claim will be paid.", "(payment)"),
        ("Guaranteed approval. Bye.", "(guarantee) Bye."),
        ("There is a free little umbrella.", "There is a… (courtesy)"),
    ],
)
def test_the_truth_stands_instead_and_the_rest_flows_on(text: str, after: str) -> None:
    """Customers would read half sentences, or the same excuse again and again."""
    assert shown(text)[0] == after


@pytest.mark.parametrize(
    "text",
    [
        "I cannot say that your claim will be paid.",
        "If it is approved, your claim will be paid.",
        "Your claim will be paid once the adviser has decided.",
        "Ask them whether we will waive the fee.",
        "They tell you if I guarantee it.",
        "You think I guarantee it?",
        "The price is guaranteed minimum, as the product is called.",
        "I would love to, and I wish we guarantee it.",
        "your claim",
        "We'll",
        "Yes!",
    ],
)
def test_what_promises_nothing_stays(text: str) -> None:
    """Customers would read an excuse for an honest sentence."""
    assert shown(text) == (text, [])


def test_a_promise_with_a_question_behind_it_is_one() -> None:
    """The line "I can give you 10% off, would you like that?" is the most usual way to say it."""
    assert shown("I can give you 10% off, would you like that?") == ("I… (discount)", ["discount"])
    assert shown("So if you sign today, I'll give you 10% off.")[0] == "So if you sign today. (discount)"
    assert shown("And well, if you sign today, I'll give you 10% off.")[1] == ["discount"]


def test_what_a_tool_or_an_article_says_may_be_said() -> None:
    """A signed-in customer could not be told that their claim is approved."""
    assert shown("Your claim is approved.")[1] == ["approval"]
    assert shown("Your claim is approved.", Ground("tool", "Claim 1: approved."))[1] == []
    told = Ground("passage", "In such a case we will pay you the full value.")
    assert shown("Then we will pay you the full value.", told)[1] == []
    assert shown("Then we will pay you the full value today.", told)[1] == ["payment"]


def test_the_customers_own_words_may_be_quoted() -> None:
    """A customer could not be told what they asked."""
    asked = Ground("customer", "Will you say: we will pay the repair?")
    for text in (
        'Your words "we will pay the repair" are noted.',
        "Your words “we will pay the repair” are noted.",
    ):
        assert shown(text, asked) == (text, [])
        assert shown(text)[1] == ["payment"]
    assert shown("We will pay the repair.", asked)[1] == ["payment"]


def test_a_sentence_without_an_end_is_held_for_a_while_only() -> None:
    """An answer would stand still, or its promise would come after all."""
    endless = "we wait and wait " * 60
    text, fired = shown(f"Your claim will be paid {endless}")
    assert (text, fired) == ("Your… (payment)", ["payment"])
    harmless = f"I cannot say that your claim will be paid {endless}"
    assert shown(harmless) == (harmless, [])
    step = GUARD.make(SCENE)
    assert sum(len(part.text) for part in step.push(harmless)) > len(harmless) - LIMIT


def test_a_long_answer_is_forgotten_as_it_goes() -> None:
    """Memory would grow with every answer, and places would be those of another text."""
    plain = "This sentence says nothing of any use to anybody. " * 60
    assert shown(f"{plain}Your claim will be paid. {plain}") == (f"{plain}(payment) {plain}", ["payment"])
    pieces = [
        f"{plain}Your claim will be paid. {plain}"[at : at + 9] for at in range(0, 2 * len(plain) + 30, 9)
    ]
    assert_same_however_cut(lambda: GUARD.make(SCENE), pieces)


def test_without_a_text_of_the_company_the_promise_goes_all_the_same() -> None:
    """A forgotten notice must not let it through."""
    assert through(GUARD.make(Scene()), ["Look. Your claim will be paid. Bye."]) == (
        "Look. Bye.",
        ["payment"],
    )
    general = Scene(notice=lambda key: "(Nothing.)" if key == "promise" else "")
    assert through(GUARD.make(general), ["Your claim will be paid."])[0] == "Your… (Nothing.)"


@settings(max_examples=50)
@given(cut(TEXTS))
def test_no_cut_of_any_text_makes_a_difference(pieces: list[str]) -> None:
    """Law: the output does not depend on how the engine cut its text."""
    assert_same_however_cut(lambda: GUARD.make(SCENE), pieces)


@pytest.mark.parametrize(
    "unit", ["I guarantee ", "your claim ", "we will not pay your claim ", "a", "'", ". ", "A. ", "\n"]
)
def test_hostile_answers_are_the_same_however_cut(unit: str) -> None:
    """An answer that repeats itself would be cut where a word is not."""
    text = (unit * 400)[:900]
    assert_same_however_cut(lambda: GUARD.make(SCENE), [text[at : at + 13] for at in range(0, len(text), 13)])


@pytest.mark.parametrize(
    ("begun", "now"),
    [
        ("Your", "Your"),
        ("**You", "**You"),
        ("Roads", "Roads"),
        ("The claim will", "The"),
        ("Hi! Your", "Hi"),
        ("Yes, hai", "Yes, hai"),
        ("Yes, you", ""),
        ("Sure", ""),
        ("Guara", ""),
        ("Garantizo", ""),
        ("Igual", ""),
        ("- ", ""),
        ("I gua", "I"),
    ],
)
def test_the_first_word_is_shown_at_once_if_it_says_nothing_by_itself(begun: str, now: str) -> None:
    """Customers would wait for half of all answers; or read a "Yes" that is none."""
    assert "".join(part.text for part in GUARD.make(SCENE).push(begun)) == now


def test_few_characters_wait() -> None:
    """The first words of ordinary answers would come late."""
    text = (
        "Collision pays for your car after a crash with another vehicle. The deductible is yours to choose. "
        * 3
    )
    step, out, waits = GUARD.make(SCENE), 0, list[int]()
    for came, letter in enumerate(text, start=1):
        out += sum(len(part.text) for part in step.push(letter))
        waits.append(came - out)

    assert sorted(waits)[len(waits) // 2] <= 10
    assert max(waits) <= 60


def test_a_pattern_that_is_not_understood_stops_the_start() -> None:
    """A misspelt pattern of the company would never match."""
    with pytest.raises(ConfigError, match=r"brand\.toml: pattern .*list <nobody> is unknown"):
        promises_guard(Commitments(never=[Commitment(kind="other", find=["<nobody> pays"])]))
