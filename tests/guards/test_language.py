"""The language of an answer: few characters wait for it, and a wrong one is asked for again or excused."""

import pytest
from hypothesis import given, settings

from guards.language import LIMIT_CHARACTERS, language_guard
from guards.stream import Ground, Scene
from knowledge.corpus_files import read_corpus
from settings import ROOT
from tests.guards.cutting import assert_same_however_cut, cut, texts_like, through

GUARD = language_guard()
SPANISH = "Claro, para calcular el precio necesito la marca y el modelo."
TEXTS = texts_like(
    "Yes",
    "la",
    "marca",
    "you",
    "and",
    "y",
    "modelo",
    "¿",
    ".",
    ",",
    '"',
    "“",
    "”",
    "[",
    "]",
    "Tesla",
    "Q-1",
    "車",
    "保険",
    "\n",
    most=24,
)


def _scene(
    language: str = "en", *, may_retake: bool = False, is_fixed: bool = False, asked: str = "?"
) -> Scene:
    return Scene(
        language=language,
        grounds=[Ground("customer", asked)],
        notice=lambda key: f"({key})",
        may_retake=may_retake,
        is_fixed=lambda: is_fixed,
    )


def test_a_wrong_language_is_asked_for_again_where_that_is_possible() -> None:
    """A customer would read an answer that they do not understand."""
    step = GUARD.make(_scene(may_retake=True))
    segments = step.push(SPANISH)

    assert [(part.text, part.fired, part.wants_retake) for part in segments] == [("", "asked_again", True)]
    assert (step.push(" Dime."), step.end()) == ([], [])


def test_else_the_answer_comes_with_an_apology() -> None:
    """A customer would get nothing; an answer in another language still helps more."""
    assert through(GUARD.make(_scene()), [SPANISH]) == (f"(other_language)\n\n{SPANISH}", ["wrong_language"])
    assert through(GUARD.make(Scene()), [SPANISH]) == (SPANISH, ["wrong_language"])


def test_the_engine_without_a_model_speaks_the_languages_it_has() -> None:
    """Without Claude, a French customer gets English with an apology already, and would get two."""
    assert through(GUARD.make(_scene(is_fixed=True)), [SPANISH]) == (SPANISH, [])


def test_a_customer_who_mixes_or_asks_for_another_language_gets_it() -> None:
    """The wish "answer in Spanish please" would bring an excuse."""
    for asked in ("Can you answer in Spanish?", "hola, quiero asegurar my car", "¿en español?"):
        assert through(GUARD.make(_scene(asked=asked)), [SPANISH]) == (SPANISH, [])


def test_a_language_that_is_not_recognised_is_let_be() -> None:
    """Every answer in it would be taken for another language."""
    assert through(GUARD.make(_scene("sw")), [SPANISH]) == (SPANISH, [])


def test_an_answer_that_says_nothing_clearly_is_let_be() -> None:
    """A list of names would be held back to its end."""
    names = "Tesla, Nissan, Rivian, Toyota. " * 10
    step = GUARD.make(_scene())
    assert sum(len(part.text) for part in step.push(names)) >= LIMIT_CHARACTERS
    assert through(GUARD.make(_scene()), [names]) == (names, [])


@pytest.mark.parametrize(
    ("language", "begun", "is_shown"),
    [
        ("en", "Your", True),
        ("en", "Th", True),
        ("en", "A ", True),
        ("en", "I’", True),
        ("es", "La c", True),
        ("es", "Clar", True),
        ("en", "Clar", False),
        ("en", "Claro, you", False),
        ("en", "No ", False),
        ("es", "A ", False),
        ("fr", "Pue", False),
        ("en", "Nissan Lea", False),
        ("en", "“Your", False),
        ("en", "John You", False),
        ("en", "3D", False),
        ("en", "Nissan, you", True),
    ],
)
def test_letters_that_only_the_right_language_has_are_shown_at_once(
    language: str, begun: str, *, is_shown: bool
) -> None:
    """Customers would wait for words that nearly every answer has; or read a wrong language, or a part of a name."""
    assert bool(GUARD.make(_scene(language, may_retake=True)).push(begun)) == is_shown


def test_few_characters_wait_for_the_language() -> None:
    """The first words of ordinary answers would come late."""
    waits = []
    for article in read_corpus(ROOT / "knowledge" / "corpus").articles:
        for _, passage in article.parts:
            step = GUARD.make(_scene(article.language))
            came = next(
                (at for at, letter in enumerate(passage.text, 1) if step.push(letter)), len(passage.text)
            )
            waits.append(came)

    waits.sort()
    assert waits[len(waits) // 2] <= 20
    assert waits[int(len(waits) * 0.95)] <= 60


@settings(max_examples=50)
@given(cut(TEXTS))
def test_no_cut_of_any_text_makes_a_difference(pieces: list[str]) -> None:
    """Law: the output does not depend on how the engine cut its text."""
    for language in ("en", "es", "ja"):
        assert_same_however_cut(lambda: GUARD.make(_scene(language)), pieces)  # noqa: B023 - used at once
    assert_same_however_cut(lambda: GUARD.make(_scene(may_retake=True)), pieces)
