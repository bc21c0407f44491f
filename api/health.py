"""Alive and ready: what a supervisor and a load balancer ask."""

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response

from api.house import house_of


def add_health_routes(app: FastAPI) -> None:
    """Routes /healthz and /readyz."""
    app.get("/healthz")(healthz)
    app.get(
        "/readyz", responses={503: {"description": "not ready: draining, or the database takes no writes"}}
    )(readyz)


async def healthz() -> dict[str, str]:
    """Alive."""
    return {"status": "alive"}


async def readyz(request: Request) -> Response:
    """Ready for messages, and the state of engine, database and prompts."""
    house = house_of(request)
    database = await house.database.state()
    is_ready = database == "ok" and not house.runner.is_draining
    desk = house.keeper.current()
    state = {
        "status": "ready" if is_ready else "draining" if house.runner.is_draining else "not_ready",
        "engine": {
            "answers": "claude" if desk.engines.expects_claude else "local",
            "state": "degraded" if desk.engines.faults() else "ok",
            "models": dict(desk.engines.states()),
            "faults": dict(desk.engines.faults()),
        },
        "database": database,
        "prompts": {
            "version": desk.catalogue.version,
            "intents": list(desk.catalogue.intents),
            "state": "ok" if house.keeper.stale is None else "stale",
            "reason": house.keeper.stale,
        },
        "knowledge": {
            "passages": house.keeper.parts.knowledge.passages,
            "searched_in": house.keeper.parts.knowledge.searched_in,
            "by_meaning": house.keeper.parts.knowledge.by_meaning,
        },
        "mcp": house.keeper.parts.lenders(),
        "turns_under_way": house.runner.under_way,
    }
    return JSONResponse(state, status_code=200 if is_ready else 503)
