"""Read what chat clients send: our short form, or AG-UI's RunAgentInput; the message is what counts.

Bad input is refused with the field, what is wrong with it, and what helps; nothing is guessed.
"""

import json
import re
import secrets
import unicodedata
from typing import Annotated, Any

from ag_ui.core import RunAgentInput
from fastapi import Request
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from errors import BadInput, BadRequest, TooLarge, WrongContentType
from store.log import NewMessage

MAX_BODY_BYTES = 64 * 1024
MAX_MESSAGE_CHARACTERS = 8_000
_THREAD_ID = re.compile(r"^[A-Za-z0-9_-]{16,64}$")
_LOCALE = re.compile(r"^[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*$")
_MESSAGE_ID = re.compile(r"^[\x21-\x7e]{1,100}$")


class ShortForm(BaseModel):
    """Body of `POST /chat`, short form."""

    model_config = ConfigDict(extra="forbid")

    message: Annotated[str, Field(description="1 to 8,000 characters")]
    conversation_id: Annotated[str | None, StringConstraints(max_length=64)] = None
    message_id: Annotated[str | None, StringConstraints(max_length=100)] = None
    locale: Annotated[str | None, StringConstraints(max_length=35)] = None


class FeedbackForm(BaseModel):
    """Body of `POST /chat/{conversation_id}/feedback`."""

    model_config = ConfigDict(extra="forbid")

    rating: Annotated[int, Field(ge=1, le=5)]
    comment: Annotated[str | None, StringConstraints(max_length=2000)] = None
    turn_id: Annotated[str | None, StringConstraints(max_length=64)] = None


async def read_json(request: Request) -> Any:
    """The body as JSON.

    Raises:
        WrongContentType, TooLarge, BadRequest: As their names say.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise WrongContentType(customer_text="Send the body as application/json.")
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > MAX_BODY_BYTES:
            raise TooLarge(customer_text="The body is over 64 KiB. Please shorten the message.")
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as exc:
        raise BadRequest(customer_text="The body is not valid JSON.") from exc


def read_message(body: Any, owner: str, idempotency_key: str | None) -> NewMessage:
    """The message in this body.

    Raises:
        BadInput: A field is missing or wrong; the text says which one and what helps.
    """
    if not isinstance(body, dict):
        raise BadInput(customer_text="The body must be a JSON object with the field `message`.")
    if "threadId" in body or "messages" in body:
        return _from_agui(body, owner, idempotency_key)
    form = validated(ShortForm, body)
    return NewMessage(
        owner=owner,
        text=_text(form.message, "message"),
        message_id=_message_id(form.message_id or idempotency_key),
        conversation_id=form.conversation_id,
        locale=_locale(form.locale),
    )


def validated(form: type[Any], body: Any) -> Any:
    """The body as this form.

    Raises:
        BadInput: Names the first field that is wrong.
    """
    try:
        return form.model_validate(body, strict=True)
    except ValidationError as exc:
        first = exc.errors(include_input=False, include_url=False)[0]
        name = ".".join(str(part) for part in first["loc"]) or "body"
        raise BadInput(customer_text=f"Field `{name}`: {first['msg']}.") from exc


def _from_agui(body: dict[str, Any], owner: str, idempotency_key: str | None) -> NewMessage:
    try:
        run = RunAgentInput.model_validate(body)
    except ValidationError as exc:
        first = exc.errors(include_input=False, include_url=False)[0]
        name = ".".join(str(part) for part in first["loc"])
        raise BadInput(customer_text=f"Field `{name}`: {first['msg']}.") from exc
    if not _THREAD_ID.match(run.thread_id):
        raise BadInput(customer_text="Field `threadId`: use 16 to 64 letters, digits, `-` or `_`.")
    said = [message for message in run.messages if message.role == "user"]
    if not said:
        raise BadInput(customer_text="Field `messages`: there is no message of the user in it.")
    content = said[-1].content
    if not isinstance(content, str):
        texts = [part.text for part in content if getattr(part, "type", "") == "text"]
        content = "\n".join(text for text in texts if isinstance(text, str))
    return NewMessage(
        owner=owner,
        text=_text(content, "messages"),
        message_id=_message_id(run.run_id or idempotency_key),
        conversation_id=run.thread_id,
        may_start=True,
        locale=None,
    )


def _text(text: str, field: str) -> str:
    """The customer's words without control characters and broken surrogates; all else stays as it is."""
    cleaned = "".join(
        ch for ch in text if ch in "\n\t" or unicodedata.category(ch) not in {"Cc", "Cs"}
    ).strip()
    if not cleaned:
        raise BadInput(customer_text=f"Field `{field}`: the message is empty. Write 1 to 8,000 characters.")
    if len(cleaned) > MAX_MESSAGE_CHARACTERS:
        raise BadInput(
            customer_text=f"Field `{field}`: {len(cleaned):,} characters are too many. Please shorten it to 8,000."
        )
    return cleaned


def _message_id(given: str | None) -> str:
    if given is None:
        return secrets.token_urlsafe(15)
    if not _MESSAGE_ID.match(given):
        raise BadInput(
            customer_text="Field `message_id`: use 1 to 100 visible ASCII characters without spaces."
        )
    return given


def _locale(given: str | None) -> str | None:
    if given is None:
        return None
    if not _LOCALE.match(given):
        raise BadInput(customer_text="Field `locale`: use a language tag such as `en` or `es-MX`.")
    return given.replace("_", "-").split("-")[0].lower()
