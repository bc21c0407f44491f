"""Words that pass rows of guards unread: what comes out is what the guards would let through one after the other."""

import json
import re
from collections.abc import Sequence
from functools import lru_cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from build import build_parts
from guards.chain import Chain, Fired
from guards.length import length_guard
from guards.ordinary import Ordinary, words_of
from guards.spot import Lookout, Spotter
from guards.stream import Guard, Scene, Segment, Skipping, Step
from settings import ROOT, Settings
from tests.guards.cutting import cut
from tests.guards.private.answers import desk

GUARDS = build_parts(Settings.read(FRONTDESK_ENGINE="local")).guards
SECRET = desk()[1].specialists["greeting"].told
FIXED = desk()[1].specialists["greeting"].fixed
NAMES = desk()[1].specialists["greeting"].guards
ORDINARY = Ordinary(
    [lambda word, following: word == "at" or (word == "red" and following in {"", "car", "cab"})], {"at"}
)


class _Closed:
    """A guard that reads every word: it hides that it could do without."""

    def __init__(self, step: Step) -> None:
        self._step = step

    def push(self, text: str) -> list[Segment]:
        return self._step.push(text)

    def end(self) -> list[Segment]:
        return self._step.end()


def _closed(guard: Guard) -> Guard:
    first = guard.first
    return Guard(
        guard.name,
        guard.purpose,
        lambda scene: _Closed(guard.make(scene)),
        drops=guard.drops,
        first=None if first is None else lambda scene: _Closed(first(scene)),
    )


CLOSED = {name: _closed(guard) for name, guard in GUARDS.items()}


@lru_cache(maxsize=1)
def _said() -> list[str]:
    """Answers that hold what must not be shown, and answers that do not, as words and signs."""
    files = [*(ROOT / "evals" / "cases").glob("*_outputs/*.jsonl")]
    lines = [line for file in sorted(files) for line in file.read_text(encoding="utf-8").splitlines()]
    texts = [json.loads(line)["text"] for line in lines]
    return [*texts, *(word for text in texts for word in text.split())]


def _texts() -> st.SearchStrategy[str]:
    secret = st.integers(0, len(SECRET) - 150).map(lambda at: SECRET[at : at + 150])
    signs = st.sampled_from(
        [" ", " ", " ", ". ", ", ", "\n\n", "-", "'", ".", " (", ") ", "**", " at ", " a ", "@"]
    )
    words = st.sampled_from(_said())
    return st.lists(st.one_of(words, words, signs, signs, secret), max_size=30).map("".join)


def _through(chain: Chain, pieces: Sequence[str]) -> tuple[str, list[Fired]]:
    out = [*(chain.push(piece) for piece in pieces), chain.end()]
    return "".join(text for text, _ in out), sorted((item for _, fired in out for item in fired), key=str)


@settings(max_examples=50)
@given(cut(_texts()), st.sampled_from(["en", "es"]))
def test_what_passes_unread_is_what_the_guards_let_pass(pieces: list[str], language: str) -> None:
    """A customer would read what a guard never saw, or lose what it would have shown."""
    notices = desk()[1].notices
    scene = Scene(
        language=language, secret=SECRET, sayable=FIXED, notice=lambda key: notices.text(key, language) or ""
    )

    assert _through(Chain(NAMES, GUARDS, scene), pieces) == _through(Chain(NAMES, CLOSED, scene), pieces)


@pytest.mark.parametrize(
    "said",
    [
        "It is ruth.adler@icloud.com, they say.",
        "for'https://evil.example.org now",
        "Write to the_ann@mail.com or to ann at mail dot com",
        "We will (at) last a b c @ mail.com",
        "that john-smith@mail.com and smi*th@mail.com",
    ],
)
def test_nothing_of_an_address_passes_before_its_sign(said: str) -> None:
    """The name in an address would be shown and only the rest of it hidden."""
    pieces = [f"{word} " for word in f"Here is what we know. {said}".split()]

    for cuts in (pieces, list("".join(pieces))):
        assert _through(Chain(NAMES, GUARDS, Scene()), cuts) == _through(Chain(NAMES, CLOSED, Scene()), cuts)


def test_what_a_guard_adds_behind_words_that_passed_unread_is_read_by_the_ones_after_it() -> None:
    """The last words of an answer pass unread as well, and a note behind them could say anything."""
    scene = Scene(notice=lambda key: "Ask Geico instead." if key == "withheld_note" else "")
    pieces = ["The fee is 77 dollars. ", "Here is what we know of it, ", "and what you can do about it."]

    text, fired = _through(Chain(NAMES, GUARDS, scene), pieces)

    assert (text, fired) == _through(Chain(NAMES, CLOSED, scene), pieces)
    assert text.endswith("and what you can do about it.\n\nAsk another company instead.")
    assert [each.guard for each in fired] == ["competitors", "figures"]


@pytest.mark.parametrize(
    "names", [("instructions",), ("language", "length", "instructions"), ("instructions", "promises"), NAMES]
)
@pytest.mark.parametrize("size", [1, 5])
def test_two_recitals_in_a_row_are_noticed_in_whatever_order_the_guards_stand(
    names: tuple[str, ...], size: int
) -> None:
    """Where a word is cut between two of them it would be shown twice, or one more than there should be."""
    said, scene = SECRET.split(), Scene(secret=SECRET)
    for first in range(0, 200, 7):
        told = [*said[first : first + 5], *said[first + 50 : first + 62]]
        text = f"In with are you here {' '.join(told)} do not know what they help with."
        pieces = [text[at : at + size] for at in range(0, len(text), size)]
        assert _through(Chain(names, GUARDS, scene), pieces) == _through(Chain(names, CLOSED, scene), pieces)


class _Seeing(Spotter):
    """A step that finds nothing, and remembers what it has read."""

    def __init__(self) -> None:
        super().__init__(Lookout(re.compile("(?!)"), lambda _view: None))
        self.seen = ""

    def push(self, text: str) -> list[Segment]:
        self.seen += text
        return super().push(text)

    def skip(self, text: str) -> None:
        self.seen += text
        super().skip(text)


def _beside_figures(step: Step, pieces: Sequence[str], note: str = "") -> str:
    """What comes out of the guard of figures and this step behind it."""
    seeing = Guard("seeing", "", lambda _scene: step, lambda _word, _following: False)
    scene = Scene(notice=lambda key: note if key == "withheld_note" else "")
    return _through(Chain(("figures", "seeing"), {**GUARDS, "seeing": seeing}, scene), pieces)[0]


def test_the_last_words_are_read_by_nobody_if_nothing_can_be_in_them() -> None:
    """Every answer would be read whole at its end, although nobody looks for anything in it."""
    answer = "Here is what we know of it, and what you can do about it."
    step = _Seeing()

    assert _beside_figures(step, [f"{word} " for word in answer.split()]) == f"{answer} "
    assert answer.startswith(step.seen)
    assert len(step.seen.split()) < len(answer.split()) / 2


def test_who_reads_a_note_at_the_end_has_read_what_is_before_it() -> None:
    """A guard that looks behind its place would see another text than the customer."""
    step = _Seeing()
    shown = _beside_figures(step, ["The fee is 77 dollars. ", "Here is ", "what we ", "know."], "Ask again.")

    assert step.seen == shown
    assert shown.endswith(" Here is what we know.\n\nAsk again.")


@pytest.mark.parametrize(
    "last",
    ["ann@mail.com", "evil.com", "<", "<b", "[x", "ten", "1,234", "Claude", "Geico", "your claim is paid"],
)
def test_the_last_words_of_an_answer_are_read_if_anything_may_be_in_them(last: str) -> None:
    """Nothing comes behind them that could make the guards look."""
    scene = Scene(notice=lambda _key: "(not shown)")
    begun = "Here is what we know of it, and what you can do about it, and more:"
    for text in (f"{begun} {last}", f"{begun} {last}.", f"{begun} ({last})"):
        pieces = [f"{word} " for word in text.split()]
        pieces[-1] = pieces[-1].rstrip()
        assert _through(Chain(NAMES, GUARDS, scene), pieces) == _through(Chain(NAMES, CLOSED, scene), pieces)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("we pay for", 2),
        ("we pay,", 2),
        ("we pay ", 1),
        ("we pay a", 1),  # "at" may be coming
        ("we pay at last", None),
        ("we pay. smith", 2),
        ("we pay.smith x", None),
        ("the red", 1),
        ("the red ", 1),
        ("the red bus stops", 3),
        ("the red car stops", None),
        ("the (red bus stops", None),
        ("the red-bus stops", None),
        ("the well-made. thing ", 3),
        ("the well-made ", 1),
        ("24 hours are", None),
        ("it's red's x", 2),
        ("", 0),
    ],
)
def test_ordinary_words_pass_as_soon_as_nothing_can_come_of_them(text: str, count: int | None) -> None:
    """Half an address would be shown, or every word come late."""
    for _ in range(2):  # once learned, once known
        assert ORDINARY.passing(*words_of(text)) == count


def test_what_is_known_of_words_is_forgotten_and_learned_anew() -> None:
    """A server that runs for months would fill its memory with the words of answers."""
    ordinary = Ordinary([lambda word, _following: word == "red"], frozenset(), remembers=3)

    for word in ("we", "can", "help", "you", "red", "with", "it", "red"):
        assert ordinary.passing([f" {word}"], ", ") == (0 if word == "red" else 1)
    assert len(ordinary._known) <= 3


@pytest.mark.parametrize("name", sorted(GUARDS))
def test_what_a_step_gives_back_may_come_again(name: str) -> None:
    """Words would be lost or doubled where a row goes back to letting words pass."""
    text = "Here is what we know of it. The card is your"
    step = GUARDS[name].make(Scene())
    shown = [segment.text for segment in step.push(text)]

    assert isinstance(step, Skipping)
    if step.is_free:
        rest = step.held
        step.take_back()
        shown += [segment.text for segment in step.push(rest)]
    if step.unread("card"):
        shown += [segment.text for segment in step.push("card")]
        text += "card"

    assert "".join([*shown, *(segment.text for segment in step.end())]) == text


def test_words_that_pass_unread_count_for_the_length() -> None:
    """An answer that runs away would not be stopped."""
    chain = Chain(("length",), {"length": length_guard(100, 20)}, Scene())

    text, fired = _through(chain, ["so it goes on "] * 20)

    assert len(text) <= 121
    assert fired == [Fired("length", "answer_cut")]


def test_guards_that_can_do_without_words_stand_beside_others() -> None:
    """A guard of another make would stop the ones beside it from working."""
    looks = GUARDS["private"]
    strange = Guard("strange", "", lambda scene: _Closed(looks.make(scene)), looks.begins)
    chain = Chain(("private", "strange"), {"private": looks, "strange": strange}, Scene())

    assert _through(chain, ["Write to ann@x", "y.com, please."])[0] == "Write to …, please."
