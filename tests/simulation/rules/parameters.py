"""Rules for the plain parameters: output limit, pre-warming, stop sequences, the user's id."""

import re

from tests.simulation.errors import invalid
from tests.simulation.models import Model
from tests.simulation.prompt import Enabled
from tests.simulation.request import MessageRequest

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
# A plain number is no phone number: opaque ids may be plain numbers.
_PHONE = re.compile(r"\+\d[\d\s().-]{6,}\d|\(?\d{2,4}\)?(?:[\s.-]+\d{2,4}){2,}")
_NAME = re.compile(r"[^\W\d_]+(?:[ ][^\W\d_]+)+")


def check(request: MessageRequest, model: Model) -> None:
    """Refuse limits out of range and ids that name a person."""
    if request.max_tokens > model.max_output:
        raise invalid(
            f"max_tokens: {request.max_tokens} > {model.max_output}, "
            f"which is the maximum number of output tokens for {model.name}"
        )
    if request.max_tokens == 0:
        _check_prewarming(request)
    for index, sequence in enumerate(request.stop_sequences):
        if not sequence.strip():
            raise invalid(f"stop_sequences.{index}: each stop sequence must contain non-whitespace")
    _check_user(request)


def _check_prewarming(request: MessageRequest) -> None:
    refused = {
        "stream": request.stream,
        "output_config.format": request.schema_wanted is not None,
        "a forced tool_choice": request.tool_choice is not None and request.tool_choice.is_forced,
        "thinking.type enabled": isinstance(request.thinking, Enabled),
    }
    for what, is_there in refused.items():
        if is_there:
            raise invalid(f"max_tokens: 0 (filling the prompt cache only) cannot be combined with {what}")


def _check_user(request: MessageRequest) -> None:
    user = request.metadata.user_id if request.metadata is not None else None
    if user is None:
        return
    for pattern, what in ((_EMAIL, "an email address"), (_PHONE, "a phone number"), (_NAME, "a name")):
        if pattern.fullmatch(user.strip()):
            raise invalid(
                f"metadata.user_id: user_id appears to contain {what}. Send an opaque id (a uuid or a hash)."
            )
