"""The assistant does not recite what it was told; a few words in common are no recital."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guards.instructions import RECITAL_WORDS, instructions_guard
from guards.stream import Scene
from settings import ROOT
from tests.guards.cutting import assert_same_however_cut, through

GUARD = instructions_guard()
SECRET = (
    "You never name a competitor whatever names the customer uses, and you speak of what the company does instead. "
    "Call the tool as soon as all five details are known from the customer's own words! Keep answers short.\n"
    "Open from Monday to Friday between nine and five in the afternoon, Eastern time, as the sign on the door says."
)
SAYABLE = "We are open from Monday to Friday between nine and five in the afternoon, Eastern time, as the sign on the door says."
SCENE = Scene(secret=SECRET, sayable=SAYABLE, notice={"not_for_telling": "(No.)"}.__getitem__)
WORDS = SECRET.split(" ")


def test_a_recital_ends_before_it_is_one() -> None:
    """Whoever asks for the prompt would get it."""
    said, fired = through(GUARD.make(SCENE), [f"Sure! {SECRET} Anything else? Good."])

    assert said == "Sure! You never name a competitor (No.) Good."
    assert set(fired) == {"recital"}


@pytest.mark.parametrize(
    "change", [str.upper, lambda text: text.replace(" ", "  "), lambda text: text.replace(" ", "\n- ")]
)
def test_another_case_or_layout_is_a_recital_too(change: object) -> None:
    """A poem or a list of the prompt is the prompt."""
    assert callable(change)
    said, fired = through(GUARD.make(SCENE), [change(" ".join(WORDS[:30]))])

    assert fired == ["recital"]
    assert "whatever" not in said.casefold()


def test_a_recital_is_told_once() -> None:
    """An answer full of "I cannot share" would be a wall of them."""
    said, fired = through(
        GUARD.make(SCENE), [f"{SECRET[:110]} So much for that. Now this. {SECRET[111:200]}"]
    )

    assert said.count("(No.)") == 1
    assert fired == ["recital", "recital"]


def test_a_few_words_in_common_are_ordinary_speech() -> None:
    """Answers would be cut wherever they use the company's words."""
    text = f"Yes: {' '.join(WORDS[: RECITAL_WORDS - 1])}. And {' '.join(WORDS[20:28])} too."

    assert through(GUARD.make(SCENE), [text]) == (text, [])


def test_what_the_company_says_anyway_is_no_secret() -> None:
    """The opening hours stand in the prompt, and must be told."""
    assert through(GUARD.make(SCENE), [f"Sure. {SAYABLE}"]) == (f"Sure. {SAYABLE}", [])


def test_a_word_without_end_is_shown_as_it_comes() -> None:
    """A hostile answer must not fill the memory."""
    step = GUARD.make(SCENE)
    shown = [segment.text for _ in range(100) for segment in step.push("a" * 50)]

    assert len("".join(shown)) > 4_900


_PARTS = st.lists(
    st.sampled_from(
        [" ".join(WORDS[at : at + 4]) + " " for at in range(0, len(WORDS), 4)]
        + ["Hello. ", "and so on ", "! ", "x" * 70]
    ),
    max_size=14,
)


@given(_PARTS, st.lists(st.integers(1, 9), min_size=1, max_size=20))
def test_no_cut_of_any_text_makes_a_difference(parts: list[str], widths: list[int]) -> None:
    """Law: the output does not depend on how the engine cut its text."""
    text, pieces = "".join(parts), list[str]()
    while text:
        width = widths[len(pieces) % len(widths)]
        pieces.append(text[:width])
        text = text[width:]
    assert_same_however_cut(lambda: GUARD.make(SCENE), pieces)


@given(st.permutations(range(0, len(WORDS), 7)))
def test_no_row_of_the_secret_comes_through(order: list[int]) -> None:
    """However it is mixed, nobody reads as many words in a row as make a recital."""
    text = " ".join(" ".join(WORDS[at : at + 20]) for at in order)
    said = through(GUARD.make(Scene(secret=SECRET)), [text])[0].split()

    for at in range(len(WORDS) - RECITAL_WORDS):
        row = WORDS[at : at + RECITAL_WORDS]
        assert not any(said[start : start + RECITAL_WORDS] == row for start in range(len(said)))


def test_the_shipped_prompts_are_kept() -> None:
    """The rules of the house are what attackers ask for first."""
    rules = (ROOT / "prompts" / "_guardrails.md").read_text(encoding="utf-8")
    said, fired = through(GUARD.make(Scene(secret=rules, notice=lambda _: "")), [rules])

    assert fired
    assert len(said.split()) < len(rules.split()) / 8
