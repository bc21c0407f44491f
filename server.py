"""The HTTP server: builds everything, and opens and closes it in order. Thin.

`serve` is what `frontdesk serve` runs; `create_app` is the application alone, for another ASGI server. The routes are in api/; their contract is the README's
section on the API.
"""

import asyncio
import gc
import secrets
import signal
import socket
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from importlib.metadata import PackageNotFoundError, version
from types import FrameType

import uvicorn
from fastapi import FastAPI

from api.callers import Callers
from api.chat import add_chat_routes
from api.connection import Connection, raise_file_limit
from api.failures import add_failures
from api.gate import Gate
from api.health import add_health_routes
from api.house import House
from api.metrics import add_metrics_route
from api.middleware import Envelope
from api.openapi import add_document
from api.ops import add_ops_routes
from api.pages import add_pages
from api.stopping import BREAK_AFTER_S, PATIENCE_S, Stopping
from build import build_parts, open_accounts, open_engines, open_retention
from deskkeeper import DeskKeeper
from errors import ConfigError
from readers.metrics import Metrics
from router.admission import Admission
from router.desk import Engines
from router.quota import Quota, Quotas, Rate
from router.runner import TurnRunner
from settings import ROOT, Settings
from store.database import Database
from store.log import EventLog
from store.records import StoredRecords
from store.wake import Wake

_DOORS = 32
__all__ = ["House", "create_app", "open_house", "serve"]


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
    quotas, metrics = _quotas(settings), Metrics()
    database = Database(settings.database_url, reader_wait_s=settings.database_wait_s)
    parts = build_parts(settings, database)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(database)
        if engines is None:
            engines = await stack.enter_async_context(open_engines(settings))
        for service in parts.services:
            await stack.enter_async_context(service)
        wake, records, server_id = Wake(), StoredRecords(database), secrets.token_urlsafe(9)
        event_log = EventLog(database, wake, server_id)
        account_of = await stack.enter_async_context(open_accounts(settings, parts, database))
        keeper = DeskKeeper(settings, parts, engines, records, account_of)
        runner = await stack.enter_async_context(
            TurnRunner(
                event_log,
                keeper.current,
                server_id,
                keeper.watch,
                Admission(settings.turns_at_once),
                quotas,
                metrics.note,
            )
        )
        await stack.enter_async_context(open_retention(settings, database))
        yield House(
            settings=settings,
            callers=Callers(settings),
            event_log=event_log,
            records=records,
            runner=runner,
            keeper=keeper,
            database=database,
            stopping=Stopping(runner, wake, patience_s),
            metrics=metrics,
        )


def _quotas(settings: Settings) -> Quotas:
    """What the settings allow each caller.

    Raises:
        ConfigError: A rate cannot be read.
    """
    callers = Rate.read(settings.caller_limit, "FRONTDESK_CALLER_LIMIT")
    addresses = Rate.read(settings.address_limit, "FRONTDESK_ADDRESS_LIMIT")
    return Quotas(Quota(callers), Quota(addresses))


def create_app(settings: Settings, engines: Engines | None = None, patience_s: float = PATIENCE_S) -> FastAPI:
    """The application for these settings; its lifespan opens and closes the house (see open_house)."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[None, None]:
        async with open_house(settings, engines, patience_s) as house, asyncio.TaskGroup() as group:
            app.state.house = house
            group.create_task(house.stopping.run(), name="stopping")
            yield
            house.stopping.ask()

    app = FastAPI(title="Frontdesk", lifespan=lifespan, docs_url=None, redoc_url=None)
    app.add_middleware(Gate)
    app.add_middleware(Envelope)
    add_failures(app)
    add_chat_routes(app)
    add_health_routes(app)
    add_ops_routes(app)
    add_metrics_route(app)
    add_document(app, _version())
    add_pages(app, ROOT / "web")
    return app


def serve(settings: Settings, ready: Callable[[], None] = lambda: None) -> None:
    """Serve until SIGINT or SIGTERM; then stop in order and return.

    Args:
        ready: Called as soon as clients are heard.

    Raises:
        ConfigError: Something in the settings, the prompts or the knowledge is wrong, or the port is taken.
    """
    _check_free(settings.host, settings.port)
    app = create_app(settings)
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        http=Connection,
        ws="none",
        lifespan="off",  # entered below, so that a wrong setting is one readable line
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=BREAK_AFTER_S,
    )

    raise_file_limit()

    async def run() -> None:
        async with app.router.lifespan_context(app), asyncio.TaskGroup() as group:
            _settle_memory()
            house: House = app.state.house
            server = _Server(config, house.stopping, ready)
            group.create_task(server.end_when_drained())
            await server.serve(sockets=_doors(config.bind_socket()))
            house.stopping.ask()

    with asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
        runner.run(run())


def _settle_memory() -> None:
    """What is there now stays: the collector of cycles need not go through it again.

    Why: prompts, articles and models are some 170,000 objects, and each full collection held up every customer for as long
    as it took to look at them all.
    """
    gc.collect()
    gc.freeze()


def _check_free(host: str, port: int) -> None:
    """Look before everything is read and learnt.

    Raises:
        ConfigError: Somebody listens there, or the address is not this machine's.
    """
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as door:
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            door.bind((host, port))
        except OSError as exc:
            raise ConfigError(
                f"setting PORT: {host}:{port}: {exc.strerror}; end what runs there, or choose another PORT or HOST"
            ) from exc


def _doors(listening: socket.socket) -> list[socket.socket]:
    """The same listening socket several times over.

    Why: the event loop takes one new connection from each in every round. From a single one, a rush of new clients would
    wait in the system's queue, where nobody can answer or refuse them.
    """
    return [listening, *(listening.dup() for _ in range(_DOORS - 1))]


class _Server(uvicorn.Server):
    """The web server. A signal begins the orderly end; it listens until nothing is left to wait for, and its exit code is 0.

    Whoever comes meanwhile is told to come back, instead of finding nobody. A second signal ends it at once.
    """

    def __init__(self, config: uvicorn.Config, stopping: Stopping, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._stopping = stopping
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, and say so."""
        await super().startup(sockets)
        self._ready()

    async def end_when_drained(self) -> None:
        """Close what listens once the turns under way have ended, or had their time."""
        await self._stopping.ended.wait()
        self.should_exit = True

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()

        def heard(number: int, frame: FrameType | None) -> None:
            if self._stopping.is_asked:
                self.handle_exit(number, frame)
            loop.call_soon_threadsafe(self._stopping.ask)

        before = {number: signal.signal(number, heard) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def _version() -> str:
    try:
        return version("frontdesk")
    except PackageNotFoundError:  # pragma: no cover - run from a checkout that is not installed
        return "0"
