"""The ideal conversation on Claude: the whole server, the real SDK, and an API that refuses what the real one refuses."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from readers.routing_line import RoutingLine, fold_routing_line
from settings import ROOT, Settings
from tests.desks import take_your_time
from tests.model_like import ModelLike
from tests.serving import local_settings, running
from tests.simulation import Recorded, Simulation

URLS = {
    line.removeprefix("url:").strip()
    for path in (ROOT / "knowledge" / "corpus").rglob("*.md")
    for line in path.read_text(encoding="utf-8").splitlines()
    if line.startswith("url:")
}
Body = dict[str, Any]
Flat = list[tuple[str, str]]


@dataclass(frozen=True)
class Step:
    """What the customer says, how Haiku labels it, and what the answer must be like."""

    says: str
    intent: str
    needs_sources: bool = False
    has_price: bool = False
    has_ticket: bool = False
    decided_by: str = "haiku"


ENGLISH = (
    Step("Hi there!", "greeting"),
    Step(
        "I just got a new electric car, a Nissan Leaf. What does your insurance cover?",
        "product_info",
        needs_sources=True,
    ),
    Step("Does it cover the battery if it degrades?", "product_info", needs_sources=True),
    Step("and the charger at my house?", "product_info", needs_sources=True),
    Step("Who won the world cup?", "off_topic"),
    Step("OK. How much would it cost me per month?", "quote"),
    Step("it's a 2022 with about 40k km", "quote", decided_by="flow"),
    Step("does that include hail damage?", "product_info", needs_sources=True),
    Step("I'm 34", "quote", has_price=True, decided_by="flow"),
    Step("what if the driver is 22?", "quote", has_price=True),
    Step("how do I take it up?", "quote"),
    Step("Could I speak to a person please?", "escalate", has_ticket=True),
    Step("Thank you so much, bye!", "greeting"),
)
SPANISH = (
    Step("¡Hola! Buenos días", "greeting"),
    Step(
        "Acabo de comprar un auto eléctrico, un Nissan Leaf. ¿Qué cubre su seguro?",
        "product_info",
        needs_sources=True,
    ),
    Step("¿Cubre la batería si se degrada?", "product_info", needs_sources=True),
    Step("¿y el cargador de mi casa?", "product_info", needs_sources=True),
    Step("¿Quién ganó el mundial?", "off_topic"),
    Step("Vale. ¿Cuánto me costaría al mes?", "quote"),
    Step("es de 2022 y tiene unos 40 mil km", "quote", decided_by="flow"),
    Step("¿y cubre el granizo?", "product_info", needs_sources=True),
    Step("tengo 34 años", "quote", has_price=True, decided_by="flow"),
    Step("no, perdón, es del 2021", "quote", has_price=True, decided_by="flow"),
    Step("¿cómo lo contrato?", "quote"),
    Step("¿Puedo hablar con una persona, por favor?", "escalate", has_ticket=True),
    Step("Muchas gracias, adiós", "greeting"),
)


@dataclass(frozen=True)
class Held:
    """A conversation that was held: the replies, the routing lines, and what the API was sent."""

    replies: list[Body]
    lines: list[RoutingLine]
    requests: list[Recorded]

    @property
    def answers(self) -> list[Body]:
        """The bodies of the requests for answers, in order."""
        bodies: list[Body] = [item.body for item in self.requests]
        return [body for body in bodies if "format" not in body["output_config"]]


def _settings(folder: Path, simulation: Simulation) -> Settings:
    keys: dict[str, object] = {**simulation.environment, "FRONTDESK_ENGINE": "auto"}
    return local_settings(folder, **keys)


async def _hold(steps: tuple[Step, ...], language: str, folder: Path) -> Held:
    brain = ModelLike({step.says: (step.intent, language) for step in steps})
    async with Simulation(brain) as simulation, running(_settings(folder, simulation)) as server:
        take_your_time(server.house)
        replies: list[Body] = []
        conversation: dict[str, str] = {}
        for step in steps:
            response = await server.client.post("/chat", json={"message": step.says, **conversation})
            assert response.status_code == 200, response.text
            replies.append(response.json())
            conversation = {"conversation_id": replies[0]["conversation_id"]}
        turns = await server.house.event_log.read_turns(conversation["conversation_id"], 50)
        lines = [fold_routing_line(turn, recorded) for turn, recorded in turns]
        return Held(replies, lines, simulation.calls())


@pytest.fixture(params=[(ENGLISH, "en"), (SPANISH, "es")], ids=["en", "es"])
def steps(request: pytest.FixtureRequest) -> tuple[tuple[Step, ...], str]:
    """The conversation, and its language."""
    found: tuple[tuple[Step, ...], str] = request.param
    return found


async def test_the_ideal_conversation_works_on_claude(
    steps: tuple[tuple[Step, ...], str], tmp_path: Path
) -> None:
    """A customer is understood, informed with sources, priced, and handed over; every call is taken by the API."""
    held = await _hold(*steps, tmp_path)

    assert {item.status for item in held.requests} == {200}
    for step, reply, line in zip(steps[0], held.replies, held.lines, strict=True):
        _check_reply(step, reply)
        _check_line(step, line, steps[1])
    _check_prices(held)
    _check_prefixes(held.answers)
    _check_thinking(held.answers)
    later = [
        line for step, line in list(zip(steps[0], held.lines, strict=True))[6:] if step.decided_by == "haiku"
    ]
    assert all(line.cache_read_tokens > 0 for line in later)


def _check_reply(step: Step, reply: Body) -> None:
    assert reply["intent"] == step.intent, (step.says, reply)
    assert reply["decided_by"] == step.decided_by, (step.says, reply)
    assert reply["engine"] == "claude"
    assert reply["degraded"] is False
    assert reply["text"].strip()
    assert bool(reply["citations"]) == step.needs_sources, step.says
    for citation in reply["citations"]:
        assert citation["url"] in URLS
        assert citation["quote"] in reply["text"]
    assert ("quote" in reply) == step.has_price, step.says
    if step.has_price:
        assert reply["quote"]["monthly_premium_usd"] in reply["text"]
    assert ("handoff" in reply) == step.has_ticket, step.says
    if step.has_ticket:
        assert reply["handoff"]["ticket_id"] in reply["text"]


def _check_line(step: Step, line: RoutingLine, language: str) -> None:
    """Who, why, how sure, at what cost."""
    assert (line.intent, line.engine, line.language) == (step.intent, "claude", language)
    assert line.cost_usd > 0
    assert line.outcome == ("escalated" if step.has_ticket else "answered")
    assert (line.haiku_intent is None) == (step.decided_by == "flow")
    assert line.faults == ()


def _check_prices(held: Held) -> None:
    """A price shown is one that the tool returned, as the API's own record of the conversation has it."""
    told = [
        block["content"]
        for body in held.answers
        for message in body["messages"]
        if message["role"] == "user"
        for block in message["content"]
        if block["type"] == "tool_result" and isinstance(block["content"], str)
    ]
    prices = [reply["quote"] for reply in held.replies if "quote" in reply]

    assert len(prices) == 2
    assert len({price["quote_id"] for price in prices}) == 2
    for price in prices:
        assert any(price["quote_id"] in text and price["monthly_premium_usd"] in text for text in told)


def _blocks(body: Body) -> Iterator[tuple[str, Body]]:
    """Tools, system and message blocks in the order in which they are cached."""
    for tool in body.get("tools", []):
        yield "tool", tool
    for block in body["system"]:
        yield "system", block
    for message in body["messages"]:
        content = message["content"]
        for block in [{"type": "text", "text": content}] if isinstance(content, str) else content:
            yield message["role"], block


def _flat(body: Body) -> Flat:
    return [
        (role, json.dumps({name: value for name, value in block.items() if name != "cache_control"}))
        for role, block in _blocks(body)
    ]


def _cached(body: Body) -> Flat:
    marks = [at for at, (_, block) in enumerate(_blocks(body)) if "cache_control" in block]
    return _flat(body)[: marks[-1] + 1]


def _check_prefixes(bodies: list[Body]) -> None:
    """Law 7: requests of one conversation and specialist share everything up to the mark, byte for byte."""
    by_specialist: dict[str, list[Body]] = {}
    for body in bodies:
        by_specialist.setdefault(json.dumps(body["system"][-1]), []).append(body)
    assert len(by_specialist) == 5
    for own in by_specialist.values():
        for before, after in pairwise(own):
            cached = _cached(before)
            assert _flat(after)[: len(cached)] == cached
            settings = ("model", "max_tokens", "thinking", "output_config", "tool_choice", "metadata")
            assert [before.get(name) for name in settings] == [after.get(name) for name in settings]


def _check_thinking(bodies: list[Body]) -> None:
    """Thinking goes back within its turn and is gone afterwards: it is bound to what stood before it."""
    kept = 0
    for body in bodies:
        messages = body["messages"]
        asked = max(
            at
            for at, message in enumerate(messages)
            if message["role"] == "user" and any(block["type"] == "text" for block in message["content"])
        )
        for at, message in enumerate(messages):
            blocks = message["content"] if isinstance(message["content"], list) else []
            thinking = [block for block in blocks if block["type"] == "thinking"]
            assert at > asked or not thinking
            kept += len(thinking)
    assert kept > 0
