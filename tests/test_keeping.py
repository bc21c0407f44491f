"""Acceptance: backups that restore, data shown and deleted on request, retention; all while a server runs."""

import asyncio
import json
import os
import shutil
import sqlite3
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from dataclasses import dataclass
from io import StringIO
from operator import methodcaller
from pathlib import Path

import pytest
from sqlalchemy import Connection, update
from typer import Abort

import build
from api.callers import customer_token
from errors import ConfigError, FrontdeskError
from settings import ROOT, Settings
from store.address import backend_at
from store.schema import conversations, turns
from terminal.keeping import Whose, delete_held, delete_old, show_held
from tests.engines import Scripted, only
from tests.postgres import Postgres
from tests.serving import STREAM, Frame, client_of, frames_of, local_settings, running, text_of
from tests.store.people import CANARY, DAY_S
from tests.waiting import PATIENCE_S, soon, until

JWT_SECRET = "a secret of the host site, long enough"


@dataclass(frozen=True, slots=True)
class Done:
    """What a command printed, and how it ended."""

    code: int
    out: str
    err: str


async def frontdesk(settings: Settings, *words: str, says: str = "") -> Done:
    """The command as an operator types it, on the database of these settings."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", "import cli; cli.main()", *words),
        cwd=ROOT,
        env={
            **os.environ,
            "FRONTDESK_DATABASE_URL": settings.database_url,
            "FRONTDESK_SECRET": settings.signing_secret(),
        },
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await soon(process.communicate(says.encode()))
    return Done(process.returncode or 0, out.decode(), err.decode())


async def on_sqlite(settings: Settings, folder: Path) -> Callable[[], Settings]:
    """Back up with our command; restoring is putting the file in the place of another one."""
    file = folder / "backup.db"
    done = await frontdesk(settings, "backup", str(file))
    assert done.code == 0, done.err
    assert file.stat().st_mode & 0o077 == 0

    def restore() -> Settings:
        (folder / "elsewhere").mkdir()
        shutil.copy(file, folder / "elsewhere" / "desk.db")
        return local_settings(folder / "elsewhere")

    return restore


async def on_postgres(settings: Settings, folder: Path, postgres: Postgres) -> Callable[[], Settings]:
    """Back up and restore with PostgreSQL's own tools."""
    file = folder / "backup.dump"
    await asyncio.to_thread(postgres.dump, settings.database_url, file)

    def restore() -> Settings:
        postgres.restore(settings.database_url, file)
        return settings

    return restore


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
async def test_a_desk_restored_from_a_backup_goes_on(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """The disk burned down: what was accepted before the backup is there, and who was being answered gets an end."""
    settings = local_settings(tmp_path)
    postgres: Postgres | None = None
    if kind == "postgres":
        postgres = request.getfixturevalue("postgres")
        url = request.getfixturevalue("postgres_url")
        settings = local_settings(tmp_path, FRONTDESK_DATABASE_URL=url)
    hold = asyncio.Event()
    async with running(
        settings, only(Scripted(["Here is what we know. ", "So ", hold])), patience_s=0.0
    ) as server:
        async with client_of(server.url, STREAM) as client:
            body = {"message": "Does collision cover hail?", "message_id": "m1"}
            async with client.stream("POST", "/chat", json=body) as response:
                got = [frame async for frame in _until_words(frames_of(response))]
                token = response.headers["x-visitor-token"]
        if postgres is None:
            restore = await on_sqlite(settings, tmp_path)
        else:
            restore = await on_postgres(settings, tmp_path, postgres)
    headers = {"X-Visitor-Token": token}
    async with running(await asyncio.to_thread(restore), only(Scripted(["Ours."]))) as server:
        async with client_of(server.url, headers | STREAM) as client:
            again = client.stream("POST", "/chat", json=body, headers={"Last-Event-ID": got[-1].event_id})
            async with again as response:
                assert response.status_code == 200, await response.aread()
                got += [frame async for frame in frames_of(response)]
        async with client_of(server.url, headers) as client:
            reply = (await client.post("/chat", json=body)).json()
            history = (await client.get(f"/chat/{reply['conversation_id']}")).json()
            more = {"message": "Hello!", "conversation_id": reply["conversation_id"]}
            assert (await client.post("/chat", json=more)).status_code == 200

    assert text_of(got) == reply["text"]
    assert reply["text"].startswith("Here is what")
    assert reply["error"]["code"] == "interrupted"
    assert [frame.type for frame in got].count("RUN_ERROR") == 1
    assert len({frame.event_id for frame in got}) == len(got)
    assert history["messages"][0]["text"] == body["message"]


async def _until_words(frames: AsyncIterator[Frame]) -> AsyncIterator[Frame]:
    """The frames up to the first words."""
    async for frame in frames:
        yield frame
        if frame.type == "TEXT_MESSAGE_CONTENT":
            return


def test_a_backup_never_overwrites_and_never_stays_half(tmp_path: Path) -> None:
    """The last good copy is not lost to a command typed twice, and a copy that is there is whole."""
    desk = backend_at(local_settings(tmp_path).database_url)
    with pytest.raises(ConfigError, match="there is no database"):
        desk.back_up(tmp_path / "copy.db")
    (tmp_path / "desk.db").write_bytes(b"no database at all" * 1000)
    (tmp_path / "old.db").touch()
    with pytest.raises(ConfigError, match="not a database"):
        desk.back_up(tmp_path / "copy.db")
    with pytest.raises(ConfigError, match="there is a file already"):
        desk.back_up(tmp_path / "old.db")
    with pytest.raises(ConfigError, match="pg_dump") as refused:
        backend_at("postgresql://desk:secret@127.0.0.1:9/desk").back_up(tmp_path / "copy.db")

    assert "secret" not in str(refused.value)
    assert {path.name for path in tmp_path.iterdir()} == {"desk.db", "old.db"}


def test_a_backup_is_one_file_with_everything_in_it(tmp_path: Path) -> None:
    """What is in the journal only is in the copy too, while the database is in use."""
    with closing(sqlite3.connect(tmp_path / "desk.db", isolation_level=None)) as raw:
        raw.execute("PRAGMA journal_mode = WAL")
        raw.execute("CREATE TABLE things (number)")
        raw.execute("INSERT INTO things VALUES (7)")
        backend_at(local_settings(tmp_path).database_url).back_up(tmp_path / "copy.db")
    with closing(sqlite3.connect(tmp_path / "copy.db")) as copy:
        assert copy.execute("SELECT number FROM things").fetchall() == [(7,)]

    assert {path.name for path in tmp_path.glob("copy*")} == {"copy.db"}


def test_a_backup_of_a_damaged_database_is_refused(tmp_path: Path) -> None:
    """A copy that cannot be restored is worse than none: nobody looks for another one."""
    with closing(sqlite3.connect(tmp_path / "desk.db")) as raw:
        raw.executescript("CREATE TABLE things (body UNIQUE); PRAGMA writable_schema = ON;")
        raw.executemany("INSERT INTO things VALUES (?)", [(f"{number}" * 500,) for number in range(50)])
        raw.commit()
    data = bytearray((tmp_path / "desk.db").read_bytes())
    data[3 * 4096 : 4 * 4096] = b"\xff" * 4096
    (tmp_path / "desk.db").write_bytes(data)
    with pytest.raises(ConfigError, match="the backup failed"):
        backend_at(local_settings(tmp_path).database_url).back_up(tmp_path / "copy.db")

    assert not (tmp_path / "copy.db").exists()


async def test_a_customer_is_shown_everything_and_then_forgotten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A data-protection request is two commands, while the desk goes on for everybody else."""
    settings = local_settings(tmp_path, FRONTDESK_JWT_SECRET=JWT_SECRET)
    signed_in = {"Authorization": f"Bearer {customer_token(settings, 'C-1001', 1)}"}
    said = {"message": f"I want to talk to a human agent, I am {CANARY}", "message_id": "m1"}
    customer, file = Whose(customer="C-1001"), tmp_path / "visitor.json"
    async with running(settings) as server, client_of(server.url, signed_in) as client:
        mine = (await client.post("/chat", json=said)).json()["conversation_id"]
        rating = {"rating": 1, "comment": CANARY}
        assert (await client.post(f"/chat/{mine}/feedback", json=rating)).is_success
        other = (await server.client.post("/chat", json={"message": "Hello!", "message_id": "m1"})).json()
        shown = await frontdesk(settings, "export", "--customer", "C-1001")
        monkeypatch.setattr("sys.stdin", StringIO("n\n"))
        with pytest.raises(Abort):
            await delete_held(settings, customer, is_agreed=False)
        assert (await client.get(f"/chat/{mine}")).status_code == 200
        gone = await frontdesk(settings, "delete", "--customer", "C-1001", says="y\n")
        after = [await client.get(f"/chat/{mine}"), await client.post(f"/chat/{mine}/feedback", json=rating)]
        assert (await server.client.get(f"/chat/{other['conversation_id']}")).status_code == 200
        await show_held(settings, Whose(visitor=other["visitor_token"]), file)
        capsys.readouterr()
        await delete_held(settings, customer, is_agreed=True)
        nothing = capsys.readouterr().out

    [held] = json.loads(shown.out)["conversations"]
    assert (held["conversation_id"], held["owner"]) == (mine, "customer:C-1001")
    assert CANARY in held["messages"][0]["text"]
    assert held["records"]["feedback"][0]["comment"] == CANARY
    assert len(held["records"]["tickets"]) == 1
    assert gone.code == 0, gone.err
    assert "1 conversations" in gone.out
    assert "1 feedback" in gone.out
    assert [response.status_code for response in after] == [404, 404]
    [visitor] = json.loads(file.read_bytes())["conversations"]
    assert visitor["conversation_id"] == other["conversation_id"]
    assert file.stat().st_mode & 0o077 == 0
    assert "deleted: 0 conversations\n" in nothing
    kept = b"".join(
        (tmp_path / name).read_bytes() for name in ("desk.db", "desk.db-wal") if (tmp_path / name).exists()
    )
    assert CANARY.encode() not in kept


async def test_a_deletion_waits_for_the_answer_under_way(tmp_path: Path) -> None:
    """Whoever is being answered is not cut off; a deletion that cannot wait so long says so, and deletes nothing of it."""
    settings, hold = local_settings(tmp_path), asyncio.Event()
    async with running(settings, only(Scripted(["Yes, ", hold, "it does."]))) as server:
        body = {"message": "Does collision cover hail?", "message_id": "m1"}
        answering = asyncio.ensure_future(server.client.post("/chat", json=body))
        await until(lambda: server.house.runner.under_way == 1)
        [(owner, its)] = await server.house.database.read(_owners)
        whose = Whose(visitor=owner.removeprefix("visitor:"))
        with pytest.raises(FrontdeskError, match="1 conversations are being answered"):
            await delete_held(settings, whose, is_agreed=True, patience_s=0.0)
        deleting = asyncio.ensure_future(
            delete_held(settings, Whose(conversation=its), is_agreed=True, patience_s=PATIENCE_S)
        )
        await asyncio.sleep(0.3)
        hold.set()
        reply = await soon(answering)
        await soon(deleting)
        after = await server.client.get(f"/chat/{its}")

    assert reply.json()["text"] == "Yes, it does."
    assert after.status_code == 404


def _owners(connection: Connection) -> list[tuple[str, str]]:
    return [(row.owner, row.conversation_id) for row in connection.execute(conversations.select())]


@pytest.mark.parametrize("whose", [Whose(), Whose("a", "b"), Whose(visitor="not.our.token")])
async def test_exactly_one_must_be_named(whose: Whose, tmp_path: Path) -> None:
    """A command typed half must delete nobody."""
    with pytest.raises(ConfigError, match=r"--customer ID|not signed with this desk's secret"):
        await delete_held(local_settings(tmp_path), whose, is_agreed=True)


async def test_whoever_is_unknown_gets_an_empty_document(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The answer to a request is a document, also when nothing is held."""
    await show_held(local_settings(tmp_path), Whose(customer="nobody"), None)

    assert json.loads(capsys.readouterr().out)["conversations"] == []


async def test_an_export_is_not_written_over_another_file(tmp_path: Path) -> None:
    """What somebody is shown must not cost somebody else's document."""
    (tmp_path / "there.json").touch()
    with pytest.raises(ConfigError, match=r"there\.json"):
        await show_held(local_settings(tmp_path), Whose(customer="a"), tmp_path / "there.json")


def test_old_conversations_of_one_person_cannot_be_named() -> None:
    """Both at once could mean either."""
    Whose().refuse_any()
    with pytest.raises(ConfigError, match="concerns everybody"):
        Whose(customer="a").refuse_any()


async def test_old_conversations_go_while_the_server_runs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Retention needs no cron job; and by hand it is one command."""
    settings = local_settings(tmp_path)
    async with running(settings) as server:
        replies = [
            (await server.client.post("/chat", json={"message": "Hello!", "message_id": f"m{number}"})).json()
            for number in range(3)
        ]
        token = replies[0]["visitor_token"]
        ids = [reply["conversation_id"] for reply in replies]
        for its, days in zip(ids, (40, 20, 5), strict=True):
            old = update(turns).where(turns.c.conversation_id == its)
            aged = old.values(accepted_at_s=turns.c.accepted_at_s - days * DAY_S)
            await server.house.database.write(methodcaller("execute", aged))
    kept = local_settings(tmp_path, FRONTDESK_RETENTION_DAYS=30)
    async with running(kept) as server, client_of(server.url, {"X-Visitor-Token": token}) as client:

        async def statuses() -> list[int]:
            return [(await client.get(f"/chat/{its}")).status_code for its in ids]

        await until(lambda: "retention.applied" in capsys.readouterr().out)
        assert await statuses() == [404, 200, 200]
        by_hand = await frontdesk(settings, "delete", "--older-than", "10", says="y\n")
        assert await statuses() == [404, 404, 200]
        await delete_old(settings, 1, is_agreed=True)
        assert await statuses() == [404, 404, 404]

    assert "Delete 1 conversations" in by_hand.err
    assert by_hand.out.strip().startswith("deleted: 1 conversations")


async def test_a_retention_that_fails_goes_on_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A database that is away for a moment must neither end the server nor keep data for ever."""
    monkeypatch.setattr(build, "RETENTION_EVERY_S", 0.01)
    kept = local_settings(tmp_path, FRONTDESK_RETENTION_DAYS=30)
    async with running(kept) as server:
        server.house.database._readers.shutdown()
        for _ in range(2):
            await until(lambda: '"task": "retention"' in capsys.readouterr().out)
        assert (await server.client.get("/healthz")).status_code == 200


@pytest.mark.parametrize("days", ["0", "-1", "soon"])
def test_a_retention_that_cannot_be_meant_stops_the_start(days: str) -> None:
    """Zero days would delete every answer as soon as it is given."""
    with pytest.raises(ConfigError, match="FRONTDESK_RETENTION_DAYS"):
        Settings.read(FRONTDESK_RETENTION_DAYS=days)
