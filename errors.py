"""The error tree, drawn by who can act.

    FrontdeskError(code, status, customer_text)
    ├── BadInput 422 · NotFound 404 · Conflict 409 · Unauthorized 401 · Busy 429/503     the caller can act
    ├── EngineError: EngineBusy, EngineDown, EngineRefused                               failover decides
    ├── RemoteError                                a company's service failed; the tool that asked decides
    ├── ToolError, ToolQuestion                    goes to the model as a result, never raw to the customer
    └── ConfigError                                stops start-up: file, key, what was expected

Raise at the place that knows, catch at the place that can act.
"""

from collections.abc import Mapping
from typing import Literal


class FrontdeskError(Exception):
    """Base of all expected failures. `customer_text` is fit for a customer to read."""

    code = "internal_error"
    status = 500
    customer_text = "Something went wrong on our side. Please try again in a moment."

    def __init__(
        self, message: str = "", *, customer_text: str | None = None, code: str | None = None
    ) -> None:
        super().__init__(message or customer_text or self.customer_text)
        if customer_text is not None:
            self.customer_text = customer_text
        if code is not None:
            self.code = code


class BadInput(FrontdeskError):
    """A field of the request is wrong; the text says which one and what helps."""

    code = "invalid_field"
    status = 422


class BadRequest(FrontdeskError):
    """The body cannot be read as JSON."""

    code = "bad_json"
    status = 400


class TooLarge(FrontdeskError):
    """The body is over the limit."""

    code = "body_too_large"
    status = 413


class WrongContentType(FrontdeskError):
    """The body is not application/json."""

    code = "unsupported_content_type"
    status = 415


class Unauthorized(FrontdeskError):
    """The credentials given are not valid, or some are needed."""

    code = "unauthorized"
    status = 401
    customer_text = "These credentials are not valid. Sign in again, or leave them out to chat as a visitor."


class NotFound(FrontdeskError):
    """Unknown, or somebody else's: the same answer for both."""

    code = "not_found"
    status = 404
    customer_text = "There is no such conversation, turn or event for you."


class Conflict(FrontdeskError):
    """A message id was used again with another text."""

    code = "message_id_reused"
    status = 409
    customer_text = "This message id was already used with another text. Send the new text under a new id."


class Busy(FrontdeskError):
    """Too much at once; try again after `retry_after_s` seconds."""

    code = "too_many_requests"
    status = 429
    customer_text = "That is a lot at once. Please wait a moment and send it again."

    def __init__(
        self,
        message: str = "",
        *,
        customer_text: str | None = None,
        code: str | None = None,
        retry_after_s: int = 2,
    ) -> None:
        super().__init__(message, customer_text=customer_text, code=code)
        self.retry_after_s = retry_after_s


class SlowedDown(Busy):
    """This caller sends too much, or tried to steer the assistant; nothing was accepted, later it is."""

    def __init__(self, retry_after_s: int) -> None:
        super().__init__(
            f"slowed down for {retry_after_s} s",
            customer_text=f"Please wait {retry_after_s} second{'s' * (retry_after_s != 1)} and send it again.",
            retry_after_s=retry_after_s,
        )


class Unavailable(Busy):
    """The desk cannot take the message now; nothing was accepted."""

    code = "unavailable"
    status = 503
    customer_text = "We cannot take messages for a moment. Please try again shortly; nothing was lost."


class Overloaded(Unavailable):
    """More messages come than can be answered in time; this one was not accepted."""

    code = "overloaded"
    customer_text = (
        "Many people are writing to us right now. Please try again in a few seconds; nothing was lost."
    )


class RowUnreadable(FrontdeskError):
    """A stored event cannot be read; only its own conversation suffers."""

    code = "row_unreadable"
    customer_text = (
        "This conversation cannot be shown. Please start a new one; a new message is answered there."
    )


class LeaseLost(FrontdeskError):
    """Another server has taken the turn over, or it has ended: nothing may be added to it from here."""

    code = "lease_lost"


class EngineError(FrontdeskError):
    """A model call failed. `fault` is the routing log's code for it."""

    fault = "upstream_error"
    can_retry = False

    def __init__(
        self,
        message: str,
        *,
        fault: str | None = None,
        retry_after_s: float | None = None,
        request_id: str | None = None,
    ) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s
        self.request_id = request_id
        if fault is not None:
            self.fault = fault


class EngineBusy(EngineError):
    """Rate limited or overloaded: later may work."""

    fault = "upstream_429"
    can_retry = True


class EngineDown(EngineError):
    """Unreachable, hanging, failing or cut."""

    fault = "upstream_5xx"
    can_retry = True


class EngineRefused(EngineError):
    """The API will not take this request or these credentials: asking again changes nothing."""

    fault = "upstream_refused"


class RemoteError(FrontdeskError):
    """A company's own service gave no usable answer.

    `kind`: "timeout", "down" (unreachable, failing, broken off), "refused" (it said no) or "invalid" (an answer that
    does not fit). Of a refusal `reason` is its code, `field` the detail at fault, `limit` the limit that was crossed.
    `may_have_acted`: whether it may have done what it was asked to, in any try. `retry_after_s`: when to ask again.
    """

    code = "remote_error"
    retry_after_s: float | None = None

    def __init__(
        self,
        message: str,
        *,
        kind: Literal["timeout", "down", "refused", "invalid"],
        reason: str = "",
        field: str | None = None,
        limit: str = "",
        may_have_acted: bool = True,
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.reason = reason
        self.field = field
        self.limit = limit
        self.may_have_acted = may_have_acted


class ToolError(FrontdeskError):
    """A tool could not do it. The message is written for the model: what is wrong and what to ask.

    `field` names the argument at fault, `code` the reason, `limit` the limit that was crossed; `values` are further
    values for the reply that tells it without Claude.
    """

    code = "tool_error"

    def __init__(
        self,
        message: str,
        *,
        code: str = "tool_error",
        field: str | None = None,
        limit: str = "",
        values: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message, code=code)
        self.field = field
        self.limit = limit
        self.values = values or {}


class ToolQuestion(ToolError):
    """The tool needs a detail that only the customer knows: `field`. It is asked for; nothing went wrong."""


class ConfigError(FrontdeskError):
    """A setting, prompt or data file is wrong: names the file, the key, and what was expected."""

    code = "config_error"
