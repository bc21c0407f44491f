"""Concepts are found however customers spell, in every script of the lexicon."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.lexicon import Lexicon, fold, words

LEXICON = Lexicon(
    {
        "human": ("human", "real person", "persona", "mensch*", "真人", "الموظف"),
        "skip": ("don't know", "no sé"),
        "cancel": ("cancel*", "kündigen", "put * end"),
        "thanks": ("👍", "merci"),
        "talk": ("speak* to",),
    }
)


@pytest.mark.parametrize(
    ("text", "concept"),
    [
        ("A HUMAN, please", "human"),
        ("is there a real   person?", "human"),
        ("quiero una persona.", "human"),
        ("Menschen", "human"),
        ("转真人", "human"),
        ("اريد التحدث مع الموظف", "human"),
        ("I don’t know", "skip"),
        ("NO SE", "skip"),
        ("cancelling my policy", "cancel"),
        ("ich will kundigen", "cancel"),
        ("👍🏽", "thanks"),
        ("speaking to you", "talk"),
    ],
)
def test_a_concept_is_found_in_any_spelling(text: str, concept: str) -> None:
    """A customer without accents on the keyboard is understood like any other."""
    assert concept in LEXICON.concepts(text)


@pytest.mark.parametrize(
    "text", ["", "humane", "a really nice person", "scancel", "knowing no sense", "2019"]
)
def test_a_word_inside_another_word_is_no_concept(text: str) -> None:
    """Nobody is handed to a person because a word looks a little like "human"."""
    assert LEXICON.concepts(text) == frozenset()


def test_mentions_keep_the_order_of_the_text() -> None:
    """The classifier can tell "thanks, cancel it" from "cancel it, thanks"."""
    assert LEXICON.mentions("merci, then cancel and cancel again, 真人") == [
        "thanks",
        "cancel",
        "cancel",
        "human",
    ]


@pytest.mark.parametrize("phrase", ["", " ", "*", "?!"])
def test_a_phrase_without_a_word_is_refused(phrase: str) -> None:
    """A slip in the lexicon does not make every message speak of a concept."""
    with pytest.raises(ValueError, match="holds no word"):
        Lexicon({"human": (phrase,)})


def test_folding_leaves_plain_letters_only() -> None:
    """Fullwidth, stroked and invisible letters cannot hide a word."""
    assert fold("Ｈｕ\u200bm\u00adan ŁØ İı ß ’") == "human lo ii ss '"


@given(st.text())
def test_folding_twice_changes_nothing(text: str) -> None:
    """Texts folded in different rooms can be compared."""
    assert fold(fold(text)) == fold(text)


@given(st.text(), st.sampled_from(["human", "no sé", "cancelled"]))
def test_words_around_a_phrase_do_not_hide_it(text: str, phrase: str) -> None:
    """Whatever a customer writes besides, the request for a person is seen."""
    assert LEXICON.concepts(phrase) <= LEXICON.concepts(f"{text} . {phrase} . {text}")


def test_words_of_scripts_with_vowel_signs_stay_whole() -> None:
    """A Hindi or Thai word is one word, not one a consonant."""
    assert words("बीमा चाहिए।") == ["बीमा", "चाहिए"]
    assert words("ประกันรถ") == ["ประกันรถ"]


@pytest.mark.parametrize(
    ("text", "says_only"),
    [
        ("human", True),
        ("Human! A real person", False),
        ("human, real person", True),
        ("real real person", False),
        ("real", False),
        ("真人", True),
        ("真人，真人。", True),
        ("不要真人", False),
        ("الموظف", True),
        ("", False),
        ("?", False),
    ],
)
def test_a_text_that_says_one_thing_only_is_told_from_one_that_says_more(text: str, says_only: bool) -> None:
    """A yes with a condition would cancel a policy."""
    assert LEXICON.says_only(text, "human") is says_only


def test_a_text_that_says_another_thing_does_not_say_this_one() -> None:
    """A plain no is no yes."""
    assert not LEXICON.says_only("merci", "human")
    assert not LEXICON.says_only("merci", "no such concept")
