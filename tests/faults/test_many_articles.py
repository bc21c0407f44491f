"""T6: a company with very many articles about other things: the right one is found or none is, and nothing is made of nothing.

Among thousands of lines about other things the subjects of a few articles sound strange to the index, and it says sooner that it
has found nothing. How many of the questions that is so for stands in the figure.
"""

import random
import shutil
import time
from pathlib import Path

import pytest

from knowledge.index import KnowledgeIndex
from settings import ROOT
from tests.faults.plugin import Figure, Size

pytestmark = pytest.mark.lab
CORPUS = ROOT / "knowledge" / "corpus"
QUESTIONS = (
    "What is a deductible?",
    "Does comprehensive cover hail?",
    "How do I report a claim?",
    "Is there roadside assistance?",
)
UNKNOWN = "How do I prune an apple tree in winter?"
SYLLABLES = ("bra", "cle", "dro", "fli", "gru", "kla", "mne", "plo", "ster", "tru", "vle", "zwi")
IN_A_FOLDER = 1_000


def _word(dice: random.Random) -> str:
    return "".join(dice.choices(SYLLABLES, k=3))


def _write_articles(folder: Path, number: int) -> None:
    """So many articles about things that do not exist, in words that no question has."""
    dice = random.Random(number)
    for at in range(number):
        place = folder / "en" / f"more-{at // IN_A_FOLDER:03}"
        place.mkdir(parents=True, exist_ok=True)
        said = " ".join(_word(dice) for _ in range(30)).capitalize()
        (place / f"article-{at:06}.md").write_text(
            f"---\ntitle: {_word(dice).capitalize()} {at}\nurl: https://help.example/{at}\nlanguage: en\n"
            f"updated: 2026-09-14\n---\n## {_word(dice).capitalize()}\n{said}.\n",
            encoding="utf-8",
        )


@pytest.mark.fault("T6")
def test_an_answer_is_found_among_very_many_articles(tmp_path: Path, size: Size, figure: Figure) -> None:
    """A large company would wait for its desk, or get answers out of the wrong articles."""
    few = KnowledgeIndex.load(CORPUS)
    folder = tmp_path / "corpus"
    shutil.copytree(CORPUS, folder)
    _write_articles(folder, size.articles)
    began = time.process_time()
    many = KnowledgeIndex.load(folder)
    loaded_s, began = time.process_time() - began, time.process_time()
    found = [many.search(question, "en", 3) for question in QUESTIONS]
    each_ms = (time.process_time() - began) * 1000 / len(QUESTIONS)

    best = [passages[0].url for passages in found if passages]
    figure(
        f"{len(many.articles):,} articles: read in {loaded_s:.0f} s of CPU, a search takes {each_ms:.0f} ms of CPU, "
        f"{len(best)} of {len(QUESTIONS)} questions find their article, the others none"
    )
    right = {few.search(question, "en", 3)[0].url for question in QUESTIONS}
    assert many.rejected == ()
    assert len(many.articles) == len(few.articles) + size.articles
    assert best
    assert set(best) <= right
    assert many.search(UNKNOWN, "en", 3) == few.search(UNKNOWN, "en", 3) == ()
