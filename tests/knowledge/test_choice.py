"""Among passages of one article, those that answer come first."""

from dataclasses import replace

import pytest

from knowledge.choice import best_passages
from knowledge.passages import Passage

PASSAGE = Passage("hail#1", "Hail", "https://example.test/hail", "en", "Hail is covered.", 10.0)
GENERAL = PASSAGE
EXCLUDED = replace(PASSAGE, source="hail#7", text="Hail on a roof is not covered.", score=11.0)
LIMIT = replace(PASSAGE, source="hail#4", text="The limit for hail is $500.", score=9.0)
PHONE = replace(PASSAGE, source="hail#6", text="Call 1-800-123-4567 after hail.", score=9.5)
ELSEWHERE = replace(
    PASSAGE, source="ice#1", url="https://example.test/ice", text="Ice is like hail.", score=8.0
)


@pytest.mark.parametrize(
    ("question", "found", "shown"),
    [
        ("Is hail covered?", [EXCLUDED, GENERAL, LIMIT], [GENERAL, EXCLUDED]),
        ("How much is the limit for hail?", [EXCLUDED, GENERAL, LIMIT], [LIMIT, GENERAL]),
        ("How much is it?", [PHONE, LIMIT, GENERAL], [LIMIT, GENERAL]),
        ("¿Cuánto cubren?", [EXCLUDED, GENERAL, LIMIT], [LIMIT, GENERAL]),
        ("Is hail covered?", [GENERAL, ELSEWHERE, LIMIT], [GENERAL, LIMIT]),
        ("Is hail covered?", [ELSEWHERE], [ELSEWHERE]),
        ("Is hail covered?", [replace(GENERAL, score=0.0)], [replace(GENERAL, score=0.0)]),
        ("Is hail covered?", [], []),
    ],
)
def test_the_passages_that_answer_are_chosen(
    question: str, found: list[Passage], shown: list[Passage]
) -> None:
    """A customer who asks for an amount, or whether something is covered, would first read about an exception."""
    assert best_passages(tuple(found), question) == shown


def test_passages_of_one_article_stand_together() -> None:
    """The link below them would be missing for the first one, or stand there twice."""
    high = replace(ELSEWHERE, score=9.9)
    late = replace(GENERAL, source="hail#9", score=11.0)

    assert [p.source for p in best_passages((late, high), "ice?")] == ["ice#1", "hail#9"]


def test_the_rarer_words_of_the_question_count() -> None:
    """Every passage speaks of hail; who asks about trailers would read about cars."""
    trailer = replace(PASSAGE, source="hail#3", text="Hail on a trailer is covered.", score=9.8)

    assert best_passages((GENERAL, EXCLUDED, trailer), "is hail on my trailer covered?")[0] == trailer
    assert best_passages((GENERAL, EXCLUDED, trailer), "is hail covered?")[0] == GENERAL
