"""Requests and engines for the tests of this folder."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace

from engine.base import Done, Engine, EngineRequest, Metered, Piece, Said, StopReason, Text, ToolSpec
from events import Usage
from knowledge.passages import Passage

SONNET, HAIKU = "claude-sonnet-5-5", "claude-haiku-5-5"
SEARCH = ToolSpec(
    name="search_knowledge",
    description="Search the help articles.",
    schema={
        "type": "object",
        "properties": {"query": {"type": "string"}},
        "required": ["query"],
        "additionalProperties": False,
    },
    lead="search",
)
REQUEST = EngineRequest(
    purpose="answer",
    model=SONNET,
    max_tokens=1000,
    effort="low",
    thinking="between_tools",
    system=("You are the assistant of a company. " * 80, "You answer questions."),
    message="Is hail covered?",
    tools=(SEARCH,),
    facts="Answer in English.",
    customer_hash="c-0123456789abcdef",
)
LABEL = replace(
    REQUEST,
    purpose="label",
    model=HAIKU,
    thinking="disabled",
    tools=(),
    facts="",
    schema={
        "type": "object",
        "properties": {"intent": {"type": "string", "enum": ["greeting", "quote"]}},
        "required": ["intent"],
        "additionalProperties": False,
    },
)
TALK = (Said("customer", "Hello"), Said("assistant", "Hello! How can I help?"))
PASSAGE = Passage("hail#1", "Hail", "https://example.test/hail", "en", "Hail is covered.", 1.0)
SPENT = Usage(input_tokens=100, output_tokens=1, cost_usd=0.001)


async def heard(engine: Engine, request: EngineRequest = REQUEST) -> list[Piece]:
    """All pieces of one call."""
    async with aclosing(engine.stream(request)) as pieces:
        return [piece async for piece in pieces]


def text_of(pieces: Sequence[Piece]) -> str:
    """The words in these pieces."""
    return "".join(piece.text for piece in pieces if isinstance(piece, Text))


def done_of(pieces: Sequence[Piece]) -> Done:
    """The end of the call."""
    last = pieces[-1]
    assert isinstance(last, Done)
    return last


def words(text: str, stop: StopReason = "end_turn") -> list[Piece]:
    """A plain answer."""
    return [Metered(SPENT, "req_1"), Text(text), Done(stop, "claude", SONNET, 5, SPENT, "req_1")]


@dataclass
class Scripted:
    """An engine that plays one script per call. An error is raised, a number is a wait in seconds."""

    scripts: list[Sequence[Piece | Exception | float]]
    requests: list[EngineRequest] = field(default_factory=list)
    closed: int = 0

    async def stream(self, request: EngineRequest) -> AsyncGenerator[Piece, None]:
        """The pieces of the next script; the last script is played again and again."""
        self.requests.append(request)
        script = self.scripts.pop(0) if len(self.scripts) > 1 else self.scripts[0]
        try:
            for step in script:
                if isinstance(step, Exception):
                    raise step
                if isinstance(step, float):
                    await asyncio.sleep(step)
                    continue
                yield step
        finally:
            self.closed += 1


@dataclass
class Clock:
    """A clock that a test moves."""

    now: float = 1000.0

    def __call__(self) -> float:
        """Seconds."""
        return self.now
