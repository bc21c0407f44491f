"""What the classifier sees of a message."""

from hypothesis import given
from hypothesis import strategies as st

from knowledge.lexicon import Lexicon
from router.features import READ_CHARACTERS, Features, extract

LEXICON = Lexicon({"human": ("human", "persona"), "talk": ("talk",)})


def _signs(text: str, awaiting: str | None = None) -> set[str]:
    return set(extract(text, awaiting, LEXICON).counts["signs"])


def test_a_number_says_more_when_a_quote_waits_for_it() -> None:
    """A "2019" answers the open question about the year; elsewhere it is only a number."""
    assert "asked for year: number only" in _signs("2019", "year")
    assert "not asked: number only" in _signs("2019")


def test_concepts_are_seen_alone_and_together() -> None:
    """Both "talk" and "human" in one message mean more than each of them."""
    assert {"says human", "says talk", "says human + says talk"} <= _signs("talk to a human")
    assert "says nothing known" in _signs("the weather in Rome")


def test_the_shape_is_seen() -> None:
    """Questions, shouting and years are seen in any language."""
    assert {"question", "year"} <= _signs("¿y un coche de 2019")
    assert {"shouted", "exclaimed"} <= _signs("THIS IS A SHAME!")
    assert not {"shouted", "question", "digits"} & _signs("ok")


def test_stretched_words_and_numbers_are_brought_into_line() -> None:
    """A "helloooo" is hello, and one mileage is like another."""
    assert extract("Helloooo 45000", None, LEXICON).words == extract("hello 31200", None, LEXICON).words


def test_only_the_beginning_of_a_long_message_counts() -> None:
    """A pasted novel cannot slow the desk down, and what stands first decides."""
    long = "I want a price " * 2000

    assert extract(long, None, LEXICON) == extract(long[:READ_CHARACTERS], None, LEXICON)


def test_a_chinese_word_is_seen_within_a_sentence() -> None:
    """Languages without blanks are seen in pieces of two signs."""
    assert "保险" in extract("我要买保险吗", None, LEXICON).counts["letters"]


@given(st.text(max_size=80), st.sampled_from([None, "year", "person"]))
def test_any_text_has_features_and_always_the_same(text: str, awaiting: str | None) -> None:
    """No message can break the classifier."""
    seen = extract(text, awaiting, LEXICON)

    assert isinstance(seen, Features)
    assert seen == extract(text, awaiting, LEXICON)
    assert seen.counts["signs"]
