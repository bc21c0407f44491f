"""The document at /openapi.json says what the routes do."""

import json
from typing import Any

import httpx2
import pytest

pytestmark = pytest.mark.asyncio(loop_scope="module")
PATHS = {
    "/chat": "post",
    "/chat/{conversation_id}": "get",
    "/chat/{conversation_id}/events": "get",
    "/chat/{conversation_id}/feedback": "post",
    "/ops/turns": "get",
    "/ops/turns/stream": "get",
    "/ops/turns/{turn_id}": "get",
    "/healthz": "get",
    "/readyz": "get",
}


async def _document(client: httpx2.AsyncClient) -> dict[str, Any]:
    response = await client.get("/openapi.json")
    assert response.status_code == 200
    document: dict[str, Any] = response.json()
    return document


async def test_every_route_is_described(visitor: httpx2.AsyncClient) -> None:
    """Somebody who writes a client finds each call, what it takes, what it gives and how it fails."""
    document = await _document(visitor)

    assert document["openapi"].startswith("3.")
    for path, method in PATHS.items():
        operation = document["paths"][path][method]
        assert operation.get("summary") or operation.get("description"), path
        if path.startswith("/chat"):
            assert {"401", "404", "503"} <= set(operation["responses"]), path


async def test_bodies_are_described(visitor: httpx2.AsyncClient) -> None:
    """Both forms of a message, and the rating, can be generated from the document."""
    paths = (await _document(visitor))["paths"]
    chat = paths["/chat"]["post"]["requestBody"]["content"]["application/json"]["schema"]["oneOf"]
    rating = paths["/chat/{conversation_id}/feedback"]["post"]["requestBody"]["content"]["application/json"][
        "schema"
    ]

    assert set(chat[0]["properties"]) == {"message", "conversation_id", "message_id", "locale"}
    assert chat[0]["required"] == ["message"]
    assert chat[0]["additionalProperties"] is False
    assert set(chat[1]["required"]) == {"threadId", "runId", "messages"}
    assert rating["properties"]["rating"]["maximum"] == 5
    names = {parameter["name"] for parameter in paths["/chat"]["post"]["parameters"]}
    assert names == {"Idempotency-Key", "Last-Event-ID"}


async def test_replies_errors_and_credentials_are_described(visitor: httpx2.AsyncClient) -> None:
    """A generated client reads replies and errors as types, and knows where the token goes."""
    document = await _document(visitor)
    responses = document["paths"]["/chat"]["post"]["responses"]

    assert {"400", "401", "404", "409", "413", "415", "422", "429", "503"} <= set(responses)
    assert "text/event-stream" in responses["200"]["content"]
    assert "Reply" in responses["200"]["content"]["application/json"]["schema"]["$ref"]
    assert all("ErrorBody" in json.dumps(responses[str(status)]) for status in (400, 409, 422, 503))
    assert set(document["components"]["securitySchemes"]) == {
        "customer",
        "visitorHeader",
        "visitorCookie",
        "ops",
    }
    assert {"customer": []} in document["paths"]["/chat"]["post"]["security"]
    assert document["paths"]["/ops/turns"]["get"]["security"] == [{"ops": []}, {}]


async def test_every_reference_leads_somewhere(visitor: httpx2.AsyncClient) -> None:
    """Generators stop at a reference to nothing."""
    document = await _document(visitor)
    text = json.dumps(document)

    for part in text.split('"$ref": "#/')[1:]:
        place = document
        for name in part.partition('"')[0].split("/"):
            place = place[name]
        assert place


async def test_a_wrong_method_is_told_the_right_ones(visitor: httpx2.AsyncClient) -> None:
    """A client would be sent to methods that the address does not take, by the server of the pages."""
    for method in ("GET", "OPTIONS", "DELETE"):
        refused = await visitor.request(method, "/chat")
        assert (refused.status_code, refused.headers["allow"]) == (405, "POST")
    assert (await visitor.get("/chat/")).status_code == 404


async def test_a_whole_number_may_be_written_with_a_point(visitor: httpx2.AsyncClient) -> None:
    """The document says integer, and in JSON 3.0 is one; some languages write nothing else."""
    said = (await visitor.post("/chat", json={"message": "Hello!"})).json()
    address = f"/chat/{said['conversation_id']}/feedback"

    rated = [await visitor.post(address, json={"rating": rating}) for rating in (3.0, 3.5, 6.0)]

    assert [response.status_code for response in rated] == [201, 422, 422]
