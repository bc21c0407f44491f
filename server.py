"""The HTTP server: builds everything, and maps requests to it. Thin: each route reads or starts a turn.

`create_app` is the one entry; `frontdesk serve` runs it. The contract of every route is the README's API section.
"""

import secrets
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import structlog
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException

from api import body as bodies
from api.callers import COOKIE, HEADER, Caller, Callers
from api.middleware import SafeHeaders
from api.ops import add_ops_routes
from api.stream import HEADERS, conversation_frames, place_of, turn_frames
from build import DeskKeeper, build_parts, open_engines
from errors import Busy, FrontdeskError, NotFound
from events import TurnRef
from readers.history import History, fold_history
from readers.reply import Reply, fold_reply
from router.runner import TurnRunner
from settings import ROOT, Settings
from store.database import Database
from store.log import EventLog
from store.records import StoredRecords
from store.wake import Wake

log = structlog.get_logger()
VISITOR_COOKIE_DAYS = 180
TURNS_IN_HISTORY = 500


@dataclass(frozen=True, slots=True)
class House:
    """Everything a request may need; lives as long as the server."""

    settings: Settings
    callers: Callers
    event_log: EventLog
    wake: Wake
    records: StoredRecords
    runner: TurnRunner
    keeper: DeskKeeper
    database: Database


@asynccontextmanager
async def open_house(settings: Settings) -> AsyncGenerator[House, None]:
    """Build everything in order; on leaving, close it in reverse.

    Raises:
        ConfigError: Something in the settings, the prompts or the knowledge is wrong.
    """
    parts = build_parts(settings)
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(Database(settings.database_url))
        engines = await stack.enter_async_context(open_engines(settings))
        wake, records, server_id = Wake(), StoredRecords(database), secrets.token_urlsafe(9)
        event_log = EventLog(database, wake, server_id)
        keeper = DeskKeeper(settings, parts, engines, records)
        runner = await stack.enter_async_context(
            TurnRunner(event_log, keeper.current, server_id, keeper.watch)
        )
        yield House(settings, Callers(settings), event_log, wake, records, runner, keeper, database)


def create_app(settings: Settings) -> FastAPI:
    """The application for these settings; its lifespan opens and closes the house."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[None, None]:
        async with open_house(settings) as house:
            app.state.house = house
            yield
            await house.runner.drain(patience_s=20)

    app = FastAPI(title="Frontdesk", lifespan=lifespan, docs_url=None, redoc_url=None)
    app.exception_handler(FrontdeskError)(_on_error)
    app.exception_handler(HTTPException)(_on_http_error)
    app.exception_handler(Exception)(_on_bug)
    app.add_middleware(SafeHeaders)
    _add_chat_routes(app)
    _add_health_routes(app)
    add_ops_routes(app)
    app.mount("/", StaticFiles(directory=ROOT / "web", html=True), name="pages")
    return app


def _house(request: Request) -> House:
    house: House = request.app.state.house
    return house


async def _caller(request: Request) -> Caller:
    return await _house(request).callers.find(request.headers, request.cookies)


def _add_chat_routes(app: FastAPI) -> None:
    @app.post("/chat", response_model=Reply, response_model_exclude_none=True)
    async def post_chat(request: Request) -> Response:
        """Take a message and answer it, as one JSON reply or as an AG-UI event stream (Accept: text/event-stream)."""
        house, caller = _house(request), await _caller(request)
        message = bodies.read_message(
            await bodies.read_json(request), caller.owner, request.headers.get("idempotency-key")
        )
        accepted = await house.runner.start(message)
        if "text/event-stream" in request.headers.get("accept", ""):
            after_seq = await _resume_point(house, accepted.turn, request)
            frames = turn_frames(house.event_log, accepted.turn, after_seq, caller.new_token)
            response: Response = StreamingResponse(frames, media_type="text/event-stream", headers=HEADERS)
        else:
            events = [
                item.event async for item in house.event_log.follow_turn(accepted.turn) if item is not None
            ]
            reply = fold_reply(accepted.turn, events, caller.new_token)
            response = JSONResponse(reply.model_dump(mode="json", exclude_none=True))
        return _with_token(response, caller, request)

    @app.get("/chat/{conversation_id}", response_model=History)
    async def get_history(request: Request, conversation_id: str) -> Response:
        """All messages of a conversation of yours, oldest first."""
        house = await _owned(request, conversation_id)
        turns = await house.event_log.read_turns(conversation_id, TURNS_IN_HISTORY)
        history = fold_history(conversation_id, turns)
        return JSONResponse(history.model_dump(mode="json", exclude_none=True))

    @app.get("/chat/{conversation_id}/events")
    async def get_events(request: Request, conversation_id: str, after: str | None = None) -> Response:
        """Everything after the event you name (`Last-Event-ID` or `?after=`), and then what happens, as SSE."""
        house = await _owned(request, conversation_id)
        ordinal, seq = await place_of(
            house.event_log, conversation_id, request.headers.get("last-event-id") or after
        )
        frames = conversation_frames(house.event_log, conversation_id, ordinal, seq)
        return StreamingResponse(frames, media_type="text/event-stream", headers=HEADERS)

    @app.post("/chat/{conversation_id}/feedback", status_code=201)
    async def post_feedback(request: Request, conversation_id: str) -> dict[str, str]:
        """Rate the conversation, or one turn of it, from 1 to 5."""
        house = await _owned(request, conversation_id)
        form: bodies.FeedbackForm = bodies.validated(bodies.FeedbackForm, await bodies.read_json(request))
        if form.turn_id is not None:
            await place_of(house.event_log, conversation_id, f"{form.turn_id}:0")
        stored = await house.records.save_feedback(conversation_id, form.rating, form.comment, form.turn_id)
        return {"feedback_id": stored}


def _add_health_routes(app: FastAPI) -> None:
    @app.get("/healthz")
    async def healthz() -> dict[str, str]:
        """Alive."""
        return {"status": "alive"}

    @app.get("/readyz")
    async def readyz(request: Request) -> Response:
        """Ready for messages, and the state of engine, database and prompts."""
        house = _house(request)
        database_ok = await house.database.is_reachable()
        ready = database_ok and not house.runner.is_draining
        desk = house.keeper.current()
        state = {
            "status": "ready" if ready else "not_ready",
            "engine": {
                "answers": "claude" if desk.engines.expects_claude else "local",
                "models": desk.engines.states(),
            },
            "database": "ok" if database_ok else "unreachable",
            "prompts": {
                "version": desk.catalogue.version,
                "intents": list(desk.catalogue.intents),
                "state": "ok" if house.keeper.stale is None else "stale",
                "reason": house.keeper.stale,
            },
            "knowledge": {"passages": house.keeper.parts.knowledge.passages},
        }
        return JSONResponse(state, status_code=200 if ready else 503)


async def _owned(request: Request, conversation_id: str) -> House:
    """The house, if the conversation is the caller's.

    Raises:
        NotFound: Unknown or somebody else's: the same answer, after the same look-up.
    """
    house, caller = _house(request), await _caller(request)
    if await house.event_log.owner(conversation_id) != caller.owner:
        raise NotFound
    return house


async def _resume_point(house: House, turn: TurnRef, request: Request) -> int:
    """After which event of this turn the stream goes on, when the client says what it has."""
    event_id = request.headers.get("last-event-id")
    if not event_id or not event_id.startswith(f"{turn.turn_id}:"):
        return 0
    return (await place_of(house.event_log, turn.conversation_id, event_id))[1]


def _with_token(response: Response, caller: Caller, request: Request) -> Response:
    if caller.new_token is not None:
        response.headers[HEADER] = caller.new_token
        response.set_cookie(
            COOKIE,
            caller.new_token,
            max_age=VISITOR_COOKIE_DAYS * 86_400,
            httponly=True,
            samesite="lax",
            secure=request.url.scheme == "https",
        )
    return response


def _on_error(request: Request, error: Exception) -> Response:
    if not isinstance(error, FrontdeskError):
        raise error
    shown = {"code": error.code, "message": error.customer_text, "request_id": _request_id(request)}
    headers = {"Retry-After": str(error.retry_after_s)} if isinstance(error, Busy) else {}
    return JSONResponse({"error": shown}, status_code=error.status, headers=headers)


def _on_http_error(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    code = {404: "not_found", 405: "method_not_allowed"}.get(status, "http_error")
    text = {404: "There is nothing at this address.", 405: "This address takes another method."}.get(
        status, "Bad request."
    )
    headers = getattr(error, "headers", None)
    return JSONResponse(
        {"error": {"code": code, "message": text, "request_id": _request_id(request)}},
        status_code=status,
        headers=headers,
    )


def _on_bug(request: Request, _: Exception) -> Response:
    shown = {
        "code": "internal_error",
        "message": FrontdeskError.customer_text,
        "request_id": _request_id(request),
    }
    return JSONResponse({"error": shown}, status_code=500)


def _request_id(request: Request) -> str:
    return str(getattr(request.state, "request_id", ""))
