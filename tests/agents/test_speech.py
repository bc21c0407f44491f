"""What the customer reads: paragraphs, guards, citations, and the end of an answer that broke off."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.speech import Speech
from engine.base import Cited
from events import CitationsProved, Event, TextDelta, TextEnded
from guards.chain import Chain
from guards.length import length_guard
from guards.stream import Scene
from knowledge.passages import Passage

PASSAGE = Passage("https://x/a#1", "An article", "https://x/a", "en", "Theft is covered. Fire is covered.")


class _Heard:
    def __init__(self, limit: int | None = None) -> None:
        self.events: list[Event] = []
        names, guards = ((), {}) if limit is None else (("length",), {"length": length_guard(limit, 40)})
        self.speech = Speech(Chain(names, guards, Scene()), self.events.append, "answer")

    def end(self, *, notice: str = "", is_unfinished: bool = False) -> None:
        self.speech.give_out(is_unfinished=is_unfinished)
        self.speech.end(notice=notice)

    @property
    def text(self) -> str:
        return "".join(event.text for event in self.events if isinstance(event, TextDelta))


@given(st.lists(st.lists(st.text(alphabet="ab .\n", max_size=6), max_size=5), max_size=4), st.data())
def test_the_text_does_not_depend_on_how_it_was_cut(messages: list[list[str]], data: st.DataObject) -> None:
    """A reader on a slow line would see other paragraphs than a reader on a fast one."""
    pieces, whole = _Heard(limit=12), _Heard(limit=12)
    for message in messages:
        text = "".join(message)
        cut = data.draw(st.integers(0, len(text)))
        for piece in message:
            pieces.speech.say(piece)
        for piece in (text[:cut], text[cut:]):
            whole.speech.say(piece)
        pieces.speech.pause()
        whole.speech.pause()
    pieces.end()
    whole.end()

    assert pieces.text == whole.text
    assert pieces.speech.said == whole.speech.said


def test_what_follows_a_tool_is_a_new_paragraph() -> None:
    """Everybody who asks about cover would read "Let me look.It is covered."."""
    heard = _Heard()
    for text in ("  Let me", " look."):
        heard.speech.say(text)
    heard.speech.pause()
    for text in ("\n", " It is", " covered."):
        heard.speech.say(text)
    heard.end()

    assert heard.text == "Let me look.\n\nIt is covered."
    assert [event.type for event in heard.events].count("text.started") == 1


def test_silence_begins_no_answer() -> None:
    """An empty bubble would appear on the chat page."""
    heard = _Heard()
    heard.speech.say(" \n")
    heard.speech.pause()
    heard.end()

    assert heard.events == []
    assert not heard.speech.said


def test_a_guard_that_fires_is_told() -> None:
    """Nobody would know that an answer was shortened."""
    heard = _Heard(limit=5)
    heard.speech.say("One two. Three four.")
    heard.end()

    assert heard.text == "One two."
    assert [event.type for event in heard.events] == [
        "guard.fired",
        "text.started",
        "text.delta",
        "text.ended",
    ]


@pytest.mark.parametrize(
    ("said", "shown"), [("It is", "It is…"), ("It is. ", "It is. "), ('"It is."', '"It is."'), ("", "")]
)
def test_an_answer_that_was_cut_off_shows_it(said: str, shown: str) -> None:
    """A customer would take half a sentence about their cover for the whole."""
    heard = _Heard()
    heard.speech.say(said)
    heard.end(is_unfinished=True)

    assert heard.text == shown


def test_a_notice_stands_below_what_was_said() -> None:
    """The customer would not know that something is missing, or the guard would swallow the notice."""
    heard = _Heard(limit=5)
    heard.speech.say("One two. Three four.")
    heard.end(notice="It broke off.")

    assert heard.text == "One two.\n\nIt broke off."


def test_a_notice_alone_is_an_answer() -> None:
    """A customer would read nothing at all."""
    heard = _Heard()
    heard.end(notice="It broke off.")

    assert heard.text == "It broke off."


def test_citations_go_with_the_end_of_the_answer_and_their_proof_before_it() -> None:
    """Ops could not look a source up, or a client would have to wait for something after the end."""
    heard = _Heard()
    heard.speech.learn([PASSAGE])
    heard.speech.say("Yes, theft is covered.")
    kept = heard.speech.cite(Cited(PASSAGE.source, "Theft is covered.", words="Yes, theft is covered."))
    invented = heard.speech.cite(Cited(PASSAGE.source, "All is covered.", words="Yes, theft is covered."))
    heard.end()

    proved, ended = heard.events[-2:]
    assert (kept, invented) == (True, False)
    assert isinstance(proved, CitationsProved)
    assert [(proof.sentence, proof.quote) for proof in proved.proofs] == [
        ("Yes, theft is covered.", "Theft is covered.")
    ]
    assert isinstance(ended, TextEnded)
    assert ended.citations == heard.speech.citations
    assert [(item.url, item.quote) for item in ended.citations] == [("https://x/a", "Theft is covered.")]


def test_what_a_guard_took_away_takes_its_source_with_it() -> None:
    """A customer would see a source for something that the answer does not say."""
    heard = _Heard(limit=5)
    heard.speech.learn([PASSAGE])
    for words, quote in (("It is one.", "Theft is covered."), ("Fire too.", "Fire is covered.")):
        heard.speech.say(f"{words} ")
        assert heard.speech.cite(Cited(PASSAGE.source, quote, words=words))
    heard.end()

    assert heard.text == "It is one."
    assert [item.quote for item in heard.speech.citations] == ["Theft is covered."]
