"""The chat page given what an attacker would have it shown, in a real browser: it shows the signs and does nothing."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.web.conftest import Visitor
from tests.web.made_up import answer_with, assert_clean, source, stream

Visit = Callable[..., Visitor]
ANSWERS = (Path(__file__).parent / "hostile_answers.txt").read_text(encoding="utf-8").splitlines()
_TAGS = {"P", "UL", "OL", "LI", "STRONG", "BR", "A", "BUTTON", "DIV", "SECTION", "SPAN", "BDI"}
_FOUND = """(root) => [...root.querySelectorAll('*')].map((e) => [
    e.tagName, e.getAttribute('href'), e.getAttributeNames().filter((n) => n.startsWith('on') || n === 'style')])"""
_APPEND = """async (answers) => {
    const {format} = await import('./chat.js');
    for (const text of answers) document.getElementById('log').append(...format(text), ...format(text, () => 0));
}"""


@pytest.mark.fault("S5")
def test_no_hostile_answer_runs_loads_or_changes_anything(visit: Visit) -> None:
    """An attacker could run code in a customer's browser, or have it tell another server what was said."""
    visitor = visit()
    visitor.page.evaluate(_APPEND, ANSWERS)
    visitor.page.wait_for_load_state("networkidle")

    _assert_harmless(visitor)
    assert visitor.page.locator("#log").inner_text().count("window.hacked=1") >= len(ANSWERS)


@pytest.mark.fault("S5")
def test_hostile_events_are_shown_as_signs(visit: Visit) -> None:
    """Titles, prices and tickets come from other systems, which may have been broken into."""
    visitor = visit()
    visitor.page.route("**/events", lambda route: stream(route, []))
    bad = "<img src=https://evil.example/x.png onerror=window.hacked=1>"
    sources = [
        source(address, bad) for address in ("javascript:window.hacked=1", f"https://evil.example/{bad}")
    ]
    quote = {"quote_id": bad, "monthly_premium_usd": bad, "valid_until": bad}
    more: list[dict[str, object]] = [
        {"type": "CUSTOM", "name": "frontdesk.quote", "value": quote},
        {"type": "CUSTOM", "name": "frontdesk.handoff", "value": {"ticket_id": bad, "state": bad}},
    ]
    visitor.page.route("**/chat", answer_with("\n\n".join(ANSWERS), sources, *more))
    said = visitor.say(bad)
    visitor.page.wait_for_load_state("networkidle")

    assert "<script>window.hacked=1</script>" in said
    assert visitor.page.locator(".card, .ticket").count() == 2
    _assert_harmless(visitor)


def _assert_harmless(visitor: Visitor) -> None:
    assert visitor.page.evaluate("window.hacked") is None
    found = visitor.page.locator("#log").evaluate(_FOUND)
    assert {tag for tag, _, _ in found} <= _TAGS
    assert [attributes for _, _, attributes in found if attributes] == []
    links = {href for _, href, _ in found if href}
    assert [link for link in links if not link.lower().startswith(("https://", "http://"))] == []
    assert visitor.page.locator("#box").count() == 1
    assert_clean(visitor)
