"""Every failure in one shape: `{"error": {"code", "message", "request_id"}}`, with a text fit for a customer."""

from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from api.callers import Caller, with_token
from errors import Busy, FrontdeskError, Unauthorized

log = structlog.get_logger()
_BUG = 500

_TEXTS = {
    404: ("not_found", "There is nothing at this address."),
    405: ("method_not_allowed", "This address takes another method."),
}


class ErrorShown(BaseModel):
    """What went wrong, and what helps."""

    code: str
    message: str
    request_id: str


class ErrorBody(BaseModel):
    """The body of every error."""

    error: ErrorShown


Responses = dict[int | str, dict[str, Any]]


def refusals(*statuses: int) -> Responses:
    """These failures as the OpenAPI document shows them."""
    return {status: {"model": ErrorBody} for status in statuses}


def add_failures(app: FastAPI) -> None:
    """Answer expected failures in our shape; bugs are answered by the middleware."""
    app.exception_handler(FrontdeskError)(_on_error)
    app.exception_handler(HTTPException)(_on_http_error)
    app.exception_handler(RequestValidationError)(_on_invalid)


def failure(
    request_id: str, status: int, code: str, message: str, headers: dict[str, str] | None = None
) -> JSONResponse:
    """The response of this failure."""
    body = ErrorBody(error=ErrorShown(code=code, message=message, request_id=request_id))
    return JSONResponse(body.model_dump(), status_code=status, headers=headers)


def refusal(request_id: str, error: FrontdeskError) -> JSONResponse:
    """The response to an expected failure, with the headers that belong to it."""
    headers: dict[str, str] = {}
    if isinstance(error, Busy):
        headers["Retry-After"] = str(error.retry_after_s)
    if isinstance(error, Unauthorized):
        headers["WWW-Authenticate"] = "Bearer"
    return failure(request_id, error.status, error.code, error.customer_text, headers)


def _on_error(request: Request, error: Exception) -> Response:
    if not isinstance(error, FrontdeskError):  # pragma: no cover - registered for no other
        raise error
    if error.status == _BUG:
        log.error("request.failed", code=error.code, request_id=_request_id(request))
    response = refusal(_request_id(request), error)
    caller: Caller | None = getattr(request.state, "accepted_from", None)
    return response if caller is None else with_token(response, caller, request)


def _on_http_error(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):  # pragma: no cover - registered for no other
        raise error
    code, text = _TEXTS.get(error.status_code, ("http_error", "This request cannot be answered."))
    headers = dict(error.headers) if error.headers else None
    return failure(_request_id(request), error.status_code, code, text, headers)


def _on_invalid(request: Request, error: Exception) -> Response:
    if not isinstance(error, RequestValidationError):  # pragma: no cover - registered for no other
        raise error
    first = error.errors()[0]
    text = f"Field `{first['loc'][-1]}`: {first['msg']}."
    return failure(_request_id(request), 422, "invalid_field", text)


def _request_id(request: Request) -> str:
    return str(request.state.request_id)
