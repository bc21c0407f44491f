"""Put the parts together from the settings.

Called by server.py and cli.py, the only places that build things. Raises ConfigError when something in the
prompts, the tariff or the settings is wrong; deskkeeper.py keeps the desk up to date while it runs.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import SecretStr

from agents.specialist import Catalogue, ToolFacts, load_catalogue
from engine.failover import Failover, Resilient
from engine.local import Local
from errors import ConfigError
from events import JsonObject
from guards.every import every_guard
from guards.private import Contacts
from guards.screen import Screen
from guards.stream import Guard
from knowledge.brand import Brand
from knowledge.customers import Customers
from knowledge.tariff import Tariff
from knowledge.vehicles import Vehicles
from liveknowledge import LiveKnowledge
from remote import Service
from router.contain import contained
from router.desk import Engines
from router.local import Example, LocalClassifier
from settings import ROOT, Settings
from store.accounts import StoredAccounts
from store.actions import StoredActions
from store.database import Database
from store.knowledge import StoredKnowledge
from store.retention import Retention
from tools.account import Account
from tools.account_service import RemoteAccounts
from tools.account_tools import get_billing, get_claim_status, get_policy
from tools.cancellation import request_cancellation
from tools.handoff import handoff_tool
from tools.mcp_settings import VALUES, McpSettings
from tools.quote import Prices, TariffPrices, quote_tool
from tools.quote_service import ServicePrices
from tools.registry import Lead, Toolbox
from tools.search import search_tool

if TYPE_CHECKING:
    from knowledge.meaning import Meaning
    from tools.mcp_servers import McpServers

RETENTION_EVERY_S = 3600.0
_PROMPTS, _BUILT_IN, _CACHE = ROOT / "prompts", ROOT / "knowledge", ROOT / "var"


@dataclass(frozen=True, slots=True)
class Parts:
    """What does not change while the server runs.

    Attributes:
        customers: Those of the demo, where the company has such a file.
        services: What tools ask over the network; whoever lets tools be called opens them before and closes them after.
    """

    toolbox: Toolbox
    vehicles: Vehicles
    knowledge: LiveKnowledge
    screen: Screen
    facts: ToolFacts
    guards: Mapping[str, Guard]
    customers: Customers | None
    services: tuple[AbstractAsyncContextManager[object], ...] = ()
    lent: "McpServers | None" = None

    def tools(self) -> Toolbox:
        """The tools that there are now; a server may lend some."""
        return self.toolbox if self.lent is None else self.toolbox.having(self.lent.tools())

    def lenders(self) -> Mapping[str, JsonObject]:
        """The state of each server that lends tools."""
        return {} if self.lent is None else self.lent.states()


def build_parts(settings: Settings, database: Database | None = None) -> Parts:
    """Tools and what they stand on. The company's own tariff, vehicles and customers stand beside the folder of its articles.

    Prices come from the company's quote service if there is one; then there need be no tariff.

    Raises:
        ConfigError: The tariff, the vehicles, the customers or the brand's lists are wrong.
    """
    brand = _brand(settings.knowledge.parent / "brand.toml")
    vehicles = Vehicles.load(_beside(settings.knowledge, "vehicles.toml"))
    quotes = _quote_service(settings)
    prices = ServicePrices(quotes, vehicles) if quotes else _tariff(settings, vehicles)
    meaning = _meaning(settings, database)
    knowledge = LiveKnowledge(settings.knowledge, meaning, _stored(settings, database))
    toolbox = Toolbox.of(
        quote_tool(prices),
        search_tool(knowledge),
        handoff_tool(),
        *(get_policy, get_billing, get_claim_status, request_cancellation),
    )
    lent = _mcp_servers(settings)
    listed = Contacts.listed(brand.contacts)
    guards = every_guard(
        brand,
        lambda: knowledge.hosts,
        lambda: listed | knowledge.contacts,
        [*toolbox.tools, *(lent.called if lent else ())],
    )
    file = settings.knowledge.parent / "customers.toml"
    customers = Customers.read(file, datetime.now(UTC).date()) if file.is_file() else None
    services = tuple(service for service in (quotes, lent, meaning) if service is not None)
    screen = _screen(settings.knowledge)
    return Parts(
        toolbox, vehicles, knowledge, screen, _facts(toolbox, lent), guards, customers, services, lent
    )


def _facts(toolbox: Toolbox, lent: "McpServers | None") -> ToolFacts:
    """What prompt files may say about tools; about lent ones whether their servers are there or not."""
    leads: dict[str, Lead] = {**toolbox.leads, **dict.fromkeys(lent.listed if lent else (), "none")}
    return ToolFacts(leads=leads, slots=toolbox.slots, values=toolbox.values.union(VALUES if lent else ()))


def _brand(path: Path) -> Brand:
    """The company's own lists; without a file it has none, and another company's are of no use to it."""
    return Brand.load(path) if path.is_file() else Brand()


def _quote_service(settings: Settings) -> Service | None:
    """The company's own source of prices, if it has one."""
    if settings.quote_url is None:
        return None
    return Service("quotes", settings.quote_url, _revealed(settings.quote_token))


def _tariff(settings: Settings, vehicles: Vehicles) -> Prices:
    tariff = Tariff.load(_beside(settings.knowledge, "tariff.toml"))
    tariff.check_rates(vehicles)
    return TariffPrices(tariff, vehicles)


def _mcp_servers(settings: Settings) -> "McpServers | None":
    """The servers that lend tools, if the company has any."""
    if settings.mcp is None:
        return None
    from tools.mcp_servers import McpServers  # noqa: PLC0415 - checking schemas costs a start; only with servers

    return McpServers(McpSettings.load(settings.mcp))


def _revealed(secret: SecretStr | None) -> str | None:
    return secret.get_secret_value() if secret else None


def _screen(articles: Path) -> Screen:
    """The built-in patterns, and the company's own when `screen.toml` stands beside its articles."""
    own = articles.parent / "screen.toml"
    return Screen.load(*[own] if own.is_file() else [])


def _stored(settings: Settings, database: Database | None) -> StoredKnowledge | None:
    """The search in the database, if it is wanted there.

    Raises:
        ConfigError: That database cannot search.
    """
    return StoredKnowledge(database) if database is not None and settings.search == "database" else None


def _meaning(settings: Settings, database: Database | None) -> "Meaning | None":
    """The search by meaning, if the company has a key for it; its vectors are where the words are searched.

    Raises:
        ConfigError: The package it needs is not installed.
    """
    if settings.embeddings_key is None:
        return None
    try:
        from knowledge.meaning import Meaning  # noqa: PLC0415 - numpy is an extra, and costs a start; only with a key
        from knowledge.vectorfile import VectorFile  # noqa: PLC0415 - as above
        from knowledge.voyage import Voyage  # noqa: PLC0415 - as above
        from store.vectors import StoredVectors  # noqa: PLC0415 - as above
    except ImportError as exc:
        raise ConfigError(
            "setting VOYAGE_API_KEY: searching by meaning needs numpy; install frontdesk[embeddings]"
        ) from exc
    voyage = Voyage(settings.embeddings_url, settings.embeddings_key, settings.embeddings_model)
    shelf = (
        StoredVectors(database, voyage.model)
        if database is not None and settings.search == "database"
        else VectorFile(_CACHE / "embeddings" / f"{voyage.model}.npz")
    )
    return Meaning(voyage, shelf, settings.embeddings_floor)


def _beside(articles: Path, name: str) -> Path:
    """The file beside the articles, or the built-in one when there is none."""
    own = articles.parent / name
    return own if own.is_file() else _BUILT_IN / name


def load_prompts(settings: Settings, parts: Parts, before: Catalogue | None = None) -> Catalogue:
    """The prompt files; `before` is what the desk serves now, if it does.

    Raises:
        ConfigError: A file is wrong or missing: file, line, value, remedy.
    """
    catalogue = load_catalogue(settings.prompts, parts.facts, frozenset(parts.guards), before)
    if settings.second_look == "on" and catalogue.second_look is None:
        raise ConfigError(
            f"setting FRONTDESK_SECOND_LOOK: on needs a file second_look.md in {settings.prompts}; copy the shipped one"
        )
    return catalogue


def train(catalogue: Catalogue, cache: Path = _CACHE) -> LocalClassifier:
    """The local classifier for these prompts, from the cache when nothing it learns from has changed."""
    return LocalClassifier.load_or_train(examples_of(catalogue), catalogue.lexicon, cache)


def examples_of(catalogue: Catalogue) -> list[Example]:
    """All utterances of the catalogue as training lines, in a stable order."""
    return [
        Example(utterance.text, intent, utterance.awaiting)
        for intent in catalogue.intents
        for utterance in catalogue.specialists[intent].utterances
    ]


def cache_of(settings: Settings) -> Path:
    """Where the trained classifier is kept; trials with other prompts do not push out the desk's own."""
    return _CACHE if settings.prompts.resolve() == _PROMPTS.resolve() else _CACHE / "other-prompts"


@asynccontextmanager
async def open_engines(settings: Settings) -> AsyncGenerator[Engines, None]:
    """The engines that the settings ask for."""
    if not settings.uses_claude or settings.api_key is None:
        yield Engines(answer=Local(), label=None, expects_claude=False)
        return
    from engine.claude import Claude  # noqa: PLC0415 - importing anthropic costs two seconds; only with a key

    async with Claude(settings.api_key, settings.anthropic_base_url) as claude:
        resilient = Resilient(claude)
        yield Engines(
            answer=Failover(resilient, Local()),
            label=resilient,
            expects_claude=True,
            states=lambda: resilient.states,
            faults=lambda: resilient.faults,
            retries_left=lambda: resilient.budget.left,
        )


@asynccontextmanager
async def open_accounts(
    settings: Settings, parts: Parts, database: Database
) -> AsyncGenerator[Callable[[str], Account], None]:
    """Opens a customer's account: on the company's service if the settings name one, else on the demo customers.

    Raises:
        Unavailable: The demo customers cannot be put into the database.
    """
    actions = StoredActions(database)
    if settings.customers_url is None:
        stored = StoredAccounts(database)
        await stored.load(parts.customers)
        yield partial(Account, accounts=stored, actions=actions)
        return
    token, timeout_s = _revealed(settings.customers_token), settings.customers_timeout_s
    async with Service("customers", settings.customers_url, token, timeout_s) as service:
        yield partial(Account, accounts=RemoteAccounts(service), actions=actions)


@asynccontextmanager
async def open_retention(settings: Settings, database: Database) -> AsyncGenerator[None, None]:
    """Deletes, as long as it is open, what the settings say is too old: now and every hour."""
    if settings.retention_days is None:
        yield
        return
    retention = Retention(database, settings.retention_days)

    async def keep_on() -> None:
        while True:
            with contained("task.failed", task="retention"):
                await retention.apply()
            await asyncio.sleep(RETENTION_EVERY_S)

    async with asyncio.TaskGroup() as group:
        running = group.create_task(keep_on(), name="retention")
        try:
            yield
        finally:
            running.cancel()
