"""Two searches make one list, in which places count and scores do not."""

from hypothesis import given
from hypothesis import strategies as st

from knowledge.fusion import fuse
from knowledge.passages import Passage

rankings = st.lists(st.lists(st.sampled_from("abcdefgh"), unique=True), max_size=3)


def _ranked(names: str | list[str], score: float = 0.0) -> list[Passage]:
    return [Passage(f"https://a/{name}#1", "", f"https://a/{name}", "en", name, score) for name in names]


def _fused(*names: str, limit: int = 10) -> str:
    return "".join(passage.text for passage in fuse([_ranked(each) for each in names], limit))


def test_what_both_found_comes_before_what_one_found() -> None:
    """An article that fits in words and in meaning is the one to cite."""
    assert _fused("abc", "xbz") == "baxcz"


def test_of_equals_the_words_decide() -> None:
    """The order would change from run to run, and with it the answer."""
    assert _fused("ab", "xy") == "axby"
    assert _fused("ab", "ba") == "ab"


def test_scores_of_different_kinds_are_not_compared() -> None:
    """A search with large figures would drown the other one."""
    loud, quiet = _ranked("ab", 1000.0), _ranked("ca", 0.1)

    assert [passage.text for passage in fuse([loud, quiet], 3)] == ["a", "c", "b"]


@given(rankings, st.integers(0, 9))
def test_nothing_is_lost_doubled_or_made_up(lists: list[list[str]], limit: int) -> None:
    """A passage twice among the sources, or one that nobody found."""
    fused = fuse([_ranked(names) for names in lists], limit)
    found = {name for names in lists for name in names}

    assert len(fused) == min(limit, len(found))
    assert len({passage.source for passage in fused}) == len(fused)
    assert {passage.text for passage in fused} <= found


@given(st.lists(st.sampled_from("abcdefgh"), unique=True))
def test_one_search_alone_keeps_its_order(names: list[str]) -> None:
    """When the other search fails, the answer is what it was without it."""
    assert [passage.text for passage in fuse([_ranked(names), []], 10)] == names
