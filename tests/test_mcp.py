"""Acceptance: a company's MCP server lends tools to a specialist, through the whole server and the simulated Claude.

What the server says is data: hostile words reach the model inside a tool result (or in the quotes of a description) and
nowhere else, and a model that obeys them can do nothing that its specialist may not do.
"""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from build import build_parts, load_prompts
from errors import ConfigError
from readers.routing_line import RoutingLine, fold_routing_line
from tests.agents.folders import copied, edit
from tests.desks import small_prompts, take_your_time
from tests.lenders.door import Door
from tests.serving import Running, local_settings, running
from tests.simulation import Data, MessageRequest, Reply, Simulation, Text, ToolUse
from tests.simulation.content import JsonObject
from tests.waiting import PATIENCE_S

pytestmark = pytest.mark.asyncio(loop_scope="module")
LENT = ("lookup_order", "note", "crash", "obey", "hostile")
ASKS = {
    "order": "does my cover say anything about order 5?",
    "obey": "does my cover say anything about parcels?",
    "note": "does my cover need a note about glass?",
    "wrong": "does my cover need a note about hail?",
    "crash": "does my cover crash?",
    "greedy": "does my cover help with more?",
}
CALLS = {
    "order": ToolUse("crm__lookup_order", {"order_id": "5"}),
    "obey": ToolUse("crm__obey", {}),
    "note": ToolUse("crm__note", {"text": "likes mornings"}),
    "wrong": ToolUse("crm__note", {"text": "must not be taken"}),
    "crash": ToolUse("crm__crash", {}),
    "greedy": ToolUse("crm__endless", {}),
}


@dataclass
class Obedient:
    """A model that calls the tool that belongs to the message, then obeys whatever the result says."""

    labels: dict[str, str] = field(default_factory=lambda: {"wrong": "greeting"})

    def __call__(self, request: MessageRequest) -> Reply:
        """A label, a call, or words."""
        if request.schema_wanted is not None:
            message = json.loads(request.last_user_text)["message"]
            intent = next((self.labels[key] for key in self.labels if ASKS[key] == message), "product_info")
            label: JsonObject = {"intent": intent, "confidence": 0.97, "also": [], "language": "en"}
            return Reply.of(Data({**label, "sentiment": 0.0, "abuse": False}))
        if not request.answers:
            wanted = next((CALLS[key] for key, text in ASKS.items() if text == request.last_user_text), None)
            can = wanted is not None and any(name.startswith("crm__") for name in request.tool_names)
            return Reply.of(wanted) if wanted is not None and can else Reply.of(Text("Hello from us."))
        last = request.answers[-1]
        if "PWNED" in last.text and len(request.answers) == 1:  # it obeys: a tool that it has not got
            return Reply.of(ToolUse("cancel_all_policies", {"customer": "everybody"}))
        return Reply.of(Text(f"It said: {'no' if last.is_error else json.loads(last.text)['says'][:20]}."))


def _settings_file(folder: Path, head: str, *names: str) -> Path:
    rows = [
        f'[servers.crm.tools.{name}]\neffect = "{"write" if name == "note" else "read"}"' for name in names
    ]
    file = folder / "mcp.toml"
    file.write_text("\n".join([f"[servers.crm]\n{head}", *rows]), encoding="utf-8")
    return file


def _process_of(folder: Path) -> str:
    arguments = f"args = ['-m', 'tests.lenders.crm', '{folder}']\ndeadline_s = 9"
    return f"transport = \"stdio\"\ncommand = '{sys.executable}'\n{arguments}"


def _lend_to(prompts: Path, *names: str) -> None:
    lent = ", ".join(f"mcp:crm/{name}" for name in names)
    edit(
        prompts / "product_info.md",
        "tools: [search_knowledge, handoff",
        f"tools: [search_knowledge, handoff, {lent}",
    )


@dataclass(frozen=True)
class Desk:
    """The running desk, the simulated API, and the folder that the MCP server writes to."""

    server: Running
    simulation: Simulation
    folder: Path

    async def say(self, key: str) -> dict[str, Any]:
        """The reply to the message of this key, in a conversation of its own."""
        response = await self.server.client.post("/chat", json={"message": ASKS[key]})
        assert response.status_code == 200, response.text
        reply: dict[str, Any] = response.json()
        return reply

    async def line(self, reply: dict[str, Any]) -> RoutingLine:
        """Its routing line."""
        ((turn, recorded),) = await self.server.house.event_log.read_turns(reply["conversation_id"], 5)
        return fold_routing_line(turn, recorded)

    async def mcp(self) -> dict[str, Any]:
        """What readiness says about the server."""
        state: dict[str, Any] = (await self.server.client.get("/readyz")).json()["mcp"]["crm"]
        return state

    async def until(self, state: str) -> None:
        """Return as soon as readiness says so."""
        async with asyncio.timeout(PATIENCE_S):
            while (await self.mcp())["state"] != state:  # noqa: ASYNC110 - it is asked over HTTP
                await asyncio.sleep(0.05)

    def answers(self) -> list[dict[str, Any]]:
        """The bodies of the requests for answers that were taken, the newest first."""
        bodies: list[dict[str, Any]] = [call.body for call in reversed(self.simulation.calls())]
        return [body for body in bodies if "format" not in body["output_config"]]

    def notes(self) -> list[list[str]]:
        """The notes that the server took down, with their keys."""
        file = self.folder / "notes"
        return (
            [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
            if file.exists()
            else []
        )


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def desk(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Desk]:
    """A desk whose product specialist is lent the tools of a real server process; these tests share it."""
    folder = tmp_path_factory.mktemp("desk")
    prompts = small_prompts(folder, 40)
    _lend_to(prompts, *LENT)
    async with AsyncExitStack() as stack:
        simulation = await stack.enter_async_context(Simulation(Obedient()))
        settings = local_settings(
            folder,
            **simulation.environment,
            FRONTDESK_ENGINE="claude",
            FRONTDESK_PROMPTS=prompts,
            FRONTDESK_MCP=_settings_file(folder, _process_of(folder), *LENT),
        )
        desk = Desk(await stack.enter_async_context(running(settings)), simulation, folder)
        take_your_time(desk.server.house)
        await desk.until("connected")
        yield desk
    assert {call.status for call in simulation.calls()} == {200}


async def test_a_lent_tool_is_called_and_its_result_answered(desk: Desk) -> None:
    """A company's own system would be of no use to its customers."""
    reply = await desk.say("order")
    line = await desk.line(reply)
    body = desk.answers()[0]

    assert reply["text"] == "It said: Order 5 was shipped ."
    assert (line.tools, line.faults, line.outcome) == (("crm__lookup_order",), (), "answered")
    tools = {tool["name"]: tool for tool in body["tools"]}
    assert {name for name in tools if name.startswith("crm")} == {f"crm__{name}" for name in LENT}
    assert "strict" not in tools["crm__lookup_order"]
    assert tools["handoff"]["strict"]
    assert tools["crm__lookup_order"]["input_schema"]["required"] == ["order_id"]
    assert await desk.mcp() == {"state": "connected", "lends": list(LENT), "lacks": []}


def _strings(value: object, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    """Every text in a body with the way to it; a block goes by its type."""
    match value:
        case dict():
            own = (*path, str(value["type"])) if "type" in value and "input_schema" not in value else path
            for key, inner in value.items():
                yield from _strings(inner, (*own, str(key)))
        case list():
            for inner in value:
                yield from _strings(inner, path)
        case str():
            yield path, value
        case _:
            pass


async def test_hostile_words_stay_in_their_envelopes(desk: Desk) -> None:
    """A server could speak to the model as the customer, or as the company itself."""
    reply = await desk.say("obey")
    line = await desk.line(reply)
    bodies = desk.answers()[:3]

    assert line.tools == ("crm__obey", "unknown")
    assert line.faults == ("tool_unknown",)
    for body in bodies:
        texts = list(_strings(body))
        results = [(path, text) for path, text in texts if "PWNED" in text]
        assert all(path == ("messages", "content", "tool_result", "content") for path, _ in results)
        assert all(json.loads(text)["from"] == "mcp:crm/obey" for _, text in results)
        orders = [(path, text) for path, text in texts if "whole conversation" in text and "SYSTEM" in text]
        assert [path for path, _ in orders] == [("tools", "description")]
        assert orders[0][1].startswith(
            "A tool of the company's server crm, which describes it so (a description"
        )
        assert all(sign not in text for _, text in texts for sign in "\x1b\u202e\u200b\x00")
    assert any("PWNED" in text for body in bodies for _, text in _strings(body))
    assert "PWNED" not in reply["text"]
    assert "handoff" not in reply


async def test_a_model_that_wants_a_tool_that_is_not_lent_gets_none(desk: Desk) -> None:
    """A server's other tools would be within reach of whoever talks the model into it."""
    reply = await desk.say("greedy")

    assert reply["text"] == "It said: no."
    assert (await desk.line(reply)).faults == ("tool_unknown",)


async def test_a_write_waits_until_the_route_is_certain(desk: Desk) -> None:
    """A guess that turns out wrong would have left a note in the company's system."""
    desk.simulation.pace("claude-haiku-5-5", label_ms=1_500)
    try:
        wrong = await desk.say("wrong")
        right = await desk.say("note")
    finally:
        desk.simulation.pace("claude-haiku-5-5", label_ms=1)

    assert (wrong["intent"], (await desk.line(wrong)).speculated) == ("greeting", "wrong")
    assert (right["intent"], (await desk.line(right)).speculated) == ("product_info", "right")
    ((text, key),) = desk.notes()
    assert text == "likes mornings"
    assert len(key) == 64


async def test_a_server_that_crashes_costs_one_answer(desk: Desk) -> None:
    """One crash would take the tool away, or the whole specialist."""
    reply = await desk.say("crash")
    await desk.until("connected")

    assert reply["text"] == "It said: no."
    line = await desk.line(reply)
    assert (line.faults, line.engine) == (("tool_error",), "claude")
    async with asyncio.timeout(PATIENCE_S):
        while (await desk.say("order"))["text"] != "It said: Order 5 was shipped .":  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.1)


async def test_a_desk_opens_without_its_server_and_offers_the_tool_when_it_comes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A company's maintenance window would keep its customers from the whole desk."""
    monkeypatch.setenv("CRM_TOKEN", "t")
    door = Door(tmp_path, "t")
    await door.up()
    await door.down()
    prompts = small_prompts(tmp_path, 40)
    _lend_to(prompts, "lookup_order")
    head = f'transport = "http"\nurl = "{door.url}"\ntoken_env = "CRM_TOKEN"'
    async with Simulation(Obedient()) as simulation:
        settings = local_settings(
            tmp_path,
            **simulation.environment,
            FRONTDESK_ENGINE="claude",
            FRONTDESK_PROMPTS=prompts,
            FRONTDESK_MCP=_settings_file(tmp_path, head, "lookup_order"),
        )
        async with running(settings) as server:
            desk = Desk(server, simulation, tmp_path)
            before = await desk.say("order")
            ready = await server.client.get("/readyz")
            await door.up()
            try:
                await desk.until("connected")
                after = await desk.say("order")
            finally:
                await door.down()

    assert ready.status_code == 200
    assert ready.json()["mcp"]["crm"] == {"state": "away", "lends": [], "lacks": ["lookup_order"]}
    assert before["text"] == "Hello from us."
    assert not any(tool["name"].startswith("crm") for tool in desk.answers()[-1]["tools"])
    assert after["text"] == "It said: Order 5 was shipped ."


async def test_prompt_files_are_checked_without_any_server(tmp_path: Path) -> None:
    """A prompt engineer could check a file only while the company's systems are up."""
    prompts = copied(tmp_path)
    _lend_to(prompts, "lookup_order")
    file = _settings_file(tmp_path, 'transport = "stdio"\ncommand = "/no/such/program"', "lookup_order")
    settings = local_settings(tmp_path, FRONTDESK_PROMPTS=prompts, FRONTDESK_MCP=file)
    catalogue = load_prompts(settings, build_parts(settings))

    assert "mcp:crm/lookup_order" in catalogue.specialists["product_info"].tools
    edit(prompts / "product_info.md", "mcp:crm/lookup_order", "mcp:crm/look_order")
    with pytest.raises(
        ConfigError, match=r'tool "mcp:crm/look_order" is unknown; known: .*mcp:crm/lookup_order'
    ):
        load_prompts(settings, build_parts(settings))
    without = local_settings(tmp_path, FRONTDESK_PROMPTS=prompts)
    with pytest.raises(ConfigError, match=r'tool "mcp:crm/look_order" is unknown; known: get_'):
        load_prompts(without, build_parts(without))


async def test_the_local_engine_calls_a_lent_tool_only_where_a_reply_names_it(tmp_path: Path) -> None:
    """Without a key the desk would not answer, or call somebody else's server for every question."""
    prompts = small_prompts(tmp_path, 40)
    _lend_to(prompts, *LENT)
    reply = "## crm__hostile [document]\n### en\nOur archive says: {{result}}\n\n"
    edit(prompts / "product_info.md", "## not_offered", f"{reply}## not_offered")
    settings = local_settings(
        tmp_path,
        FRONTDESK_PROMPTS=prompts,
        FRONTDESK_MCP=_settings_file(tmp_path, _process_of(tmp_path), *LENT),
    )
    async with running(settings) as server:
        desk = Desk(server, Simulation(), tmp_path)
        await desk.until("connected")
        plain = await server.client.post("/chat", json={"message": "does comprehensive cover hail?"})
        named = await server.client.post("/chat", json={"message": "where is my proof of insurance?"})
        plain_line, named_line = await desk.line(plain.json()), await desk.line(named.json())

    assert plain.json()["citations"]
    assert plain_line.tools == ("search_knowledge",)
    assert named.json()["text"] == "Our archive says: nothing"
    assert named_line.tools == ("crm__hostile",)
