"""A server of its own before the simulated API, with the deadlines and breakers that operators get; and what it says."""

import json
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2

from tests.model_like import ModelLike
from tests.processes import ServerProcess
from tests.serving import Frame, streamed
from tests.simulation import Simulation
from tests.waiting import until

HAIKU, SONNET = "claude-haiku-5-5", "claude-sonnet-5-5"
ENGLISH = "Does your car insurance cover hail damage?"
SPANISH = "¿El seguro de coche cubre los daños por granizo?"
HELLO = "Hello there!"
LOCAL_S, HANGING_S = 4.0, 9.0
LABELS = {
    ENGLISH: ("product_info", "en"),
    SPANISH: ("product_info", "es"),
    HELLO: ("greeting", "en"),
}


@dataclass(frozen=True)
class Said:
    """One turn from outside: the reply, its routing line, and how long the customer waited."""

    reply: dict[str, Any]
    line: dict[str, Any]
    took_s: float

    def check_basic(self, within_s: float) -> None:
        """A whole local answer, marked as what it is, in time; three times the promise on a busy machine."""
        assert (self.reply["engine"], self.reply["degraded"]) == ("local", True), self.reply
        assert ("basic mode" in self.reply["text"]) != ("modo básico" in self.reply["text"])
        assert self.line["outcome"] == "answered_degraded"
        assert self.took_s < 3 * within_s

    def check_normal(self) -> None:
        """An answer of Claude's that nobody can tell from one without trouble."""
        assert (self.reply["engine"], self.reply["degraded"]) == ("claude", False), self.reply
        assert self.line["outcome"] == "answered"


@dataclass(frozen=True)
class Upstream:
    """The server and the API behind it."""

    api: Simulation
    process: ServerProcess

    def breaks(self, plan: str) -> None:
        """Lay these faults before the next requests of each model."""
        for model in (HAIKU, SONNET):
            self.api.faults(model, plan)

    async def say(self, text: str = ENGLISH, **more: str) -> Said:
        """A turn in a conversation of its own, unless another one is named."""
        started = time.monotonic()
        response = await self.process.client.post("/chat", json={"message": text, **more})
        took_s = time.monotonic() - started
        assert response.status_code == httpx2.codes.OK, response.text
        reply: dict[str, Any] = response.json()
        return Said(reply, await self._line(reply["turn_id"]), took_s)

    async def stream(self, text: str) -> tuple[list[Frame], dict[str, Any]]:
        """The frames of a turn in a conversation of its own, and its routing line."""
        frames = await streamed(self.process.client, {"message": text})
        return frames, await self._line(frames[-1].event_id.partition(":")[0])

    async def _line(self, turn_id: str) -> dict[str, Any]:
        def found() -> list[dict[str, Any]]:
            return [line for line in self.logged("turn.routed") if line["turn_id"] == turn_id]

        await until(found)
        (line,) = found()
        return line

    async def troubles(self, said: Said) -> list[dict[str, Any]]:
        """The faults of this turn as its trace keeps them."""
        trace = (await self.process.client.get(f"/ops/turns/{said.reply['turn_id']}")).json()
        found: list[dict[str, Any]] = []
        _collect(trace, found)
        return found

    async def ready(self) -> dict[str, Any]:
        """What readiness says."""
        state: dict[str, Any] = (await self.process.client.get("/readyz")).json()
        return state

    def logged(self, event: str, **fields: object) -> list[dict[str, Any]]:
        """The log lines of this event with these fields."""
        return [line for line in self._lines() if line["event"] == event and fields.items() <= line.items()]

    def _lines(self) -> list[dict[str, Any]]:
        whole = self.process.out.rpartition("\n")[0]  # the last line may still be being written
        return [json.loads(line) for line in whole.splitlines() if line]

    def breakers(self, name: str) -> list[str]:
        """The states that this breaker has entered, in order."""
        return [line["after"] for line in self.logged("breaker.changed", model=name)]


@asynccontextmanager
async def open_upstream(folder: Path) -> AsyncGenerator[Upstream, None]:
    """Both, working. At the end no word of a customer, no stack trace and no key may stand in the log."""
    async with Simulation(ModelLike(LABELS)) as api:
        environment = {**api.environment, "FRONTDESK_ENGINE": "claude", "FRONTDESK_CALLER_LIMIT": "off"}
        async with ServerProcess(folder, environment) as process:
            yield Upstream(api, process)
            printed = process.printed()
    assert "hail" not in printed
    assert "Traceback" not in printed
    assert api.api_key not in printed


def _collect(node: object, found: list[dict[str, Any]]) -> None:
    """Every fault event in this trace."""
    if isinstance(node, dict):
        if node.get("type") == "fault.seen":
            found.append(node)
        node = list(node.values())
    if isinstance(node, list):
        for part in node:
            _collect(part, found)
