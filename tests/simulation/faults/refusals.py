"""Faults that come instead of an answer: error statuses, a limit on the body, silence."""

from dataclasses import dataclass

from tests.simulation.acts import Acts, Head, Wait, refused
from tests.simulation.errors import ApiError
from tests.simulation.faults.base import Fault

_MESSAGES = {
    400: "messages: something in this request is not accepted",
    401: "invalid authentication credentials",
    402: "Your account cannot be billed; update the payment details.",
    403: "Your API key does not have permission to use the specified resource.",
    404: "model: the requested resource does not exist",
    408: "The request body did not arrive in time.",
    409: "The resource was changed by another request.",
    413: "Request exceeds the maximum allowed number of bytes.",
    429: "This request would exceed your organization's rate limit.",
    500: "Internal server error",
    502: "Bad gateway",
    503: "Service unavailable",
    504: "The request timed out while it was being processed.",
    529: "Overloaded",
}
_MESSAGES_OF_CODES = {
    "enforced_spend_limit_reached": "You have reached the monthly usage limit of your organization's tier.",
    "ramp_limit_exceeded": "Your organization's usage grows too fast; slow down and try again.",
}
_GATEWAY_PAGE = (
    "<html>\r\n<head><title>{0}</title></head>\r\n<body><center><h1>{0}</h1></center></body>\r\n</html>\r\n"
)


@dataclass(frozen=True, slots=True)
class Status(Fault):
    """An error status.

    Attributes:
        retry_after_s: Sent as the retry-after header when given.
        error_code: The stable code in the error's details.
        is_html: A gateway's page instead of the API's JSON.
    """

    status: int
    retry_after_s: float | None = None
    error_code: str | None = None
    is_html: bool = False

    def instead(self, body_bytes: int, request_id: str) -> Acts:
        """The error response."""
        del body_bytes
        headers = {} if self.retry_after_s is None else {"retry-after": f"{self.retry_after_s:g}"}
        message = _MESSAGES_OF_CODES.get(self.error_code or "", _MESSAGES.get(self.status, "Error"))
        html = _GATEWAY_PAGE.format(f"{self.status} {message}") if self.is_html else None
        error = ApiError(self.status, message, error_code=self.error_code, headers=headers, html=html)
        return refused(error, request_id)


def spend_limit() -> Status:
    """The monthly cap is reached: 429 without retry-after; waiting does not help."""
    return Status(429, error_code="enforced_spend_limit_reached")


def ramp_limit(retry_after_s: float = 1) -> Status:
    """Usage grows too fast: 429 with retry-after."""
    return Status(429, retry_after_s, error_code="ramp_limit_exceeded")


@dataclass(frozen=True, slots=True)
class TooLong(Fault):
    """400 when the body is over so many bytes, a good answer otherwise."""

    max_bytes: int

    def instead(self, body_bytes: int, request_id: str) -> Acts | None:
        """The refusal of a prompt that is too long."""
        if body_bytes <= self.max_bytes:
            return None
        message = f"prompt is too long: {body_bytes // 4} tokens > {self.max_bytes // 4} maximum"
        return refused(ApiError(400, message), request_id)


@dataclass(frozen=True, slots=True)
class Hang(Fault):
    """Silence until the client leaves: before the status line, or right after the headers."""

    after_headers: bool = False

    def instead(self, body_bytes: int, request_id: str) -> Acts:
        """Nothing, or a 200 and nothing."""
        del body_bytes, request_id
        return [Head(), Wait(None)] if self.after_headers else [Wait(None)]
