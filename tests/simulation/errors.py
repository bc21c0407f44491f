"""What the API says when it refuses: one exception, the error body, and which type belongs to which status.

Raised by the rules and by scripted faults; the only place that turns it into bytes is `body`.
"""

import json
from collections.abc import Mapping

TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    405: "invalid_request_error",
    408: "timeout_error",
    409: "conflict_error",
    413: "request_too_large",
    429: "rate_limit_error",
    500: "api_error",
    502: "api_error",
    503: "api_error",
    504: "timeout_error",
    529: "overloaded_error",
}


class ApiError(Exception):
    """A refusal with the HTTP status, the message and, for some causes, a stable error code.

    `headers` are added to the response; `html` replaces the JSON body (what a gateway in between sends).
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        error_code: str | None = None,
        headers: Mapping[str, str] | None = None,
        html: str | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.error_code = error_code
        self.headers = dict(headers or {})
        self.html = html

    @property
    def type(self) -> str:
        """The value of `error.type` in the body."""
        return TYPES.get(self.status, "api_error")

    def body(self, request_id: str) -> bytes:
        """The response body: JSON in the API's error envelope, or the gateway's page."""
        if self.html is not None:
            return self.html.encode()
        error: dict[str, object] = {"type": self.type, "message": self.message}
        if self.error_code is not None:
            error["details"] = {"error_code": self.error_code}
        return json.dumps({"type": "error", "error": error, "request_id": request_id}).encode()


def invalid(message: str) -> ApiError:
    """A 400 invalid_request_error; the message names the place in the body and what helps."""
    return ApiError(400, message)
