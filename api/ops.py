"""What ops read: the routing lines of recent turns, one turn's whole trace, and new lines as they come.

Access: the bearer FRONTDESK_OPS_TOKEN; when it is unset, only somebody on this very machine: the server is bound to
loopback, the Host header is a loopback name, and no forwarding header is there.
"""

import asyncio
import hmac
import re
from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

from fastapi import FastAPI, Query, Request
from fastapi.responses import JSONResponse, Response
from fastapi.sse import format_sse_event

from api.agui import KEEP_ALIVE
from api.failures import refusals
from api.house import house_of
from api.openapi import ROUTING_STREAM
from api.stream import FrameStream
from errors import NotFound, Unauthorized
from events import JsonObject, Proof
from knowledge.verify import state_of
from readers.proofs import fold_proofs
from readers.routing_line import fold_routing_line
from router.contain import contained
from settings import Settings
from store.gaps import LONGEST_DAYS, read_gaps
from store.log import EventLog

_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1", "[::1]"})
_HOST = re.compile(r"(?P<name>[a-z0-9.-]+|\[[0-9a-f:]+\])(:[0-9]+)?")
_FORWARDING = frozenset(
    {
        "forwarded",
        "via",
        "x-real-ip",
        "x-client-ip",
        "x-cluster-client-ip",
        "true-client-ip",
        "cf-connecting-ip",
    }
)
_LOW_CONFIDENCE = 0.7
_LOOKED_AT = 500


_SINCE = Query(
    description="a time, in UTC when it names no zone; or seconds since 1970",
    json_schema_extra={
        "anyOf": [{"type": "string", "format": "date-time"}, {"type": "number"}, {"type": "null"}]
    },
)


def check_ops(request: Request, settings: Settings) -> None:
    """Let ops through.

    Raises:
        Unauthorized: No or a wrong token; or none is set and this is not plainly somebody on this machine.
    """
    if settings.ops_token is not None:
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        token = settings.ops_token.get_secret_value()
        if scheme.lower() != "bearer" or not hmac.compare_digest(given.encode(), token.encode()):
            raise Unauthorized(customer_text="This needs the ops token (Authorization: Bearer ...).")
        return
    if settings.host not in _LOOPBACK or not _names_loopback(request) or _is_forwarded(request):
        raise Unauthorized(customer_text="Set FRONTDESK_OPS_TOKEN to read this from elsewhere.")


def _names_loopback(request: Request) -> bool:
    hosts = request.headers.getlist("host")
    named = _HOST.fullmatch(hosts[0].lower()) if len(hosts) == 1 else None
    return named is not None and named["name"] in _LOOPBACK


def _is_forwarded(request: Request) -> bool:
    return any(name in _FORWARDING or name.startswith("x-forwarded") for name in request.headers)


def add_ops_routes(app: FastAPI) -> None:
    """Routes under /ops."""
    app.get("/ops/turns", responses=refusals(401, 422, 503))(get_turns)
    app.get("/ops/turns/stream", responses={200: ROUTING_STREAM, **refusals(401)})(stream_turns)
    app.get("/ops/turns/{turn_id}", responses=refusals(401, 404, 503))(get_turn)
    app.get("/ops/gaps", responses=refusals(401, 422, 503))(get_gaps)


async def get_turns(
    request: Request,
    intent: str | None = None,
    engine: str | None = None,
    outcome: str | None = None,
    decided_by: str | None = None,
    since: Annotated[datetime | None, _SINCE] = None,
    low_confidence: bool = False,
    text: str | None = None,
    limit: Annotated[int, Query(ge=1, le=_LOOKED_AT)] = 100,
) -> Response:
    """Routing lines of the last finished turns, newest first; `text` is part of a turn's or conversation's id."""
    house = house_of(request)
    check_ops(request, house.settings)
    turns = await house.event_log.recent_turns(_LOOKED_AT, _seconds(since) if since else 0.0)
    lines = [fold_routing_line(turn, recorded) for turn, recorded in turns if recorded]
    wanted = {"intent": intent, "engine": engine, "outcome": outcome, "decided_by": decided_by}
    kept = [
        line
        for line in lines
        if all(value is None or getattr(line, name) == value for name, value in wanted.items())
        and (not low_confidence or (line.confidence or 0.0) < _LOW_CONFIDENCE)
        and (text is None or text in line.turn_id or text in line.conversation_id)
    ]
    return JSONResponse({"turns": [line.model_dump(mode="json") for line in kept[:limit]]})


def _seconds(moment: datetime) -> float:
    """Seconds since 1970; a time without a zone is UTC."""
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


async def stream_turns(request: Request) -> Response:
    """Routing lines as turns end, as SSE."""
    house = house_of(request)
    check_ops(request, house.settings)
    return FrameStream(_live(house.event_log))


async def get_turn(request: Request, turn_id: str) -> Response:
    """Everything that happened in one turn, in order, and what its cited sentences lean on, looked up anew."""
    house = house_of(request)
    check_ops(request, house.settings)
    turn = await house.event_log.find_turn(turn_id)
    if turn is None:
        raise NotFound(customer_text="There is no such turn.")
    recorded = await house.event_log.read_turn(turn)
    line = fold_routing_line(turn, recorded)
    events = [item.model_dump(mode="json") for item in recorded]
    citations = await asyncio.to_thread(_looked_up, fold_proofs(recorded), house.settings.knowledge)
    return JSONResponse({"routing": line.model_dump(mode="json"), "citations": citations, "events": events})


def _looked_up(proofs: Iterable[Proof], articles: Path) -> list[JsonObject]:
    return [{**proof.model_dump(), "state": state_of(proof, articles)} for proof in proofs]


async def get_gaps(request: Request, days: Annotated[int, Query(ge=1, le=LONGEST_DAYS)] = 30) -> Response:
    """Questions of the last days that the articles did not answer, those that mean much the same together."""
    house = house_of(request)
    check_ops(request, house.settings)
    gaps = await read_gaps(house.database, house.settings.knowledge, days, datetime.now(UTC))
    return JSONResponse(gaps.model_dump(mode="json"))


async def _live(event_log: EventLog) -> AsyncGenerator[bytes, None]:
    yield KEEP_ALIVE
    with contained("stream.failed"):
        async with aclosing(event_log.follow_ends()) as ends:
            async for turn in ends:
                if turn is None:
                    yield KEEP_ALIVE
                    continue
                line = fold_routing_line(turn, await event_log.read_turn(turn))
                yield format_sse_event(event="turn.routed", data_str=line.model_dump_json(), id=turn.turn_id)
