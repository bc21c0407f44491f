"""What the OpenAPI document says about bodies that the routes read themselves, and about credentials."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel

from api.body import ShortForm
from api.callers import COOKIE, HEADER
from events import JsonObject
from readers.reply import Reply

_DESCRIPTION = (
    "Send messages to `POST /chat`; each is answered once per message id. Streams are AG-UI 1.0 events over SSE. "
    'Every error is `{"error": {"code", "message", "request_id"}}`.'
)
_AGUI_INPUT: JsonObject = {
    "title": "RunAgentInput",
    "description": "AG-UI 1.0. threadId is the conversation, runId the message id; the last user message counts.",
    "type": "object",
    "required": ["threadId", "runId", "messages"],
    "properties": {
        "threadId": {"type": "string", "pattern": "^[A-Za-z0-9_-]{16,64}$"},
        "runId": {"type": "string", "minLength": 1, "maxLength": 100},
        "messages": {"type": "array", "items": {"type": "object"}, "minItems": 1},
    },
}
_IDEMPOTENCY_KEY: JsonObject = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "the message id, when the body has none",
    "schema": {"type": "string", "maxLength": 100},
}
_LAST_EVENT_ID: JsonObject = {
    "name": "Last-Event-ID",
    "in": "header",
    "description": "`<turn_id>:<number>` of the last event you have; what is later is sent",
    "schema": {"type": "string"},
}
_STREAM: JsonObject = {"schema": {"type": "string", "description": "AG-UI 1.0 events over SSE"}}

RESUME_HEADER: JsonObject = {"parameters": [_LAST_EVENT_ID]}
EVENT_STREAM: dict[str, Any] = {"description": "AG-UI events", "content": {"text/event-stream": _STREAM}}
CHAT_REPLY: dict[str, Any] = {
    "description": "The reply; as a stream with Accept: text/event-stream",
    "model": Reply,
    "content": {"text/event-stream": _STREAM},
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
