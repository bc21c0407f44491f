"""Ask a company's own service over HTTP: one deadline, at most one more try, and an answer that is checked first.

Why: prices and customers' data may come from systems that are slow, down, lying or answering twice. What comes back is
data until it fits its model, and who asks learns which kind of failure it was, because a customer is told different
things. Made by build.py, one Service for each address; nothing here knows what is asked.
Law: each try has a connection of its own. An answer that comes late or twice on a shared one would be taken for the
answer to the next question, which may be another customer's.
"""

import asyncio
import json
import random
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, NoReturn, Self, TypeVar

import httpx2
import structlog
from pydantic import BaseModel, ValidationError

from errors import RemoteError
from events import JsonObject

Answer = TypeVar("Answer", bound=BaseModel)
Method = Literal["GET", "POST"]
log = structlog.get_logger()
DEADLINE_S = 8.0
MAX_ANSWER_BYTES = 1024 * 1024
_PAUSE_S = (0.1, 0.3)
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,59}")
_LIMIT = re.compile(r"[\w .,'&/()+-]{1,80}")  # a figure, a date or names: it is shown to customers
_HEADERS = {
    "Accept": "application/json",
    "Accept-Encoding": "identity",  # a small answer must not unfold into a huge one
    "Connection": "close",
}


def http_client(
    token: str | None, base_url: str = "", headers: Mapping[str, str] | None = None
) -> httpx2.AsyncClient:
    """A client that shows this token, follows no redirects (they would carry it elsewhere) and has no deadline."""
    shown = {"Authorization": f"Bearer {token}"} if token else {}
    return httpx2.AsyncClient(
        base_url=base_url,
        headers={**(headers or {}), **shown},
        timeout=None,
        follow_redirects=False,
        trust_env=False,
    )


@dataclass(frozen=True, slots=True)
class _Question:
    """What is asked, in every try the same. `key`: its Idempotency-Key."""

    method: Method
    path: str
    body: JsonObject | None
    query: Mapping[str, str] | None
    key: str | None

    @property
    def may_repeat(self) -> bool:
        """Whether asking again has no second effect."""
        return self.method == "GET" or self.key is not None

    @property
    def content(self) -> bytes | None:
        """The body in ASCII: whatever a customer typed can be sent."""
        return None if self.body is None else json.dumps(self.body, allow_nan=False).encode("ascii")

    @property
    def headers(self) -> dict[str, str]:
        """What belongs to this question only."""
        kind = {} if self.body is None else {"Content-Type": "application/json"}
        return kind if self.key is None else {**kind, "Idempotency-Key": self.key}


class Service:
    """A company's service. Use as an async context manager; leaving it closes the connections.

    Args:
        name: What it is called in errors and in the log, for example "quotes".
        base_url: Where it is; paths are added to it.
        token: Sent as bearer token when there is one.
        deadline_s: Seconds for one question, its second try included.
    """

    def __init__(self, name: str, base_url: str, token: str | None, deadline_s: float = DEADLINE_S) -> None:
        self._name = name
        self._deadline_s = deadline_s
        self._client = http_client(token, base_url, _HEADERS)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()

    async def ask(
        self,
        method: Method,
        path: str,
        answer: type[Answer],
        *,
        body: JsonObject | None = None,
        query: Mapping[str, str] | None = None,
        key: str | None = None,
        on_retry: Callable[[], None] = lambda: None,
    ) -> Answer:
        """The service's answer, checked against its model.

        Args:
            path: Below the base address, without a slash at its start; its parts are quoted already.
            key: Sent as Idempotency-Key. A question without effect (GET) or with a key is asked a second time when the
                service was unreachable, failing, too busy or broke off, and there is time left.
            on_retry: Called before the second try.

        Raises:
            RemoteError: No answer, no answer in time, a refusal, or an answer that does not fit; `kind` says which.
        """
        question = _Question(method, path, body, query, key)
        try:
            return await self._ask(question, answer, on_retry)
        except RemoteError as exc:
            if not exc.reason:  # a refusal with its reason is an answer
                log.warning("remote.failed", service=self._name, kind=exc.kind, why=str(exc))
            raise

    async def _ask(self, question: _Question, answer: type[Answer], on_retry: Callable[[], None]) -> Answer:
        try:
            async with asyncio.timeout(self._deadline_s) as deadline:
                try:
                    return await self._try(question, answer)
                except RemoteError as exc:
                    first = exc
                    pause_s = _pause_s(first)
                    ends_at = deadline.when() or 0.0
                    has_time = asyncio.get_running_loop().time() + pause_s < ends_at
                    if first.kind != "down" or not question.may_repeat or not has_time:
                        raise
                await asyncio.sleep(pause_s)
                on_retry()
                try:
                    return await self._try(question, answer)
                except RemoteError as second:
                    second.may_have_acted = second.may_have_acted or first.may_have_acted
                    raise
        except TimeoutError as exc:
            self._fail(f"no answer within {self._deadline_s:g} s", "timeout", exc)

    async def _try(self, question: _Question, answer: type[Answer]) -> Answer:
        try:
            async with self._client.stream(
                question.method,
                question.path,
                content=question.content,
                params=question.query,
                headers=question.headers,
            ) as response:
                raw = await self._read(response)
        except httpx2.ConnectError as exc:
            self._fail("cannot be reached", "down", exc, may_have_acted=False)
        except (httpx2.HTTPError, httpx2.InvalidURL) as exc:
            self._fail(type(exc).__name__, "down", exc)
        self._check(response, raw)
        try:
            return answer.model_validate_json(raw)
        except ValidationError as exc:
            self._fail(_what_is_wrong(exc, answer), "invalid", None)

    async def _read(self, response: httpx2.Response) -> bytes:
        """The body, up to a limit: an answer without end must not fill the memory."""
        body = bytearray()
        async for part in response.aiter_raw():
            body += part
            if len(body) > MAX_ANSWER_BYTES:
                self._fail(f"over {MAX_ANSWER_BYTES} bytes", "invalid", None)
        return bytes(body)

    def _check(self, response: httpx2.Response, raw: bytes) -> None:
        """Raise for any status that does not say yes."""
        status = response.status_code
        why = f"status {status}"
        if response.is_success:
            return
        if status == httpx2.codes.TOO_MANY_REQUESTS or response.is_server_error:
            error = RemoteError(f"{self._name}: {why}", kind="down", may_have_acted=response.is_server_error)
            error.retry_after_s = _seconds(response.headers.get("retry-after", ""))
            raise error
        if response.is_client_error:
            reason, field, limit = _refusal(raw, status)
            raise RemoteError(
                f"{self._name}: {why}",
                kind="refused",
                reason=reason,
                field=field,
                limit=limit,
                may_have_acted=False,
            )
        self._fail(f"{why}; redirects are not followed", "invalid", None)

    def _fail(
        self,
        why: str,
        kind: Literal["timeout", "down", "invalid"],
        cause: Exception | None,
        *,
        may_have_acted: bool = True,
    ) -> NoReturn:
        raise RemoteError(f"{self._name}: {why}", kind=kind, may_have_acted=may_have_acted) from cause


def _pause_s(error: RemoteError) -> float:
    """How long to wait before the second try: as the service wants it, else a moment."""
    return random.uniform(*_PAUSE_S) if error.retry_after_s is None else error.retry_after_s


def _seconds(retry_after: str) -> float | None:
    return float(retry_after) if re.fullmatch(r"\d{1,6}", retry_after) else None


def _refusal(raw: bytes, status: int) -> tuple[str, str | None, str]:
    """Code, field and limit in `{"error": {"code", "field", "limit"}}`; "not_found" for a bare 404.

    They may end up in logs and before customers, so what does not look like what it should be is left out.
    """
    try:
        error = json.loads(raw)["error"]
        found = {name: error.get(name) for name in ("code", "field", "limit")}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        found = {}
    code, field = _fitting(_NAME, found.get("code")), _fitting(_NAME, found.get("field"))
    if not code and status == httpx2.codes.NOT_FOUND:
        code = "not_found"
    return code, field or None, _fitting(_LIMIT, found.get("limit"))


def _fitting(form: re.Pattern[str], value: object) -> str:
    text = str(value) if isinstance(value, str | int) else ""
    return text if form.fullmatch(text) else ""


def _what_is_wrong(error: ValidationError, answer: type[BaseModel]) -> str:
    """Field and kind of the first fault; never a value, and never a name that the service chose."""
    first = error.errors(include_input=False, include_url=False, include_context=False)[0]
    known = {field.alias or name for name, field in answer.model_fields.items()}
    where = first["loc"][0] if first["loc"] and first["loc"][0] in known else "answer"
    return f"{where}: {first['type']}"
