"""Claude through the official SDK: the only file that imports anthropic.

Sends what engine/claude_request.py makes of a request, and yields pieces. Failures become EngineError with the routing
log's fault code; retries, deadlines and the breaker belong to engine/resilient.py, so the SDK's own retries are off.
"""

import asyncio
import math
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from typing import Self

import anthropic
import httpx2
from anthropic import AsyncAnthropic, DefaultAioHttpClient
from pydantic_core import from_json

from engine.base import EngineRequest, Piece, Text
from engine.claude_reply import ClaudeReply
from engine.claude_request import parameters
from engine.sse import SseReader
from errors import EngineBusy, EngineDown, EngineError, EngineRefused

CONNECT_S = 3.0
# After words of an answer, what has come so much later is read at once: one piece costs a busy server as much as ten that come together.
GATHER_S = 0.05
_OVERLOADED = 529
_PASSING = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.CONFLICT})
_REFUSALS: Mapping[int, str] = {
    **dict.fromkeys((401, 402, 403, 404), "upstream_auth"),
    413: "request_too_large",
}


class Claude:
    """The Claude engine. `base_url` None means the SDK's default (it honours ANTHROPIC_BASE_URL).

    Use as an async context manager; leaving it closes the connections. A connection may take `connect_s` seconds.
    """

    def __init__(self, api_key: str, base_url: str | None = None, connect_s: float = CONNECT_S) -> None:
        self._client = AsyncAnthropic(
            api_key=api_key,
            base_url=base_url,
            max_retries=0,
            timeout=anthropic.Timeout(None, connect=connect_s),
            open_telemetry=False,
            http_client=DefaultAioHttpClient(),  # half the CPU of the default one, which was most of a turn's
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.close()

    async def stream(self, request: EngineRequest) -> AsyncGenerator[Piece, None]:
        """Pieces of Claude's answer.

        Raises:
            EngineBusy: Rate limited or overloaded.
            EngineDown: Unreachable, hanging, failing, or cut before its end.
            EngineRefused: The credentials or the request will not be taken.
        """
        reply = ClaudeReply(request.model)
        try:
            async with self._client.messages.with_streaming_response.create(
                **parameters(request), stream=True
            ) as response:
                reply.request_id = response.headers.get("request-id")
                reader = SseReader()
                async for received in response.iter_bytes():
                    pieces, error = _take(reply, reader.feed(received))
                    for piece in pieces:
                        yield piece
                    if error is not None:
                        raise error
                    if request.purpose == "answer" and pieces and isinstance(pieces[-1], Text):
                        await asyncio.sleep(GATHER_S)
        except anthropic.APIError as exc:
            raise _engine_error(exc, reply.request_id) from exc
        except httpx2.HTTPError as exc:
            raise EngineDown(
                f"stream: {type(exc).__name__}", fault="stream_cut", request_id=reply.request_id
            ) from exc
        with _readable(reply):
            last = list(reply.end())
        for piece in last:
            yield piece


def _take(reply: ClaudeReply, events: list[bytes]) -> tuple[list[Piece], EngineError | None]:
    """Pieces of the events that came together, and the error that ended them, if one did.

    Words that came together are one piece, so that a server with much to do has less to do for each of them.
    """
    pieces: list[Piece] = []
    try:
        with _readable(reply):
            for data in events:
                for piece in reply.take(from_json(data)):
                    if isinstance(piece, Text) and pieces and isinstance(last := pieces[-1], Text):
                        pieces[-1] = Text(last.text + piece.text)
                    else:
                        pieces.append(piece)
    except EngineError as exc:
        return pieces, exc
    return pieces, None


@contextmanager
def _readable(reply: ClaudeReply) -> Iterator[None]:
    """What cannot be read is a broken stream."""
    try:
        yield
    except (AttributeError, KeyError, TypeError, ValueError) as exc:
        raise EngineDown(
            f"stream: {type(exc).__name__}", fault="stream_malformed", request_id=reply.request_id
        ) from exc


def _engine_error(error: anthropic.APIError, request_id: str | None) -> EngineError:
    """Our error for the SDK's, with the routing log's fault code."""
    if not isinstance(error, anthropic.APIStatusError):
        fault = "upstream_timeout" if isinstance(error, anthropic.APITimeoutError) else "upstream_unreachable"
        return EngineDown(f"connection: {type(error).__name__}", fault=fault, request_id=request_id)
    request_id = error.request_id or request_id
    status = error.status_code
    text = f"{status} {error.type or ''}".strip()
    if error.error_code == "enforced_spend_limit_reached":
        return EngineRefused(text, fault="upstream_spend_cap", request_id=request_id)
    if status in {HTTPStatus.TOO_MANY_REQUESTS, _OVERLOADED}:
        return EngineBusy(
            text, fault=f"upstream_{status}", retry_after_s=_retry_after(error), request_id=request_id
        )
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status in _PASSING:
        return EngineDown(text, fault="upstream_5xx", request_id=request_id)
    fault = _REFUSALS.get(status, "upstream_400")
    if status == HTTPStatus.BAD_REQUEST and "prompt is too long" in error.message:
        fault = "context_too_long"
    return EngineRefused(text, fault=fault, request_id=request_id)


def _retry_after(error: anthropic.APIStatusError) -> float | None:
    """Seconds that the API asks to wait; None when it names none that make sense."""
    try:
        seconds = float(error.response.headers["retry-after"])
    except (KeyError, ValueError):
        return None
    return seconds if math.isfinite(seconds) and seconds >= 0 else None
