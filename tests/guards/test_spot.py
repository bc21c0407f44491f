"""The base of guards: what may become a match waits, everything else flows, and cuts make no difference."""

import re
from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guards.spot import Change, Lookout, Ruling, Spotter, View, opening
from tests.guards.cutting import assert_same_however_cut, cut, texts_like, through

_COUNTED = re.compile(r"(?:\d+|ten|twenty)(?: ?(dogs?|cats?))?", re.IGNORECASE)
_ADDRESS = re.compile(r"[\w.]+@[\w.]+\w")


def _count(view: View) -> Ruling | None:
    """Hides how many dogs or cats there are; other numbers pass."""
    found = _COUNTED.match(view.text, view.start)
    if found is None:
        return Ruling(view.start + 1)
    if found.group(1) is None:
        return None if found.end() >= len(view.text) - 1 and not view.is_over else Ruling(found.end())
    if found.end() == len(view.text) and not view.is_over:
        return None
    return Ruling(found.end(), (Change(found.start(), found.end(), "#", found.group(1)[:3].lower()),))


def _address(view: View) -> Ruling | None:
    """Drops e-mail addresses."""
    found = _ADDRESS.match(view.text, view.start)
    if found is None or found.end() >= len(view.text) - 1:
        if not view.is_over:
            return None
        return None if found is None else Ruling(found.end(), (Change(view.start, found.end(), "", "mail"),))
    return Ruling(found.end(), (Change(view.start, found.end(), "", "mail"),))


COUNTS = Lookout(opening(r"\d", ["ten", "twenty"]), _count, limit=24, context=8)
ADDRESSES = Lookout(re.compile(r"(?<![\w.])[\w.]{1,20}(?:@|\Z)"), _address, limit=40, context=8)
ALWAYS_MORE = Lookout(opening("x"), lambda _view: None, limit=5, context=3)
TEXTS = texts_like("10", "ten", "tent", "te", "twenty", "dog", "cats", ".", "a@b.c", "x" * 9, "é", "十", "\n")


@pytest.mark.parametrize("lookout", [COUNTS, ADDRESSES, ALWAYS_MORE], ids=["counts", "addresses", "more"])
@given(pieces=cut(TEXTS))
def test_the_output_does_not_depend_on_how_the_text_was_cut(lookout: Lookout, pieces: list[str]) -> None:
    """What a customer must not see could slip through between two pieces."""
    assert_same_however_cut(lambda: Spotter(lookout), pieces)


@given(
    st.lists(st.tuples(st.integers(-3, 30), st.booleans()), min_size=1, max_size=8),
    cut(st.text(alphabet="tenx1 .é十", max_size=90)),
)
def test_cuts_make_no_difference_whatever_a_guard_decides(
    rulings: list[tuple[int, bool]], pieces: list[str]
) -> None:
    """A guard with a mistake in it would be right in tests and wrong on the wire."""

    def decide(view: View) -> Ruling | None:
        end, changes = rulings[hash(view) % len(rulings)]
        if end < 0 and not view.is_over:
            return None
        end = min(view.start + end, len(view.text))
        return Ruling(end, (Change(view.start, max(end, view.start), "#", "found"),) if changes else ())

    assert_same_however_cut(lambda: Spotter(Lookout(opening("x1", ["ten"]), decide, 20, 6)), pieces)


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("I have ten dogs and 20 cats.", ["I have ", "# and ", "#."]),
        ("We often attend tennis.", ["We often attend tennis."]),
        ("Ten", ["Ten"]),
        ("ten dogs", ["#"]),
        ("10 十 20dog", ["10 十 ", "#"]),
    ],
)
def test_matches_are_changed_and_the_rest_flows(said: str, shown: list[str]) -> None:
    """A customer would read what should be hidden, or wait for what is harmless."""
    text, _ = through(Spotter(COUNTS), [said])

    assert text == "".join(shown)


def test_what_cannot_become_a_match_is_shown_at_once() -> None:
    """Every word would come one word late."""
    step = Spotter(COUNTS)
    pushed = ["We", "lcome", ", t", "ake", " t", "e", "n", " c", "ows", " or", " 3", " d", "ogs", "."]

    shown = ["".join(segment.text for segment in step.push(piece)) for piece in pushed]

    assert shown == ["We", "lcome", ", ", "take", " ", "", "", "", "", "ten cows or", " ", "", "", "#."]
    assert step.end() == []


def test_events_name_the_class_and_never_the_text() -> None:
    """A log line would hold what the guard hides."""
    assert through(Spotter(COUNTS), ["10 dogs, 3 cats"]) == ("#, #", ["dog", "cat"])
    assert through(Spotter(ADDRESSES), ["Write to ann@example.com."]) == ("Write to .", ["mail"])


@given(cut(st.text(alphabet="x. te1", max_size=200)))
def test_no_more_than_the_limit_is_held_back(pieces: list[str]) -> None:
    """An answer could stop in the middle and come all at once at its end."""
    step = Spotter(ALWAYS_MORE)
    pushed = list(accumulate(len(piece) for piece in pieces))
    shown = list(accumulate(sum(len(segment.text) for segment in step.push(piece)) for piece in pieces))

    assert all(came - out <= 5 for came, out in zip(pushed, shown, strict=True))


def test_a_guard_sees_what_came_before_and_whole_words_only() -> None:
    """A price could not be told from a mileage, or be judged by half a figure."""
    seen: list[View] = []

    def decide(view: View) -> None:
        seen.append(view)

    through(
        Spotter(Lookout(opening(r"\d"), decide, limit=30, context=9)),
        ["the prem", "ium is 8", "4.5", "0 no", "w"],
    )

    assert [view.text[view.start :] for view in seen] == ["84", "84.", "84.50 ", "84.50 now"]
    assert {view.text[: view.start] for view in seen} == {"emium is "}
    assert [view.is_over for view in seen] == [False, False, False, True]


def test_words_for_the_end_of_an_answer_are_added_once() -> None:
    """A customer would read that something is missing and not where to get it."""
    lookout = Lookout(
        opening(r"\d"), _count, closing=lambda fired: f" ({', '.join(sorted(fired))})" if fired else ""
    )

    assert through(Spotter(lookout), ["2 dogs and 3 dogs."]) == ("# and #. (dog)", ["dog", "dog"])
    assert through(Spotter(lookout), ["2 cows."]) == ("2 cows.", [])


def test_a_long_answer_is_forgotten_as_it_is_shown() -> None:
    """A very long answer would fill the memory, and take longer with every word."""
    step = Spotter(COUNTS)
    pieces = ["some words and ten dogs. "] * 2_000

    shown = "".join(segment.text for piece in pieces for segment in step.push(piece))

    assert shown + "".join(segment.text for segment in step.end()) == "some words and #. " * 2_000
    assert len(step._text) < 5_000


@pytest.mark.parametrize("hostile", ["1", "$", "ten ", "x", "é", "a.", "@", "十", "t"])
@pytest.mark.parametrize("size", [1, 7, 30_000])
def test_a_hostile_answer_takes_linear_time(hostile: str, size: int) -> None:
    """One answer of 30,000 strange characters would stop the desk for everybody."""
    text = (hostile * 30_000)[:30_000]
    views: list[int] = []

    def decide(view: View) -> None:
        views.append(len(view.text))

    lookout = Lookout(opening(r"\d$xé十@", ["ten"]), decide, limit=50, context=10)
    shown, _ = through(Spotter(lookout), [text[at : at + size] for at in range(0, len(text), size)])

    assert shown == text
    assert len(views) <= len(text)
    assert max(views, default=0) <= 60


@pytest.mark.parametrize(
    ("come", "ahead", "shown"),
    [
        ("a te", "am is here", "te"),  # the word ahead is no number
        ("te", "n dogs ", ""),  # what is ahead brings a change
        ("10 ", "cows ", "10 "),  # decided, and nothing of what is ahead is part of it
        ("1", "0 cows ", ""),  # decided together with letters that are ahead
        ("te", "n", ""),  # not decided
        ("te", "am, twen", "te"),  # what is open lies ahead
        ("so ", "10", ""),  # nothing is held
    ],
)
def test_a_guard_gives_out_what_the_text_ahead_makes_safe(come: str, ahead: str, shown: str) -> None:
    """The first word would wait for a guard that has all it needs to know; or what must be changed would be shown."""
    step = Spotter(COUNTS)
    before = "".join(part.text for part in step.push(come))
    seen = "".join(part.text for part in step.foresee(ahead))
    rest = "".join(part.text for part in [*step.push(ahead), *step.end()])

    assert seen == shown
    assert before + seen + rest == through(Spotter(COUNTS), [come + ahead])[0]
