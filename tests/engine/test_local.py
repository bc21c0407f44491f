"""The engine that works without Claude: fixed texts, quoted passages, a form filled slot by slot."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from engine.base import (
    Brief,
    Call,
    Cited,
    Done,
    EngineRequest,
    Replies,
    Round,
    Said,
    Text,
    ToolResult,
    ToolSpec,
    ToolUse,
)
from engine.local import Local
from errors import EngineRefused
from events import Flow
from knowledge.details import Details
from knowledge.passages import Passage
from tests.engine.calls import LABEL, PASSAGE, REQUEST, SEARCH, done_of, heard, text_of

FORM = ToolSpec("get_quote", "Price it.", {"required": ["make", "year", "age"], "properties": {}}, "form")
HAND_OVER = ToolSpec(
    "handoff",
    "Pass it on.",
    {"required": ["reason"], "properties": {"reason": {"enum": ["asked", "accident", "other"]}}},
    "handoff",
)
ODD = ToolSpec("weather", "Tell the weather.", {"required": []}, "none")


def _texts(**texts: str) -> dict[str, dict[str, str]]:
    return {key: {"en": text, "es": f"¡{text}!"} for key, text in texts.items()}


REPLIES = Replies(
    _texts(
        hours="We open at nine.",
        hello="Hello.",
        ask_make="Which make?",
        ask_year="Noted, {{make}}.\nWhich year?",
        ask_age="How old?",
        ask_many="Tell me:\n\n{{questions}}",
        help_year="It is in the papers. Which year?",
        unclear="Pardon? {{question}}",
        start_over="Dropped.",
        price="That is {{price}}.",
        after_quote="It stays {{price}}.",
        refused_too_old="Too old: {{limit}}.",
        unavailable="No price now.",
        answer="I found:\n{{sentences}}\nDoes that help?",
        handed_over="Ticket {{ticket_id}}.",
        accident="Are you safe? Ticket {{ticket_id}}.",
    ),
    triggers=(("hours", frozenset({"hours"})), ("accident", frozenset({"accident"}))),
)
NOTICES = Replies(
    {
        **_texts(
            basic_mode="Basic mode.", failed="Sorry.", nothing_found="Nothing.", offer_person="A person?"
        ),
        "only_english": {"de": "Leider nur auf Englisch."},
    }
)
BRIEF = Brief(intent="test", replies=REPLIES, notices=NOTICES, language="en")


def _request(*tools: ToolSpec, rounds: tuple[Round, ...] = (), **brief: object) -> EngineRequest:
    changed = replace(BRIEF, **brief)  # type: ignore[arg-type]
    return replace(REQUEST, tools=tools, rounds=rounds, brief=changed, message="Is hail covered?")


def _flow(**slots: str | int) -> Flow:
    missing = [name for name in ("make", "year", "age") if name not in slots]
    return Flow(intent="test", slots=slots, awaiting=missing[0] if missing else None)


def _round(tool: ToolSpec, **result: object) -> tuple[Round, ...]:
    fields: dict[str, object] = {"text": "raw words for the model", "ok": True, **result}
    made = ToolResult("t1", tool.name, **fields)  # type: ignore[arg-type]
    return (Round("", (ToolUse("t1", tool.name, {}),), (made,)),)


async def _says(request: EngineRequest) -> str:
    return text_of(await heard(Local(), request)).strip()


async def _use(request: EngineRequest) -> ToolUse:
    pieces = await heard(Local(), request)
    assert done_of(pieces).stop_reason == "tool_use"
    use = pieces[0]
    assert isinstance(use, ToolUse)
    return use


async def test_labels_are_not_its_business() -> None:
    """The local classifier gives labels without an engine."""
    with pytest.raises(EngineRefused):
        await heard(Local(), LABEL)


# Fixed texts


@pytest.mark.parametrize(
    ("concepts", "text"),
    [(set[str](), "Hello."), ({"hours"}, "We open at nine."), ({"x", "hours"}, "We open at nine.")],
)
async def test_a_concept_chooses_the_reply(concepts: set[str], text: str) -> None:
    """The prompt engineer's texts are all that is said."""
    replies = replace(REPLIES, texts={key: REPLIES.texts[key] for key in ("hours", "hello")})

    assert await _says(_request(concepts=frozenset(concepts), replies=replies)) == text


async def test_every_answer_ends_with_done() -> None:
    """The loop knows who answered and that it is over."""
    done = done_of(await heard(Local(), _request()))

    assert (done.stop_reason, done.engine, done.model) == ("end_turn", "local", "local")
    assert done.usage.cost_usd == 0


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "Hello."),
        ("es", "¡Hello.!"),
        ("de", "Leider nur auf Englisch.\n\nHello."),
        ("xx", "Hello."),
    ],
)
async def test_the_answer_is_in_the_customers_language_or_apologises(language: str, text: str) -> None:
    """Who writes German reads at least why the rest is English."""
    replies = replace(REPLIES, texts={"hello": REPLIES.texts["hello"]})

    assert await _says(_request(language=language, replies=replies)) == text


@pytest.mark.parametrize(
    ("degraded", "before", "is_said"), [(True, False, True), (True, True, False), (False, False, False)]
)
async def test_basic_mode_is_said_once_in_a_row(degraded: bool, before: bool, is_said: bool) -> None:
    """The customer is told, and not told again with every answer."""
    text = await _says(_request(degraded=degraded, degraded_before=before))

    assert text.startswith("Basic mode.") == is_said


async def test_an_offered_person_stands_at_the_end() -> None:
    """A way out, unless a question of the form is still open."""
    assert (await _says(_request(offer_person=True))).endswith("A person?")
    assert (await _says(_request(offer_person=True, open_question="Which year?"))).endswith("Which year?")


async def test_a_missing_text_becomes_an_honest_notice() -> None:
    """A prompt file without local replies still gets an answer."""
    assert await _says(_request(replies=Replies({}))) == "Sorry."


async def test_without_any_text_nothing_is_said() -> None:
    """The turn then closes with the program's own notice."""
    nothing = Replies({})

    assert await _says(_request(replies=nothing, notices=nothing, offer_person=True)) == ""


# A form


@pytest.mark.parametrize(
    ("brief", "text"),
    [
        ({"flow": _flow()}, "Tell me:\n\n- Which make?\n- Which year?\n- How old?"),
        ({"flow": _flow(make="Kia"), "read": {"make": "Kia"}}, "Noted, Kia.\nWhich year?"),
        ({"flow": _flow(age=25), "read": {"age": 25}, "asked_before": True}, "Which make?"),
        ({"flow": _flow(make="Kia"), "asked_before": True}, "Pardon? Noted, Kia.\nWhich year?"),
        (
            {"flow": _flow(make="Kia"), "command": "skip", "asked_before": True},
            "It is in the papers. Which year?",
        ),
        ({"flow": _flow(), "command": "help", "asked_before": True}, "Pardon? Which make?"),
        ({"flow": None, "command": "start_over"}, "Dropped."),
        ({"flow": None}, "Dropped."),
    ],
)
async def test_the_form_asks_for_what_is_missing(brief: Mapping[str, Any], text: str) -> None:
    """One question at a time, all at once at the beginning, help where it was asked for."""
    assert await _says(_request(FORM, **brief)) == text


async def test_a_complete_form_asks_for_the_price() -> None:
    """As Claude would: with all details, in a tool request."""
    flow = _flow(make="Kia", year=2020, age=30)
    use = await _use(_request(FORM, flow=flow, read={"age": 30}))

    assert (use.name, use.arguments) == ("get_quote", {"make": "Kia", "year": 2020, "age": 30})


async def test_after_the_price_nothing_new_means_no_new_price() -> None:
    """Haggling is answered with the price there is; a changed detail is priced again."""
    flow = _flow(make="Kia", year=2020, age=30).model_copy(update={"quoted": True})

    assert await _says(_request(FORM, flow=flow, quoted={"price": "$9"})) == "It stays $9."
    assert (await _use(_request(FORM, flow=flow, read={"age": 31}))).name == "get_quote"


@pytest.mark.parametrize(
    ("result", "text"),
    [
        ({"values": {"price": "$9"}}, "That is $9."),
        ({"ok": False, "code": "too_old", "at_fault": "year", "values": {"limit": "1990"}}, "Too old: 1990."),
        ({"ok": False, "code": "odd", "at_fault": "make", "values": {}}, "Which make?"),
        ({"ok": False, "code": "tool_timeout", "values": {}}, "No price now."),
    ],
)
async def test_what_the_form_returned_is_said(result: Mapping[str, object], text: str) -> None:
    """A price, a reason, or an honest "not now": never the words meant for the model."""
    assert await _says(_request(FORM, rounds=_round(FORM, **result))) == text


# A search


async def test_a_question_is_looked_up() -> None:
    """With the message, or with the question that was meant before the desk asked back."""
    assert (await _use(_request(SEARCH))).arguments == {"query": "Is hail covered?"}
    assert (await _use(_request(SEARCH, about="And theft?"))).arguments == {"query": "And theft?"}


async def test_a_fixed_text_needs_no_search() -> None:
    """Opening hours stand in the prompt file."""
    assert await _says(_request(SEARCH, concepts=frozenset({"hours"}))) == "We open at nine."


async def test_passages_are_quoted_with_their_sources() -> None:
    """Every sentence of the answer is the company's own, and has its link."""
    weak = replace(PASSAGE, source="other#1", url="https://example.test/other", score=0.1)
    pieces = await heard(Local(), _request(SEARCH, rounds=_round(SEARCH, passages=(PASSAGE, weak))))

    assert [piece for piece in pieces if isinstance(piece, Cited)] == [
        Cited(PASSAGE.source, PASSAGE.text, words=PASSAGE.text)
    ]
    assert text_of(pieces) == (
        "I found:\nHail is covered.\n[Hail](https://example.test/hail)\nDoes that help?"
    )


async def test_passages_of_one_article_share_its_link() -> None:
    """Two sentences, one source, one link."""
    second = Passage("hail#2", "Hail", PASSAGE.url, "en", "So is wind.", 0.9)
    text = await _says(_request(SEARCH, rounds=_round(SEARCH, passages=(PASSAGE, second))))

    assert text.count(PASSAGE.url) == 1
    assert "So is wind." in text


async def test_nothing_found_is_said() -> None:
    """No guess."""
    assert await _says(_request(SEARCH, rounds=_round(SEARCH))) == "Nothing."


# A hand-over


@pytest.mark.parametrize(
    ("concepts", "reason", "text"),
    [
        (set[str](), "asked", "Ticket T-1."),
        ({"accident"}, "accident", "Are you safe? Ticket T-1."),
        ({"hours"}, "other", "We open at nine."),
    ],
)
async def test_a_person_is_fetched_for_the_reason_the_message_speaks_of(
    concepts: set[str], reason: str, text: str
) -> None:
    """The colleague sees why, and the customer gets words that fit."""
    asked = await _use(_request(HAND_OVER, concepts=frozenset(concepts)))
    rounds = _round(HAND_OVER, values={"ticket_id": "T-1"})
    replies = replace(
        REPLIES, texts={key: REPLIES.texts[key] for key in ("hours", "accident", "handed_over")}
    )

    assert asked.arguments["reason"] == reason
    assert "Is hail covered?" in asked.arguments["summary"]
    assert (
        await _says(_request(HAND_OVER, rounds=rounds, concepts=frozenset(concepts), replies=replies)) == text
    )


async def test_a_failed_hand_over_is_not_called_a_success() -> None:
    """The customer would wait for somebody who was never told."""
    assert await _says(_request(HAND_OVER, rounds=_round(HAND_OVER, ok=False))) == "Sorry."


# Other tools


async def test_a_tool_without_a_reply_of_its_name_is_left_alone() -> None:
    """Another company's tool is for Claude; what it returned in an earlier round is told, its failure is not."""
    assert done_of(await heard(Local(), _request(ODD))).stop_reason == "end_turn"
    assert await _says(_request(ODD, rounds=_round(ODD, text="Sunny."))) == "Sunny."
    assert await _says(_request(ODD, rounds=_round(ODD, ok=False, text="stack trace"))) == "No price now."


BILLS = ToolSpec(
    "bills",
    "Bills of a policy up to a day.",
    {
        "properties": {
            "policy_number": {"anyOf": [{"type": "string"}, {"type": "null"}]},
            "until": {"anyOf": [{"type": "string", "format": "date"}, {"type": "null"}]},
            "preview_id": {"type": "string"},
        },
        "required": ["policy_number", "until", "preview_id"],
    },
)
WITH_BILLS = Replies(
    {**REPLIES.texts, **_texts(bills="You owe {{sum}}.", bills_paid="All paid.", refused_sign_in="Sign in.")}
    | {"bills_declined": {"en": "As you like."}},
    triggers=(("answer", frozenset({"how"})), ("bills", frozenset({"owe"}))),
)
TOLD = Details(number="ap-1", day=date(2026, 12, 31))


async def test_a_reply_with_a_tools_name_calls_the_tool() -> None:
    """A prompt engineer gives the local desk a new tool by writing a reply; no code."""
    use = await _use(_request(SEARCH, BILLS, replies=WITH_BILLS, concepts=frozenset({"owe"}), details=TOLD))

    assert use.name == "bills"
    assert use.arguments == {"policy_number": "ap-1", "until": "2026-12-31", "preview_id": None}


async def test_concepts_of_the_searchs_own_reply_choose_the_search() -> None:
    """Asked how one pays what one owes, an article answers, not the customer's bills."""
    use = await _use(_request(SEARCH, BILLS, replies=WITH_BILLS, concepts=frozenset({"how", "owe"})))

    assert use.name == SEARCH.name


async def test_a_tool_of_another_specialist_is_not_called() -> None:
    """A reply's name alone must not reach a tool that the prompt file does not list."""
    done = done_of(await heard(Local(), _request(SEARCH, replies=WITH_BILLS, concepts=frozenset({"owe"}))))

    assert done.stop_reason == "end_turn"


async def test_a_message_that_completes_a_call_goes_on_with_it() -> None:
    """A bare number after "which policy?" is no question for the articles."""
    call = Call("bills", {"policy_number": "ap-1"})
    use = await _use(_request(SEARCH, BILLS, replies=WITH_BILLS, call=call, concepts=frozenset({"how"})))

    assert (use.name, use.arguments) == ("bills", {"policy_number": "ap-1"})


async def test_a_plain_no_to_a_preview_is_answered_and_nothing_called() -> None:
    """Whoever says no wants to read that nothing was done."""
    request = _request(
        SEARCH, BILLS, replies=WITH_BILLS, declined="bills", concepts=frozenset({"owe"}), details=TOLD
    )

    assert await _says(request) == "As you like."


@pytest.mark.parametrize(
    ("result", "text"),
    [
        ({"values": {"sum": "5"}}, "You owe 5."),
        ({"values": {"sum": "5"}, "code": "due"}, "You owe 5."),
        ({"code": "paid"}, "All paid."),
        ({"ok": False, "code": "sign_in"}, "Sign in."),
        ({"ok": False, "code": "odd", "at_fault": "year"}, "Which year?"),
        ({"ok": False, "code": "odd"}, "No price now."),
    ],
)
async def test_a_tools_end_chooses_the_words(result: dict[str, object], text: str) -> None:
    """One reply a tool, further ones for its other ends, and refusals as for forms."""
    assert await _says(_request(SEARCH, BILLS, replies=WITH_BILLS, rounds=_round(BILLS, **result))) == text


async def test_it_goes_on_where_claude_stopped() -> None:
    """Claude searched and then went down: what was found is told, marked as basic mode."""
    rounds = _round(SEARCH, passages=(PASSAGE,))
    request = replace(_request(FORM, SEARCH, rounds=rounds, degraded=True), history=(Said("customer", "Hi"),))
    pieces = await heard(Local(), request)

    assert text_of(pieces).startswith("Basic mode.\n\nI found:\nHail is covered.")
    assert isinstance(pieces[-1], Done)
    assert all(piece.text for piece in pieces if isinstance(piece, Text) and piece.text.strip())
