"""A wrong setting stops the start with one readable line; what is blank is as good as unset."""

import json
import sys
import threading
from pathlib import Path

import pytest
import structlog

import settings as settings_module
from errors import ConfigError
from settings import Settings


def test_without_anything_the_desk_runs_on_the_local_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fresh machine needs no set-up."""
    settings = Settings.read()

    assert (settings.uses_claude, settings.host, settings.port) == (False, "127.0.0.1", 8080)
    assert settings.database_url.startswith("sqlite:///")
    monkeypatch.setenv("ANTHROPIC_API_KEY", "a-key")
    assert Settings.read().uses_claude
    assert not Settings.read(FRONTDESK_ENGINE="local").uses_claude


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("FRONTDESK_ENGINE", "gpt", "FRONTDESK_ENGINE"),
        ("FRONTDESK_ENGINE", "claude", "ANTHROPIC_API_KEY"),
        ("FRONTDESK_ROUTER", "dice", "FRONTDESK_ROUTER"),
        ("FRONTDESK_SPECULATE", "maybe", "FRONTDESK_SPECULATE"),
        ("FRONTDESK_SECOND_LOOK", "maybe", "FRONTDESK_SECOND_LOOK"),
        ("FRONTDESK_SECRET", "short-secret", "FRONTDESK_SECRET"),
        ("FRONTDESK_JWT_SECRET", "short-secret", "FRONTDESK_JWT_SECRET: .* at least 16 characters"),
        ("FRONTDESK_JWKS_URL", "file:///secret", "FRONTDESK_JWKS_URL"),
        ("FRONTDESK_QUOTE_URL", "quotes.example/secret", "FRONTDESK_QUOTE_URL"),
        ("FRONTDESK_OPS_TOKEN", "secret", "FRONTDESK_OPS_TOKEN"),
        ("FRONTDESK_CUSTOMERS_URL", "customers.example", "FRONTDESK_CUSTOMERS_URL"),
        ("FRONTDESK_CUSTOMERS_TIMEOUT_S", "8", "FRONTDESK_CUSTOMERS_TIMEOUT_S"),
        ("FRONTDESK_CUSTOMERS_TIMEOUT_S", "0", "FRONTDESK_CUSTOMERS_TIMEOUT_S"),
        ("PORT", "http", "PORT"),
        ("PORT", "70000", "PORT"),
    ],
)
def test_a_wrong_value_is_named_and_a_secret_is_not_repeated(
    name: str, value: str, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An operator reads which setting to mend; the log keeps no secret."""
    monkeypatch.setenv(name, value)

    with pytest.raises(ConfigError, match=says) as refused:
        Settings.read()

    assert "secret" not in str(refused.value).replace("SECRET", "").lower()
    assert "\n" not in str(refused.value)


def test_a_blank_value_is_no_value(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compose files set everything, often to nothing."""
    for name in ("ANTHROPIC_API_KEY", "FRONTDESK_OPS_TOKEN", "FRONTDESK_SECRET", "FRONTDESK_ENGINE", "PORT"):
        monkeypatch.setenv(name, "")
    settings = Settings.read()

    assert (settings.api_key, settings.ops_token, settings.secret) == (None, None, None)
    assert (settings.engine, settings.port) == ("auto", 8080)
    monkeypatch.setenv("ANTHROPIC_API_KEY", "   ")
    assert Settings.read().api_key is None


def test_what_a_command_says_counts_more_than_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """`frontdesk serve --port 9000` means it."""
    monkeypatch.setenv("PORT", "8000")

    assert Settings.read(PORT=9000).port == 9000


def test_the_visitor_secret_is_made_once_and_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Visitors keep their conversations over restarts, also when several servers start at once."""
    monkeypatch.setattr(settings_module, "ROOT", tmp_path)
    made: list[str] = []
    threads = [
        threading.Thread(target=lambda: made.append(Settings.read().signing_secret())) for _ in range(12)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(set(made)) == 1
    assert len(made[0]) > 30
    assert Settings.read().signing_secret() == made[0]
    path = tmp_path / "var" / "visitor-secret"
    assert path.stat().st_mode & 0o077 == 0
    assert [item.name for item in path.parent.iterdir()] == ["visitor-secret"]
    assert Settings.read(FRONTDESK_SECRET="x" * 20).signing_secret() == "x" * 20


def test_secrets_do_not_show_when_settings_are_printed() -> None:
    """A settings object that ends up in a trace gives nothing away."""
    settings = Settings.read(
        FRONTDESK_SECRET="canary" * 5, FRONTDESK_OPS_TOKEN="canary-token", ANTHROPIC_API_KEY="canary"
    )

    assert "canary" not in f"{settings!r} {settings}"


def test_a_log_line_is_one_line_of_json(capsys: pytest.CaptureFixture[str]) -> None:
    """Log collectors read line by line."""
    structlog.get_logger().warning("thing.happened", number=1, text="two\nlines")
    [line] = capsys.readouterr().out.splitlines()

    assert json.loads(line) | {"logged_at": ""} == {
        "event": "thing.happened",
        "number": 1,
        "text": "two\nlines",
        "level": "warning",
        "logged_at": "",
    }


def test_a_log_that_nobody_reads_any_more_breaks_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A closed pipe must not cost a customer an answer."""

    class Gone:
        def write(self, _: str) -> None:
            raise BrokenPipeError

        def flush(self) -> None:
            raise ValueError("I/O operation on closed file")

    monkeypatch.setattr(sys, "stdout", Gone())
    structlog.get_logger().info("thing.happened")
