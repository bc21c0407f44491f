"""Turn newcomers away at the door while the desk is overloaded or draining, before anything is read or looked up.

Why: a refusal must cost next to nothing, or a flood of refusals takes the time that answers need. Who brings no credentials
has no conversation yet and can have no message here that was accepted before, so there is nothing to look up. Everybody
else goes in: a message that was accepted before must be joined, which only the log can tell.
"""

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from api.callers import COOKIE, HEADER
from api.failures import refusal
from errors import Busy, Unavailable
from router.admission import overloaded
from router.runner import TurnRunner


class Gate:
    """Plain ASGI middleware, inside the envelope."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it."""
        if scope["type"] == "http" and scope["method"] == "POST" and scope["path"] == "/chat":
            error = _refusal(scope["app"].state.house.runner)
            if error is not None and _is_newcomer(Headers(scope=scope)):
                await refusal(scope["state"]["request_id"], error)(scope, receive, send)
                return
        await self._app(scope, receive, send)


def _refusal(runner: TurnRunner) -> Busy | None:
    """Why no new message can be taken now, if so."""
    if runner.is_draining:
        return Unavailable()
    return overloaded() if runner.admission.is_congested else None


def _is_newcomer(headers: Headers) -> bool:
    return (
        "authorization" not in headers and HEADER not in headers and COOKIE not in headers.get("cookie", "")
    )
