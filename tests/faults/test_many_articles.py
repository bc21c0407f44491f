"""T6: a company with very many articles about other things: the right one is found all the same, and nothing is made of nothing."""

import random
import shutil
import time
from pathlib import Path

import pytest

from bench.retrieval import rates, read_cases, read_others, share, wrong_finds
from knowledge.index import KnowledgeIndex
from settings import ROOT
from tests.faults.plugin import Figure, Size

pytestmark = pytest.mark.lab
CORPUS = ROOT / "knowledge" / "corpus"
# Shares of the questions in evals/cases: 98 % find their article among the shipped ones, 11 % of those about other things
# find something.
FOUND, FOUND_FOR_NOTHING = 0.9, 0.15
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
    cases = [case for case in read_cases() if case.language == "en"]
    others = [other for other in read_others() if other.language == "en"]
    folder = tmp_path / "corpus"
    shutil.copytree(CORPUS, folder)
    _write_articles(folder, size.articles)
    began = time.process_time()
    many = KnowledgeIndex.load(folder)
    loaded_s, began = time.process_time() - began, time.process_time()
    found = share(rates(many, cases))
    each_ms = (time.process_time() - began) * 1000 / len(cases)
    wrong, asked = wrong_finds(many, others)["en"]

    figure(
        f"{len(many.articles):,} articles: read in {loaded_s:.0f} s of CPU, a search takes {each_ms:.0f} ms of CPU, "
        f"{found:.0%} of the questions find their article, {wrong} of {asked} about other things find something"
    )
    assert many.rejected == ()
    assert len(many.articles) > size.articles
    assert found >= FOUND
    assert wrong <= asked * FOUND_FOR_NOTHING
