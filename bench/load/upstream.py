"""A Messages API that costs next to nothing, so that the server under load is what is measured: canned replies, paced.

The faithful one (tests/simulation) checks and counts every request, and would be the bottleneck. This one reads a
request's length and whether it wants a label, answers after 50 ms with a label or streams 20 pieces 10 ms apart.
Run as a process: `python -m bench.load.upstream PORT [SHARE]`; with a share, such as 0.5, its times vary by so much.
"""

import asyncio
import json
import random
import sys

import uvloop

LABEL_S, FIRST_S, PIECE_S, PIECES = 0.05, 0.05, 0.01, 20
PIECE = "Thank you for asking. "
_USAGE = {
    "input_tokens": 900,
    "output_tokens": 60,
    "cache_read_input_tokens": 0,
    "cache_creation_input_tokens": 0,
}
_LABEL = {
    "intent": "greeting",
    "confidence": 0.97,
    "also": [],
    "language": "en",
    "sentiment": 0.2,
    "abuse": False,
}


def _chunk(text: str) -> bytes:
    data = text.encode()
    return b"%x\r\n%b\r\n" % (len(data), data)


def _event(name: str, **fields: object) -> str:
    return f"event: {name}\ndata: {json.dumps({'type': name, **fields})}\n\n"


def _message(model: str) -> dict[str, object]:
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": _USAGE,
    }


def _piece(text: str) -> bytes:
    return _chunk(_event("content_block_delta", index=0, delta={"type": "text_delta", "text": text}))


_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\nrequest-id: req_1\r\ntransfer-encoding: chunked\r\n\r\n"
_BEGIN = _chunk(
    _event("message_start", message=_message("claude-haiku-5-5"))
    + _event("content_block_start", index=0, content_block={"type": "text", "text": ""})
)
_END = (
    _chunk(
        _event("content_block_stop", index=0)
        + _event("message_delta", delta={"stop_reason": "end_turn", "stop_sequence": None}, usage=_USAGE)
        + _event("message_stop")
    )
    + b"0\r\n\r\n"
)
_LABELLED, _SAID = _piece(json.dumps(_LABEL)), _piece(PIECE)


class _Line(asyncio.Protocol):
    """One connection; a request at a time."""

    def __init__(self, varies: float) -> None:
        self._varies = varies
        self._came = b""
        self._answering: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._came += data
        head, found, body = self._came.partition(b"\r\n\r\n")
        if not found:
            return
        length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0])
        if len(body) >= length:
            self._came = b""
            self._answering = asyncio.get_running_loop().create_task(self._answer(b'"json_schema"' in body))

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - as asyncio calls it
        if self._answering is not None:
            self._answering.cancel()

    async def _sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds * random.uniform(1 - self._varies, 1 + self._varies))

    async def _answer(self, wants_label: bool) -> None:
        write = self._transport.write  # type: ignore[attr-defined]
        if wants_label:
            await self._sleep(LABEL_S)
            write(_HEAD + _BEGIN + _LABELLED + _END)
            return
        await self._sleep(FIRST_S)
        write(_HEAD + _BEGIN + _SAID)
        for _ in range(PIECES - 1):
            await self._sleep(PIECE_S)
            write(_SAID)
        write(_END)


async def _serve(port: int, varies: float = 0.0) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Line(varies), "127.0.0.1", port, backlog=4096)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(_serve(int(sys.argv[1]), *map(float, sys.argv[2:])))
