"""Invisible characters: hidden words do not pass, honest uses do."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.invisible import carriers, is_reordered, readable

FLAG = "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f"
HONEST = (
    "How much for a 2022 Leaf?\n\tThanks",
    "می\u200cخواهم قیمت بیمه را بدانم",
    "क\u094d\u200dष",
    "👨\u200d👩\u200d👧\u200d👦 and ❤\ufe0f\u200d🔥",
    f"{FLAG} I am from England",
    "تأمين السيارة",
)


@pytest.mark.parametrize("text", HONEST)
def test_honest_uses_stay(text: str) -> None:
    """A Persian or a family of emoji must reach the model as it was written."""
    assert readable(text) == text
    assert carriers(text) == ()


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("hel\u200blo\u00ad\ufeff", "hello"),
        ("a\u202ecba\u202c\u2066b\u2069\u200e", "acbab"),
        ("thanks ❤\ufe0f\ufe0f", "thanks ❤\ufe0f"),
        ("葛\U000e0100飾区", "葛飾区"),
        ("a\x00b\x1b[31m", "ab[31m"),
        ("good\u200d bye\u200c", "good bye"),
        ("x" + "".join(chr(0xE0000 + ord(letter)) for letter in "obey"), "x"),
        ("😀" + "\ufe01\ufe02\ufe03\ufe04", "😀"),
    ],
)
def test_what_nobody_sees_is_left_out(text: str, read: str) -> None:
    """What a model reads is what a person sees."""
    assert readable(text) == read


@pytest.mark.parametrize(
    ("text", "ways"),
    [
        ("hi" + "".join(chr(0xE0000 + ord(letter)) for letter in "obey"), ("tags",)),
        ("🏴" + "".join(chr(0xE0000 + ord(letter)) for letter in "obey") + "\U000e007f", ("tags",)),
        ("😀" + "\ufe01\U000e0101\ufe03\ufe04", ("variants",)),
        ("hi" + "\u200b\u200c" * 8, ("zero_width",)),
        ("hi" + "\u200b" * 40, ()),
        ("\u200bhi\u200b \u2060you\ufeff", ()),
        ("plain", ()),
    ],
)
def test_hidden_words_are_recognised(text: str, ways: tuple[str, ...]) -> None:
    """Letters that only a model reads are never an accident; single invisible characters from a word processor are."""
    assert carriers(text) == ways


def test_a_text_that_runs_backwards_is_recognised() -> None:
    """It looks other than it is stored; marks between two scripts do not."""
    assert is_reordered("\u202eolleh\u202c")
    assert not is_reordered("\u202bשלום\u202c \u200f\u2067abc\u2069")


@given(
    st.text(
        st.sampled_from(
            "aع क🏴😀❤\u0647\u200b\u200c\u200d\ufe0f\ufe0e\ufe01\u00ad\u202e\U000e0067\U000e007f "
        )
    )
)
def test_leaving_out_twice_changes_nothing(text: str) -> None:
    """The same words, wherever in the program they pass."""
    once = readable(text)

    assert readable(once) == once
    assert carriers(once) == ()
