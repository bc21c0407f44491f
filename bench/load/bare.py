"""The least that a chat endpoint on Claude can be: FastAPI and one streamed call of the SDK, no routing, no log.

Run as a process: `python -m bench.load.bare PORT UPSTREAM`.
"""

import json
import sys
from collections.abc import AsyncIterator

import uvicorn
from anthropic import AsyncAnthropic
from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from pydantic import BaseModel


class Said(BaseModel):
    """What a customer says."""

    message: str


def bare(upstream: str) -> FastAPI:
    """The application."""
    app = FastAPI()
    client = AsyncAnthropic(api_key="simulated-key", base_url=upstream, max_retries=0)

    @app.post("/chat")
    async def chat(said: Said) -> StreamingResponse:
        async def frames() -> AsyncIterator[str]:
            turn = [{"role": "user" if at % 2 else "assistant", "content": said.message} for at in (1,)]
            async with client.messages.stream(
                model="claude-haiku-5-5",
                max_tokens=500,
                messages=turn,  # type: ignore[arg-type]
            ) as stream:
                async for text in stream.text_stream:
                    frame = {"type": "TEXT_MESSAGE_CONTENT", "delta": text}
                    yield f"data: {json.dumps(frame)}\n\n"
            yield 'data: {"type": "RUN_FINISHED"}\n\n'

        return StreamingResponse(frames(), media_type="text/event-stream")

    return app


if __name__ == "__main__":
    uvicorn.run(
        bare(sys.argv[2]), host="127.0.0.1", port=int(sys.argv[1]), log_level="error", access_log=False
    )
