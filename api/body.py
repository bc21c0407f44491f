"""Read what chat clients send: our short form, or AG-UI's RunAgentInput; the message is what counts.

Bad input is refused with the field, what is wrong with it, and what helps; nothing is guessed.
"""

import json
import re
import secrets
import unicodedata
from typing import Annotated, NoReturn, TypeVar

from ag_ui.core import RunAgentInput, TextPart
from fastapi import Request
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    StringConstraints,
    ValidationError,
)

from errors import BadInput, BadRequest, TooLarge, WrongContentType
from store.log import NewMessage

MAX_BODY_BYTES = 64 * 1024
MAX_MESSAGE_CHARACTERS = 8_000
_READ_ON_BYTES = 1024 * 1024
THREAD_ID = re.compile(r"[A-Za-z0-9_-]{16,64}")
_LOCALE = re.compile(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*")
MESSAGE_ID = re.compile(r"[\x21-\x7e]{1,100}")
_HALF_CHARACTER = re.compile(r"[\ud800-\udfff]")
_MAY_HOLD_HALVES = re.compile(r"\\u[dD][89a-fA-F]")
_VISIBLE = r"[^\s\x00-\x1f\x7f-\x9f]"  # what is left of a message when control characters and blanks around it are gone
Form = TypeVar("Form", bound=BaseModel)


def _whole(number: object) -> object:
    """JSON makes no difference between 3 and 3.0."""
    return int(number) if isinstance(number, float) and number.is_integer() else number


class ShortForm(BaseModel):
    """Body of `POST /chat`, short form."""

    model_config = ConfigDict(extra="forbid")

    message: Annotated[
        str, Field(description="1 to 8,000 characters", json_schema_extra={"pattern": _VISIBLE})
    ]
    conversation_id: Annotated[
        str | None, StringConstraints(max_length=64), Field(description="absent: a new conversation")
    ] = None
    message_id: Annotated[
        str | None,
        StringConstraints(max_length=100),
        Field(
            description="made by the client; the same id again is the same turn",
            json_schema_extra={"pattern": f"^({MESSAGE_ID.pattern})?$"},
        ),
    ] = None
    locale: Annotated[
        str | None,
        StringConstraints(max_length=35),
        Field(description="for example es", json_schema_extra={"pattern": f"^{_LOCALE.pattern}$"}),
    ] = None


class FeedbackForm(BaseModel):
    """Body of `POST /chat/{conversation_id}/feedback`."""

    model_config = ConfigDict(extra="forbid")

    rating: Annotated[int, Field(ge=1, le=5), BeforeValidator(_whole)]
    comment: Annotated[str | None, StringConstraints(max_length=2000)] = None
    turn_id: Annotated[str | None, StringConstraints(max_length=64)] = None


async def read_json(request: Request) -> JsonValue:
    """The body as JSON; half a character (a lone surrogate) in it becomes a question mark.

    Raises:
        WrongContentType, TooLarge, BadRequest: As their names say.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise WrongContentType(customer_text="Send the body as application/json.")
    body = await _read(request)
    try:
        text = body.decode("utf-8-sig")
        parsed: JsonValue = json.loads(text, parse_constant=_refuse_constant)
        if _MAY_HOLD_HALVES.search(text):
            whole = _HALF_CHARACTER.sub("?", json.dumps(parsed, ensure_ascii=False))
            parsed = json.loads(whole)
    except UnicodeDecodeError as exc:
        raise BadRequest(customer_text="The body is not in UTF-8. Please send it in UTF-8.") from exc
    except (ValueError, RecursionError) as exc:
        raise BadRequest(customer_text="The body is not valid JSON.") from exc
    return parsed


async def _read(request: Request) -> bytes:
    """The body. One that is too large is read on for a while, so that its sender gets to read the answer."""
    body, size = bytearray(), 0
    async for part in request.stream():
        size += len(part)
        if size <= MAX_BODY_BYTES:
            body += part
        elif size > _READ_ON_BYTES:
            break
    if size > MAX_BODY_BYTES:
        raise TooLarge(customer_text="The body is over 64 KiB. Please shorten the message.")
    return bytes(body)


def _refuse_constant(name: str) -> NoReturn:
    """NaN and the infinities are not JSON, whatever Python thinks."""
    raise ValueError(f"{name} is not JSON")


def read_message(body: JsonValue, owner: str, idempotency_key: str | None) -> NewMessage:
    """The message in this body.

    Raises:
        BadInput: A field is missing or wrong; the text says which one and what helps.
    """
    if not isinstance(body, dict):
        raise BadInput(customer_text="The body must be a JSON object with the field `message`.")
    if "threadId" in body or "messages" in body:
        return _from_agui(validated(RunAgentInput, body, strict=False), owner, idempotency_key)
    form = validated(ShortForm, body)
    return NewMessage(
        owner=owner,
        text=_text(form.message, "message"),
        message_id=_message_id(form.message_id, "message_id", idempotency_key),
        conversation_id=form.conversation_id,
        locale=_locale(form.locale),
    )


def validated(form: type[Form], body: JsonValue, *, strict: bool = True) -> Form:
    """The body as this form.

    Raises:
        BadInput: Names the first field that is wrong.
    """
    try:
        return form.model_validate(body, strict=strict)
    except ValidationError as exc:
        first = exc.errors(include_input=False, include_url=False)[0]
        name = ".".join(str(part) for part in first["loc"]) or "body"
        raise BadInput(customer_text=f"Field `{name}`: {first['msg']}.") from None


def _from_agui(run: RunAgentInput, owner: str, idempotency_key: str | None) -> NewMessage:
    if not THREAD_ID.fullmatch(run.thread_id):
        raise BadInput(customer_text="Field `threadId`: use 16 to 64 letters, digits, `-` or `_`.")
    said = [message for message in run.messages if message.role == "user"]
    if not said:
        raise BadInput(customer_text="Field `messages`: there is no message of the user in it.")
    content = said[-1].content
    if not isinstance(content, str):
        content = "\n".join(part.text for part in content if isinstance(part, TextPart))
    return NewMessage(
        owner=owner,
        text=_text(content, "messages"),
        message_id=_message_id(run.run_id, "runId", idempotency_key),
        conversation_id=run.thread_id,
        may_start=True,
    )


def cleaned(text: str) -> str:
    """The text without control characters; line breaks and tabs stay, and so does all else."""
    return "".join(ch for ch in text if ch in "\n\t" or unicodedata.category(ch) != "Cc").strip()


def _text(text: str, field: str) -> str:
    """The customer's words."""
    words = cleaned(text)
    if not words:
        raise BadInput(customer_text=f"Field `{field}`: the message is empty. Write 1 to 8,000 characters.")
    if len(words) > MAX_MESSAGE_CHARACTERS:
        raise BadInput(
            customer_text=f"Field `{field}`: {len(words):,} characters are too many. Please shorten it to 8,000."
        )
    return words


def _message_id(given: str | None, field: str, idempotency_key: str | None) -> str:
    if not given:
        given, field = idempotency_key, "Idempotency-Key"
    if not given:
        return secrets.token_urlsafe(15)
    if not MESSAGE_ID.fullmatch(given):
        raise BadInput(
            customer_text=f"Field `{field}`: use 1 to 100 visible ASCII characters without spaces."
        )
    return given


def _locale(given: str | None) -> str | None:
    if given is None:
        return None
    if not _LOCALE.fullmatch(given):
        raise BadInput(customer_text="Field `locale`: use a language tag such as `en` or `es-MX`.")
    return given.replace("_", "-").split("-")[0].lower()
