"""Answers that no server gave, for the chat page: what it is sent, and whether it stayed clean."""

import json
import re
from collections.abc import Callable

from playwright.sync_api import Route

from tests.web.conftest import Visitor

Events = list[dict[str, object]]


def assert_clean(visitor: Visitor) -> None:
    """No request left the origin, and the browser had nothing to complain about."""
    origin = re.match(r"https?://[^/]+/", visitor.page.url)
    assert origin is not None
    assert [address for address in visitor.addresses if not address.startswith(origin[0])] == []
    assert visitor.complaints == []


def source(url: str, title: str) -> dict[str, str]:
    """A citation of nothing in particular."""
    return {"url": url, "title": title, "quote": ""}


def started(route: Route) -> dict[str, object]:
    """The first event of the answer to this message."""
    message = route.request.post_data_json
    assert message is not None
    return {"type": "RUN_STARTED", "threadId": "made-up", "runId": message["message_id"]}


def answer_with(
    text: str, citations: list[dict[str, str]], *more: dict[str, object]
) -> Callable[[Route], None]:
    """Answers a message with this text, and more events, in basic mode."""
    events: Events = [
        {"type": "TEXT_MESSAGE_CONTENT", "delta": text},
        {"type": "TEXT_MESSAGE_END", "metadata": {"citations": citations}},
        *more,
        {"type": "RUN_FINISHED", "result": {"degraded": True, "turn_id": "none"}},
    ]
    return lambda route: stream(route, [started(route), *events])


def stream(route: Route, events: Events) -> None:
    """Answers with these events."""
    turn = events[0]["runId"] if events else ""
    frames = [f"id: {turn}:{seq}\ndata: {json.dumps(event)}\n\n" for seq, event in enumerate(events, 1)]
    route.fulfill(content_type="text/event-stream", body="".join([": hi\n\n", *frames]))
