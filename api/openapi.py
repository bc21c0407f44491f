"""What the OpenAPI document says about bodies that the routes read themselves, and about credentials."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from pydantic import BaseModel

from api.body import MESSAGE_ID, THREAD_ID, ShortForm
from api.callers import COOKIE, HEADER
from events import JsonObject
from readers.reply import Reply

_DESCRIPTION = (
    "Send messages to `POST /chat`; each is answered once per message id. Streams are AG-UI 1.0 events over SSE. "
    'Every error is `{"error": {"code", "message", "request_id"}}`.'
)
_OF_THE_USER: JsonObject = {
    "type": "object",
    "required": ["id", "role", "content"],
    "properties": {
        "id": {"type": "string"},
        "role": {"const": "user"},
        "content": {"type": ["string", "array"]},
    },
}
_AGUI_INPUT: JsonObject = {
    "title": "RunAgentInput",
    "description": "AG-UI 1.0. threadId is the conversation, runId the message id; the last user message counts.",
    "type": "object",
    "required": ["threadId", "runId", "messages"],
    "properties": {
        "threadId": {"type": "string", "pattern": f"^{THREAD_ID.pattern}$"},
        "runId": {"type": "string", "pattern": f"^{MESSAGE_ID.pattern}$"},
        "messages": {"type": "array", "items": {"type": "object"}, "contains": _OF_THE_USER},
    },
}
_IDEMPOTENCY_KEY: JsonObject = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "the message id, when the body has none",
    "schema": {"type": "string", "pattern": f"^({MESSAGE_ID.pattern})?$"},
}
_LAST_EVENT_ID: JsonObject = {
    "name": "Last-Event-ID",
    "in": "header",
    "description": "`<turn_id>:<number>` of the last event you have; what is later is sent",
    "schema": {"type": "string"},
}


def _events(data: str) -> dict[str, Any]:
    """The content of a stream of server-sent events, each with this in `data`."""
    event: JsonObject = {
        "type": "object",
        "required": ["data"],
        "properties": {
            "data": {"type": "string", "contentMediaType": "application/json", "description": data},
            "id": {"type": "string", "description": "for Last-Event-ID"},
            "event": {"type": "string"},
        },
    }
    return {"text/event-stream": {"itemSchema": event}}


RESUME_HEADER: JsonObject = {"parameters": [_LAST_EVENT_ID]}
EVENT_STREAM: dict[str, Any] = {"description": "AG-UI events", "content": _events("an AG-UI 1.0 event")}
ROUTING_STREAM: dict[str, Any] = {"description": "Routing lines", "content": _events("a routing line")}
CHAT_REPLY: dict[str, Any] = {
    "description": "The reply; as a stream with Accept: text/event-stream",
    "model": Reply,
    "content": _events("an AG-UI 1.0 event"),
    "links": {
        name: {"operationId": name, "parameters": {"conversation_id": "$response.body#/conversation_id"}}
        for name in ("get_history", "get_events", "post_feedback")
    },
}
CHAT_BODY: JsonObject = {
    "parameters": [_IDEMPOTENCY_KEY, _LAST_EVENT_ID],
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": {"oneOf": [ShortForm.model_json_schema(), _AGUI_INPUT]}}},
    },
}


def request_body(form: type[BaseModel]) -> JsonObject:
    """The documentation of a JSON body of this form."""
    content = {"application/json": {"schema": form.model_json_schema()}}
    return {"requestBody": {"required": True, "content": content}}


def add_document(app: FastAPI, version: str) -> None:
    """Serve the document at /openapi.json with the credentials in it."""

    def document() -> JsonObject:
        if app.openapi_schema is None:
            for route in app.routes:
                if isinstance(route, APIRoute):
                    route.operation_id = route.name
            made = get_openapi(title=app.title, version=version, description=_DESCRIPTION, routes=app.routes)
            made.setdefault("components", {})["securitySchemes"] = {
                "customer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
                "visitorHeader": {"type": "apiKey", "in": "header", "name": HEADER},
                "visitorCookie": {"type": "apiKey", "in": "cookie", "name": COOKIE},
                "ops": {"type": "http", "scheme": "bearer"},
            }
            for path, methods in made["paths"].items():
                for operation in methods.values():
                    operation["security"] = _security(path)
            app.openapi_schema = made
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]  # FastAPI's documented way to change the document


def _security(path: str) -> list[dict[str, list[str]]]:
    if path.startswith("/chat"):
        return [{}, {"customer": []}, {"visitorHeader": []}, {"visitorCookie": []}]
    return [{"ops": []}, {}] if path.startswith(("/ops", "/desk", "/metrics")) else []
