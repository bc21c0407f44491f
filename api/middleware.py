"""Around every request: an id, the headers that keep browsers safe, and an answer even when a bug strikes.

A stream that a route leaves in the request's state is sent from here (see api/stream.py).
"""

import secrets
from collections.abc import MutableMapping
from typing import Any

import structlog
from starlette.datastructures import MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.failures import failure
from errors import FrontdeskError
from router.contain import contained

log = structlog.get_logger()
TO_SEND = "to_send"
_CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)


class Envelope:
    """Plain ASGI middleware: no task, no buffering."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; add headers when the response starts; answer what nobody answered."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = secrets.token_hex(8)
        state: MutableMapping[str, Any] = scope.setdefault("state", {})
        state["request_id"] = request_id
        has_begun = False

        async def send_with_headers(message: Message) -> None:
            nonlocal has_begun
            if message["type"] == "http.response.start":
                has_begun = True
                scope["app"].state.house.metrics.responded(message["status"])
                headers = MutableHeaders(scope=message)
                headers["X-Request-ID"] = request_id
                headers["Content-Security-Policy"] = _CSP
                headers["X-Content-Type-Options"] = "nosniff"
                headers["Referrer-Policy"] = "no-referrer"
            await send(message)

        with contained("request.failed", request_id=request_id) as caught:
            try:
                await self._app(scope, receive, send_with_headers)
                if (to_send := state.pop(TO_SEND, None)) is not None:
                    await to_send(receive, send_with_headers)
            except ClientDisconnect:
                log.info("client.gone", request_id=request_id)
        if caught.error is not None and not has_begun:
            answer = failure(request_id, 500, "internal_error", FrontdeskError.customer_text)
            await answer(scope, receive, send_with_headers)
