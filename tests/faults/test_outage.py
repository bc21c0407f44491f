"""U2, U3, U4, U6, U18 and U20: outages that open a breaker, or leave no Claude at all; each with a server of its own."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.faults.plugin import Figure, shows
from tests.faults.upstream import HELLO, LOCAL_S, SONNET, Said, Upstream, open_upstream
from tests.processes import ServerProcess
from tests.simulation import Simulation
from tests.test_first_light import ENGLISH as TALK
from tests.test_first_light import SPANISH as CHARLA
from tests.test_first_light import check_step

pytestmark = pytest.mark.lab
RECOVERS_S, AT_ONCE = 30.0, 12


@pytest.fixture
async def upstream(tmp_path: Path) -> AsyncIterator[Upstream]:
    """A server and an API that nothing has happened to yet."""
    async with open_upstream(tmp_path) as opened:
        yield opened


def _slowest(turns: list[Said]) -> float:
    return max(said.took_s for said in turns)


@pytest.mark.parametrize(
    ("fault", "code", "levels"),
    [
        shows("U2", "429:60 x*", "retry_after_over_budget", {"warning"}),
        shows("U3", "429:spend x*", "upstream_spend_cap", {"error"}),
        shows("U6", "401 x*", "upstream_auth", {"critical"}),
    ],
)
async def test_what_waiting_does_not_mend_is_not_waited_for(
    upstream: Upstream, figure: Figure, fault: str, code: str, levels: set[str]
) -> None:
    """Customers would stare at three dots, and the API be asked for nothing twenty times over."""
    upstream.breaks(fault)
    turns = [await upstream.say() for _ in range(20)]
    alive = await upstream.process.client.get("/healthz")
    ready = await upstream.ready()

    for said in turns:
        said.check_basic(LOCAL_S)
        assert said.line["retries"] == 0
    assert code in turns[0].line["faults"]
    calls = len(upstream.api.calls())
    assert calls <= 2
    opened = upstream.logged("breaker.changed", after="open")
    assert len(opened) == calls
    assert {line["fault"] for line in opened} == {code}
    assert levels <= {
        line["level"] for event in ("breaker.changed", "upstream.refused") for line in upstream.logged(event)
    }
    assert (alive.status_code, set(ready["engine"]["models"].values())) == (200, {"open"})
    figure(f"{fault.partition(' ')[0]}: {calls} calls for 20 turns, slowest {_slowest(turns):.1f} s")


@pytest.mark.fault("U4")
async def test_an_overload_that_stays_is_bridged_and_ends_by_itself(
    upstream: Upstream, figure: Figure
) -> None:
    """A customer would wait for every try of an API that is down, or read basic mode long after it is back."""
    upstream.breaks("529 x*")
    turns = [await upstream.say() for _ in range(10)]
    calls = len(upstream.api.calls())
    upstream.breaks("ok")
    started = time.monotonic()
    while (last := await upstream.say()).reply["engine"] != "claude":  # noqa: ASYNC110 - nobody tells
        await asyncio.sleep(0.2)
    back_s = time.monotonic() - started

    for said in turns:
        said.check_basic(LOCAL_S)
    assert calls <= 6
    last.check_normal()
    assert back_s < 3 * RECOVERS_S
    assert upstream.breakers(f"{SONNET}/answer") == ["open", "half_open", "closed"]
    figure(f"for long: slowest {_slowest(turns):.1f} s, {calls} calls, back after {back_s:.1f} s")


@pytest.mark.fault("U20")
async def test_five_hundred_turns_in_an_outage_are_no_herd_afterwards(
    upstream: Upstream, figure: Figure
) -> None:
    """An API that is just getting up would be knocked over by everybody who had waited for it."""
    places = asyncio.Semaphore(AT_ONCE)

    async def say() -> Said:
        async with places:
            return await upstream.say(HELLO)

    async def crowd(turns: int) -> list[Said]:
        async with asyncio.TaskGroup() as group:
            saying = [group.create_task(say()) for _ in range(turns)]
        return [task.result() for task in saying]

    upstream.breaks("529 x*")
    during = await crowd(500)
    calls = len(upstream.api.calls())
    upstream.breaks("ok")
    while (await upstream.say(HELLO)).reply["engine"] != "claude":  # noqa: ASYNC110 - nobody tells
        await asyncio.sleep(0.2)
    before = len(upstream.api.calls())
    after = await crowd(100)
    per_turn = (len(upstream.api.calls()) - before) / len(after)

    for said in during:
        said.check_basic(LOCAL_S)
    for said in after:
        said.check_normal()
    assert calls < len(during) / 5
    assert per_turn <= 2 * 1.2  # a label and an answer
    slowest = max(said.took_s for said in during)
    figure(
        f"500 turns: slowest {slowest:.1f} s, {calls} calls; afterwards {per_turn:.2f} calls a turn, 2 are normal"
    )


@pytest.mark.fault("U18")
@pytest.mark.parametrize("has_key", [False, True], ids=["no key", "unplugged"])
async def test_without_claude_every_intent_is_answered(tmp_path: Path, figure: Figure, has_key: bool) -> None:
    """Prices, sources and hand-overs would be gone exactly when customers need them."""
    async with Simulation() as api:
        environment = {**api.environment, "FRONTDESK_ENGINE": "auto"} if has_key else {}
        await api.down()
        async with ServerProcess(tmp_path, environment) as process:
            upstream = Upstream(api, process)
            times = []
            for talk in (TALK, CHARLA):
                conversation: dict[str, str] = {}
                for step in talk:
                    said = await upstream.say(step.says, **conversation)
                    times.append(said.took_s)
                    conversation = {"conversation_id": said.reply["conversation_id"]}
                    if not has_key:
                        check_step(step, said.reply)
                    assert said.reply["text"].strip()
                    assert (said.reply["intent"], said.reply["engine"]) == (step.intent, "local")
                    assert ("quote" in said.reply) == step.has_price, said.reply
                    assert ("handoff" in said.reply) == step.has_ticket
            intents = Counter(line["intent"] for line in upstream.logged("turn.routed"))

    assert len(intents) == 5
    usual = sorted(times)[len(times) // 2]
    assert usual < 3
    figure(
        f"{'unplugged' if has_key else 'no key'}: {len(times)} turns, median {usual * 1000:.0f} ms, slowest {max(times):.1f} s"
    )
