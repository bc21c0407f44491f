"""The chat page as a browser gets it."""

from pathlib import Path

from tests.serving import local_settings, serving


async def test_whoever_opens_the_page_is_a_visitor_from_then_on(tmp_path: Path) -> None:
    """When the reply to the very first message is lost, the repeated one joins its turn instead of doubling it."""
    async with serving(local_settings(tmp_path)) as client:
        page = await client.get("/")
        first = await client.post("/chat", json={"message": "I want a person", "message_id": "m-1"})
        again = await client.post("/chat", json={"message": "I want a person", "message_id": "m-1"})

    assert "frontdesk_visitor" in page.cookies
    assert "x-visitor-token" not in first.headers
    assert first.json()["handoff"] == again.json()["handoff"]
    assert first.json()["turn_id"] == again.json()["turn_id"]


async def test_browsers_ask_whether_a_page_or_its_script_changed(tmp_path: Path) -> None:
    """After an update an old script must not meet a new page."""
    async with serving(local_settings(tmp_path)) as client:
        for path in ("/", "/chat.js", "/chat.css"):
            response = await client.get(path)
            assert response.status_code == 200
            assert response.headers["cache-control"] == "no-cache"


async def test_opening_the_page_again_keeps_the_visitor(tmp_path: Path) -> None:
    """A new token would take the conversations away."""
    async with serving(local_settings(tmp_path)) as client:
        await client.get("/")
        again = await client.get("/")

    assert "set-cookie" not in again.headers
