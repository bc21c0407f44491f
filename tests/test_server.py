"""The whole server, put together: from an empty folder to an answer, and what a start refuses."""

import asyncio
import os
import signal
import threading
from pathlib import Path

import httpx2
import pytest

from deskkeeper import DeskKeeper
from errors import ConfigError
from server import open_house, serve
from settings import Settings
from store.log import NewMessage
from tests.engines import Scripted, only
from tests.ports import free_port
from tests.processes import ServerProcess
from tests.serving import client_of, local_settings, running, serving, streamed
from tests.waiting import PATIENCE_S, until


async def test_an_empty_folder_becomes_a_desk_that_answers(tmp_path: Path) -> None:
    """A fresh machine needs nothing but the command."""
    async with serving(local_settings(tmp_path / "not" / "there" / "yet")) as client:
        reply = (await client.post("/chat", json={"message": "Hello!"})).json()
        page = await client.get("/")

    assert reply["intent"] == "greeting"
    assert page.headers["content-type"].startswith("text/html")


async def test_a_conversation_survives_a_restart(tmp_path: Path) -> None:
    """Customers do not notice that the desk was restarted overnight."""
    async with serving(local_settings(tmp_path)) as client:
        body = {"message": "Hello!", "message_id": "m1"}
        first = (await client.post("/chat", json=body)).json()
        headers = {"X-Visitor-Token": first.pop("visitor_token")}
    async with running(local_settings(tmp_path)) as server, client_of(server.url, headers) as client:
        assert (await client.post("/chat", json=body)).json() == first
        history = (await client.get(f"/chat/{first['conversation_id']}")).json()
        more = {"message": "thanks!", "conversation_id": first["conversation_id"]}
        assert (await client.post("/chat", json=more)).status_code == 200

    assert [message["role"] for message in history["messages"]] == ["customer", "assistant"]


async def test_a_bug_in_a_route_is_a_plain_500_and_tells_the_log_where(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Never a stack trace for a customer, never a customer's words for the log."""

    def broken(_: DeskKeeper) -> object:
        raise ValueError("zanzibar-canary")

    async with serving(local_settings(tmp_path)) as client:
        with monkeypatch.context() as patched:
            patched.setattr(DeskKeeper, "current", broken)
            response = await client.get("/readyz")
        assert (await client.get("/readyz")).status_code == 200
    printed = capsys.readouterr()

    assert response.status_code == 500
    assert response.json()["error"]["code"] == "internal_error"
    assert response.json()["error"]["request_id"] == response.headers["x-request-id"]
    assert "zanzibar" not in response.text + printed.out + printed.err
    assert '"event": "request.failed"' in printed.out
    assert "test_server.py" in printed.out


async def test_fifty_customers_at_once_each_get_their_own_answer(tmp_path: Path) -> None:
    """Under load nobody gets somebody else's words, as JSON or as a stream."""
    engine = Scripted(lambda request: [0.01, *request.message.split()])
    async with running(local_settings(tmp_path), only(engine)) as server:

        async def ask(number: int) -> str:
            async with client_of(server.url) as client:
                body = {"message": f"hello customer {number}"}
                if number % 2:
                    return str((await streamed(client, body))[-1].event["result"]["text"])
                return str((await client.post("/chat", json=body)).json()["text"])

        answers = await asyncio.gather(*(ask(number) for number in range(50)))

    assert answers == [f"hellocustomer{number}" for number in range(50)]


@pytest.mark.fault("P8")
async def test_a_desk_that_is_overloaded_says_when_to_come_back(tmp_path: Path) -> None:
    """Over HTTP a refusal has a time in it, and the conversation's queue has an end."""
    hold = asyncio.Event()
    async with running(local_settings(tmp_path), only(Scripted([hold, "Yes."]))) as server:
        thread = {
            "threadId": "thread-of-the-impatient",
            "messages": [{"id": "u", "role": "user", "content": "hello"}],
        }
        first = asyncio.ensure_future(server.client.post("/chat", json={**thread, "runId": "r0"}))
        await until(lambda: server.house.runner.under_way)
        hold.set()
        token = (await first).headers["x-visitor-token"]
        hold.clear()
        async with client_of(server.url, {"X-Visitor-Token": token}) as client:
            posts = [
                asyncio.ensure_future(client.post("/chat", json={**thread, "runId": f"r{n}"}))
                for n in range(1, 24)
            ]
            done, _ = await asyncio.wait(posts, return_when=asyncio.FIRST_COMPLETED)
            refused = done.pop().result()
            hold.set()
            answers = await asyncio.gather(*posts)

    assert (refused.status_code, refused.json()["error"]["code"]) == (429, "too_many_requests")
    assert int(refused.headers["retry-after"]) > 0
    assert sorted(response.status_code for response in answers) == [200] * 21 + [429] * 2


async def test_a_house_without_a_server_answers_too(tmp_path: Path) -> None:
    """Commands and benchmarks use the same desk as the server."""
    async with open_house(local_settings(tmp_path)) as house:
        accepted = await house.runner.start(NewMessage("visitor:trial", "Hello!", "m1"))
        told = [item async for news in house.event_log.follow_turn(accepted.turn) for item in news]

    assert told[-1].event.type == "turn.finished"


async def test_a_broken_prompt_file_stops_the_start(tmp_path: Path) -> None:
    """Better no desk than one that answers with half a prompt."""
    (tmp_path / "prompts").mkdir()
    (tmp_path / "prompts" / "greeting.md").write_text("no front matter", encoding="utf-8")
    settings = local_settings(tmp_path, FRONTDESK_PROMPTS=tmp_path / "prompts")

    with pytest.raises(ConfigError):
        async with open_house(settings):
            pass


@pytest.mark.fault("P11")
async def test_a_start_that_is_refused_is_one_line_and_an_exit_code(tmp_path: Path) -> None:
    """Whoever supervises the process reads one line and not a page."""
    (tmp_path / "letter.txt").write_text("Dear Sirs, " * 100, encoding="utf-8")
    process = ServerProcess(tmp_path, {"FRONTDESK_DATABASE_URL": f"sqlite:///{tmp_path / 'letter.txt'}"})
    with pytest.raises(RuntimeError, match="did not start"):
        await process.start()
    await process.client.aclose()

    lines = process.printed().splitlines()
    assert await process.ended() == 2
    assert len(lines) == 2
    assert lines[1].startswith("frontdesk: FRONTDESK_DATABASE_URL: ")


def test_serving_says_when_clients_are_heard_and_ends_in_order(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The address is printed when it works; Ctrl-C and a supervisor's stop end the command after the last answer."""
    port = free_port()
    before = signal.getsignal(signal.SIGTERM)
    replies: list[int] = []

    def ask_and_stop() -> None:
        try:
            url = f"http://127.0.0.1:{port}"
            with httpx2.Client(base_url=url, trust_env=False, timeout=PATIENCE_S) as client:
                replies.append(client.post("/chat", json={"message": "Hello!"}).status_code)
        finally:
            os.kill(os.getpid(), signal.SIGTERM)

    asking = threading.Thread(target=ask_and_stop)
    serve(local_settings(tmp_path, PORT=port), asking.start)
    asking.join()

    assert replies == [200]
    assert signal.getsignal(signal.SIGTERM) is before
    assert '"event": "drain.ended"' in capsys.readouterr().out


def test_settings_are_read_once() -> None:
    """Two parts of one server never see different settings."""
    settings = Settings.read()

    with pytest.raises(ValueError, match="frozen"):
        settings.port = 1  # type: ignore[misc]
