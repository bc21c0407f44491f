"""The body of POST /v1/messages, read and typed; the parser's refusals are worded like the API's.

Why: an unknown or removed parameter must fail here in a test, not in production.
"""

from typing import Literal, TypeVar

from pydantic import Field, ValidationError
from pydantic_core import ErrorDetails

from tests.simulation.content import JsonObject, Shape
from tests.simulation.errors import ApiError, invalid
from tests.simulation.prompt import Prompt

_REMOVED = {"temperature", "top_p", "top_k"}
_P = TypeVar("_P", bound=Prompt)


class Metadata(Shape):
    """Who the request is for, as an opaque id."""

    user_id: str | None = Field(default=None, max_length=256)


class Diagnostics(Shape):
    """Asks why the prompt cache was missed. Taken, and answered with nothing found."""

    previous_message_id: str | None = None


class MessageRequest(Prompt):
    """One request for a reply."""

    max_tokens: int = Field(ge=0)
    stream: bool = False
    metadata: Metadata | None = None
    stop_sequences: tuple[str, ...] = ()
    container: str | JsonObject | None = None
    diagnostics: Diagnostics | None = None
    inference_geo: str | None = None
    service_tier: Literal["auto", "standard_only"] | None = None


def parse(raw: bytes, shape: type[_P]) -> _P:
    """The body as a typed request.

    Raises:
        ApiError: 400, with the path of the first wrong value and what is wrong with it.
    """
    try:
        return shape.model_validate_json(raw)
    except ValidationError as exc:
        raise _refusal(exc.errors(include_url=False, include_input=False)) from exc


def _refusal(errors: list[ErrorDetails]) -> ApiError:
    if errors[0]["type"] == "json_invalid":
        return invalid(f"The request body is not valid JSON: {errors[0]['msg']}")
    removed = [error for error in errors if error["loc"] and error["loc"][0] in _REMOVED]
    if removed:
        name = removed[0]["loc"][0]
        return invalid(
            f"{name}: This parameter was removed in API version 2026-10-21 for all models. Leave it out."
        )
    # Content may be a string or blocks; when it is blocks, the complaint that it is no string misleads.
    first = next((error for error in errors if error["loc"][-1:] != ("str",)), errors[0])
    message = "Extra inputs are not permitted" if first["type"] == "extra_forbidden" else first["msg"]
    return invalid(f"{_path(first['loc'])}: {message}")


def _path(loc: tuple[int | str, ...]) -> str:
    steps = [str(step) for step in loc]
    return ".".join(step for step in steps if "[" not in step and step != "str") or "body"
