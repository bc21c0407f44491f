"""Claude is down, hangs, is overloaded or turns us away: honest local answers in time, and back by itself."""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest

from engine.breaker import FIRST_PAUSE_S
from engine.claude import Claude
from engine.failover import Failover
from engine.local import Local
from engine.resilient import Patience, Resilient
from readers.routing_line import RoutingLine, fold_routing_line
from router.desk import Engines
from tests.model_like import ModelLike
from tests.serving import Running, local_settings, running, streamed, text_of
from tests.simulation import Simulation

HAIKU, SONNET = "claude-haiku-5-5", "claude-sonnet-5-5"
ENGLISH, SPANISH = (
    "Does your car insurance cover hail damage?",
    "¿El seguro de coche cubre los daños por granizo?",
)
LABELS = {
    ENGLISH: ("product_info", "en"),
    SPANISH: ("product_info", "es"),
    "Hello there!": ("greeting", "en"),
    "How much to insure a 2022 Nissan Leaf with 20000 miles? I am 34.": ("quote", "en"),
}
QUOTE = "How much to insure a 2022 Nissan Leaf with 20000 miles? I am 34."
SHORT = Patience(first_piece_s=1.0, silence_s=0.4, retry_total_s=1.0)
Body = dict[str, Any]


@dataclass
class Clock:
    """Monotonic seconds that a test may push on."""

    ahead_s: float = 0.0

    def __call__(self) -> float:
        """Now, and what was pushed."""
        return time.monotonic() + self.ahead_s


@dataclass(frozen=True)
class Desk:
    """A server with Claude in front, the API behind it, and the breakers' clock."""

    api: Simulation
    server: Running
    clock: Clock
    states: Resilient

    async def ask(self, text: str, client: httpx2.AsyncClient | None = None) -> tuple[Body, float]:
        """The reply, and how long it took."""
        started = time.monotonic()
        response = await (client or self.server.client).post("/chat", json={"message": text})
        assert response.status_code == 200, response.text
        reply: Body = response.json()
        return reply, time.monotonic() - started

    async def line(self, reply: Body) -> RoutingLine:
        """The routing line of this reply's turn."""
        turns = await self.server.house.event_log.read_turns(reply["conversation_id"], 50)
        return next(fold_routing_line(ref, seen) for ref, seen in turns if ref.turn_id == reply["turn_id"])


@asynccontextmanager
async def _desk(
    folder: Path, patience: Patience = SHORT, key: str | None = None
) -> AsyncGenerator[Desk, None]:
    clock = Clock()
    async with Simulation(ModelLike(LABELS)) as api, Claude(key or api.api_key, api.base_url) as claude:
        resilient = Resilient(claude, patience, clock)
        engines = Engines(
            Failover(resilient, Local()), resilient, expects_claude=True, states=lambda: resilient.states
        )
        async with running(local_settings(folder), engines) as server:
            yield Desk(api, server, clock, resilient)


def _check_honest(reply: Body, language: str = "en") -> None:
    """A whole local answer under the right intent, marked as what it is."""
    assert reply["intent"] == "product_info"
    assert (reply["engine"], reply["degraded"]) == ("local", True)
    assert ("basic mode" if language == "en" else "modo básico") in reply["text"]
    assert reply["citations"]
    assert "error" not in reply


@pytest.mark.parametrize(
    ("fault", "seconds"),
    [
        ("529 x*", 4.0),
        ("500 x*", 4.0),
        ("502 x*", 4.0),
        ("reset:0 x*", 4.0),
        ("429:60 x*", 1.0),
        ("429:spend x*", 1.0),
        ("401 x*", 1.0),
        ("404 x*", 1.0),
        ("hang x*", 4.0),
        ("hang200 x*", 4.0),
    ],
)
async def test_an_outage_is_answered_honestly_and_in_time(fault: str, seconds: float, tmp_path: Path) -> None:
    """Whatever the API does, the customer reads a useful answer, and that it is a basic one."""
    async with _desk(tmp_path) as desk:
        desk.api.faults("*", fault)
        reply, took_s = await desk.ask(ENGLISH)
        line = await desk.line(reply)

    _check_honest(reply)
    assert took_s < seconds
    assert line.outcome == "answered_degraded"
    assert "classifier_fallback" in line.faults


async def test_with_the_defaults_a_hanging_api_is_answered_within_nine_seconds(tmp_path: Path) -> None:
    """In real time: the label hangs first, then the answer, and the customer still gets words in time."""
    async with _desk(tmp_path, Patience()) as desk:
        desk.api.faults("*", "hang x*")
        reply, took_s = await desk.ask(ENGLISH)
        await desk.api.until(lambda: desk.api.open_answers == 0)

    _check_honest(reply)
    assert took_s < 9


async def test_nobody_there_is_answered_in_spanish_and_ends_by_itself(tmp_path: Path) -> None:
    """The API is gone for twenty customers; few calls are tried, and the next minute everybody is back on Claude."""
    async with _desk(tmp_path) as desk:
        await desk.api.down()
        replies = [(await desk.ask(SPANISH))[0] for _ in range(20)]
        assert desk.states.states == {HAIKU: "open", SONNET: "open"}
        await desk.api.up()
        desk.clock.ahead_s += FIRST_PAUSE_S
        back, _ = await desk.ask(ENGLISH)
        line = await desk.line(back)

    for reply in replies:
        _check_honest(reply, "es")
    assert (back["engine"], back["degraded"], line.faults) == ("claude", False, ())
    assert desk.states.states == {HAIKU: "closed", SONNET: "closed"}


async def test_an_overload_sees_few_calls_and_one_probe(tmp_path: Path) -> None:
    """Twenty turns during an overload: a handful of calls. Then one probe for labels and one for answers."""
    async with _desk(tmp_path) as desk:
        desk.api.faults("*", "529 x*")
        times = [(await desk.ask(ENGLISH))[1] for _ in range(20)]
        calls = len(desk.api.calls())
        desk.clock.ahead_s += FIRST_PAUSE_S
        async with asyncio.TaskGroup() as group:
            for _ in range(10):
                group.create_task(desk.ask(ENGLISH))
        probes = len(desk.api.calls()) - calls

    assert calls <= 6
    assert probes == 2
    assert max(times[1:]) < 0.5


async def test_a_short_overload_is_not_noticed(tmp_path: Path) -> None:
    """One 529 or one rate limit, and the answer is Claude's all the same."""
    async with _desk(tmp_path, Patience()) as desk:
        desk.api.faults(SONNET, "529")
        desk.api.faults(HAIKU, "429:1")
        reply, took_s = await desk.ask(ENGLISH)
        line = await desk.line(reply)

    assert (reply["engine"], reply["degraded"]) == ("claude", False)
    assert line.retries == 2
    assert set(line.faults) == {"upstream_529", "upstream_429"}
    assert took_s < 3


async def test_only_the_classifier_is_down(tmp_path: Path) -> None:
    """A normal answer from Claude; only the log knows that the local label decided."""
    async with _desk(tmp_path) as desk:
        desk.api.faults(HAIKU, "500 x*")
        reply, _ = await desk.ask(ENGLISH)
        line = await desk.line(reply)

    assert (reply["engine"], reply["degraded"], reply["decided_by"]) == ("claude", False, "local")
    assert line.faults[-1] == "classifier_fallback"
    assert line.outcome == "answered"


async def test_only_the_specialist_is_down(tmp_path: Path) -> None:
    """A local answer under Claude's intent."""
    async with _desk(tmp_path) as desk:
        desk.api.faults(SONNET, "500 x*")
        reply, _ = await desk.ask(ENGLISH)

    _check_honest(reply)
    assert reply["decided_by"] == "haiku"


async def test_a_quote_is_still_worked_out(tmp_path: Path) -> None:
    """In basic mode the price is the same tool's."""
    async with _desk(tmp_path) as desk:
        desk.api.faults("*", "401 x*")
        reply, _ = await desk.ask(QUOTE)

    assert reply["degraded"] is True
    assert reply["quote"]["monthly_premium_usd"] in reply["text"]


@pytest.mark.parametrize("fault", ["reset:2", "error:2", "stall:60:2", "badjson:2", "cut:2:word"])
async def test_an_answer_that_breaks_off_stays_and_says_so(fault: str, tmp_path: Path) -> None:
    """What was shown is neither doubled nor taken back; the customer learns that it may be incomplete."""
    async with _desk(tmp_path) as desk:
        desk.api.pace(chunk_chars=8)
        desk.api.faults(HAIKU, f"ok, {fault}")
        frames = await streamed(desk.server.client, {"message": "Hello there!"})
        result = frames[-1].event["result"]

    assert frames[-1].type == "RUN_FINISHED"
    assert text_of(frames) == result["text"]
    assert result["text"].startswith("Hello, ")
    assert result["text"].count("Hello, ") == 1
    assert "may be incomplete" in result["text"]
    assert result["degraded"] is True


@pytest.mark.parametrize("fault", ["reset:0", "error:0", "cut:0"])
async def test_a_break_before_the_first_word_is_repaired_in_silence(fault: str, tmp_path: Path) -> None:
    """The customer notices nothing."""
    async with _desk(tmp_path) as desk:
        desk.api.faults(SONNET, fault)
        reply, _ = await desk.ask(ENGLISH)
        line = await desk.line(reply)

    assert (reply["engine"], reply["degraded"], line.retries) == ("claude", False, 1)


@pytest.mark.parametrize("fault", ["empty", "refusal", "max_tokens:1"])
async def test_an_answer_without_words_is_given_locally(fault: str, tmp_path: Path) -> None:
    """Never an empty bubble."""
    async with _desk(tmp_path) as desk:
        desk.api.faults(SONNET, f"{fault} x*")
        reply, _ = await desk.ask(ENGLISH)

    _check_honest(reply)


@pytest.mark.parametrize(
    "fault", ["unknown", "pings:20", "bytes", "utf8", "nostop", "pause", "toolcase", "tooljson"]
)
async def test_a_strange_line_changes_nothing(fault: str, tmp_path: Path) -> None:
    """Pings, unknown events, split letters, odd spellings and one broken tool request are our business alone."""
    async with _desk(tmp_path) as desk:
        desk.api.faults(SONNET, fault)
        reply, _ = await desk.ask(ENGLISH)

    assert (reply["engine"], reply["degraded"]) == ("claude", False)
    assert reply["citations"]


async def test_a_wrong_key_never_shows(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """One loud line for the operator, no retries, and the key in no log."""
    async with _desk(tmp_path, key="sk-ant-not-this-one") as desk:
        for _ in range(5):
            reply, took_s = await desk.ask(ENGLISH)
            _check_honest(reply)
            assert took_s < 2
        calls = len(desk.api.calls())
    shown = "".join(capfd.readouterr())

    assert calls <= 2
    assert '"level": "critical"' in shown
    assert "sk-ant-not-this-one" not in shown
