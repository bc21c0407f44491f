"""The pages in web/, as files; and a visitor token for whoever opens one.

Why a token already here: when the reply to somebody's very first message is lost, the repeated message must come
from the same visitor, or it would be answered twice.
"""

from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.responses import FileResponse, Response
from fastapi.staticfiles import StaticFiles
from starlette.types import Scope

from api.callers import with_token
from api.house import caller_of

_ALWAYS_ASK = (
    "no-cache"  # browsers keep the files but ask whether they changed, so pages and scripts always fit
)


class _Files(StaticFiles):
    """Static files that browsers check before using an old copy."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """The file."""
        response = await super().get_response(path, scope)
        response.headers["Cache-Control"] = _ALWAYS_ASK
        return response


def add_pages(app: FastAPI, folder: Path) -> None:
    """The chat page at /, and the files beside it at every address that is no route's.

    A route that is asked with another method refuses by itself, and says which methods it takes.
    """

    @app.get("/", include_in_schema=False)
    async def get_chat_page(request: Request) -> Response:
        """The chat page."""
        response = FileResponse(folder / "index.html", headers={"Cache-Control": _ALWAYS_ASK})
        return with_token(response, await caller_of(request), request)

    app.router.default = _Files(directory=folder)
    app.router.redirect_slashes = False  # an address with a slash too many names nothing
