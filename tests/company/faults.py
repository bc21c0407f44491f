"""Ways in which a company's back end goes wrong; each is played instead of the plain answer to one call."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

from events import JsonObject
from tests.company.server import Answer, Exchange, Fault
from tests.simulation.acts import End


def says(answer: Answer) -> Fault:
    """This answer instead of its own; nothing is done."""

    async def play(exchange: Exchange) -> None:
        exchange.send(answer)
        exchange.end("complete")

    return play


def fails(status: int = 500, **headers: str) -> Fault:
    """An error status with a page that is no JSON; nothing is done. `retry_after="1"` is a header."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return says(Answer(status, b"<html>Sorry</html>", named))


def lies(change: Callable[[JsonObject], JsonObject]) -> Fault:
    """It does what is asked, and answers something else."""

    async def play(exchange: Exchange) -> None:
        done = exchange.act()
        exchange.send(Answer.of(change(done.body), done.status))
        exchange.end("complete")

    return play


def late(seconds: float) -> Fault:
    """The plain answer, after so many seconds."""

    async def play(exchange: Exchange) -> None:
        await asyncio.sleep(seconds)
        exchange.send(exchange.act())
        exchange.end("complete")

    return play


def held(until: asyncio.Event, *, acts: bool = True) -> Fault:
    """The plain answer once the test says so; what is asked is done before or, if it `acts` not, only then."""

    async def play(exchange: Exchange) -> None:
        if acts:
            exchange.act()
        await until.wait()
        exchange.send(exchange.act())
        exchange.end("complete")

    return play


async def never(_exchange: Exchange) -> None:
    """No answer, and nothing is done; the connection stays open until the caller leaves."""
    await asyncio.Event().wait()


async def acts_and_hangs(exchange: Exchange) -> None:
    """It does what is asked and never says so."""
    exchange.act()
    await asyncio.Event().wait()


def drops(how: End = "reset", *, acts: bool = True) -> Fault:
    """The connection ends before the answer: the effect is there, nobody hears of it."""

    async def play(exchange: Exchange) -> None:
        if acts:
            exchange.act()
        exchange.end(how if how != "complete" else "close")

    return play


def halves(how: End = "reset") -> Fault:
    """It does what is asked; the line breaks in the middle of the answer."""

    async def play(exchange: Exchange) -> None:
        done = exchange.act()
        exchange.begin(done)
        exchange.say(done.raw[: len(done.raw) // 2])
        exchange.end(how)

    return play


async def twice(exchange: Exchange) -> None:
    """Two whole answers to one call; the second one is nobody's, and must not become somebody else's."""
    done = exchange.act()
    exchange.send(done, replace(done))
    exchange.end("complete")


async def twice_in_one(exchange: Exchange) -> None:
    """The answer stands twice in one body."""
    done = exchange.act()
    exchange.send(replace(done, raw=done.raw * 2))
    exchange.end("complete")


def trickles(pause_s: float = 0.05) -> Fault:
    """The answer letter by letter, with a pause after each; every single wait is short."""

    async def play(exchange: Exchange) -> None:
        done = exchange.act()
        exchange.begin(done)
        for at in range(len(done.raw)):
            exchange.say(done.raw[at : at + 1])
            await asyncio.sleep(pause_s)
        exchange.end("complete")

    return play


async def endless(exchange: Exchange) -> None:
    """A body without end."""
    exchange.begin(Answer())
    while True:
        exchange.say(b" " * 65_536)
        await asyncio.sleep(0)


def redirects(location: str) -> Fault:
    """It sends the caller elsewhere; the caller's token must not go there."""
    return says(Answer(307, b"", {"location": location}))
