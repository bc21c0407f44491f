"""Whatever is sent, the answer is JSON of one shape, says what helps, and the server lives on."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest

from tests.serving import Running
from tests.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="module")
JSON = {"Content-Type": "application/json"}
THREAD = "thread-1234567890"


def agui(**changes: object) -> dict[str, Any]:
    """A RunAgentInput."""
    said = [{"id": "u1", "role": "user", "content": "Hello!"}]
    return {"threadId": THREAD, "runId": "run-1", "messages": said, **changes}


def check(response: httpx2.Response, status: int, code: str, says: str = "") -> None:
    """The refusal is the contract's."""
    assert response.status_code == status, response.text
    body = response.json()
    assert set(body) == {"error"}
    assert set(body["error"]) == {"code", "message", "request_id"}
    assert body["error"]["code"] == code
    assert says in body["error"]["message"]
    assert body["error"]["request_id"] == response.headers["x-request-id"] != ""
    assert "Traceback" not in response.text


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, "bad_json"),
        (b"{", 400, "bad_json"),
        (b"not json", 400, "bad_json"),
        (b'{"message": "cut', 400, "bad_json"),
        (b"\xff\xfe\x00", 400, "bad_json"),
        (b'{"message": "\xc3\x28"}', 400, "bad_json"),
        (b'{"message": "hello", "x": NaN}', 400, "bad_json"),
        (b'{"message": "hello", "x": -Infinity}', 400, "bad_json"),
        (b'{"rating": ' + b"9" * 5_000 + b"}", 400, "bad_json"),
        (b"[" * 30_000, 400, "bad_json"),
        (b'{"a":' * 10_000 + b"1" + b"}" * 10_000, 400, "bad_json"),
        (b"[]", 422, "invalid_field"),
        (b"null", 422, "invalid_field"),
        (b'"hello"', 422, "invalid_field"),
        (b"{}", 422, "invalid_field"),
    ],
    ids=lambda value: value[:16] if isinstance(value, bytes) else value,
)
async def test_a_body_that_is_no_message_is_refused(
    body: bytes, status: int, code: str, visitor: httpx2.AsyncClient
) -> None:
    """A broken client learns that it is broken, and breaks nothing."""
    check(await visitor.post("/chat", content=body, headers=JSON), status, code)


async def test_a_body_in_another_encoding_is_told_so(visitor: httpx2.AsyncClient) -> None:
    """That it is no JSON would send its author looking for a comma."""
    response = await visitor.post("/chat", content='{"message": "¿Cuánto?"}'.encode("latin-1"), headers=JSON)

    check(response, 400, "bad_json", "UTF-8")


@pytest.mark.parametrize(
    ("body", "names"),
    [
        ({"message": ""}, "message"),
        ({"message": " \n\t "}, "message"),
        ({"message": "\x00\x01\x7f\x85"}, "message"),
        ({"message": "x" * 8_001}, "message"),
        ({"message": 5}, "message"),
        ({"message": None}, "message"),
        ({"message": ["hello"]}, "message"),
        ({"mesage": "hello"}, "message"),
        ({"message": "hello", "temperature": 1}, "temperature"),
        ({"message": "hello", "message_id": "with space"}, "message_id"),
        ({"message": "hello", "message_id": "m1\n"}, "message_id"),
        ({"message": "hello", "message_id": "ñ"}, "message_id"),
        ({"message": "hello", "message_id": "x" * 101}, "message_id"),
        ({"message": "hello", "message_id": 7}, "message_id"),
        ({"message": "hello", "locale": "klingon!"}, "locale"),
        ({"message": "hello", "locale": "es\n"}, "locale"),
        ({"message": "hello", "conversation_id": 10**30}, "conversation_id"),
        ({"message": "hello", "conversation_id": "x" * 65}, "conversation_id"),
        (agui(threadId="short"), "threadId"),
        (agui(threadId=f"{THREAD}\n"), "threadId"),
        (agui(threadId="has space in it 123"), "threadId"),
        (agui(runId="with space"), "runId"),
        (agui(messages=[]), "messages"),
        (agui(messages="hello"), "messages"),
        (agui(messages=[{"id": "a", "role": "assistant", "content": "Hi"}]), "messages"),
        (agui(messages=[{"id": "a", "role": "user", "content": "  "}]), "messages"),
        ({"threadId": THREAD}, "runId"),
        ({"threadId": THREAD, "runId": "r"}, "messages"),
        ({"messages": []}, "threadId"),
    ],
    ids=lambda value: json.dumps(value)[:40],
)
async def test_a_wrong_field_is_named(body: dict[str, Any], names: str, visitor: httpx2.AsyncClient) -> None:
    """Somebody who writes a client reads which field is wrong, not a riddle."""
    response = await visitor.post("/chat", json=body)

    check(response, 422, "invalid_field", f"`{names}")


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""]
)
async def test_another_content_type_is_refused(kind: str, visitor: httpx2.AsyncClient) -> None:
    """A form on somebody else's page cannot write in a visitor's name."""
    response = await visitor.post("/chat", content=b'{"message": "hi"}', headers={"Content-Type": kind})

    check(response, 415, "unsupported_content_type", "application/json")


async def test_a_content_type_with_a_charset_is_fine(visitor: httpx2.AsyncClient) -> None:
    """Many clients add one."""
    headers = {"Content-Type": "Application/JSON; charset=utf-8"}

    assert (await visitor.post("/chat", content=b'{"message": "hi"}', headers=headers)).status_code == 200


@pytest.mark.parametrize("size", [64 * 1024 + 1, 900_000, 20_000_000])
async def test_a_body_over_64_kib_is_refused_whether_its_size_is_told_or_not(
    size: int, visitor: httpx2.AsyncClient
) -> None:
    """Nobody fills the memory, and whoever sent a little too much can read why."""

    async def parts() -> AsyncIterator[bytes]:
        for _ in range(size // 10_000 + 1):
            yield b"x" * 10_000

    if size < 1_000_000:
        check(await visitor.post("/chat", content=b"x" * size, headers=JSON), 413, "body_too_large", "64 KiB")
        check(await visitor.post("/chat", content=parts(), headers=JSON), 413, "body_too_large", "64 KiB")
        return
    try:
        response = await visitor.post("/chat", content=parts(), headers=JSON)
    except httpx2.TransportError:
        return  # cut off while it was still sending, which is as good
    check(response, 413, "body_too_large")


async def test_a_body_of_exactly_64_kib_is_read(visitor: httpx2.AsyncClient) -> None:
    """The limit is what the contract says it is."""
    body = b'{"message": "hello"}'.ljust(64 * 1024)

    assert (await visitor.post("/chat", content=body, headers=JSON)).status_code == 200


@pytest.mark.parametrize(
    ("raw", "kept"),
    [
        (rb'"hello \ud83d there"', "hello ? there"),
        (rb'"hello \u0000\u0007there\r\n\tyou"', "hello there\n\tyou"),
        (rb'"  \ud83d\ude97 hello  "', "🚗 hello"),
        ('"¿Cuánto cuesta? 你好 مرحبا"'.encode(), "¿Cuánto cuesta? 你好 مرحبا"),
        (b'"' + b"x" * 8_000 + b'"', "x" * 8_000),
    ],
    ids=["half", "control", "whole", "languages", "longest"],
)
async def test_words_are_kept_as_they_are_but_for_broken_signs(
    raw: bytes, kept: str, visitor: httpx2.AsyncClient
) -> None:
    """A phone that cuts an emoji in two still gets an answer, and every language stays itself."""
    response = await visitor.post("/chat", content=b'{"message": ' + raw + b"}", headers=JSON)
    assert response.status_code == 200, response.text
    history = (await visitor.get(f"/chat/{response.json()['conversation_id']}")).json()

    assert history["messages"][0]["text"] == kept


async def test_a_half_sign_in_an_id_is_an_unknown_id(visitor: httpx2.AsyncClient) -> None:
    """Broken signs anywhere are a plain no, never a server error."""
    body = rb'{"message": "hi", "conversation_id": "\ud800"}'

    check(await visitor.post("/chat", content=body, headers=JSON), 404, "not_found")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nothing-here", 404),
        ("GET", "/chat/unknown/nothing", 404),
        ("DELETE", "/chat/unknown", 405),
        ("PUT", "/chat", 405),
        ("POST", "/", 405),
    ],
)
async def test_unknown_addresses_and_methods_have_the_same_shape(
    method: str, path: str, status: int, visitor: httpx2.AsyncClient
) -> None:
    """A client has one way to read errors."""
    response = await visitor.request(method, path)

    assert response.status_code in {status, 404}
    check(response, response.status_code, {404: "not_found", 405: "method_not_allowed"}[response.status_code])


async def test_every_response_carries_the_headers_that_keep_browsers_safe(
    visitor: httpx2.AsyncClient,
) -> None:
    """A page of ours cannot be made to run or send what is not ours."""
    for path in ("/", "/healthz", "/chat/unknown"):
        headers = (await visitor.get(path)).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ({"rating": 5}, 201),
        ({"rating": 1, "comment": "slow \x00 answer"}, 201),
        ({"rating": 3, "comment": None}, 201),
        ({"rating": 0}, 422),
        ({"rating": 6}, 422),
        ({"rating": True}, 422),
        ({"rating": "5"}, 422),
        ({"rating": 4.5}, 422),
        ({"rating": 10**400}, 422),
        ({}, 422),
        ({"rating": 5, "comment": "x" * 2001}, 422),
        ({"rating": 5, "stars": 5}, 422),
        ({"rating": 5, "turn_id": "unknown"}, 404),
        ([5], 422),
    ],
    ids=lambda value: json.dumps(value)[:30],
)
async def test_ratings_are_one_to_five(form: object, status: int, visitor: httpx2.AsyncClient) -> None:
    """The report counts what customers meant."""
    reply = (await visitor.post("/chat", json={"message": "hello"})).json()

    response = await visitor.post(f"/chat/{reply['conversation_id']}/feedback", json=form)

    assert response.status_code == status, response.text
    if status == 201:
        assert set(response.json()) == {"feedback_id"}


async def test_a_rating_names_a_turn_of_its_own_conversation(visitor: httpx2.AsyncClient) -> None:
    """A rating cannot be laid on somebody else's answer."""
    first = (await visitor.post("/chat", json={"message": "hello", "message_id": "a"})).json()
    other = (await visitor.post("/chat", json={"message": "hello", "message_id": "b"})).json()
    path = f"/chat/{first['conversation_id']}/feedback"

    assert (await visitor.post(path, json={"rating": 5, "turn_id": first["turn_id"]})).status_code == 201
    check(await visitor.post(path, json={"rating": 5, "turn_id": other["turn_id"]}), 404, "not_found")


async def test_a_client_that_leaves_while_it_sends_is_no_error(
    server: Running, visitor: httpx2.AsyncClient, capsys: pytest.CaptureFixture[str]
) -> None:
    """A phone in a tunnel leaves one quiet line in the log, and no half message."""
    host, _, port = server.url.removeprefix("http://").partition(":")
    _, writer = await asyncio.open_connection(host, int(port))
    head = f"POST /chat HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n"
    writer.write(head.encode() + b'{"message": "half')
    await writer.drain()
    writer.close()
    await writer.wait_closed()
    printed: list[str] = []

    def has_told() -> bool:
        printed.extend(capsys.readouterr())
        return '"event": "client.gone"' in "".join(printed)

    await until(has_told)
    assert '"level": "error"' not in "".join(printed)
    assert "".join(printed[1::2]) == ""
    assert (await visitor.get("/healthz")).status_code == 200


async def test_after_all_this_the_server_still_answers(server: Running, visitor: httpx2.AsyncClient) -> None:
    """Nothing of the above left anything behind."""
    assert (await visitor.post("/chat", json={"message": "hello"})).status_code == 200
    assert (await visitor.get("/readyz")).json()["status"] == "ready"
    await until(lambda: server.house.runner.under_way == 0)
