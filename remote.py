"""Ask a company's own service over HTTP: one deadline, at most one more try, and an answer that is checked first.

Why: prices and customers' data may come from systems that are slow, down, lying or answering twice. What comes back is
data until it fits its model, and who asks learns which kind of failure it was, because a customer is told different
things. Made by build.py, one Service for each address; nothing here knows what is asked.
"""

import asyncio
import json
from collections.abc import Mapping
from typing import Literal, Self, TypeVar

import httpx2
from pydantic import BaseModel, ValidationError

from errors import RemoteError
from events import JsonObject

Answer = TypeVar("Answer", bound=BaseModel)
Method = Literal["GET", "POST"]
DEADLINE_S = 8.0
MAX_ANSWER_BYTES = 1024 * 1024
_TRIES = 2
_PAUSE_S = 0.2
_TOO_MANY, _FIRST_REFUSAL, _FIRST_FAILURE = 429, 400, 500


class Service:
    """A company's service. Use as an async context manager; leaving it closes the connections.

    Args:
        name: What it is called in errors, for example "quotes".
        base_url: Where it is; paths are added to it.
        token: Sent as bearer token when there is one.
        deadline_s: Seconds for one question, its second try included.
    """

    def __init__(self, name: str, base_url: str, token: str | None, deadline_s: float = DEADLINE_S) -> None:
        self._name = name
        self._deadline_s = deadline_s
        headers = {"Accept": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
        self._client = httpx2.AsyncClient(
            base_url=base_url, headers=headers, timeout=deadline_s, follow_redirects=False, trust_env=False
        )

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
    ) -> Answer:
        """The service's answer, checked against its model.

        Args:
            path: Below the base address, without a slash at its start; its parts are quoted already.
            key: Sent as Idempotency-Key. A question without effect (GET) or with a key is asked a second time when the
                first try failed and there is time left.

        Raises:
            RemoteError: No answer, no answer in time, a refusal, or an answer that does not fit; `kind` says which.
        """
        may_repeat = method == "GET" or key is not None
        headers = {"Idempotency-Key": key} if key is not None else {}
        is_sent = False
        try:
            async with asyncio.timeout(self._deadline_s):
                for number in range(1, _TRIES + 1):
                    is_sent = True
                    try:
                        return await self._try(method, path, answer, body, query, headers)
                    except RemoteError as exc:
                        if exc.kind != "down" or not may_repeat or number == _TRIES:
                            raise
                    await asyncio.sleep(_PAUSE_S)
        except TimeoutError as exc:
            raise RemoteError(
                f"{self._name}: no answer within {self._deadline_s} s", kind="timeout", may_have_acted=is_sent
            ) from exc
        raise AssertionError("a try returns or raises")  # pragma: no cover

    async def _try(
        self,
        method: Method,
        path: str,
        answer: type[Answer],
        body: JsonObject | None,
        query: Mapping[str, str] | None,
        headers: Mapping[str, str],
    ) -> Answer:
        asked = self._client.stream(method, path, json=body, params=query, headers=dict(headers))
        try:
            async with asked as response:
                status, raw = response.status_code, await self._read(response)
        except httpx2.ConnectError as exc:
            raise RemoteError(f"{self._name}: cannot be reached", kind="down", may_have_acted=False) from exc
        except httpx2.TimeoutException as exc:
            raise TimeoutError from exc
        except (httpx2.HTTPError, httpx2.InvalidURL) as exc:
            raise RemoteError(f"{self._name}: {type(exc).__name__}", kind="down") from exc
        if status >= _FIRST_FAILURE or status == _TOO_MANY:
            raise RemoteError(
                f"{self._name}: status {status}", kind="down", may_have_acted=status != _TOO_MANY
            )
        if status >= _FIRST_REFUSAL:
            raise RemoteError(
                f"{self._name}: status {status}",
                kind="refused",
                reason=_reason(raw, status),
                may_have_acted=False,
            )
        try:
            return answer.model_validate_json(raw)
        except ValidationError as exc:
            first = exc.errors(include_input=False, include_url=False)[0]
            where = ".".join(str(part) for part in first["loc"]) or "answer"
            raise RemoteError(f"{self._name}: {where}: {first['type']}", kind="invalid") from None

    async def _read(self, response: httpx2.Response) -> bytes:
        """The body, up to a limit: an answer without end must not fill the memory."""
        body = bytearray()
        async for part in response.aiter_bytes():
            body += part
            if len(body) > MAX_ANSWER_BYTES:
                raise RemoteError(f"{self._name}: over {MAX_ANSWER_BYTES} bytes", kind="invalid")
        return bytes(body)


def _reason(raw: bytes, status: int) -> str:
    """The code in `{"error": {"code": ...}}`; "not_found" for a bare 404, else ""."""
    try:
        found = json.loads(raw)["error"]["code"]
    except (ValueError, KeyError, TypeError):
        found = None
    if isinstance(found, str) and found.isascii() and found.replace("_", "").isalnum():
        return found
    return "not_found" if status == httpx2.codes.NOT_FOUND else ""
