"""`GET /metrics`: figures for Prometheus. Who may read them: as for the other pages of ops."""

import asyncio

from fastapi import FastAPI, Request
from fastapi.responses import Response

from api.failures import refusals
from api.house import House, house_of
from api.ops import check_ops
from readers.metrics import CONTENT_TYPE, Readings

_BREAKER = {"closed": 0.0, "half_open": 0.5, "open": 1.0}


def add_metrics_route(app: FastAPI) -> None:
    """Route /metrics."""
    app.get("/metrics", responses={200: {"content": {"text/plain": {}}}, **refusals(401)})(get_metrics)


async def get_metrics(request: Request) -> Response:
    """Turns by intent, outcome and engine; latencies, tokens, cost, faults; and how busy the server is now."""
    house = house_of(request)
    check_ops(request, house.settings)
    return Response(house.metrics.text(_readings(house)), headers={"Content-Type": CONTENT_TYPE})


def _readings(house: House) -> Readings:
    admission, engines = house.runner.admission, house.keeper.current().engines
    readings: Readings = {
        "turns_under_way": ("Turns that have not ended, here", house.runner.under_way),
        "turns_limit": ("How many may be under way now", int(admission.limit)),
        "turns_waiting": ("Messages that wait for a place, not accepted yet", admission.waiting),
        "tasks": ("Tasks of the event loop", len(asyncio.all_tasks())),
        "loop_late_seconds": ("How late the event loop wakes up, smoothed", admission.late_s),
        "stored_seconds": ("How long storing a message takes, smoothed", admission.stored_s),
        "draining": ("1 while the server stops", house.runner.is_draining),
        "database_failing": (
            "1 after a write that failed, until one succeeds",
            house.database.writer.fault is not None,
        ),
        "prompts_stale": ("1 while a newer prompt file is refused", house.keeper.stale is not None),
        "breaker_open": (
            "1 while a model is not asked, 0.5 while one call tries",
            {model: _BREAKER[state] for model, state in engines.states().items()},
        ),
    }
    if engines.retries_left is None:
        return readings
    return {**readings, "retries_left": ("What the budget for retries pays for", engines.retries_left())}
