"""The chat page in a real browser, against the real server."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Page, Route, expect

from tests.web.conftest import Cable, Desk, Visitor
from tests.web.made_up import Events, answer_with, assert_clean, source, started, stream

Visit = Callable[..., Visitor]
_QUOTE = "How much to insure a 2022 Nissan Leaf with 20,000 miles? I am 35."
_LONGEST_PAUSE_MS = 15_000
_COVER = "What does comprehensive cover include?"
_HOSTILE = (
    '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script> **bold** [a](javascript:hacked=1) '
    "![x](https://evil.example/x.png) <a href='https://evil.example'>b</a>"
)


def test_a_visitor_gets_an_answer_with_numbered_sources(visit: Visit) -> None:
    """A visitor could not ask anything, or could not see where the answer comes from."""
    visitor = visit()
    answer = visitor.say(_COVER)
    assert "comprehensive" in answer.lower()
    links = visitor.page.locator(".sources ol a")
    assert links.count() == len({source.url for source in visitor.history()[1].citations})
    assert links.first.get_attribute("target") == "_blank"
    assert links.first.get_attribute("rel") == "noopener noreferrer"
    assert_clean(visitor)


def test_a_spanish_visitor_reads_spanish(visit: Visit) -> None:
    """A Spanish speaker would get English buttons, or an English answer."""
    visitor = visit(locale="es-MX")
    assert visitor.page.locator("html").get_attribute("lang") == "es"
    assert visitor.page.locator("#send").inner_text() == "Enviar"
    assert re.search(r"\b(el|la|tu|qué|los)\b", visitor.say("¿Qué cubre el seguro de auto?"), re.IGNORECASE)
    assert visitor.sent[0]["locale"] == "es"
    visitor.say("¿Cuánto cuesta asegurar un Nissan Leaf 2022 con 20000 millas? Tengo 35 años.")
    assert "al mes" in visitor.page.locator(".card").inner_text()
    assert_clean(visitor)


def test_a_price_is_shown_as_a_card_and_all_of_it_survives_a_reload(visit: Visit) -> None:
    """A customer would lose price, sources or history by pressing reload, or read them twice."""
    visitor = visit()
    visitor.say(_COVER)
    visitor.say(_QUOTE)
    assert re.match(r"\$\d+\.\d\d a month", visitor.page.locator(".card").inner_text())
    before = visitor.page.locator("#log").inner_text()
    visitor.page.reload()
    visitor.answer(2)
    assert visitor.page.locator("#log").inner_text() == before
    assert len(visitor.sent) == 2
    assert_clean(visitor)


def test_asking_for_a_person_shows_the_ticket(visit: Visit) -> None:
    """A customer who asked for a person would not know that somebody is coming."""
    visitor = visit()
    visitor.say("I want to talk to a person")
    expect(visitor.page.locator(".ticket")).to_have_text(re.compile(r"^Ticket \S+: waiting for a person$"))


def test_the_choices_of_a_question_back_are_buttons(visit: Visit) -> None:
    """A customer on a phone would have to type out what the desk offered to choose from."""
    visitor = visit()
    visitor.page.route("**/events", lambda route: stream(route, []))
    visitor.page.route("**/chat", answer_with("Which one?\n\n1. a price\n2. a person\n\nOr say it.", []))
    visitor.say("what about it")
    visitor.page.get_by_role("button", name="a person").click()
    visitor.answer(2)
    assert visitor.sent[1]["message"] == "a person"
    expect(visitor.page.locator(".turn").first.locator(".choice:enabled")).to_have_count(0)
    expect(visitor.page.locator("#box")).to_be_focused()


def test_a_line_that_breaks_at_any_place_loses_and_doubles_nothing(visit: Visit, cable: Cable) -> None:
    """A customer in a train would read half an answer, or the same one twice."""
    visitor = visit()
    visitor.say("hello")
    for marker, further in ((b"RUN_STARTED", -4), (b"TEXT_MESSAGE_CONTENT", 150), (b"RUN_FINISHED", 40)):
        cable.break_at(marker, further)
    visitor.say(_QUOTE)
    visitor.say(_COVER)
    visitor.until(lambda: cable.breaks_seen == 3)
    _assert_page_is_the_history(visitor)


def test_a_message_whose_reply_was_lost_is_sent_again_and_answered_once(visit: Visit, cable: Cable) -> None:
    """A customer would ask twice, and a price or a ticket would be made twice."""
    visitor = visit()
    visitor.say("hello")
    _start_anew(visitor)
    cable.break_at(b"RUN_STARTED", -4)
    visitor.say(_QUOTE)
    assert cable.breaks_seen == 1
    assert len(visitor.sent) == 3
    assert visitor.sent[1] == visitor.sent[2]
    visitor.sent.pop(0)
    _assert_page_is_the_history(visitor)


def test_a_message_written_while_the_server_is_dead_arrives_once_it_is_back(visit: Visit, desk: Desk) -> None:
    """A restart of the server would cost a customer their conversation."""
    visitor = visit()
    visitor.say("hello")
    visitor.page.clock.install()
    desk.die()
    visitor.page.locator("#box").fill(_QUOTE)
    visitor.page.locator("#box").press("Enter")
    expect(visitor.page.locator("#status")).to_contain_text("Connecting again")
    expect(visitor.page.locator("#send")).to_be_disabled()
    desk.start()
    visitor.page.clock.fast_forward(_LONGEST_PAUSE_MS)
    visitor.answer(2)
    expect(visitor.page.locator("#status")).to_be_empty()
    _assert_page_is_the_history(visitor)


def test_a_message_that_was_on_its_way_survives_a_reload(visit: Visit, cable: Cable) -> None:
    """A customer who reloads because nothing happens would lose what they wrote."""
    visitor = visit()
    visitor.say("hello")
    cable.is_down = True
    cable.cut()
    visitor.page.locator("#box").fill(_QUOTE)
    visitor.page.locator("#box").press("Enter")
    expect(visitor.page.locator("#status")).to_contain_text("Connecting again")
    cable.is_down = False
    visitor.page.reload()
    visitor.answer(2)
    assert visitor.sent[-1]["message_id"] == visitor.sent[1]["message_id"]
    _assert_page_is_the_history(visitor)


def test_going_offline_and_back_sends_at_once(visit: Visit) -> None:
    """A customer who comes out of a tunnel would wait for a long pause to end."""
    visitor = visit()
    visitor.page.clock.install()
    visitor.page.context.set_offline(True)
    visitor.page.locator("#box").fill("hello")
    visitor.page.locator("#box").press("Enter")
    expect(visitor.page.locator("#status")).to_contain_text("Connecting again")
    visitor.page.clock.pause_at(datetime.now(UTC) + timedelta(days=1))  # from here on no pause ends by itself
    visitor.page.context.set_offline(False)
    visitor.answer(1)
    assert len({sent["message_id"] for sent in visitor.sent}) == 1


def test_a_refused_message_stays_in_the_box_and_keeps_its_id(visit: Visit) -> None:
    """A customer would have to write a long message again, or would be answered twice."""
    visitor = visit()
    error = {"error": {"code": "unavailable", "message": "Come back in a minute.", "request_id": "1"}}
    visitor.page.route("**/chat", lambda route: route.fulfill(status=503, json=error))
    visitor.page.locator("#box").fill("hello")
    visitor.page.locator("#box").press("Enter")
    expect(visitor.page.locator("#error")).to_have_text("Come back in a minute.")
    expect(visitor.page.locator("#box")).to_have_value("hello")
    expect(visitor.page.locator(".turn")).to_have_count(0)
    visitor.page.unroute("**/chat")
    visitor.page.locator("#box").press("Enter")
    visitor.answer(1)
    assert visitor.sent[0] == visitor.sent[1]
    expect(visitor.page.locator("#error")).to_be_empty()


def test_a_message_that_is_too_long_is_not_cut(visit: Visit) -> None:
    """A customer who pastes a letter would lose its end without knowing."""
    visitor = visit()
    visitor.page.locator("#box").fill("x" * 8_001)
    visitor.page.locator("#box").press("Enter")
    expect(visitor.page.locator("#error")).to_contain_text("8,001")
    assert visitor.page.locator("#box").input_value() == "x" * 8_001
    assert visitor.sent == []


def test_a_lost_conversation_can_be_started_anew(visit: Visit) -> None:
    """A customer who comes back after the data was deleted would be stuck."""
    visitor = visit()
    visitor.page.evaluate("localStorage['chat.id'] = 'a-conversation-that-is-gone'")
    visitor.page.reload()
    visitor.page.wait_for_function("() => localStorage['chat.id'] === undefined")
    visitor.say("hello")
    assert len(visitor.history()) == 2


def test_a_new_conversation_knows_nothing_of_the_old_one(visit: Visit) -> None:
    """The next person at a shared computer would read the last one's messages."""
    visitor = visit()
    visitor.say("hello")
    first = visitor.history()
    _start_anew(visitor)
    visitor.say("hi")
    assert "conversation_id" not in visitor.sent[1]
    assert {said.turn_id for said in first}.isdisjoint(said.turn_id for said in visitor.history())
    assert_clean(visitor)


def test_two_pages_of_one_visitor_show_the_same(visit: Visit) -> None:
    """A customer with two tabs would read answers to questions that are not there."""
    first = visit()
    first.say("hello")
    second = Visitor(first.page.context, first.page.url)
    second.answer(1)
    second.say(_QUOTE)
    first.answer(2)
    assert first.page.locator("#log").inner_text() == second.page.locator("#log").inner_text()


@pytest.mark.fault("S5")
def test_what_somebody_wrote_never_becomes_markup(visit: Visit) -> None:
    """An attacker could run code in a customer's browser, or have it load something from elsewhere."""
    visitor = visit()
    visitor.page.route("**/events", lambda route: stream(route, []))
    visitor.page.route("**/chat", answer_with(_HOSTILE, [source("javascript:hacked=1", "<b>x</b>")]))
    answer = visitor.say(_HOSTILE)
    assert visitor.page.locator(".question").inner_text().endswith(_HOSTILE)
    assert "<script>window.hacked=1</script> bold [a](javascript:hacked=1)" in answer
    assert visitor.page.evaluate("window.hacked") is None
    assert visitor.page.locator("#log :is(img, script, iframe, b)").count() == 0
    links = [link.get_attribute("href") for link in visitor.page.locator("#log a").all()]
    assert links == ["https://evil.example/x.png"]
    assert_clean(visitor)


def test_the_little_markdown_that_answers_use_is_shown(visit: Visit) -> None:
    """A customer would read stars and brackets instead of lists and links."""
    visitor = visit()
    text = "One **two [three](https://a.example/?b=1)**\nfour\n\n- a\n- b\n\n3. c\n\n4. d\n"
    html = visitor.page.evaluate(
        "async (text) => (await import('./chat.js')).format(text).map((e) => e.outerHTML).join('')", text
    )
    link = '<a href="https://a.example/?b=1" target="_blank" rel="noopener noreferrer">three</a>'
    lists = '<ul><li>a</li><li>b</li></ul><ol start="3"><li>c</li><li>d</li></ol>'
    assert html == f"<p>One <strong>two {link}</strong><br>four</p>{lists}"


def test_a_failed_turn_shows_its_notice_once_and_basic_mode_is_marked(visit: Visit) -> None:
    """A customer would read the same apology twice, or not know why the answer is so plain."""
    visitor = visit()
    visitor.page.route("**/events", lambda route: stream(route, []))
    failed: Events = [
        {"type": "TEXT_MESSAGE_CONTENT", "delta": "Sorry, not now."},
        {"type": "RUN_ERROR", "code": "engine_down", "message": "Sorry, not now."},
    ]
    visitor.page.route("**/chat", lambda route: stream(route, [started(route), *failed]))
    assert visitor.say("hello") == "Sorry, not now."
    visitor.page.unroute("**/chat")
    visitor.page.route("**/chat", answer_with("Plain.", []))
    assert visitor.say("hello again") == "Plain."
    expect(visitor.page.locator(".mark")).to_have_text("Basic mode")


def test_an_answer_whose_stream_ends_before_it_goes_on_where_it_was(visit: Visit) -> None:
    """A restart of the server, or of its database, would be written into the middle of an answer."""
    visitor = visit()
    whole: Events = []

    def break_off(route: Route) -> None:
        whole[:] = [
            started(route),
            {"type": "TEXT_MESSAGE_CONTENT", "delta": "Half an "},
            {"type": "TEXT_MESSAGE_CONTENT", "delta": "answer."},
            {"type": "RUN_FINISHED", "result": {"turn_id": "none"}},
        ]
        stream(route, [*whole[:2], {"type": "RUN_ERROR", "code": "resume", "message": "Come back."}])

    visitor.page.route("**/events", lambda route: stream(route, whole))
    visitor.page.route("**/chat", break_off)
    assert visitor.say("hello") == "Half an answer."


def test_frames_are_read_however_the_bytes_are_cut(visit: Visit) -> None:
    """A customer's umlauts and line breaks would be garbled by a proxy that cuts the stream anywhere."""
    stream = ': hi\r\nid: t:1\r\ndata: {"a":\r\ndata: "¿ñ🚗"}\r\n\r\nid:t:2\ndata:x\n\n\rdata: y\r\rdata: cut'
    wanted = [
        {"id": "t:1", "data": '{"a":\n"¿ñ🚗"}'},
        {"id": "t:2", "data": "x"},
        {"id": "t:2", "data": "y"},
    ]
    script = """async ([text, size]) => {
        const { readFrames } = await import('./chat.js');
        const bytes = new TextEncoder().encode(text), frames = [];
        const body = new ReadableStream({ start(line) {
            for (let at = 0; at < bytes.length; at += size) line.enqueue(bytes.slice(at, at + size));
            line.close();
        } });
        for await (const frame of readFrames(body)) frames.push(frame);
        return frames;
    }"""
    visitor = visit()
    for size in (1, 2, 3, 7, 1000):
        assert visitor.page.evaluate(script, [stream, size]) == wanted


def test_the_typing_sign_comes_at_once_and_the_keyboard_is_enough(visit: Visit) -> None:
    """A customer would wonder whether anything happened, or need a mouse."""
    visitor = visit()
    box = visitor.page.locator("#box")
    expect(box).to_be_focused()
    box.press_sequentially("one")
    box.press("Shift+Enter")
    box.press_sequentially("two")
    assert visitor.page.evaluate("""() => {
        document.getElementById('form').requestSubmit();
        return document.querySelector('.typing span').checkVisibility();
    }""")
    visitor.answer(1)
    expect(box).to_be_focused()
    assert visitor.sent[0]["message"] == "one\ntwo"


def test_nothing_scrolls_sideways_on_the_smallest_phone(visit: Visit) -> None:
    """A customer with a small phone would have to push the page left and right to read it."""
    for locale in ("en-US", "es-ES"):
        visitor = visit(locale=locale, width=320, has_touch=True)
        visitor.say("https://www.example.org/" + "a" * 300)
        visitor.say(_QUOTE)
        assert _width(visitor.page) == 320
        assert visitor.page.evaluate("(log => log.scrollWidth - log.clientWidth)(document.all.log)") == 0


def test_a_rating_reaches_the_server(visit: Visit) -> None:
    """What customers think of an answer would be lost."""
    visitor = visit()
    visitor.say("hello")
    with visitor.page.expect_response("**/feedback") as response:
        visitor.page.get_by_role("button", name="4 of 5").click()
    assert response.value.status == 201
    expect(visitor.page.locator(".rating")).to_have_text("Thank you for your rating.")
    assert_clean(visitor)


def _start_anew(visitor: Visitor) -> None:
    visitor.page.once("dialog", lambda dialog: dialog.accept())
    visitor.page.locator("#anew").click()
    expect(visitor.page.locator("#welcome")).to_be_visible()


def _assert_page_is_the_history(visitor: Visitor) -> None:
    """The page shows every message once, as the server has it."""
    history = visitor.history()
    asked = [message.text for message in history if message.role == "customer"]
    questions = visitor.page.locator(".question").all_inner_texts()
    assert [question.removeprefix("You:").strip() for question in questions] == asked
    answers = [_letters(message.text) for message in history if message.role == "assistant"]
    shown = [_letters(words) for words in visitor.page.locator(".words").all_inner_texts()]
    assert shown == answers
    assert len(asked) == len({sent["message_id"] for sent in visitor.sent})
    before = visitor.page.locator("#log").inner_text()
    visitor.page.reload()
    visitor.answer(len(asked))
    assert visitor.page.locator("#log").inner_text() == before


def _letters(text: str) -> str:
    """The words without Markdown, links and numbers of sources."""
    plain = re.sub(r"\n\[[^\]]*\]\([^)]*\)|\[\d+\]|^- ", "", text, flags=re.MULTILINE)
    return re.sub(r"[\s*]", "", plain)


def _width(page: Page) -> int:
    width: int = page.evaluate("document.documentElement.scrollWidth")
    return width
