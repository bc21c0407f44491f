"""The command as people type it, in a process of its own."""

import os
import socket
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import jwt
import pytest

from settings import ROOT
from tests.agents.folders import copied
from tests.waiting import PATIENCE_S


def _frontdesk(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-c", "import cli; cli.main()", *arguments],
        cwd=ROOT,
        env={**os.environ, "COLUMNS": "200", **environment},
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )


def test_help_names_every_command() -> None:
    """Somebody new finds out what there is."""
    shown = _frontdesk("--help").stdout

    assert all(
        f" {name} " in shown
        for name in (
            "serve",
            "try",
            "token",
            "lint",
            "prompts",
            "knowledge",
            "guards",
            "gaps",
            "tail",
            "export",
            "delete",
            "backup",
        )
    )


def test_lint_accepts_the_shipped_prompts() -> None:
    """What ships must be servable."""
    result = _frontdesk("lint")

    assert result.returncode == 0, result.stderr
    assert "quote" in result.stdout


def test_lint_refuses_a_broken_file_with_one_readable_line(tmp_path: Path) -> None:
    """A prompt engineer sees file, line, value and remedy, and no stack trace."""
    folder = copied(tmp_path)
    quote = folder / "quote.md"
    quote.write_text(quote.read_text(encoding="utf-8").replace("get_quote,", "get_qoute,"), encoding="utf-8")

    result = _frontdesk("lint", "--prompts", str(folder))

    assert result.returncode == 2
    (line,) = result.stderr.strip().splitlines()
    assert "quote.md:" in line
    assert "get_qoute" in line
    assert "get_quote" in line


def test_lint_warns_of_few_utterances(tmp_path: Path) -> None:
    """An intent with few examples is routed badly; its author should hear of it."""
    folder = copied(tmp_path)
    greeting = folder / "greeting.md"
    head, mark, _ = greeting.read_text(encoding="utf-8").partition("# Utterances\n")
    greeting.write_text(f"{head}{mark}hello\nhola\n", encoding="utf-8")

    assert "greeting: 2 utterances are few" in _frontdesk("lint", "--prompts", str(folder)).stdout


def test_the_shipped_articles_pass_their_check() -> None:
    """One look tells how many articles there are, in which language, and which one is the oldest."""
    result = _frontdesk("knowledge", "check")

    assert result.returncode == 0, result.stderr
    assert all(words in result.stdout for words in ("en", "es", "passages", "characters", ".md", "ok"))


def test_a_bad_article_is_named_and_the_exit_code_says_no(tmp_path: Path) -> None:
    """A build would ship an article that customers never get to see."""
    (tmp_path / "theft.md").write_text("---\ntitle: [x]\nurl: x\n---\n[a](b.md)\n", encoding="utf-8")

    result = _frontdesk("knowledge", "check", "--folder", str(tmp_path))

    assert result.returncode == 2
    assert [line.split(": ")[0] for line in result.stderr.splitlines()] == [
        "theft.md:1",
        "theft.md:3",
        "theft.md:5",
        "faults",
    ]
    assert "warning theft.md:1: says not" in result.stdout


def test_gaps_of_a_new_desk_are_none(tmp_path: Path) -> None:
    """Ops would read a stack trace on the first day."""
    url = f"sqlite:///{tmp_path / 'desk.db'}"

    assert "none in the last 7 days" in _frontdesk("gaps", "--days", "7", FRONTDESK_DATABASE_URL=url).stdout
    assert '"questions": 0' in _frontdesk("gaps", "--json", FRONTDESK_DATABASE_URL=url).stdout


def test_prompts_lists_every_specialist() -> None:
    """One look tells which model and tools an intent has."""
    shown = _frontdesk("prompts").stdout

    assert all(name in shown for name in ("escalate", "claude-haiku-5-5", "get_quote", "between_tools"))


def test_try_shows_route_tool_and_answer_and_leaves_nothing_behind() -> None:
    """What an edit does can be seen at once, without a server."""
    result = _frontdesk(
        "try", "quote for a 2022 Nissan Leaf, 30k miles, I am 40", "hola", FRONTDESK_ENGINE="local"
    )

    assert result.returncode == 0, result.stderr
    for words in ("local label", "route", "get_quote", "a month", "answered", "¡Hola!"):
        assert words in result.stdout


@pytest.mark.fault("P11")
@pytest.mark.parametrize(
    ("setting", "value", "expected"),
    [
        ("PORT", "eighty", "PORT"),
        ("FRONTDESK_ENGINE", "claude", "ANTHROPIC_API_KEY"),
        ("FRONTDESK_PROMPTS", "/nowhere", "classifier.md"),
        ("FRONTDESK_DATABASE_URL", "mongodb://x/y", "FRONTDESK_DATABASE_URL"),
    ],
)
def test_a_wrong_setting_stops_the_start_with_one_line(setting: str, value: str, expected: str) -> None:
    """An operator reads what is wrong and what to do, not a stack trace."""
    result = _frontdesk("serve", **{"PORT": "0", setting: value})

    assert result.returncode == 2
    lines = [line for line in result.stderr.strip().splitlines() if line.startswith("frontdesk: ")]
    assert len(lines) == 1
    assert expected in lines[0]
    assert "Traceback" not in result.stderr


@pytest.mark.fault("D6")
def test_a_database_of_a_newer_version_stops_the_start_with_one_line(tmp_path: Path) -> None:
    """After going back to an older version, ops read what to do, and the database stays as it is."""
    with closing(sqlite3.connect(tmp_path / "desk.db")) as newer:
        newer.executescript(
            "CREATE TABLE alembic_version (version_num); INSERT INTO alembic_version VALUES ('9999');"
        )
    before = (tmp_path / "desk.db").read_bytes()
    result = _frontdesk("serve", PORT="0", FRONTDESK_DATABASE_URL=f"sqlite:///{tmp_path / 'desk.db'}")

    assert result.returncode == 2
    [line] = [line for line in result.stderr.splitlines() if line.startswith("frontdesk: ")]
    assert "schema_mismatch" in line
    assert "update Frontdesk" in line
    assert "Traceback" not in result.stderr
    assert (tmp_path / "desk.db").read_bytes()[100:] == before[100:]  # but for the mode of its journal


def test_tail_says_that_no_server_is_there() -> None:
    """The remedy stands in the message."""
    result = _frontdesk("tail", "--url", "http://127.0.0.1:9")

    assert result.returncode == 1
    assert "PORT" in result.stderr


def test_a_port_that_is_taken_is_named_with_a_remedy() -> None:
    """Before anything is read and learnt."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        result = _frontdesk("serve", PORT=port, FRONTDESK_ENGINE="local")

    assert result.returncode == 2
    assert f"127.0.0.1:{port}" in result.stderr
    assert "another PORT" in result.stderr


SECRET = "a secret of the tests, long enough"


def test_try_as_a_customer_shows_what_is_theirs_and_how_a_change_goes() -> None:
    """A prompt engineer sees the preview and the receipt without a server and without a token."""
    messages = ("please cancel my policy at the end of the month", "yes")
    shown = _frontdesk("try", "--customer", "C-1001", *messages, FRONTDESK_ENGINE="local").stdout

    assert "change previewed" in shown
    assert "change done" in shown
    assert "policy_number AP-1001-1" in shown


def test_a_token_signs_the_customer_in() -> None:
    """Somebody new tries the desk as a customer, with one command."""
    result = _frontdesk("token", "C-1001", "--days", "3", FRONTDESK_JWT_SECRET=SECRET)
    claims = jwt.decode(result.stdout.strip(), SECRET, algorithms=["HS256"])

    assert claims["sub"] == "C-1001"
    assert claims["exp"] - claims["iat"] == 3 * 86_400


@pytest.mark.parametrize(
    ("customer", "environment", "says"),
    [
        ("C-1001", {}, "setting FRONTDESK_JWT_SECRET: a token is signed with it"),
        ("C-1001", {"FRONTDESK_JWT_SECRET": SECRET, "FRONTDESK_JWKS_URL": "http://127.0.0.1/keys"}, "leave FRONTDESK_JWKS_URL out"),
        (" C-1001", {"FRONTDESK_JWT_SECRET": SECRET}, "customer ' C-1001': an id has 1 to 150 printable characters"),
        ("", {"FRONTDESK_JWT_SECRET": SECRET}, "customer '': an id has"),
        ("a\nb", {"FRONTDESK_JWT_SECRET": SECRET}, "an id has"),
        ("x" * 151, {"FRONTDESK_JWT_SECRET": SECRET}, "an id has"),
    ],
)  # fmt: skip
def test_a_token_that_nobody_would_take_is_refused(
    customer: str, environment: dict[str, str], says: str
) -> None:
    """One readable line, instead of a token that opens nothing."""
    result = _frontdesk("token", customer, **environment)

    assert result.returncode == 2
    assert says in " ".join(result.stderr.split())
    assert "Traceback" not in result.stderr
    assert result.stdout == ""
