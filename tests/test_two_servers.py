"""Acceptance: several servers on one PostgreSQL. Any of them serves any customer, one dies, the database crashes."""

import asyncio
from itertools import pairwise
from pathlib import Path

import pytest

from events import is_end
from readers.reply import fold_text
from router.suspects import SURE_S
from settings import Settings
from store.log import LEASE_S, NewMessage
from tests.engines import Scripted, echo, only
from tests.postgres import Postgres
from tests.processes import ServerProcess
from tests.serving import (
    STREAM,
    Frame,
    client_of,
    frames_of,
    local_settings,
    running,
    streamed,
    text_of,
)
from tests.simulation import Simulation, Timing
from tests.simulation.demo import FOR_MINUTES, demo
from tests.test_first_light import ENGLISH, check_step
from tests.waiting import PATIENCE_S, until

THREAD = "thread-over-two-servers-1"


@pytest.fixture
def settings(postgres_url: str, tmp_path: Path) -> Settings:
    """A desk on PostgreSQL."""
    return local_settings(tmp_path, FRONTDESK_DATABASE_URL=postgres_url)


def _says(number: int, text: str, thread: str = THREAD) -> dict[str, object]:
    return {
        "threadId": thread,
        "runId": f"id-{number}",
        "messages": [{"id": "u", "role": "user", "content": text}],
    }


async def test_the_ideal_conversation_hops_between_two_servers(settings: Settings) -> None:
    """A customer behind a load balancer notices nothing: answers, quote, ticket and history are one conversation."""
    async with running(settings) as one, running(settings) as other:
        conversation: dict[str, str] = {}
        headers: dict[str, str] = {}
        for number, step in enumerate(ENGLISH):
            async with client_of((one, other)[number % 2].url, headers) as client:
                response = await client.post("/chat", json={"message": step.says, **conversation})
            assert response.status_code == 200, response.text
            reply = response.json()
            if not headers:
                headers = {"X-Visitor-Token": reply["visitor_token"]}
            conversation = {"conversation_id": reply["conversation_id"]}
            check_step(step, reply)
        histories = []
        for server in (one, other):
            async with client_of(server.url, headers) as client:
                histories.append((await client.get(f"/chat/{conversation['conversation_id']}")).json())

    assert histories[0] == histories[1]
    assert [message["text"] for message in histories[0]["messages"][::2]] == [step.says for step in ENGLISH]


async def test_any_server_serves_the_rest_of_any_stream(settings: Settings) -> None:
    """A line that broke may come back anywhere: the same frames, in order, while the answer is being given elsewhere."""
    half_way = asyncio.Event()
    engine = Scripted(["Here is what we know. ", "So ", half_way, "it is."])
    async with running(settings, only(engine)) as one, running(settings, only(engine)) as other:
        got: list[Frame] = []
        async with one.client.stream("POST", "/chat", json=_says(1, "hello"), headers=STREAM) as response:
            headers = {"X-Visitor-Token": response.headers["x-visitor-token"]}
            async for frame in frames_of(response):
                got.append(frame)
                if "what" in text_of(got):
                    break
        async with client_of(other.url, headers) as client:
            resuming = asyncio.ensure_future(
                streamed(client, _says(1, "hello"), {"Last-Event-ID": got[-1].event_id})
            )
            await until(lambda: other.followers)
            half_way.set()
            got += await resuming
            whole = await streamed(client, _says(1, "hello"))

    assert text_of(got) == text_of(whole) == "Here is what we know. So it is."
    assert [frame.event_id for frame in got] == [frame.event_id for frame in whole]
    assert len(engine.asked) == 1


@pytest.mark.fault("P8")
async def test_messages_to_both_servers_at_once_are_answered_in_one_order(settings: Settings) -> None:
    """Wherever a customer's impatient messages arrive, each is answered once, one after the other."""
    engine = Scripted([0.01, "Yes."])
    async with running(settings, only(engine)) as one, running(settings, only(engine)) as other:
        first = await one.client.post("/chat", json=_says(0, "hello"))
        headers = {"X-Visitor-Token": first.headers["x-visitor-token"]}
        async with client_of(one.url, headers) as here, client_of(other.url, headers) as there:
            bodies = [_says(number, f"hello {number}") for number in range(1, 9)]
            replies = await asyncio.gather(
                *(client.post("/chat", json=body) for client in (here, there) for body in bodies)
            )
            history = (await there.get(f"/chat/{THREAD}")).json()
        turns = await one.house.event_log.read_turns(THREAD, 50)

    assert {reply.status_code for reply in replies} == {200}
    assert len({reply.json()["turn_id"] for reply in replies}) == 8
    assert len(engine.asked) == 9
    assert [message["role"] for message in history["messages"]] == ["customer", "assistant"] * 9
    answering = [(recorded[1].at, recorded[-1].at) for _, recorded in turns]
    assert all(before[1] <= after[0] for before, after in pairwise(answering))


@pytest.mark.fault("P9")
async def test_a_killed_servers_turns_are_ended_by_the_other(
    settings: Settings, postgres_url: str, tmp_path: Path
) -> None:
    """The customer of a server that died reads the rest at the next one; what waited there is answered."""
    timing = Timing(label_ms=20, first_text_ms=50, chunk_ms=20, chunk_chars=6)
    async with (
        Simulation(demo, timing=timing) as simulation,
        running(settings, only(Scripted(echo))) as other,
    ):
        simulation.faults("claude-sonnet-5-5", f"ok, {FOR_MINUTES}")  # the search, and what is said of it
        environment = {
            **simulation.environment,
            "FRONTDESK_ENGINE": "claude",
            "FRONTDESK_DATABASE_URL": postgres_url,
        }
        async with ServerProcess(tmp_path, environment) as dying:
            got: list[Frame] = []
            question = _says(1, "Does comprehensive cover hail and theft of my car?")
            async with dying.client.stream("POST", "/chat", json=question, headers=STREAM) as response:
                headers = {"X-Visitor-Token": response.headers["x-visitor-token"]}
                async for frame in frames_of(response):
                    got.append(frame)
                    if text_of(got):
                        break
            waiting = _says(2, "And glass?")
            async with dying.client.stream("POST", "/chat", json=waiting, headers=STREAM) as response:
                await anext(frames_of(response))
            await dying.kill()
            async with client_of(other.url, headers) as client, asyncio.timeout(PATIENCE_S):
                rest = await streamed(client, question, {"Last-Event-ID": got[-1].event_id})
                answer = await streamed(client, waiting)

    assert text_of(got + rest).startswith(text_of(got))
    assert rest[-1].event["code"] == "interrupted"
    assert (answer[-1].type, text_of(answer)) == ("RUN_FINISHED", "And glass? ")


@pytest.mark.fault("D3", "D4")
async def test_a_crash_of_the_database_in_the_middle_of_answers_costs_no_word(
    postgres: Postgres, settings: Settings
) -> None:
    """Answers under way wait until the database is back, and then go on; each ends once, in full."""
    half_way = asyncio.Event()
    engine = Scripted(lambda request: [f"{request.message} ", half_way, "to the end."])
    async with running(settings, only(engine)) as server:
        posts = [
            asyncio.ensure_future(
                server.client.post(
                    "/chat", json=_says(number, f"hello {number}", f"thread-number-{number:08}")
                )
            )
            for number in range(10)
        ]
        await until(lambda: len(engine.asked) == len(posts))
        postgres.crash()
        half_way.set()
        await until(lambda: server.house.database.writer.fault)
        postgres.start()
        replies = await asyncio.gather(*posts)
        turns = await server.house.event_log.recent_turns(50)

    assert [reply.json()["text"] for reply in replies] == [
        f"hello {number} to the end." for number in range(10)
    ]
    assert all(reply.json()["degraded"] is False for reply in replies)
    assert len(turns) == 10
    for _, recorded in turns:
        assert [item.seq for item in recorded] == list(range(1, len(recorded) + 1))
        assert sum(is_end(item.event) for item in recorded) == 1
        assert fold_text(item.event for item in recorded).endswith("to the end.")


@pytest.mark.fault("D3")
async def test_after_a_long_absence_of_the_database_each_server_goes_on_with_its_own_turns(
    postgres: Postgres, settings: Settings
) -> None:
    """All leases have run out by then; nobody's answer may be cut short because another server was a moment earlier."""
    half_way = asyncio.Event()
    engine = Scripted(["Well, ", half_way, "that is it."])
    async with (
        running(settings, only(engine)) as one,
        running(settings, only(engine)) as other,
        running(settings, only(engine)),  # this one has nothing to do, so it is the first to look
    ):
        for number, server in enumerate([one, other] * 3):
            await server.house.runner.start(NewMessage(f"visitor:{number}", "hello", "m1"))
        await until(lambda: len(engine.asked) == 6)
        postgres.crash()
        await asyncio.sleep(LEASE_S + SURE_S + 1)
        postgres.start()
        await asyncio.sleep(SURE_S + 1)
        half_way.set()
        await until(lambda: one.house.runner.under_way + other.house.runner.under_way == 0)
        turns = await one.house.event_log.recent_turns(50)

    assert [fold_text(item.event for item in recorded) for _, recorded in turns] == ["Well, that is it."] * 6
    assert len(engine.asked) == 6
