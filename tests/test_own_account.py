"""Acceptance: signed-in customers over HTTP, and a server that is killed between a cancellation and its record."""

import asyncio
import json
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2
import pytest

from api.callers import customer_token
from events import recorded_list
from settings import Settings
from tests.company import Company
from tests.company.customers import CustomerService
from tests.company.faults import acts_and_hangs, drops
from tests.faults.plugin import Figure
from tests.model_like import ModelLike
from tests.processes import ServerProcess
from tests.serving import SECRET, Running, client_of, local_settings, running, streamed, text_of
from tests.simulation import Simulation

ANN, BRUNO = "C-1001", "C-1002"
CANCEL = "please cancel my policy at the end of the month"
DAY = (datetime.now(UTC) + timedelta(days=30)).date().isoformat()
JWT = {"FRONTDESK_JWT_SECRET": SECRET}


def _signed_in(customer: str) -> dict[str, str]:
    token = customer_token(Settings.read(FRONTDESK_JWT_SECRET=SECRET), customer, days=1)
    return {"Authorization": f"Bearer {token}"}


@asynccontextmanager
async def _chat(server: str, customer: str) -> AsyncIterator["_Chat"]:
    async with client_of(server, _signed_in(customer)) as client:
        yield _Chat(client)


class _Chat:
    """One customer's conversation; every message is sent under an id of its own."""

    def __init__(self, client: httpx2.AsyncClient) -> None:
        self.client = client
        self.conversation_id: str | None = None

    def body(self, text: str) -> dict[str, object]:
        """The next message."""
        known = {} if self.conversation_id is None else {"conversation_id": self.conversation_id}
        return {"message": text, "message_id": uuid4().hex, **known}

    async def say(self, text: str) -> dict[str, Any]:
        """Send it, and wait for the whole reply."""
        return await self.post(self.body(text))

    async def post(self, body: dict[str, object]) -> dict[str, Any]:
        """Send this body; again, it is the same turn."""
        response = await self.client.post("/chat", json=body)
        assert response.status_code == 200, response.text
        reply: dict[str, Any] = response.json()
        self.conversation_id = reply["conversation_id"]
        return reply


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Running]:
    """A desk without a key, on the demo customers."""
    async with running(local_settings(tmp_path, **JWT)) as server:
        yield server


async def test_a_customer_signs_in_asks_and_cancels_over_http(server: Running) -> None:
    """What the README's two commands and curl lines promise."""
    async with _chat(server.url, ANN) as chat:
        bill = await chat.say("how much do I owe this month?")
        shown = await chat.say(CANCEL)
        done = await chat.say("yes")

    assert "$92.40" in bill["text"]
    assert "action" not in bill
    assert (shown["action"]["state"], shown["action"]["name"]) == ("previewed", "request_cancellation")
    assert shown["action"]["terms"]["policy_number"] == "AP-1001-1"
    assert done["action"] | {"state": "previewed", "receipt": ""} == shown["action"]
    assert done["action"]["receipt"] in done["text"]


async def test_the_receipt_reaches_the_stream_as_an_event(server: Running) -> None:
    """A chat client shows a receipt without reading prose."""
    async with _chat(server.url, ANN) as chat:
        await chat.say(CANCEL)
        frames = await streamed(chat.client, chat.body("sí, adelante"))

    [value] = [frame.event["value"] for frame in frames if frame.event.get("name") == "frontdesk.action"]
    assert value["state"] == "done"
    assert value == frames[-1].event["result"]["action"]
    kinds = [frame.event.get("name", frame.type) for frame in frames]
    assert kinds.index("TEXT_MESSAGE_END") < kinds.index("frontdesk.action") < kinds.index("RUN_FINISHED")


@pytest.mark.parametrize(
    "text",
    [
        "what is covered on my policy {}?",
        "how much do I owe on policy {}?",
        "please cancel my policy {} today",
    ],
)
async def test_anothers_policy_number_answers_byte_for_byte_like_none(server: Running, text: str) -> None:
    """Nobody learns whether a number is somebody's."""
    replies = []
    for number in ("AP-1002-1", "AP-9999-1"):
        async with _chat(server.url, ANN) as chat:
            replies.append(await chat.say(text.format(number)))
    ids = ("conversation_id", "turn_id", "message_id")
    theirs, nobodys = [{**reply, **dict.fromkeys(ids, "")} for reply in replies]

    assert "AP-1001-1" in theirs["text"]
    assert theirs == nobodys


async def test_nothing_of_a_customer_stands_in_a_log_line(
    server: Running, capfd: pytest.CaptureFixture[str]
) -> None:
    """Log lines go where customers' data must not."""
    async with _chat(server.url, BRUNO) as chat:
        await chat.say("how much do I owe on policy AP-1002-1?")
        await chat.say("cancel my policy AP-1002-1 tomorrow please")
        await chat.say("yes")

    printed = "".join(capfd.readouterr())
    assert printed.count("turn.routed") == 3
    assert not [word for word in (BRUNO, "AP-1002", "88.00", "Honda", "Civic") if word in printed]


async def test_a_customers_own_service_is_asked_when_the_settings_name_one(tmp_path: Path) -> None:
    """The demo's people must not appear where a company has its own; and the bearer token is sent."""
    service = CustomerService(datetime.now(UTC).date())
    async with Company(service, "the token") as company:
        settings = local_settings(
            tmp_path,
            **JWT,
            FRONTDESK_CUSTOMERS_URL=company.url,
            FRONTDESK_CUSTOMERS_TOKEN="the token",
            FRONTDESK_CUSTOMERS_TIMEOUT_S=7,
        )
        async with running(settings) as server, _chat(server.url, ANN) as chat:
            service.customers[ANN] = service.customers["C-1003"].model_copy(update={"customer_id": ANN})
            bill = await chat.say("when is my next payment due?")
            await company.down()
            unavailable = await chat.say("when is my next payment due?")
            await company.up()

    assert "AP-1003-1" in bill["text"]
    assert "cannot get to your data right now" in unavailable["text"]
    assert {call.headers["authorization"] for call in company.calls} == {"Bearer the token"}


async def test_a_company_without_a_file_of_customers_has_none(tmp_path: Path) -> None:
    """Deleting the file is all it takes."""
    corpus = tmp_path / "knowledge" / "corpus"
    corpus.mkdir(parents=True)
    async with (
        running(local_settings(tmp_path, **JWT, FRONTDESK_KNOWLEDGE=corpus)) as server,
        _chat(server.url, ANN) as chat,
    ):
        assert (
            "I find no policy under your account" in (await chat.say("when is my next payment due?"))["text"]
        )


# On Claude


ENGLISH = {
    "how much do I owe this month?": "92.40 US dollars, due on ",
    "what is covered on my policy?": "Premium 92.40 US dollars per month",
    "how is my claim getting on?": "in review since ",
    f"please cancel my policy on {DAY}": "Shall I cancel it on these terms?",
}
SPANISH = {
    "¿cuánto debo?": "92.40 US dollars, due on ",
    "quiero ver mi póliza": "Premium 92.40 US dollars per month",
    "¿cómo va mi siniestro?": "in review since ",
    f"cancela mi póliza el {DAY}": "¿La cancelo así?",
}


@pytest.mark.parametrize(
    ("language", "steps", "yes", "later"),
    [
        ("en", ENGLISH, "yes, go ahead", "please cancel my policy again"),
        ("es", SPANISH, "sí, adelante", "cancela mi póliza otra vez"),
    ],
)
async def test_claude_tells_customers_what_is_theirs_and_cancels_on_their_yes(
    tmp_path: Path, language: str, steps: dict[str, str], yes: str, later: str
) -> None:
    """The real SDK against an API as strict as the real one: tools, schemas, figures, the note with the yes."""
    labels = dict.fromkeys((*steps, yes, later), ("product_info", language))
    async with Simulation(ModelLike(labels)) as simulation:
        settings = local_settings(tmp_path, **{**simulation.environment, **JWT, "FRONTDESK_ENGINE": "claude"})
        async with running(settings) as server, _chat(server.url, ANN) as chat:
            replies = [await chat.say(text) for text in steps]
            done = await chat.say(yes)
            again = await chat.say(later)

    assert [says in reply["text"] for reply, says in zip(replies, steps.values(), strict=True)] == [True] * 4
    assert [reply["engine"] for reply in (*replies, done, again)] == ["claude"] * 6
    assert (done["decided_by"], done["action"]["state"]) == ("flow", "done")
    assert done["action"]["receipt"] in done["text"]
    assert "action" not in again


async def test_claude_asks_a_visitor_to_sign_in(tmp_path: Path) -> None:
    """The model reads why, and has nothing to tell."""
    labels = {"how much do I owe this month?": ("product_info", "en")}
    async with Simulation(ModelLike(labels)) as simulation:
        settings = local_settings(tmp_path, **{**simulation.environment, "FRONTDESK_ENGINE": "claude"})
        async with running(settings) as server:
            reply = await _Chat(server.client).say("how much do I owe this month?")

    assert "ask them kindly to sign in" in reply["text"]


# Retries, kills, and answers that never come


def _environment(company: Company, timeout_s: float = 5) -> dict[str, str]:
    return {
        **JWT,
        "FRONTDESK_CUSTOMERS_URL": company.url,
        "FRONTDESK_CUSTOMERS_TIMEOUT_S": str(timeout_s),
    }


def _rows(folder: Path, query: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(f"file:{folder / 'desk.db'}?mode=ro", uri=True)) as raw:
        return raw.execute(query).fetchall()


def _states(folder: Path) -> list[str]:
    return [state for (state,) in _rows(folder, "SELECT state FROM actions ORDER BY created_at_s")]


@pytest.mark.fault("P3")
async def test_three_retries_and_a_kill_between_effect_and_record_are_one_cancellation(
    tmp_path: Path, figure: Figure
) -> None:
    """The customer's worst moment: cancelled at the company, and the desk dead before it knew."""
    service = CustomerService(datetime.now(UTC).date())
    async with (
        Company(service) as company,
        ServerProcess(tmp_path, _environment(company, 7)) as process,
        _chat(process.url, ANN) as chat,
    ):
        assert "nothing has changed yet" in (await chat.say(CANCEL))["text"]
        company.faults.append(acts_and_hangs)
        yes = chat.body("yes, go ahead")
        retries = [asyncio.create_task(_quietly(process.url, yes)) for _ in range(3)]
        await company.until(lambda: len(company.effects) == 1)
        await process.kill()
        await asyncio.gather(*retries)
        assert _states(tmp_path) == ["running"]

        await process.start()
        replies = [await chat.post(yes) for _ in range(3)]

    assert _states(tmp_path) == ["done"]
    assert len(service.cancelled) == 1
    assert list(company.effects.values()) == [1]
    keyed = [call.key for call in company.calls if call.key]
    assert len(set(keyed)) == 1
    figure(f"{len(keyed)} requests under 1 key, 1 cancellation")
    assert replies == [replies[0]] * 3
    assert replies[0]["action"]["state"] == "done"
    assert replies[0]["action"]["receipt"] == "RC-0001"
    assert "RC-0001" in replies[0]["text"]
    assert _rows(tmp_path, "SELECT 1 FROM tickets") == []


async def _quietly(url: str, body: dict[str, object]) -> None:
    """A client whose line breaks when the server is killed."""
    async with client_of(url, _signed_in(ANN)) as client:
        try:
            await client.post("/chat", json=body)
        except httpx2.TransportError:
            return


@pytest.mark.fault("T5")
async def test_a_kill_after_the_first_words_leaves_the_cancellation_to_a_person(tmp_path: Path) -> None:
    """An answer that had begun is not begun again, so nobody would ask for the outcome any more."""
    service = CustomerService(datetime.now(UTC).date())
    async with (
        Company(service) as company,
        ServerProcess(tmp_path, _environment(company, 7)) as process,
        _chat(process.url, ANN) as chat,
    ):
        await chat.say(CANCEL)
        company.faults.append(acts_and_hangs)
        yes = chat.body("yes")
        asking = asyncio.create_task(_quietly(process.url, yes))
        await company.until(lambda: len(company.effects) == 1)
        await process.kill()
        await asking
        _say_something(tmp_path)
        await process.start()
        reply = await chat.post(yes)
        lines = process.lines()

    assert _states(tmp_path) == ["unknown"]
    assert len(service.cancelled) == 1
    assert reply["action"]["state"] == "unknown"
    assert reply["handoff"]["state"] == "waiting"
    assert reply["error"]["code"] == "interrupted"
    assert [line["level"] for line in lines if line.get("code") == "effect_ambiguous"] == ["error"]


def _say_something(folder: Path) -> None:
    """Put first words into the open turn, as if the kill had come a moment after them."""
    with closing(sqlite3.connect(folder / "desk.db")) as raw, raw:
        [(conversation_id, ordinal)] = raw.execute(
            "SELECT conversation_id, ordinal FROM turns WHERE is_open = 1"
        ).fetchall()
        mine = (conversation_id, ordinal)
        [(last,)] = raw.execute(
            "SELECT max(last_seq) FROM events WHERE conversation_id = ? AND ordinal = ?", mine
        ).fetchall()
        at = datetime.now(UTC).isoformat()
        said = [
            {"seq": last + 1, "at": at, "event": {"type": "text.started", "message_id": "a"}},
            {
                "seq": last + 2,
                "at": at,
                "event": {"type": "text.delta", "message_id": "a", "text": "One moment"},
            },
        ]
        recorded_list.validate_python(said)
        raw.execute(
            "INSERT INTO events VALUES (?, ?, ?, ?, ?)", (*mine, last + 1, last + 2, json.dumps(said))
        )


@pytest.mark.fault("T5")
async def test_an_answer_that_never_comes_is_checked_by_a_person(tmp_path: Path) -> None:
    """Told neither done nor not done, the customer knows that somebody will confirm, and operators see it in red."""
    service = CustomerService(datetime.now(UTC).date())
    async with (
        Company(service) as company,
        ServerProcess(tmp_path, _environment(company, 2)) as process,
        _chat(process.url, ANN) as chat,
    ):
        await chat.say(CANCEL)
        company.always = acts_and_hangs
        unknown = await chat.say("sí, adelante")
        company.always = None
        again = await chat.say("sí")
        anew = await chat.say("quiero cancelar mi póliza a fin de mes")
        routed = await process.routed(4)
        lines = process.lines()

    assert "Lo estamos comprobando" in unknown["text"]
    assert unknown["action"]["state"] == "unknown"
    assert unknown["handoff"]["state"] == "waiting"
    assert len(_rows(tmp_path, "SELECT 1 FROM tickets WHERE reason = 'unconfirmed_change'")) == 1
    assert _states(tmp_path) == ["unknown"]
    assert len(service.cancelled) == 1
    assert len({call.key for call in company.calls if call.key}) == 1
    assert "action" not in again
    assert "ya está cancelada" in anew["text"]
    [line] = [line for line in lines if line["event"] == "action.unconfirmed"]
    assert (line["level"], line["code"]) == ("error", "effect_ambiguous")
    faults = Counter(code for line in routed for code in line["faults"])
    assert faults == {"effect_ambiguous": 1}


@pytest.mark.fault("T4")
async def test_a_lost_answer_is_asked_for_again_and_the_customer_notices_nothing(tmp_path: Path) -> None:
    """The line to the company broke after the effect."""
    service = CustomerService(datetime.now(UTC).date())
    async with (
        Company(service) as company,
        running(local_settings(tmp_path, **_environment(company, 7))) as server,
        _chat(server.url, ANN) as chat,
    ):
        await chat.say(CANCEL)
        company.faults.append(drops())
        frames = await streamed(chat.client, chat.body("yes"))

    assert "is cancelled" in text_of(frames)
    assert len(service.cancelled) == 1
    assert list(company.effects.values()) == [1]
