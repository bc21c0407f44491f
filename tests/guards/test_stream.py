"""Guards in a chain: the order of their work, and the law that cutting does not matter."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guards.chain import Chain, Fired
from guards.every import every_guard
from guards.length import length_guard
from guards.private import Contacts
from guards.stream import Guard, Scene, Segment
from knowledge.brand import Brand, Competitor
from tests.guards.cutting import cut, texts_like

TEXT = st.text(alphabet=st.sampled_from('aB .!?\n。…)"*é1'), max_size=120)


@dataclass
class _Hold:
    """Holds back a number that is still growing, and hides it; what follows flows on."""

    held: str = ""

    def push(self, text: str) -> list[Segment]:
        out: list[Segment] = []
        for letter in text:
            if letter.isdigit():
                self.held += letter
            else:
                out += [*self.end(), Segment(letter)]
        return out

    def end(self) -> list[Segment]:
        held, self.held = self.held, ""
        return [Segment("#", "number")] if held else []


@dataclass
class _Upper:
    """Changes every letter at once."""

    seen: list[str] = field(default_factory=list)

    def push(self, text: str) -> list[Segment]:
        self.seen.append(text)
        return [Segment(text.upper())]

    def end(self) -> list[Segment]:
        return [Segment("!")]


GUARDS = every_guard(
    Brand(competitor=[Competitor(name="Geico")]), lambda: ["a.example"], Contacts, ["get_quote"]
)
OWN = {
    "hold": Guard("hold", "hides numbers", lambda _: _Hold()),
    "upper": Guard("upper", "shouts", lambda _: _Upper()),
    "short": length_guard(20, 15),
}


def _through(names: tuple[str, ...], pieces: Sequence[str]) -> tuple[str, list[Fired]]:
    chain = Chain(names, {**GUARDS, **OWN}, Scene())
    parts = [chain.push(piece) for piece in pieces]
    parts.append(chain.end())
    return "".join(text for text, _ in parts), [item for _, fired in parts for item in fired]


@st.composite
def _cut(draw: st.DrawFn) -> tuple[str, list[str]]:
    """A text, and the same text in pieces."""
    text = draw(TEXT)
    cuts = sorted(draw(st.lists(st.integers(0, len(text)), max_size=12)))
    borders = [0, *cuts, len(text)]
    return text, [text[a:b] for a, b in pairwise(borders)]


CHAINS = [(name,) for name in (*GUARDS, *OWN)] + [
    ("hold", "upper", "short"),
    ("short", "hold"),
    ("hold", "short", "length"),
]


@pytest.mark.parametrize("names", CHAINS, ids="-".join)
@given(_cut())
def test_the_output_does_not_depend_on_how_the_text_was_cut(
    names: tuple[str, ...], cut: tuple[str, list[str]]
) -> None:
    """What a customer must not see could slip through between two pieces."""
    text, pieces = cut

    whole, fired = _through(names, [text])
    again, fired_again = _through(names, pieces)

    assert again == whole
    assert sorted(map(str, fired_again)) == sorted(map(str, fired))


def test_guards_work_one_after_the_other() -> None:
    """The second guard would see what the first one has hidden."""
    text, fired = _through(("hold", "upper"), ["call 555", "1234"])

    assert text == "CALL #!"
    assert fired == [Fired("hold", "number")]


def test_the_first_words_wait_for_no_guard_that_has_seen_what_follows_them() -> None:
    """Customers would wait for each guard in turn: one holds words that the next one needs to see."""
    chain = Chain(("private", "figures"), GUARDS, Scene())

    assert chain.push("Una c") == ("Una ", [])


def test_no_guard_looks_past_one_that_drops_words() -> None:
    """A tag between the words of a rival's name would bring the name to the customer."""
    known = every_guard(
        Brand(competitor=[Competitor(name="The Hartford")]), lambda: ["a.example"], Contacts, ["get_quote"]
    )
    chain = Chain(("links", "competitors"), known, Scene())
    said = [chain.push(piece)[0] for piece in ("The <", "b>", "Hartford")]

    assert "".join([*said, chain.end()[0]]) == "another company"


@settings(max_examples=40)
@given(
    cut(
        texts_like(
            "The", "A", "Una", "I am", "Claude", "as a", "language model", "Geico", "week", "$5", "between", "ann", "@",
            "x.com", "4111", "1111", "Your claim", "will be paid", ".", ",", "[", "](", "http://", ")", "<b>", "El", "No",
        )
    )
)  # fmt: skip
def test_the_first_words_of_an_answer_do_not_depend_on_how_it_was_cut(pieces: list[str]) -> None:
    """A guard that looks ahead would decide on words that come otherwise."""
    names = (
        "length",
        "language",
        "promises",
        "instructions",
        "private",
        "persona",
        "figures",
        "competitors",
        "links",
    )

    whole = _through(names, ["".join(pieces)])
    for cuts in (pieces, list("".join(pieces))):
        text, fired = _through(names, cuts)
        assert (text, sorted(map(str, fired))) == (whole[0], sorted(map(str, whole[1])))


def test_a_chain_without_guards_changes_nothing() -> None:
    """A specialist without guards would be silent."""
    assert _through((), ["One ", "two."]) == ("One two.", [])


def test_nothing_is_pushed_where_nothing_came() -> None:
    """A guard would be asked about empty text and might answer."""
    step = _Upper()
    chain = Chain(("hold", "seen"), {**OWN, "seen": Guard("seen", "", lambda _: step)}, Scene())
    chain.push("12")

    assert step.seen == []


def test_a_long_text_is_worked_on_in_pieces() -> None:
    """A guard that looks at all that has come would take ten times as long for three times the text."""
    step = _Upper()
    chain = Chain(("seen",), {"seen": Guard("seen", "", lambda _: step)}, Scene())

    assert chain.push("ab" * 400) == ("AB" * 400, [])
    assert max(map(len, step.seen)) < 300


@pytest.mark.parametrize("name", sorted(GUARDS))
def test_every_guard_says_what_it_is_for(name: str) -> None:
    """A prompt engineer could not choose among guards."""
    assert GUARDS[name].name == name
    assert len(GUARDS[name].purpose) > 20
