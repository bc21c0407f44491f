"""A stream resumed after any event gives the same rest; it never just breaks; somebody who left misses nothing."""

import asyncio
import json

import httpx2
import pytest
from sqlalchemy import Connection, update

from api import stream as stream_module
from engine.base import ToolUse
from engine.local import Local
from store import follow
from store.schema import events
from tests.engines import Scripted, Swap
from tests.serving import STREAM, Frame, Running, frames_of, streamed, text_of
from tests.waiting import PATIENCE_S, soon, until

pytestmark = pytest.mark.asyncio(loop_scope="module")
HELLO = {"message": "hello", "message_id": "m1"}
HANDOFF = ToolUse("call-1", "handoff", {"reason": "asked_for_person", "summary": "They asked for a person."})
SAID = {"id": "u1", "role": "user", "content": "hello"}


def plain(frames: list[Frame]) -> list[Frame]:
    """The frames as somebody gets them who has a token already."""
    made = []
    for frame in frames:
        event = json.loads(json.dumps(frame.event))
        if "result" in event:
            event["result"].pop("visitor_token", None)
        made.append(Frame(frame.event_id, event))
    return made


async def conversation(
    client: httpx2.AsyncClient, path: str, until: int, headers: dict[str, str] | None = None
) -> list[Frame]:
    """The first frames of a conversation's stream, until this many turns have ended."""
    got: list[Frame] = []
    async with client.stream("GET", path, headers=headers) as response, asyncio.timeout(PATIENCE_S):
        assert response.status_code == 200, await response.aread()
        async for frame in frames_of(response):
            got.append(frame)
            until -= frame.type in {"RUN_FINISHED", "RUN_ERROR"}
            if until == 0:
                break
    return got


async def listens(server: Running, thread: str) -> None:
    """Return as soon as somebody follows this conversation."""
    await until(lambda: thread in server.house.event_log._wake._followers)


def seq(frame: Frame) -> int:
    """The event's number in its turn."""
    return int(frame.event_id.rpartition(":")[2])


async def test_resuming_after_any_event_gives_the_same_rest(customer: httpx2.AsyncClient, swap: Swap) -> None:
    """Wherever the line breaks, the client puts together the same answer, by either way back."""
    goes_on = asyncio.Event()
    engine = Scripted([HANDOFF], afterwards=["Here is what we know. ", "A person ", goes_on, "will come."])
    swap.engine = engine
    client = customer
    body = {**HELLO, "message": "I want to talk to a person please"}
    read: list[Frame] = []
    async with client.stream("POST", "/chat", json=body, headers=STREAM) as response:
        async for frame in frames_of(response):
            read.append(frame)
            if frame.type == "TEXT_MESSAGE_CONTENT":
                goes_on.set()
    whole = plain(read)
    reply = whole[-1].event["result"]
    path = f"/chat/{reply['conversation_id']}/events"
    for number in range(seq(whole[-1]) + 1):
        event_id = f"{reply['turn_id']}:{number}"
        rest = [frame for frame in whole if seq(frame) > number]
        assert await streamed(client, body, {"Last-Event-ID": event_id}) == rest
        if rest:
            assert await conversation(client, path, 1, {"Last-Event-ID": event_id}) == rest
            assert await conversation(client, f"{path}?after={event_id}", 1) == rest
    assert await conversation(client, path, 1) == whole

    assert len({frame.event_id for frame in whole}) == len(whole)
    assert [seq(frame) for frame in whole] == sorted(seq(frame) for frame in whole)
    assert text_of(whole) == reply["text"] == "Here is what we know. A person will come."
    assert len([frame for frame in whole if frame.type == "TEXT_MESSAGE_CONTENT"]) >= 2
    assert len(engine.asked) == 2


@pytest.mark.fault("P5")
async def test_a_client_that_leaves_and_comes_back_misses_nothing(
    customer: httpx2.AsyncClient, swap: Swap, capsys: pytest.CaptureFixture[str]
) -> None:
    """A tunnel, a lift, a closed laptop: the answer went on without them, once, and one quiet line tells of it."""
    hold = asyncio.Event()
    engine = Scripted(["Here is what we know. ", "So ", hold, "it is."])
    swap.engine = engine
    got: list[Frame] = []
    async with customer.stream("POST", "/chat", json=HELLO, headers=STREAM) as response:
        async for frame in frames_of(response):
            got.append(frame)
            if "what" in frame.event.get("delta", ""):
                break
    printed: list[str] = []

    def told() -> list[str]:
        printed.extend(capsys.readouterr().out.splitlines())
        return [line for line in printed if '"event": "client.gone"' in line]

    await until(told)
    hold.set()
    rest = await streamed(customer, HELLO, {"Last-Event-ID": got[-1].event_id})
    again = await streamed(customer, HELLO)

    (line,) = map(json.loads, told())
    assert (line["level"], line["turn_id"]) == ("info", got[0].event_id.partition(":")[0])
    assert plain(got + rest) == plain(again)
    assert text_of(got + rest) == "Here is what we know. So it is."
    assert [(request.message, request.rounds) for request in engine.asked] == [("hello", ())]


async def test_the_first_sign_of_life_does_not_wait_for_the_answer(
    customer: httpx2.AsyncClient, swap: Swap
) -> None:
    """Somebody sees that they were heard, however slow the model is."""
    hold = asyncio.Event()
    swap.engine = Scripted([hold, "Yes."])
    async with customer.stream("POST", "/chat", json=HELLO, headers=STREAM) as response:
        first = await soon(anext(frames_of(response)))
        assert response.headers["content-type"].startswith("text/event-stream")
        assert "x-visitor-token" in response.headers
        assert "no-transform" in response.headers["cache-control"]
    hold.set()
    assert text_of(await streamed(customer, HELLO)) == "Yes."

    assert first.type == "RUN_STARTED"
    assert first.event["runId"] == "m1"
    assert first.event["protocolVersion"] == "1.0"


@pytest.mark.parametrize("method", ["POST", "GET"])
async def test_a_silent_stream_gives_signs_of_life(
    method: str, customer: httpx2.AsyncClient, swap: Swap, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proxy that closes silent lines must not close ours."""
    monkeypatch.setattr(follow, "IDLE_S", 0.1)
    monkeypatch.setattr(stream_module, "_QUIET_S", 0.1)
    hold = asyncio.Event()
    swap.engine = Scripted([hold, "Yes."])
    thread = {"threadId": f"thread-of-a-silent-{method}", "runId": "r", "messages": [SAID]}
    async with customer.stream("POST", "/chat", json=thread, headers=STREAM) as posted:
        assert (await anext(frames_of(posted))).type == "RUN_STARTED"
        path = "/chat" if method == "POST" else f"/chat/{thread['threadId']}/events"
        asked = customer.stream(method, path, json=thread, headers=STREAM)
        async with asked as response, asyncio.timeout(PATIENCE_S):
            signs = 0
            async for line in response.aiter_lines():
                signs += line == ": keep-alive"
                if signs == 4:
                    break
    hold.set()
    assert text_of(await streamed(customer, thread)) == "Yes."


async def test_a_conversation_is_streamed_in_order_turn_by_turn(
    customer: httpx2.AsyncClient, scripted: tuple[Running, Swap]
) -> None:
    """A second window shows every message once, in the order of the answers, also those still to come."""
    server, swap = scripted
    swap.engine = Scripted(["Yes ", 0.06, "indeed."])
    reply = (await customer.post("/chat", json=HELLO)).json()
    path = f"/chat/{reply['conversation_id']}/events"
    reading = asyncio.ensure_future(conversation(customer, path, 4))
    await listens(server, reply["conversation_id"])
    bodies = [
        {
            "message": f"hello {number}",
            "message_id": f"n{number}",
            "conversation_id": reply["conversation_id"],
        }
        for number in range(3)
    ]
    await asyncio.gather(*(customer.post("/chat", json=body) for body in bodies))
    frames = await reading

    runs = [frame.event["runId"] for frame in frames if frame.type in {"RUN_STARTED", "RUN_FINISHED"}]
    assert runs[::2] == runs[1::2]
    assert set(runs) == {"m1", "n0", "n1", "n2"}
    assert [frame.event["result"]["text"] for frame in frames if frame.type == "RUN_FINISHED"] == [
        "Yes indeed."
    ] * 4
    assert len({frame.event_id for frame in frames}) == len(frames)


async def test_coming_back_after_the_last_event_brings_the_next_turn(
    customer: httpx2.AsyncClient, scripted: tuple[Running, Swap]
) -> None:
    """A page that slept through nothing still hears the next message."""
    server, swap = scripted
    swap.engine = Scripted(["Yes."])
    frames = await streamed(customer, HELLO)
    thread = frames[-1].event["result"]["conversation_id"]
    last = {"Last-Event-ID": frames[-1].event_id}
    reading = asyncio.ensure_future(conversation(customer, f"/chat/{thread}/events", 1, last))
    await listens(server, thread)
    second = await streamed(customer, {"message": "again", "message_id": "m2", "conversation_id": thread})

    assert await reading == second


@pytest.mark.fault("S6")
@pytest.mark.parametrize(
    "forged", ["nonsense", "x:1", "{turn}:-1", "{turn}:²", "{turn}:", "{turn}:9999999999", ":"]
)
async def test_a_forged_place_in_the_stream_gives_nothing_new(
    forged: str, customer: httpx2.AsyncClient, swap: Swap
) -> None:
    """An invented event id is an unknown one, and never an error of ours."""
    swap.engine = Scripted(["Yes."])
    whole = plain(await streamed(customer, HELLO))
    reply = whole[-1].event["result"]
    event_id = forged.format(turn=reply["turn_id"])
    header = [(b"Last-Event-ID", event_id.encode("latin-1"))]
    response = await customer.get(f"/chat/{reply['conversation_id']}/events", headers=header)
    assert (response.status_code, response.json()["error"]["code"]) == (404, "not_found")
    asked = customer.stream("POST", "/chat", json=HELLO, headers=[*header, (b"Accept", b"text/event-stream")])
    async with asked as posted:
        assert [frame async for frame in frames_of(posted)] == whole


async def test_a_number_beyond_the_turn_gives_an_empty_rest(customer: httpx2.AsyncClient, swap: Swap) -> None:
    """A client that claims to have everything gets nothing more, and the stream ends."""
    swap.engine = Scripted(["Yes."])
    whole = await streamed(customer, HELLO)
    event_id = f"{whole[-1].event['result']['turn_id']}:999999"

    assert await soon(streamed(customer, HELLO, {"Last-Event-ID": event_id})) == []


async def test_a_turn_that_fails_ends_its_stream_with_a_run_error(
    customer: httpx2.AsyncClient, swap: Swap
) -> None:
    """A chat page never waits for ever, and shows a sentence instead of nothing; JSON says the same."""
    swap.engine = Scripted([ValueError("bug")])
    frames = await streamed(customer, {**HELLO, "message": "hola, ¿cómo estás?"})
    reply = (await customer.post("/chat", json={**HELLO, "message": "hola, ¿cómo estás?"})).json()

    assert frames[-1].type == "RUN_ERROR"
    assert frames[-1].event["code"] == "internal_error"
    assert frames[-1].event["message"] == text_of(frames) == reply["text"]
    assert "Lo siento" in reply["text"]
    assert reply["error"] == {"code": "internal_error", "message": reply["text"]}
    assert reply["degraded"] is True


@pytest.mark.fault("D6")
async def test_a_damaged_record_ends_the_stream_honestly(
    customer: httpx2.AsyncClient, swap: Swap, scripted: tuple[Running, Swap]
) -> None:
    """A row that cannot be read gives RUN_ERROR or a plain 500, never a broken line or a stack trace."""
    swap.engine = Scripted(["Yes."])
    reply = (await customer.post("/chat", json=HELLO)).json()

    def damage(connection: Connection) -> None:
        mine = (events.c.conversation_id == reply["conversation_id"]) & (events.c.first_seq > 1)
        connection.execute(update(events).where(mine).values(payload='[{"x": 1}]'))

    await scripted[0].house.database.write(damage)
    frames = await streamed(customer, HELLO)
    history = await customer.get(f"/chat/{reply['conversation_id']}")
    followed = await customer.get(f"/chat/{reply['conversation_id']}/events")

    assert [frame.type for frame in frames] == ["RUN_ERROR"]
    assert frames[0].event["code"] == "row_unreadable"
    assert (history.status_code, history.json()["error"]["code"]) == (500, "row_unreadable")
    assert '"code":"row_unreadable"' in followed.text


@pytest.mark.fault("D3", "D5")
async def test_readers_of_a_turn_are_told_to_come_back_while_the_log_cannot_be_read(
    customer: httpx2.AsyncClient, swap: Swap, scripted: tuple[Running, Swap], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An answer that goes on would be shown as one that failed, because its database was away for a moment."""
    goes_on = asyncio.Event()
    swap.engine = Scripted(["Here is ", goes_on, "what we know."])
    async with customer.stream("POST", "/chat", json=HELLO, headers=STREAM) as response:
        read: list[Frame] = []
        async for frame in frames_of(response):
            read.append(frame)
            if frame.type == "TEXT_MESSAGE_CONTENT":
                break
    behind = {"Last-Event-ID": read[-1].event_id}
    with monkeypatch.context() as away:
        away.setattr(scripted[0].house.database, "_reader_wait_s", 0.0)
        told = await streamed(customer, HELLO, behind)
        reply = await customer.post("/chat", json=HELLO)
    goes_on.set()
    rest = await streamed(customer, HELLO, behind)

    assert [(frame.type, frame.event["code"], frame.event_id) for frame in told] == [
        ("RUN_ERROR", "resume", read[-1].event_id)
    ]
    assert (reply.status_code, reply.json()["error"]["code"]) == (503, "resume")
    assert text_of([*read, *rest]) == "Here is what we know."


async def test_the_json_reply_and_the_stream_say_the_same(customer: httpx2.AsyncClient, swap: Swap) -> None:
    """Both are read from the same log; there is no second copy to differ."""
    swap.engine = Local()
    asked = {"message": "How much for a 2022 Nissan Leaf? 30k miles, I am 40", "message_id": "q"}
    frames = plain(await streamed(customer, asked))
    reply = (await customer.post("/chat", json=asked)).json()

    by_type = {frame.type: frame.event for frame in frames}
    custom = {frame.event["name"]: frame.event["value"] for frame in frames if frame.type == "CUSTOM"}
    assert by_type["RUN_FINISHED"]["result"] == reply
    assert custom["frontdesk.quote"] == reply["quote"]
    assert custom["frontdesk.route"] == {name: reply[name] for name in ("intent", "confidence", "decided_by")}
    assert by_type["TEXT_MESSAGE_END"]["metadata"]["citations"] == reply["citations"]
    assert by_type["SUBAGENT_STARTED"]["name"] == reply["agent"]
    assert "arguments" not in json.dumps(by_type["TOOL_CALL_START"])
    assert set(by_type["TOOL_CALL_START"]) <= {"type", "timestamp", "toolCallId", "toolCallName"}
