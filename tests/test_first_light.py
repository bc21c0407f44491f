"""The ideal conversation, from the first hello to a person, on the local engine: JSON and stream, English and Spanish."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx2
import pytest

from settings import ROOT, Settings
from tests.serving import serving

URLS = {
    line.removeprefix("url:").strip()
    for path in (ROOT / "knowledge" / "corpus").rglob("*.md")
    for line in path.read_text(encoding="utf-8").splitlines()
    if line.startswith("url:")
}


@dataclass(frozen=True)
class Step:
    """What the customer says, and what the answer must be like."""

    says: str
    intent: str
    needs_sources: bool = False
    contains: tuple[str, ...] = ()
    has_price: bool = False
    has_ticket: bool = False


ENGLISH = (
    Step("Hi there!", "greeting", contains=("Eva",)),
    Step(
        "I just got a new electric car, a Nissan Leaf. What does your insurance cover?",
        "product_info",
        needs_sources=True,
        contains=("electric",),
    ),
    Step("Does it cover the battery if it degrades?", "product_info", needs_sources=True, contains=("70%",)),
    Step("and the charger at my house?", "product_info", needs_sources=True, contains=("charger",)),
    Step("Who won the world cup in 2018?", "off_topic", contains=("insurance",)),
    Step("OK. How much would it cost me per month?", "quote", contains=("model year",)),
    Step("it's a 2022 with about 40k km", "quote", contains=("old",)),
    Step("I'm 34", "quote", contains=("2022 Nissan Leaf", "24,855", "34"), has_price=True),
    Step("what if the driver was 22?", "quote", contains=("22",), has_price=True),
    Step("how do I take it up?", "quote", contains=("1-800-123-4567",)),
    Step("Could I speak to a person please?", "escalate", contains=("T-",), has_ticket=True),
    Step("Thank you so much, bye!", "greeting"),
)
SPANISH = (
    Step("¡Hola! Buenos días", "greeting", contains=("Eva",)),
    Step(
        "Acabo de comprar un auto eléctrico, un Nissan Leaf. ¿Qué cubre su seguro?",
        "product_info",
        needs_sources=True,
        contains=("eléctrico",),
    ),
    Step("¿Cubre la batería si se degrada?", "product_info", needs_sources=True, contains=("70",)),
    Step("¿y el cargador de mi casa?", "product_info", needs_sources=True, contains=("cargador",)),
    Step("¿Quién ganó el mundial de 2018?", "off_topic", contains=("seguros",)),
    Step("Vale. ¿Cuánto me costaría al mes?", "quote", contains=("año",)),
    Step("es de 2022 y tiene unos 40 mil km", "quote", contains=("edad",)),
    Step("tengo 34 años", "quote", contains=("Nissan Leaf 2022", "24,855", "34"), has_price=True),
    Step("no, perdón, es del 2021", "quote", contains=("2021",), has_price=True),
    Step("¿cómo lo contrato?", "quote", contains=("1-800-123-4567",)),
    Step("¿Puedo hablar con una persona, por favor?", "escalate", contains=("T-",), has_ticket=True),
    Step("Muchas gracias, adiós", "greeting"),
)
CONVERSATIONS = pytest.mark.parametrize("steps", [ENGLISH, SPANISH], ids=["en", "es"])


def _settings(folder: Path) -> Settings:
    return Settings.read(FRONTDESK_ENGINE="local", FRONTDESK_DATABASE_URL=f"sqlite:///{folder / 'desk.db'}")


def check_step(step: Step, reply: dict[str, Any]) -> None:
    """The reply is as the step says."""
    assert reply["intent"] == step.intent, (step.says, reply["intent"], reply["text"])
    assert reply["text"].strip()
    for words in step.contains:
        assert words in reply["text"], (step.says, reply["text"])
    assert bool(reply["citations"]) == step.needs_sources, step.says
    for citation in reply["citations"]:
        assert citation["url"] in URLS
        assert citation["quote"] in reply["text"]
    assert ("quote" in reply) == step.has_price, step.says
    if step.has_price:
        assert reply["quote"]["monthly_premium_usd"] in reply["text"]
        assert Decimal(reply["quote"]["monthly_premium_usd"]) > 0
    assert ("handoff" in reply) == step.has_ticket, step.says
    assert reply["engine"] == "local"
    assert reply["degraded"] is False


@pytest.mark.fault("U18")
@CONVERSATIONS
async def test_the_ideal_conversation_works_as_json(steps: tuple[Step, ...], tmp_path: Path) -> None:
    """A customer without luck in networks still gets every answer, in order, in one conversation."""
    async with serving(_settings(tmp_path)) as client:
        conversation: dict[str, str] = {}
        for step in steps:
            response = await client.post("/chat", json={"message": step.says, **conversation})
            assert response.status_code == 200, response.text
            reply = response.json()
            conversation = {"conversation_id": reply["conversation_id"]}
            check_step(step, reply)
        history = (await client.get(f"/chat/{conversation['conversation_id']}")).json()

    assert [message["text"] for message in history["messages"][::2]] == [step.says for step in steps]
    assert history["state"] == "waiting_for_person"


@CONVERSATIONS
async def test_the_ideal_conversation_works_as_a_stream(steps: tuple[Step, ...], tmp_path: Path) -> None:
    """A chat page shows words as they come, and what it put together is what the history keeps."""
    async with serving(_settings(tmp_path)) as client:
        conversation: dict[str, str] = {}
        shown: list[str] = []
        for step in steps:
            events = [event async for _, event in _stream(client, {"message": step.says, **conversation})]
            reply = events[-1]["result"]
            conversation = {"conversation_id": reply["conversation_id"]}
            check_step(step, reply)
            text = "".join(event["delta"] for event in events if event["type"] == "TEXT_MESSAGE_CONTENT")
            assert text == reply["text"]
            shown.append(text)
            _check_order([event["type"] for event in events])
        history = (await client.get(f"/chat/{conversation['conversation_id']}")).json()

    assert [message["text"] for message in history["messages"][1::2]] == shown


def _check_order(types: list[str]) -> None:
    """The contract's order of events."""
    assert types[:3] == ["RUN_STARTED", "CUSTOM", "SUBAGENT_STARTED"]
    assert types[-2:] == ["SUBAGENT_FINISHED", "RUN_FINISHED"]
    start, end = types.index("TEXT_MESSAGE_START"), types.index("TEXT_MESSAGE_END")
    assert set(types[start + 1 : end]) == {"TEXT_MESSAGE_CONTENT"}
    assert set(types[end + 1 : -2]) <= {"CUSTOM"}


async def _stream(
    client: httpx2.AsyncClient, body: dict[str, str]
) -> AsyncIterator[tuple[str, dict[str, Any]]]:
    """(frame id, event) of one streamed turn."""
    async with client.stream("POST", "/chat", json=body, headers={"Accept": "text/event-stream"}) as response:
        assert response.status_code == 200
        data = ""
        async for line in response.aiter_lines():
            if line.startswith("data: "):
                data = line.removeprefix("data: ")
            elif line.startswith("id: "):
                yield line.removeprefix("id: "), json.loads(data)
