"""The reader of figures: every notation, one meaning; and no figure where there is none."""

from pathlib import Path

import pytest

from guards.figures.reading import read_figures
from guards.figures.words import fold

_ROWS = [
    line.partition("\t")[::2]
    for line in (Path(__file__).parents[1] / "cases" / "figures_reading.tsv")
    .read_text(encoding="utf-8")
    .splitlines()
]


@pytest.mark.parametrize(("text", "figures"), _ROWS, ids=[text for text, _ in _ROWS])
def test_figures_are_read_as_they_are_meant(text: str, figures: str) -> None:
    """The same price in another notation would be withheld, or another price taken for the same."""
    found = [
        f"{folded[figure.start : figure.end]} = {figure.kind} "
        + " or ".join(sorted(" ".join(map(str, key[1:])).strip() for key in figure.keys if key[0] != "years"))
        for folded, figure in read_figures(text)
    ]

    assert "; ".join(found) == figures


@pytest.mark.parametrize("text", ["ÁÉÍ ñ ’", "İstanbul", "ß", "８４％", "ABC"])
def test_folding_keeps_every_place(text: str) -> None:
    """What is replaced would not be what was judged."""
    assert len(fold(text)) == len(text)
