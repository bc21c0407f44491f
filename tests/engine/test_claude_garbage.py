"""Three hundred streams of garbage over real TCP: each is an answer or a failure with a code, and never a crash."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncGenerator

import pytest

from engine.claude import Claude
from errors import EngineError
from tests.engine.calls import heard, text_of
from tests.waiting import PATIENCE_S

STREAMS = 300
GOOD = (
    b'event: message_start\ndata: {"type":"message_start","message":{"usage":{"input_tokens":1,"output_tokens":1}}}\n\n',
    b'event: content_block_start\ndata: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}\n\n',
    b'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"H\xc3\xa9llo"}}\n\n',
    b'event: message_delta\ndata: {"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":3}}\n\n',
    b'event: message_stop\ndata: {"type":"message_stop"}\n\n',
)
JUNK = (
    b"event: message_start\ndata: 5\n\n",
    b"event: content_block_delta\ndata: null\n\n",
    b'event: content_block_delta\ndata: "x"\n\n',
    b"event: error\ndata: not json\n\n",
    b'event: error\ndata: {"type":"error","error":"boom"}\n\n',
    b"event: content_block_delta\ndata: \xff\xff\n\n",
    b'event: content_block_start\ndata: {"type":"content_block_start","index":"zero","content_block":null}\n\n',
    b'event: message_delta\ndata: {"type":"message_delta","delta":null,"usage":null}\n\n',
    b'event: message_start\ndata: {"type":"message_start","message":{"usage":{"input_tokens":"many"}}}\n\n',
    b"HTTP/1.1 200 OK\r\n\r\n",
    b": a comment\n\n",
    b"\x00" * 50_000 + b"\n\n",
)
HEADS = (
    *[b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n"] * 5,
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-encoding: gzip\r\nconnection: close\r\n\r\n",
    b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 999999\r\n\r\n",
    b"HTTP/1.1 418 No\r\nconnection: close\r\n\r\n",
    b"not even HTTP\r\n\r\n",
)


def _garbage(dice: random.Random) -> bytes:
    """A good stream with junk in between, now and then shuffled or with one byte changed."""
    events = list(GOOD)
    for _ in range(dice.randint(0, 3)):
        events.insert(dice.randrange(len(events) + 1), dice.choice(JUNK))
    if dice.random() < 0.3:
        dice.shuffle(events)
    body = bytearray(b"".join(events))
    if dice.random() < 0.3:
        body[dice.randrange(len(body))] = dice.randrange(256)
    return dice.choice(HEADS) + body


@pytest.fixture
async def port() -> AsyncGenerator[int, None]:
    """A server that talks garbage."""
    dice = random.Random(7)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(_garbage(dice))
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]


@pytest.mark.fault("U13")
async def test_garbage_never_crashes(port: int) -> None:
    """Whatever a broken proxy sends, the turn goes on to an honest answer."""
    ends: Counter[str] = Counter()
    async with Claude("key", f"http://127.0.0.1:{port}") as claude:
        for _ in range(STREAMS):
            try:
                async with asyncio.timeout(PATIENCE_S):
                    ends["answer" if "Héllo" in text_of(await heard(claude)) else "other words"] += 1
            except EngineError as exc:
                ends[exc.fault] += 1

    assert ends.total() == STREAMS
    assert ends["answer"] > 10
    assert {"stream_malformed", "stream_cut", "stream_error_event", "upstream_unreachable"} <= set(ends)
