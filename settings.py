"""Settings from the environment or `.env`: one frozen value, and the set-up of the log.

Why: what an operator can turn stands in one place, typed, and a wrong value stops the start with a readable line.
"""

import logging
import os
import secrets
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Literal, Self

import structlog
from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from errors import ConfigError

ROOT = Path(__file__).resolve().parent
_DATABASE = f"sqlite:///{ROOT / 'var' / 'frontdesk.db'}"
_EMBEDDINGS = "https://api.voyageai.com/v1"


class Settings(BaseSettings):
    """All settings; the names in the environment are those in the README's table."""

    model_config = SettingsConfigDict(
        env_file=".env", env_ignore_empty=True, extra="ignore", frozen=True, populate_by_name=True
    )

    anthropic_api_key: SecretStr | None = Field(None, alias="ANTHROPIC_API_KEY")
    anthropic_base_url: str | None = Field(None, alias="ANTHROPIC_BASE_URL")
    engine: Literal["auto", "claude", "local"] = Field("auto", alias="FRONTDESK_ENGINE")
    router: Literal["haiku", "cascade", "local"] = Field("haiku", alias="FRONTDESK_ROUTER")
    speculate: Literal["on", "off"] = Field("on", alias="FRONTDESK_SPECULATE")
    second_look: Literal["on", "off"] = Field("off", alias="FRONTDESK_SECOND_LOOK")
    database_url: str = Field(_DATABASE, alias="FRONTDESK_DATABASE_URL")
    prompts: Path = Field(ROOT / "prompts", alias="FRONTDESK_PROMPTS")
    knowledge: Path = Field(ROOT / "knowledge" / "corpus", alias="FRONTDESK_KNOWLEDGE")
    quote_url: str | None = Field(None, alias="FRONTDESK_QUOTE_URL", pattern="^https?://")
    quote_token: SecretStr | None = Field(None, alias="FRONTDESK_QUOTE_TOKEN")
    mcp: Path | None = Field(None, alias="FRONTDESK_MCP")
    search: Literal["memory", "database"] = Field("memory", alias="FRONTDESK_SEARCH")
    voyage_api_key: SecretStr | None = Field(None, alias="VOYAGE_API_KEY")
    embeddings_url: str = Field(_EMBEDDINGS, alias="FRONTDESK_EMBEDDINGS_URL", pattern="^https?://")
    embeddings_model: str = Field("voyage-4", alias="FRONTDESK_EMBEDDINGS_MODEL", pattern=r"^[\w.-]+$")
    embeddings_floor: float = Field(0.45, alias="FRONTDESK_EMBEDDINGS_FLOOR", ge=0, le=1)
    database_wait_s: float = Field(2.0, alias="FRONTDESK_DATABASE_WAIT_S", ge=0.1, le=300)
    secret: SecretStr | None = Field(None, alias="FRONTDESK_SECRET", min_length=16)
    jwt_secret: SecretStr | None = Field(None, alias="FRONTDESK_JWT_SECRET", min_length=16)
    jwks_url: str | None = Field(None, alias="FRONTDESK_JWKS_URL", pattern="^https?://")
    customers_url: str | None = Field(None, alias="FRONTDESK_CUSTOMERS_URL", pattern="^https?://")
    customers_token: SecretStr | None = Field(None, alias="FRONTDESK_CUSTOMERS_TOKEN")
    customers_timeout_s: float = Field(5.0, alias="FRONTDESK_CUSTOMERS_TIMEOUT_S", ge=0.1, le=7)
    retention_days: int | None = Field(None, alias="FRONTDESK_RETENTION_DAYS", ge=1, le=36_500)
    caller_limit: str = Field("60/minute", alias="FRONTDESK_CALLER_LIMIT")
    address_limit: str = Field("off", alias="FRONTDESK_ADDRESS_LIMIT")
    turns_at_once: int = Field(500, alias="FRONTDESK_TURNS_AT_ONCE", ge=1, le=10_000)
    ops_token: SecretStr | None = Field(None, alias="FRONTDESK_OPS_TOKEN", min_length=8)
    host: str = Field("127.0.0.1", alias="HOST")
    port: int = Field(8080, alias="PORT", ge=0, le=65535)

    @classmethod
    def read(cls, **overrides: object) -> Self:
        """The settings of this process.

        Raises:
            ConfigError: A value is wrong: its name, the value (never of a secret), what was expected.
        """
        try:
            settings = cls.model_validate(
                {**cls().model_dump(by_alias=True, exclude_unset=True), **overrides}
            )
        except ValidationError as exc:
            first = exc.errors(include_input=False)[0]
            reason = first["msg"].replace("items after validation", "characters")  # a secret's length
            raise ConfigError(f"setting {first['loc'][0]}: {reason}") from exc
        if settings.engine == "claude" and settings.api_key is None:
            raise ConfigError(
                "setting FRONTDESK_ENGINE: claude needs ANTHROPIC_API_KEY; set it, or use auto or local"
            )
        return settings

    @property
    def api_key(self) -> str | None:
        """The key, if one is there and not blank."""
        return _revealed(self.anthropic_api_key)

    @property
    def embeddings_key(self) -> str | None:
        """The key of the vendor of embeddings, if one is there and not blank."""
        return _revealed(self.voyage_api_key)

    @property
    def uses_claude(self) -> bool:
        """Whether Claude answers: asked for, or a key is there."""
        return self.engine == "claude" or (self.engine == "auto" and self.api_key is not None)

    def signing_secret(self) -> str:
        """The secret that signs visitor tokens; made once and kept in var/ when none is set."""
        if self.secret is not None:
            return self.secret.get_secret_value()
        return _kept_secret(ROOT / "var" / "visitor-secret")


def _revealed(secret: SecretStr | None) -> str | None:
    """What it holds, if that is not blank."""
    return (secret.get_secret_value().strip() if secret else "") or None


def _kept_secret(path: Path) -> str:
    """The secret in this file, made if it is not there: whole or not at all, and the first of several servers wins."""
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=path.parent)  # readable by its owner only
        try:
            with open(descriptor, "w", encoding="ascii") as file:  # noqa: PTH123 - a descriptor is no path
                file.write(secrets.token_urlsafe(32))
            with suppress(FileExistsError):
                os.link(name, path)
        finally:
            Path(name).unlink()
    return path.read_text(encoding="ascii").strip()


def _say(line: str) -> None:
    """Write one line if it can be written: a command must not fail because nobody reads its log."""
    with suppress(OSError, ValueError):
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()


class _Lines:
    """What structlog hands its lines to, whatever their level."""

    def __init__(self, put: Callable[[str], None]) -> None:
        self.msg = self.debug = self.info = self.warning = self.error = self.critical = put


def set_up_log(least: int = logging.INFO, put: Callable[[str], None] = _say) -> None:
    """One JSON line per event to `put`; what other libraries log goes to stderr from level warning on."""
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(levelname)s %(name)s %(message)s")
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="logged_at"),
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(least),
        logger_factory=lambda *_: _Lines(put),
        cache_logger_on_first_use=True,
    )
