"""The same message is the same turn, in every form of the request; somebody else's looks like none."""

import asyncio
from collections.abc import Mapping
from typing import Any

import httpx2
import pytest

from tests.serving import Running, client_of, streamed, text_of

pytestmark = pytest.mark.asyncio(loop_scope="module")
SHORT = {"message": "does collision cover hail?", "message_id": "m1"}


def agui(thread: str, run: str, *said: str) -> dict[str, object]:
    """What an AG-UI client sends: all that was said so far, the newest last."""
    messages = [{"id": f"u{number}", "role": "user", "content": text} for number, text in enumerate(said)]
    return {"threadId": thread, "runId": run, "messages": messages, "tools": [], "context": [], "state": {}}


async def post(
    client: httpx2.AsyncClient, body: Mapping[str, object], headers: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """The reply to this message."""
    response = await client.post("/chat", json=body, headers=headers)
    assert response.status_code == 200, response.text
    reply: dict[str, Any] = response.json()
    return reply


def without_token(reply: Mapping[str, Any]) -> dict[str, Any]:
    """The reply as it is for somebody who is known."""
    return {name: value for name, value in reply.items() if name != "visitor_token"}


@pytest.mark.fault("P6")
async def test_a_message_sent_again_brings_the_same_reply(visitor: httpx2.AsyncClient) -> None:
    """A client that lost the reply asks again and reads exactly what it missed, as JSON or as a stream."""
    first = await post(visitor, SHORT)
    again = {**SHORT, "conversation_id": first["conversation_id"]}

    assert await post(visitor, again) == without_token(first)
    frames = await streamed(visitor, again)
    assert frames[-1].event["result"] == without_token(first)
    assert text_of(frames) == first["text"]
    history = (await visitor.get(f"/chat/{first['conversation_id']}")).json()
    assert len(history["messages"]) == 2


async def test_the_first_message_of_a_known_visitor_may_be_sent_again(visitor: httpx2.AsyncClient) -> None:
    """Somebody who never learned the conversation's name does not start a second one."""
    await post(visitor, {"message": "hello", "message_id": "m0"})
    first = await post(visitor, SHORT)

    assert await post(visitor, SHORT) == first
    refused = await visitor.post("/chat", json={**SHORT, "message": "something else"})
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "message_id_reused")


@pytest.mark.fault("P6")
async def test_the_same_id_with_other_words_is_refused(visitor: httpx2.AsyncClient) -> None:
    """A client with a broken counter learns of it before a customer loses a message."""
    first = await post(visitor, SHORT)
    other = {**SHORT, "message": "and theft?", "conversation_id": first["conversation_id"]}

    refused = await visitor.post("/chat", json=other)
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "message_id_reused")
    assert (await visitor.post("/chat", json={**other, "message_id": "m2"})).status_code == 200


@pytest.mark.fault("P6")
async def test_the_header_idempotency_key_is_a_message_id(visitor: httpx2.AsyncClient) -> None:
    """Clients that know the header need to know nothing else."""
    body = {"message": "hello there"}
    key = {"Idempotency-Key": "key-1"}
    await post(visitor, {"message": "hi"})
    first = await post(visitor, body, key)

    assert first["message_id"] == "key-1"
    assert await post(visitor, body, key) == first
    assert (await post(visitor, body, {"Idempotency-Key": "key-2"}))["turn_id"] != first["turn_id"]
    named = await post(visitor, {**body, "message_id": "in-body"}, key)
    assert named["message_id"] == "in-body"
    bad = await visitor.post("/chat", json=body, headers={"Idempotency-Key": "two words"})
    assert (bad.status_code, "Idempotency-Key" in bad.text) == (422, True)


@pytest.mark.fault("P7")
async def test_without_an_id_every_message_is_a_new_one(visitor: httpx2.AsyncClient) -> None:
    """A double click without ids gives two bubbles, in order; each is answered."""
    first = await post(visitor, {"message": "hello"})
    body = {"message": "hello", "conversation_id": first["conversation_id"]}
    second, third = await asyncio.gather(post(visitor, body), post(visitor, body))

    assert len({first["turn_id"], second["turn_id"], third["turn_id"]}) == 3
    history = (await visitor.get(f"/chat/{first['conversation_id']}")).json()
    assert [message["role"] for message in history["messages"]] == ["customer", "assistant"] * 3


@pytest.mark.fault("P6")
async def test_twenty_posts_at_once_are_one_turn(server: Running, visitor: httpx2.AsyncClient) -> None:
    """A retry storm is answered once, and everybody in it reads the same."""
    token = (await post(visitor, {"message": "hi"}))["visitor_token"]
    headers = {"X-Visitor-Token": token}
    async with client_of(server.url, headers) as one, client_of(server.url, headers) as two:
        replies = await asyncio.gather(*(post(client, SHORT) for client in [one, two] * 10))

    assert all(reply == replies[0] for reply in replies)


async def test_an_agui_run_is_one_turn_and_its_thread_one_conversation(visitor: httpx2.AsyncClient) -> None:
    """The published client's ids are ours; the history it sends is ignored, and so are its repetitions."""
    thread = "agui-thread-0000000001"
    first = await post(visitor, agui(thread, "run-1", "hello"))
    second = await post(visitor, agui(thread, "run-2", "forged question", "does collision cover hail?"))

    assert (first["conversation_id"], first["message_id"]) == (thread, "run-1")
    assert await post(visitor, agui(thread, "run-1", "hello")) == without_token(first)
    history = (await visitor.get(f"/chat/{thread}")).json()
    said = [message["text"] for message in history["messages"] if message["role"] == "customer"]
    assert said == ["hello", "does collision cover hail?"]
    assert second["text"] == history["messages"][-1]["text"]
    refused = await visitor.post("/chat", json=agui(thread, "run-1", "other words"))
    assert refused.status_code == 409


async def test_an_agui_message_may_come_in_parts(visitor: httpx2.AsyncClient) -> None:
    """Clients that send text and pictures get an answer to the text."""
    parts = [{"type": "text", "text": "hello"}, {"type": "text", "text": "there"}]
    body = agui("agui-thread-parts-0001", "run-1")
    body["messages"] = [{"id": "u1", "role": "user", "content": parts}]

    reply = await post(visitor, body)
    history = (await visitor.get(f"/chat/{reply['conversation_id']}")).json()
    assert history["messages"][0]["text"] == "hello\nthere"


async def test_both_forms_may_be_mixed(visitor: httpx2.AsyncClient) -> None:
    """A page may start with one client and go on with another."""
    thread = "agui-thread-mixed-0001"
    await post(visitor, agui(thread, "run-1", "hello"))
    reply = await post(visitor, {"message": "thanks!", "conversation_id": thread, "message_id": "m2"})

    assert reply["conversation_id"] == thread


async def test_in_the_short_form_an_unknown_conversation_is_not_started(visitor: httpx2.AsyncClient) -> None:
    """A typing error in an id must not look like a conversation that lost its history."""
    response = await visitor.post("/chat", json={"message": "hi", "conversation_id": "unknown-thread-00001"})

    assert (response.status_code, response.json()["error"]["code"]) == (404, "not_found")


@pytest.mark.fault("S6")
async def test_somebody_elses_conversation_looks_exactly_like_a_missing_one(
    visitor: httpx2.AsyncClient, stranger: httpx2.AsyncClient
) -> None:
    """Nobody learns from an answer that a conversation exists."""
    mine = await post(visitor, SHORT)
    await post(stranger, {"message": "hello"})
    theirs, missing = mine["conversation_id"], "A" * len(mine["conversation_id"])

    async def answers(conversation_id: str) -> list[tuple[int, dict[str, str], dict[str, str]]]:
        path = f"/chat/{conversation_id}"
        body = {"conversation_id": conversation_id}
        responses = [
            await stranger.post("/chat", json={**SHORT, **body}),
            await stranger.post("/chat", json={"message": "new words", **body}),
            await stranger.get(path),
            await stranger.get(f"{path}/events"),
            await stranger.get(f"{path}/events", headers={"Last-Event-ID": f"{mine['turn_id']}:2"}),
            await stranger.get(f"{path}/events?after={mine['turn_id']}:1"),
            await stranger.post(f"{path}/feedback", json={"rating": 5}),
            await stranger.post(f"{path}/feedback", json={"rating": 5, "turn_id": mine["turn_id"]}),
        ]
        return [_without_ids(response) for response in responses]

    found = await answers(theirs)
    assert found == await answers(missing)
    assert {status for status, _, _ in found} == {404}


def _without_ids(response: httpx2.Response) -> tuple[int, dict[str, str], dict[str, str]]:
    """Everything that could tell two answers apart, but for the request's own id and the time."""
    headers = {
        name: value for name, value in response.headers.items() if name not in {"x-request-id", "date"}
    }
    error = {name: value for name, value in response.json()["error"].items() if name != "request_id"}
    return response.status_code, headers, error


@pytest.mark.fault("S6")
async def test_a_foreign_thread_is_not_taken_over(
    visitor: httpx2.AsyncClient, stranger: httpx2.AsyncClient
) -> None:
    """Guessing somebody's thread id gives nobody their conversation."""
    thread = "agui-thread-private-01"
    await post(visitor, agui(thread, "run-1", "my secret"))

    for run, text in (("run-1", "my secret"), ("run-9", "hello")):
        response = await stranger.post("/chat", json=agui(thread, run, text))
        assert response.status_code == 404
        assert "set-cookie" not in response.headers


async def test_only_a_new_visitor_is_given_a_token(server: Running, visitor: httpx2.AsyncClient) -> None:
    """The token is there before the stream begins, as cookie, header and in the body, and then never again."""
    async with client_of(server.url) as other:
        frames = await streamed(other, {"message": "hello"})
    response = await visitor.post("/chat", json={"message": "hello"})
    token = response.json()["visitor_token"]

    assert frames[-1].event["result"]["visitor_token"] != token
    assert response.headers["x-visitor-token"] == token == visitor.cookies["frontdesk_visitor"]
    cookie = response.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    again = await visitor.post("/chat", json={"message": "hello"})
    assert "visitor_token" not in again.json()
    assert "x-visitor-token" not in again.headers
    assert "set-cookie" not in again.headers


@pytest.mark.parametrize("way", ["header", "cookie"])
async def test_a_token_opens_the_conversations_of_its_visitor(
    way: str, server: Running, visitor: httpx2.AsyncClient
) -> None:
    """A page without cookies, and one without headers, both find their conversation again."""
    reply = await post(visitor, SHORT)
    token = reply["visitor_token"]
    headers = {"X-Visitor-Token": token} if way == "header" else {"Cookie": f"frontdesk_visitor={token}"}
    async with client_of(server.url, headers) as other:
        response = await other.get(f"/chat/{reply['conversation_id']}")

    assert response.status_code == 200


async def test_a_forged_token_is_as_good_as_none(server: Running, visitor: httpx2.AsyncClient) -> None:
    """Nobody makes themselves a visitor; they are just somebody new."""
    reply = await post(visitor, SHORT)
    head, body, _ = reply["visitor_token"].split(".")
    for forged in (f"{head}.{body}.", f"{head}.{body}.AAAA", "nonsense", "\xe9"):
        header = [(b"X-Visitor-Token", forged.encode("latin-1"))]
        async with client_of(server.url) as other:
            found = await other.get(f"/chat/{reply['conversation_id']}", headers=header)
            assert found.status_code == 404
            started = await other.post("/chat", json={"message": "hello"}, headers=header)
            assert "visitor_token" in started.json()


async def test_the_locale_is_a_hint_where_the_words_say_nothing(visitor: httpx2.AsyncClient) -> None:
    """Somebody whose page is Spanish and who writes one neutral word is answered in Spanish."""
    spanish = await post(visitor, {"message": "Eva?", "locale": "es-MX"})
    english = await post(visitor, {"message": "Eva?", "locale": "en_US"})

    assert spanish["text"] != english["text"]
    assert set("¿áéíóúñ") & set(spanish["text"])
