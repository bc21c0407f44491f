"""Whose data may be said, how the sentence reads without it, and the law of cuts, for the guard alone."""

import time

import pytest
from hypothesis import given, settings

from events import GuardFired
from guards.private import KINDS, Contacts, contacts_in, private_guard
from guards.stream import Ground, Scene, Step
from tests.guards.cutting import assert_same_however_cut, cut, texts_like, through
from tests.guards.private.answers import chain, desk, shown

OWN = Contacts.listed(["1-800-123-4567", "Help@company.example"])
NOTICES = {
    "private_email": "an address I can't give",
    "private_phone": "a number I can't give",
    "private_card": "a card I can't name",
}


def _step(*grounds: Ground, says_back: frozenset[str] = frozenset()) -> Step:
    scene = Scene(grounds=list(grounds), says_back=says_back, notice=lambda key: NOTICES.get(key, ""))
    return private_guard(lambda: OWN).make(scene)


def _shown(text: str, *grounds: Ground, says_back: frozenset[str] = frozenset()) -> str:
    return through(_step(*grounds, says_back=says_back), [text])[0]


@settings(max_examples=50)
@given(
    cut(
        texts_like(
            *(
                "ann",
                "@",
                "gmail",
                ".com",
                " at ",
                " dot ",
                "arroba",
                "[at]",
                "(",
                "<",
                ">",
                "**",
                "&#64;",
                "%40",
            ),
            *("_", "-", "+34", " 600", "123456", "4111 1111", "11111111", "ES91", "2100", "0418450200051332"),
            *(
                "X",
                "1234567",
                "L",
                "six",
                " zero",
                "hundred",
                ", ",
                "\n",
                "tel:",
                "](",
                "call ",
                "policy ",
                "İ",
            ),
            *("a n", "ext. 5", "12345678Z"),
        )
    )
)
def test_cuts_make_no_difference_to_personal_data(pieces: list[str]) -> None:
    """An address would slip through where the model paused in it."""
    assert_same_however_cut(_step, pieces)


@pytest.mark.parametrize(
    ("said", "shown_"),
    [
        ("Ask him: ann@x.com.", "Ask him: an address I can't give."),
        ("The ann@x.com is his.", "The address I can't give is his."),
        ("ann@x.com is his.", "An address I can't give is his."),
        ("**ann**@x.com it is", "**An address I can't give** it is"),
        ("(415-555-2671)", "(a number I can't give)"),
        ("Ring 415-555-2671 ext. 4 now", "Ring a number I can't give now"),
        ("Ring +1 415 555 2671, ok", "Ring a number I can't give, ok"),
        ("[Ann](mailto:ann@x.com)", "[Ann](mailto:)"),
        ("see https://a.example/?m=ann@x.com", "see https://a.example/?m="),
        ("ann@x.com or 415-555-2671", "An address I can't give or a number I can't give"),
        ("It is 12345678Z.", "It is …."),
        ("<ann@x.com>", "An address I can't give"),
        ("4111 1111 1111 1111 12/27", "A card I can't name 12/27"),
    ],
)
def test_the_sentence_stays_readable(said: str, shown_: str) -> None:
    """A customer would read half a sentence, or a broken link."""
    assert _shown(said) == shown_


@pytest.mark.parametrize(
    "text",
    [
        "Call 1-800-123-4567.",
        "Call +1 (800) 123-4567 24/7.",
        "Write to help@company.example or HELP@company.example.",
    ],
)
def test_the_company_s_own_contacts_stay(text: str) -> None:
    """Nobody could reach the company."""
    assert through(_step(), [text]) == (text, [])


def test_contacts_in_the_company_s_fixed_texts_and_articles_are_its_own() -> None:
    """A help line that only an article or a prompt file names would be hidden."""
    text = "Call 415-555-2671 or mail to ann@x.com."

    assert _shown(text, Ground("company", "Help: (415) 555-2671, ann@x.com")) == text
    assert contacts_in([text]) == Contacts(frozenset({"4155552671"}), frozenset({"ann@x.com"}))
    assert "8001234567" in desk()[0].knowledge.contacts.phones


@pytest.mark.parametrize(
    ("said", "answer", "kind"),
    [
        ("mine is ann at gmail dot com", "It is ann@gmail.com.", "email"),
        ("call 4155552671", "It is +1 415-555-2671.", "phone"),
        ("four one five five five five two six seven one", "It is 415-555-2671.", "phone"),
        ("card 4111111111111111", "It is 4111 1111 1111 1111.", "card"),
        ("es91 2100 0418 4502 0005 1332", "It is ES9121000418450200051332.", "account"),
        ("dni 12345678z", "It is 12.345.678-Z.", "document"),
    ],
)
def test_a_customer_s_own_data_is_said_back_only_where_the_file_allows_that_kind(
    said: str, answer: str, kind: str
) -> None:
    """A customer could not have a number confirmed, or a card would be repeated although nobody allowed it."""
    theirs = Ground("customer", said)

    assert _shown(answer, theirs, says_back=frozenset({kind})) == answer
    assert _shown(answer, theirs, says_back=KINDS - {kind}) != answer
    assert _shown(answer, theirs) != answer


def test_what_a_tool_says_of_others_is_not_the_customer_s_own() -> None:
    """A tool's result about somebody else would be read out."""
    answer = "It is ann@gmail.com."
    everything = frozenset(KINDS)

    assert _shown(answer, Ground("tool", answer, is_own=True), says_back=everything) == answer
    assert _shown(answer, Ground("tool", answer), says_back=everything) != answer
    assert _shown(answer, Ground("passage", answer), says_back=everything) != answer
    assert _shown(answer, Ground("customer", "joann@gmail.com"), says_back=everything) != answer


def test_grounds_that_come_while_the_answer_is_under_way_count() -> None:
    """A tool's answer would be hidden because it came late."""
    scene = Scene(says_back=frozenset({"email"}))
    step = private_guard(lambda: OWN).make(scene)
    first = through(step, ["ann@gmail.com "])[0]
    scene.grounds.append(Ground("tool", "ann@gmail.com", is_own=True))

    assert (first, through(step, ["ann@gmail.com "])[0]) == ("… ", "ann@gmail.com ")


def test_only_the_class_is_told_and_the_answer_ends_with_where_to_get_help() -> None:
    """A log line would hold what the guard hides, or a customer would not know what to do."""
    said, fired = shown(chain("en"), ["His card is 4111 1111 1111 1111."])

    assert [(item.guard, item.what) for item in fired] == [("private", "card")]
    assert "4111" not in repr([GuardFired(guard=item.guard, what=item.what) for item in fired])
    assert said.endswith('just write "person".')


def test_every_shipped_intent_has_the_guard_and_none_says_cards_back() -> None:
    """One intent would leak what all the others keep."""
    specialists = desk()[1].specialists.values()

    assert all("private" in item.guards for item in specialists)
    assert {kind for item in specialists for kind in item.says_back} == {"email", "phone"}


@pytest.mark.parametrize("behind", ["ann@example.com", "4111-1111-1111-1111", "+34 600 123 456"])
def test_nothing_hides_behind_a_row_that_is_no_address(behind: str) -> None:
    """A long row is passed over at once; what it ends with would be passed over too."""
    row = "%4" * 90

    for pieces in ([f"{row} {behind} ok"], list(f"{row} {behind} ok"), [f"{row}({behind}) ok"]):
        text, fired = through(_step(), pieces)
        assert behind not in text
        assert len(fired) == 1


@pytest.mark.parametrize(
    "unit", ["a ", "a dot ", "9-", "1 ", "a@", "600 123 456, ", "<", "four ", "%4", "<a ", "&#6"]
)
def test_a_hostile_answer_takes_linear_time(unit: str) -> None:
    """One strange answer would stop the desk for everybody."""

    def cpu_s(size: int) -> float:
        text = (unit * size)[:size]
        started = time.process_time()
        through(_step(), [text])
        return time.process_time() - started

    cpu_s(500)
    assert cpu_s(4_000) < 40 * cpu_s(500) + 0.5
