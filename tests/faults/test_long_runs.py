"""L5 and L6: a server that has answered thousands, and a conversation that never ends: the last turn is like the first."""

import asyncio
import time
from pathlib import Path
from statistics import median

import pytest

from bench.load.client import Outcome, say
from tests.faults.crowd import DESK, Asked, signed_in
from tests.faults.load import NOISE, quiet
from tests.faults.plugin import Figure, Size
from tests.processes import ServerProcess
from tests.simulation import Simulation
from tests.simulation.demo import demo

AT_ONCE, TURNS_EACH = 16, 10
WARM = 200  # conversations until all that is read once has been read
SAYS = (
    "Hello!",
    "Does comprehensive cover hail and theft of my car?",
    "How much for a 2022 Nissan Leaf with 20000 miles? I am 40",
    "Who won the world cup in 2018?",
    "¿El seguro a todo riesgo cubre el robo de mi coche?",
)
MOST_MIB = 20
COMPARED, TIMES = 50, 1.5


@pytest.mark.lab
@pytest.mark.fault("L5")
async def test_thousands_of_turns_leave_nothing_behind(tmp_path: Path, size: Size, figure: Figure) -> None:
    """A server would have to be started again every night, or be killed by the system in the middle of the day."""
    conversations = size.long_run // TURNS_EACH
    warm = min(WARM, conversations // 2)
    async with ServerProcess(tmp_path, DESK) as process:
        places = asyncio.Semaphore(AT_ONCE)

        async def talk(number: int) -> list[Outcome]:
            headers = signed_in(f"C-{number:05}")
            asked = [
                Asked(f"thread-{number:05}-0000", f"m{turn}", SAYS[(number + turn) % len(SAYS)])
                for turn in range(TURNS_EACH)
            ]
            async with places:
                return [await say(process.port, one.text, headers, one.body) for one in asked]

        async def some(numbers: range) -> list[Outcome]:
            async with asyncio.TaskGroup() as group:
                talking = [group.create_task(talk(number)) for number in numbers]
            return [outcome for task in talking for outcome in task.result()]

        outcomes = await some(range(warm))
        before = await quiet(process)
        outcomes += await some(range(warm, conversations))
        after = await quiet(process)

    more = after.memory_mib - before.memory_mib
    figure(
        f"{len(outcomes):,} turns in {conversations:,} conversations: {more:+.1f} MiB after the first {warm * TURNS_EACH:,} "
        f"(then {before.memory_mib:.0f}), {after.files - before.files:+} files, {after.tasks - before.tasks:+} tasks"
    )
    assert [outcome for outcome in outcomes if not outcome.is_whole] == []
    assert more < MOST_MIB
    assert after.files - before.files <= AT_ONCE
    assert after.tasks - before.tasks <= AT_ONCE // 2


@pytest.mark.lab
@pytest.mark.fault("L6")
async def test_the_last_turn_of_a_long_conversation_is_like_the_first(
    tmp_path: Path, size: Size, figure: Figure
) -> None:
    """Whoever writes for weeks would wait longer every day, and cost more with every message, until Claude takes no more."""
    latency_ms, sent = list[float](), list[int]()
    async with (
        Simulation(demo) as api,
        ServerProcess(tmp_path, {**DESK, **api.environment, "FRONTDESK_ENGINE": "claude"}) as process,
    ):
        conversation: dict[str, str] = {}
        used = [await quiet(process)]
        for number in range(size.long_conversation):
            text = f"{SAYS[number % 2]} This is my message number {number}, and I have a lot to tell you: {'word ' * 40}"
            api.requests.clear()
            began = time.perf_counter()
            reply = await process.client.post("/chat", json={"message": text, **conversation})
            latency_ms.append((time.perf_counter() - began) * 1000)
            assert reply.status_code == 200, reply.text
            assert (reply.json()["engine"], reply.json()["degraded"]) == ("claude", False)
            conversation = {"conversation_id": reply.json()["conversation_id"]}
            sent.append(max(len(call.raw) for call in api.calls()))
            if number + 1 in {COMPARED, size.long_conversation - COMPARED, size.long_conversation}:
                used.append(await quiet(process))

    first_ms, last_ms = median(latency_ms[:COMPARED]), median(latency_ms[-COMPARED:])
    first_cpu, last_cpu = (
        (after.cpu_s - before.cpu_s) * 1000 / COMPARED for before, after in (used[:2], used[-2:])
    )
    middle = size.long_conversation // 2
    figure(
        f"{size.long_conversation:,} turns: the last {COMPARED} take {last_ms:.0f} ms and {last_cpu:.1f} ms of CPU each, the first "
        f"{first_ms:.0f} and {first_cpu:.1f}; at most {max(sent) / 1024:.0f} KiB are sent to the model, "
        f"{max(sent[:middle]) / 1024:.0f} in the first half"
    )
    assert last_cpu < TIMES * first_cpu
    assert last_ms < NOISE * TIMES * first_ms
    assert max(sent[middle:]) <= 1.1 * max(sent[:middle])
