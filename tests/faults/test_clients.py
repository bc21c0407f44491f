"""P1, P5 and P6 with a server of its own: it is told to stop while many read, and clients come and go."""

import asyncio
import signal
import time
from contextlib import AsyncExitStack
from pathlib import Path

import httpx2
import pytest

from tests.faults.crowd import DESK, Asked, Customer, signed_in
from tests.faults.plugin import Figure, Size
from tests.processes import ServerProcess
from tests.serving import STREAM, client_of, frames_of
from tests.simulation import MessageRequest, Reply, Simulation, Timing
from tests.simulation.demo import demo
from tests.waiting import until

ENDS_WITHIN_S = 25
SOON, LATE = "Hello, be short please!", "Hello, take your time please!"
OPENING_AT_ONCE = 8
PAUSES_S = (0.5, 1.0, 2.0, 4.0)


def _long_and_short(request: MessageRequest) -> Reply:
    """Labels as usual; a few words, or words for minutes."""
    if request.schema_wanted is not None:
        return demo(request)
    return Reply.of("Well, " * (200 if "take your time" in request.last_user_text else 10) + "that was it.")


async def _open(customer: Customer, text: str, opening: asyncio.Semaphore, settled: list[Asked]) -> None:
    """Ask, and read until the server sends one away: the end, or word to come back. Who is refused tries a few times."""
    asked = customer.asks(text)
    for pause_s in PAUSES_S:
        async with asyncio.TaskGroup() as group, opening:
            group.create_task(customer.read_once(asked))
            await until(lambda: asked.accepted.is_set() or asked.refusals)
            if asked.accepted.is_set():
                settled.append(asked)
        if asked.accepted.is_set():
            return
        asked.refusals = 0
        await asyncio.sleep(pause_s)
    settled.append(asked)


@pytest.mark.lab
@pytest.mark.fault("P1")
async def test_a_server_that_is_told_to_stop_leaves_nobody_without_word(
    tmp_path: Path, stack: AsyncExitStack, size: Size, figure: Figure
) -> None:
    """A deployment would cut hundreds of answers short, or hang until it is killed."""
    timing = Timing(label_ms=20, first_text_ms=20, chunk_ms=1000, chunk_chars=6)
    simulation = await stack.enter_async_context(Simulation(_long_and_short, timing=timing))
    environment = {**simulation.environment, **DESK, "FRONTDESK_ENGINE": "claude"}
    process = await stack.enter_async_context(ServerProcess(tmp_path, environment))
    customers = [
        await stack.enter_async_context(Customer(f"C-{number:04}", lambda: process.url))
        for number in range(size.streams)
    ]
    opening, settled = asyncio.Semaphore(OPENING_AT_ONCE), list[Asked]()
    async with asyncio.TaskGroup() as group:
        for number, customer in enumerate(customers):
            group.create_task(_open(customer, (SOON, LATE)[number % 2], opening, settled))
        await until(lambda: len(settled) == size.streams)
        started = time.monotonic()
        process.signal(signal.SIGTERM)
        await until(lambda: '"drain.started"' in process.printed())
        async with client_of(process.url, signed_in("C-new")) as client:
            refused = await client.post("/chat", json={"message": "hello"})
            ready = await client.get("/readyz")
        code = await process.ended()
        took_s = time.monotonic() - started
    told = [asked for asked in settled if asked.accepted.is_set()]
    sent_away = [asked for asked in told if not asked.is_over]
    simulation.pace(chunk_ms=0, chunk_chars=2_000)
    await process.start()
    async with asyncio.TaskGroup() as group:
        for customer in customers:
            for asked in customer.asked:
                if asked in told:
                    group.create_task(customer.get_answer(asked))

    assert code == 0
    assert took_s < ENDS_WITHIN_S + 10  # the promise, and what a busy machine may add
    assert (refused.status_code, ready.status_code) == (503, 503)
    assert int(refused.headers["retry-after"]) > 0
    assert 0 < len(sent_away) < len(told)
    assert all(asked.is_over and len(asked.turn_ids) == 1 for asked in told)
    [ended] = [line for line in process.lines() if line["event"] == "drain.ended"]
    assert ended["handed_over"] == len(sent_away)
    figure(
        f"{len(told)} streams ({size.streams - len(told)} refused): {len(told) - len(sent_away)} ended, "
        f"{len(sent_away)} handed over and ended after the start; exit 0 after {took_s:.1f} s"
    )


@pytest.mark.lab
@pytest.mark.fault("P5")
async def test_a_client_that_leaves_costs_nothing_and_finds_everything(
    tmp_path: Path, figure: Figure
) -> None:
    """A lift, a tunnel, a closed laptop: the answer would be lost, or paid for twice."""
    timing = Timing(first_text_ms=20, chunk_ms=30, chunk_chars=6)
    async with Simulation(demo, timing=timing) as simulation:
        environment = {**simulation.environment, **DESK, "FRONTDESK_ENGINE": "claude"}
        async with ServerProcess(tmp_path, environment) as process:
            async with Customer("C-1001", lambda: process.url) as customer:
                asked = customer.asks("Does comprehensive cover hail and theft of my car?")
                await _leave_after_the_first_words(process.url, asked)
                await process.routed(1)
                calls = len(simulation.calls())
                await customer.get_answer(asked)
                whole, reply = await customer.whole(asked), await customer.reply(asked)
            await until(lambda: '"client.gone"' in process.printed())
            printed, lines = process.printed(), process.lines()

    assert asked.frames == whole
    assert asked.shown == reply["text"]
    assert reply["degraded"] is False
    assert len(simulation.calls()) == calls
    assert [line["level"] for line in lines if line["event"] == "client.gone"] == ["info"]
    assert "Traceback" not in printed
    figure(f"{calls} calls upstream, none more for coming back")


async def _leave_after_the_first_words(url: str, asked: Asked) -> None:
    async with (
        client_of(url, signed_in("C-1001")) as client,
        client.stream("POST", "/chat", json=asked.body, headers=STREAM) as response,
    ):
        async for frame in frames_of(response):
            asked.frames.append(frame)
            if asked.shown:
                return


@pytest.mark.lab
@pytest.mark.fault("P6")
async def test_a_key_is_the_same_turn_over_a_restart_and_in_a_storm(tmp_path: Path, figure: Figure) -> None:
    """A client that lost the reply would be answered anew, or somebody else would read it."""
    body = {"message": "How much for a 2022 Nissan Leaf with 30000 miles? I am 40"}
    key = {"Idempotency-Key": "the-same-key"}
    async with ServerProcess(tmp_path, DESK) as process:
        async with client_of(process.url, signed_in("C-1001")) as mine:
            first = (await mine.post("/chat", json=body, headers=key)).json()
            storm = [(await answer).json() for answer in _storm(mine, body, key, 20)]
            await process.kill()
            await process.start()
        async with client_of(process.url, signed_in("C-1001")) as mine:
            after = [(await answer).json() for answer in _storm(mine, body, key, 20)]
            other_words = await mine.post("/chat", json={"message": "and theft?"}, headers=key)
        async with client_of(process.url, signed_in("C-1002")) as theirs:
            stranger = (await theirs.post("/chat", json=body, headers=key)).json()

    assert storm == after == [first] * 20
    assert other_words.status_code == 409
    assert stranger["conversation_id"] != first["conversation_id"]
    assert stranger["quote"]["quote_id"] != first["quote"]["quote_id"]
    figure("1 turn for 41 messages")


def _storm(
    client: httpx2.AsyncClient, body: dict[str, str], headers: dict[str, str], times: int
) -> list[asyncio.Task[httpx2.Response]]:
    return [asyncio.ensure_future(client.post("/chat", json=body, headers=headers)) for _ in range(times)]
