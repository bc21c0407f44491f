"""Questions without an answer are listed, those that mean much the same together, the most frequent first."""

from collections.abc import Sequence
from datetime import timedelta

from events import Event, GapSeen, Recorded, RouteDecided, TurnAccepted, TurnFinished, TurnRef
from readers.gaps import Gaps, fold_gaps
from tests.readers.turns import START, WHOLE, recorded

Asked = tuple[str, str, str]
Turn = tuple[TurnRef, Sequence[Recorded]]
_TELLS_NOTHING = frozenset({"do", "you", "insure", "my", "a", "is", "covered", "el", "mi"})


def _telling(text: str, language: str) -> frozenset[str]:
    """Whole words; the language only has to be handed over."""
    assert language in {"en", "es"}
    return frozenset(text.casefold().strip("?").split()) - _TELLS_NOTHING


def _turn(number: int, asked: Asked, kind: str = "nothing_found") -> Turn:
    language, text, looked_up = asked
    events: list[Event] = [
        TurnAccepted(message_id="m", text=text),
        RouteDecided(intent="i", confidence=1, decided_by="local", language=language),
        GapSeen.model_validate({"kind": kind, "looked_up": (looked_up,) if looked_up else ()}),
        TurnFinished(outcome="answered"),
    ]
    turn = TurnRef(conversation_id="c", turn_id=f"t{number}", ordinal=number, message_id="m")
    later = timedelta(hours=number)
    return turn, [item.model_copy(update={"at": item.at + later}) for item in recorded(events)]


def _gaps(*asked: Asked) -> Gaps:
    return fold_gaps([_turn(number, item) for number, item in enumerate(asked)], _telling)


def test_questions_that_share_what_tells_are_one_gap() -> None:
    """Fifty customers who ask for one thing would look like fifty things."""
    gaps = _gaps(
        ("en", "do you insure my boat?", ""),
        ("en", "what about pets", "pet insurance"),
        ("en", "is my fishing boat covered", "fishing boat"),
        ("es", "¿mi boat?", "boat"),
    )

    assert gaps.questions == 4
    boats, pets = gaps.gaps
    assert (boats.count, boats.languages, boats.last_at) == (
        3,
        ("es", "en"),
        START + timedelta(hours=3, milliseconds=200),
    )
    assert [(question.text, question.turn_id) for question in boats.examples] == [
        ("¿mi boat?", "t3"),
        ("is my fishing boat covered", "t2"),
    ]
    assert (pets.count, pets.examples[0].looked_up) == (1, ("pet insurance",))


def test_a_question_goes_to_what_it_shares_most_with() -> None:
    """A question about a boat's trailer would be counted with the caravans."""
    gaps = _gaps(
        ("en", "caravan trailer hire", ""),
        ("en", "boat trailer engine", ""),
        ("en", "engine boat caravan", ""),
    )

    assert [[question.text for question in gap.examples] for gap in gaps.gaps] == [
        ["engine boat caravan"],
        ["caravan trailer hire"],
    ]


def test_of_two_equally_near_the_older_one_grows() -> None:
    """The same log would be grouped in another way at each look."""
    asked = (("en", "old red boat", ""), ("en", "old blue car", ""), ("en", "old red car", ""))

    assert [gap.count for gap in _gaps(*asked).gaps] == [2, 1]
    assert _gaps(*asked).gaps[0].examples[0].text == "old red car"
    assert _gaps(*asked) == _gaps(*asked)


def test_questions_that_share_too_little_stay_apart() -> None:
    """One gap would swallow all the others."""
    assert (
        len(
            _gaps(
                ("en", "boat engine fire", ""), ("en", "boat trip food", ""), ("en", "?", ""), ("en", "!", "")
            ).gaps
        )
        == 4
    )


def test_the_kind_is_counted() -> None:
    """Whoever writes the articles could not tell a missing one from one that does not answer."""
    turns = [_turn(0, ("en", "boat", "")), _turn(1, ("en", "boat", ""), "nothing_cited")]
    (gap,) = fold_gaps(turns, _telling).gaps

    assert (gap.count, gap.nothing_found) == (2, 1)


def test_turns_that_were_answered_do_not_count() -> None:
    """The list would hold what is no gap."""
    turn = TurnRef(conversation_id="c", turn_id="t", ordinal=1, message_id="m")

    assert fold_gaps([(turn, recorded(WHOLE))], _telling) == Gaps(questions=0, gaps=())
