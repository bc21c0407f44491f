"""The HTTP server: builds everything, and opens and closes it in order. Thin.

`create_app` is the one entry; `frontdesk serve` runs it. The routes are in api/; their contract is the README's
section on the API.
"""

import asyncio
import secrets
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from importlib.metadata import PackageNotFoundError, version

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles

from api.callers import Callers
from api.chat import add_chat_routes
from api.failures import add_failures
from api.health import add_health_routes
from api.house import House
from api.middleware import Envelope
from api.openapi import add_document
from api.ops import add_ops_routes
from api.stopping import PATIENCE_S, Stopping, stop_signals
from build import DeskKeeper, build_parts, open_engines
from router.desk import Engines
from router.runner import TurnRunner
from settings import ROOT, Settings
from store.database import Database
from store.log import EventLog
from store.records import StoredRecords
from store.wake import Wake

__all__ = ["House", "create_app", "open_house"]


@asynccontextmanager
async def open_house(
    settings: Settings, engines: Engines | None = None, patience_s: float = PATIENCE_S
) -> AsyncGenerator[House, None]:
    """Build everything in order; on leaving, close it in reverse.

    Args:
        engines: Others than those the settings ask for.
        patience_s: How long turns under way may take when the server is asked to stop.

    Raises:
        ConfigError: Something in the settings, the prompts or the knowledge is wrong.
    """
    parts = build_parts(settings)
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(Database(settings.database_url))
        if engines is None:
            engines = await stack.enter_async_context(open_engines(settings))
        wake, records, server_id = Wake(), StoredRecords(database), secrets.token_urlsafe(9)
        event_log = EventLog(database, wake, server_id)
        keeper = DeskKeeper(settings, parts, engines, records)
        runner = await stack.enter_async_context(
            TurnRunner(event_log, keeper.current, server_id, keeper.watch)
        )
        yield House(
            settings=settings,
            callers=Callers(settings),
            event_log=event_log,
            wake=wake,
            records=records,
            runner=runner,
            keeper=keeper,
            database=database,
            stopping=Stopping(runner, wake, patience_s),
        )


def create_app(
    settings: Settings, engines: Engines | None = None, patience_s: float = PATIENCE_S
) -> FastAPI:
    """The application for these settings; its lifespan opens and closes the house (see open_house)."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[None, None]:
        async with open_house(settings, engines, patience_s) as house, asyncio.TaskGroup() as group:
            app.state.house = house
            group.create_task(house.stopping.run(), name="stopping")
            with stop_signals(house.stopping.ask):
                yield
            house.stopping.ask()

    app = FastAPI(title="Frontdesk", lifespan=lifespan, docs_url=None, redoc_url=None)
    app.add_middleware(Envelope)
    add_failures(app)
    add_chat_routes(app)
    add_health_routes(app)
    add_ops_routes(app)
    add_document(app, _version())
    app.mount("/", StaticFiles(directory=ROOT / "web", html=True), name="pages")
    return app


def _version() -> str:
    try:
        return version("frontdesk")
    except PackageNotFoundError:  # pragma: no cover - run from a checkout that is not installed
        return "0"
