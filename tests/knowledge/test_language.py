"""The language of short customer messages."""

import json
from pathlib import Path

import pytest

from knowledge.language import (
    detect_language,
    everyday_words,
    knows_language,
    language_name,
    language_votes,
    languages_named,
)

CASES = Path(__file__).parents[2] / "evals" / "cases" / "routing.jsonl"


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("how much is it", "en"),
        ("quiero un precio", "es"),
        ("hola", "es"),
        ("y si tengo 22 años?", "es"),
        ("Bonjour, je cherche une assurance", "fr"),
        ("ich brauche Hilfe", "de"),
        ("quanto costa?", "it"),
        ("obrigado", "pt"),
        ("vull assegurar el cotxe", "ca"),
        ("dank je wel", "nl"),
        ("dziekuje bardzo", "pl"),
        ("kaza yaptım", "tr"),
        ("Сколько стоит страховка на Tesla Model 3?", "ru"),
        ("Скільки коштує страховка", "uk"),
        ("колко струва застраховката на колата ми", "bg"),
        ("我的Tesla Model 3保险多少钱", "zh"),
        ("保険の見積もり", "ja"),
        ("보험료 얼마예요", "ko"),
        ("كم سعر التأمين", "ar"),
        ("قیمت بیمه ماشین", "fa"),
        ("ประกันรถ", "th"),
        ("graciasssss", "es"),
    ],
)
def test_the_language_of_a_few_words_is_told(text: str, language: str) -> None:
    """A customer is answered in the language of the very first message, whatever the browser says."""
    assert detect_language(text) == language
    assert detect_language(text, hint="ro") == language


@pytest.mark.parametrize(
    "text", ["", "2019", "ok", "Nissan Leaf", "Honda Civic 2018, 40 km", "👍", "?!", "e-Golf", "x"]
)
def test_a_text_of_no_language_keeps_the_conversation_in_its_own(text: str) -> None:
    """Spanish customers who only name their car are not answered in English."""
    assert detect_language(text, hint="es") == "es"
    assert detect_language(text) == "en"


def test_a_word_of_several_languages_follows_the_hint() -> None:
    """A bare "no" goes on in the language of the conversation."""
    assert {hint: detect_language("no", hint=hint) for hint in ("en", "es", "it", "ca")} == {
        hint: hint for hint in ("en", "es", "it", "ca")
    }


def test_a_hint_is_no_wall() -> None:
    """Who switches language in the middle is followed."""
    assert detect_language("can you tell me that in English please", hint="es") == "en"


def test_only_the_beginning_of_a_huge_text_is_read() -> None:
    """A pasted book costs no more than a message."""
    assert detect_language("quiero asegurar mi coche " * 40_000) == "es"


def test_held_out_messages_are_told_apart() -> None:
    """The share of customers answered in a wrong language stays below two in a hundred."""
    cases = [json.loads(line) for line in CASES.read_text(encoding="utf-8").splitlines()]
    right = [detect_language(case["text"]) == case["language"] for case in cases]

    assert sum(right) / len(right) >= 0.98


def test_languages_have_names() -> None:
    """The specialist is told "Spanish", not "es"."""
    assert [language_name(code) for code in ("es", "zh", "xx")] == ["Spanish", "Chinese", "xx"]


def test_everyday_words_are_those_of_one_language() -> None:
    """Words that say what a question is about would be passed over because another language has them."""
    assert {"please", "you", "dont"} <= everyday_words("en")
    assert {"favor", "qué", "que"} <= everyday_words("es")
    assert "gracias" not in everyday_words("en")
    assert everyday_words("xx") == frozenset()


def test_votes_tell_how_much_speaks_for_each_language() -> None:
    """An answer in another language could not be told from one with a foreign word in it."""
    votes = language_votes("Claro, necesito la marca y the model")

    assert votes["es"] > votes["en"] > 0
    assert language_votes("Nissan 보험")["en"] < 1
    assert language_votes("보험료는 얼마입니까") == {"ko": 6.75}
    assert language_votes("84.50") == {}


def test_languages_are_known_by_name() -> None:
    """The wish "answer in English please" in a Spanish conversation would not be understood."""
    assert languages_named("respóndeme en inglés, or in German") == {"en", "de"}
    assert languages_named("la respuesta") == frozenset()
    assert knows_language("fi")
    assert not knows_language("xx")
