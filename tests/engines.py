"""Engines that do exactly what a test says: talk slowly, ask for a tool, break."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass, field

from engine.base import Done, Engine, EngineRequest, Piece, Text, ToolUse
from router.desk import Engines

Step = str | float | ToolUse | Exception | asyncio.Event


@dataclass(slots=True)
class Scripted:
    """Plays a script: a word is said, a number is waited (seconds), an event is waited for, an error is raised.

    After a tool's result it plays `afterwards`. `asked` holds the requests; `script` may also be made for each of them.
    """

    script: Sequence[Step] | Callable[[EngineRequest], Sequence[Step]]
    afterwards: Sequence[Step] = ("Done.",)
    asked: list[EngineRequest] = field(default_factory=list)

    async def stream(self, request: EngineRequest) -> AsyncGenerator[Piece, None]:
        """The pieces of the script."""
        self.asked.append(request)
        script = self.script(request) if callable(self.script) else self.script
        used_tool = False
        for step in self.afterwards if request.rounds else script:
            match step:
                case str():
                    yield Text(step)
                case ToolUse():
                    used_tool = True
                    yield step
                case Exception():
                    raise step
                case asyncio.Event():
                    await step.wait()
                case _:
                    await asyncio.sleep(step)
        yield Done("tool_use" if used_tool else "end_turn", "local", "scripted", 1)


def only(engine: Engine) -> Engines:
    """This engine answers; the local classifier labels."""
    return Engines(answer=engine, label=None, expects_claude=False)


def echo(request: EngineRequest) -> Sequence[Step]:
    """A script that says the customer's message back, word by word."""
    return [f"{word} " for word in request.message.split()]


@dataclass(slots=True)
class Swap:
    """Passes requests on to the engine of the test that runs now, so that tests can share a server."""

    engine: Engine

    def stream(self, request: EngineRequest) -> AsyncGenerator[Piece, None]:
        """The pieces of the engine that is in place."""
        return self.engine.stream(request)
