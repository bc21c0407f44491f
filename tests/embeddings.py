"""A vendor of embeddings on loopback: a real HTTP server that speaks as Voyage's API does, and fails in its ways.

Texts are alike as far as they share words, or words of which the test says that they mean the same.
"""

import asyncio
import base64
import hashlib
import json
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import uvicorn

from knowledge.lexicon import fold, words
from knowledge.voyage import Vectors
from tests.serving import QuietServer

KEY = "key-of-the-vendor"
SIZE = 256
Answer = tuple[int, bytes]


@dataclass
class Vendor:
    """The server's knobs, and what it was asked.

    Attributes:
        same: Words that mean another word.
        size: Numbers in a vector.
        spoil: Makes the answer that is sent of the right one; None: the right one.
        goes_on: While it is cleared, no answer at all is given.
    """

    url: str = ""
    same: Mapping[str, str] = field(default_factory=dict)
    size: int = SIZE
    spoil: Callable[[dict[str, Any]], Answer] | None = None
    goes_on: asyncio.Event = field(default_factory=asyncio.Event)
    requests: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)

    @property
    def texts(self) -> list[str]:
        """All texts it was asked for."""
        return [text for request in self.requests for text in request["input"]]

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401 - ASGI has no types of its own
        """Answer one request (ASGI)."""
        assert (scope["type"], scope["method"], scope["path"]) == ("http", "POST", "/v1/embeddings")
        body, is_more = b"", True
        while is_more:
            part = await receive()
            body, is_more = body + part["body"], part["more_body"]
        self.keys.append(dict(scope["headers"])[b"authorization"].decode())
        request = json.loads(body)
        self.requests.append(request)
        await self.goes_on.wait()
        status, content = self.spoil(self._answer(request)) if self.spoil else as_json(self._answer(request))
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": content})

    def _answer(self, request: dict[str, Any]) -> dict[str, Any]:
        assert set(request) == {"input", "model", "input_type", "encoding_format"}
        assert request["encoding_format"] == "base64"
        assert 0 < len(request["input"]) <= 1000
        data = [
            {"object": "embedding", "embedding": encoded(self._vector(text)), "index": number}
            for number, text in enumerate(request["input"])
        ]
        usage = {"total_tokens": sum(len(text.split()) for text in request["input"])}
        return {"object": "list", "data": data[::-1], "model": request["model"], "usage": usage}

    def _vector(self, text: str) -> Vectors:
        meant = {self.same.get(word, word) for word in words(fold(text))}
        return np.asarray(np.sum([_direction(word, self.size) for word in sorted(meant)], axis=0))


def as_json(answer: object, status: int = 200) -> Answer:
    """The answer as it is sent."""
    return status, json.dumps(answer).encode()


def encoded(vector: Vectors) -> str:
    """A vector as the API gives it in base64."""
    return base64.b64encode(vector.astype("<f4").tobytes()).decode()


def _direction(word: str, size: int) -> Vectors:
    """The word's own direction, nearly square to all others."""
    seed = int.from_bytes(hashlib.sha256(word.encode()).digest()[:8], "big")
    return np.random.default_rng(seed).standard_normal(size).astype(np.float32)


@asynccontextmanager
async def vendor(**knobs: Any) -> AsyncIterator[Vendor]:  # noqa: ANN401 - the fields of Vendor
    """The server, until the context is left."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        made = Vendor(f"http://127.0.0.1:{listener.getsockname()[1]}/v1", **knobs)
        made.goes_on.set()
        server = QuietServer(uvicorn.Config(made, lifespan="off", log_config=None, access_log=False))
        serving = asyncio.ensure_future(server.serve(sockets=[listener]))
        try:
            yield made
        finally:
            made.goes_on.set()
            server.should_exit = True
            await serving
