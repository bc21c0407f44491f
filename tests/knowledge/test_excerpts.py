"""Neighbours are kept, told once, and a quotation is only what stands in the passages it points at."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.corpus_files import read_corpus
from knowledge.excerpts import alone, excerpts
from knowledge.passages import Passage
from settings import ROOT

ARTICLES = read_corpus(ROOT / "knowledge" / "corpus").articles[:3]
PASSAGES = [passage for article in ARTICLES for _, passage in article.parts]
FIRST = [passage for _, passage in ARTICLES[0].parts]


def _numbers(found: list[Passage]) -> list[list[int]]:
    return [
        [int(passage.source.rpartition("#")[2]) for passage in excerpt.passages]
        for excerpt in excerpts(found)
    ]


def test_a_passage_stands_between_its_neighbours() -> None:
    """The model would read three sentences torn out of their article, and misread them."""
    (excerpt,) = excerpts([FIRST[3]])

    assert (excerpt.source, excerpt.title) == (FIRST[3].source, ARTICLES[0].title)
    assert [(p.source, p.text, p.start, p.end, p.file, p.version) for p in excerpt.passages] == [
        (p.source, p.text, p.start, p.end, p.file, p.version) for p in FIRST[2:5]
    ]


@pytest.mark.parametrize(
    ("places", "shown"),
    [
        ([0], [[1, 2]]),
        ([3, 4], [[3, 4, 5, 6]]),
        ([4, 2], [[2, 3, 4, 5, 6]]),
        ([1, 5], [[1, 2, 3], [5, 6, 7]]),
        ([5, 1, 3], [[1, 2, 3, 4, 5, 6, 7]]),
    ],
)
def test_hits_that_are_neighbours_share_an_excerpt(places: list[int], shown: list[list[int]]) -> None:
    """The same sentences would be paid for, and cited, twice."""
    assert _numbers([FIRST[place] for place in places]) == shown


def test_the_best_hit_comes_first() -> None:
    """The model would look at the weaker article first."""
    other = ARTICLES[1].parts[0][1]

    assert [excerpt.source for excerpt in excerpts([FIRST[4], other, FIRST[5]])] == [
        FIRST[4].source,
        other.source,
    ]
    assert excerpts([]) == ()


def test_passages_of_another_version_are_not_mixed_in() -> None:
    """An article that was saved in the middle of a turn would be shown half old and half new."""
    newer = replace(FIRST[4], version="newer")

    assert _numbers([FIRST[3], newer]) == [[3, 4, 5], [4, 5, 6]]


@given(st.lists(st.sampled_from(PASSAGES), unique=True, max_size=8), st.data())
def test_a_place_in_an_excerpt_follows_from_its_source(found: list[Passage], data: st.DataObject) -> None:
    """A citation of one search would be looked up in the blocks of another, and point at other words."""
    for excerpt in excerpts(found):
        others = [
            other for other in excerpts(data.draw(st.permutations(found))) if other.source == excerpt.source
        ]
        hit = next(passage for passage in found if passage.source == excerpt.source)
        (small,) = excerpts([hit])

        assert others == [excerpt]
        assert [p.source for p in excerpt.passages[: len(small.passages)]] == [
            p.source for p in small.passages
        ]


EXCERPT = excerpts([FIRST[3]])[0]
ONE, TWO, THREE = EXCERPT.passages


@pytest.mark.parametrize(
    ("words", "start", "end", "quoted"),
    [
        (ONE.text, 0, 1, [(ONE, ONE.text)]),
        (f" {TWO.text}\n", 1, 2, [(TWO, TWO.text)]),
        (TWO.text[5:20], 1, 2, [(TWO, TWO.text[5:20])]),
        (ONE.text + TWO.text, 0, 2, [(ONE, ONE.text), (TWO, TWO.text)]),
        (f"{ONE.text}\n\n{TWO.text} {THREE.text}", 0, 3, [(ONE, ONE.text), (TWO, TWO.text), (THREE, THREE.text)]),
        (THREE.text, 0, 3, [(THREE, THREE.text)]),
        (TWO.text, 0, 1, []),
        (f"{ONE.text} And more.", 0, 1, []),
        (ONE.text.replace(" ", "  "), 0, 2, []),
        (ONE.text, 0, 0, []),
        (ONE.text, -3, 1, []),
        (ONE.text, 7, 9, []),
        ("", 0, 1, []),
        ("  ", 0, 3, []),
    ],
)  # fmt: skip
def test_only_words_that_stand_there_are_quoted(
    words: str, start: int, end: int, quoted: list[tuple[Passage, str]]
) -> None:
    """A customer would read as the company's words what it never wrote."""
    assert list(EXCERPT.quoted(words, start, end)) == quoted


def test_a_passage_can_stand_alone() -> None:
    """The engine without Claude quotes single passages; their neighbours are not meant."""
    assert alone(TWO).quoted(TWO.text, 0, 1) == ((TWO, TWO.text),)
    assert alone(TWO).quoted(THREE.text, 0, 1) == ()
