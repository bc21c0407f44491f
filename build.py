"""Put the parts together from the settings; keep the desk up to date while it runs.

Called by server.py and cli.py, the only places that build things. Raises ConfigError when something in the
prompts, the tariff or the settings is wrong at start; later a broken file is refused and the last good
desk serves on.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import structlog
from pydantic import SecretStr

from agents.reload import LOOK_EVERY_S, Look, changes, look
from agents.specialist import Catalogue, PromptError, ToolFacts, load_catalogue
from engine.failover import Failover, Resilient
from engine.local import Local
from errors import ConfigError, Unavailable
from events import JsonObject
from guards.every import every_guard
from guards.private import Contacts, contacts_in
from guards.screen import Screen
from guards.stream import Guard
from knowledge.brand import Brand
from knowledge.customers import Customers
from knowledge.fusion import fuse
from knowledge.index import KnowledgeIndex
from knowledge.passages import Passage
from knowledge.slots import read_slots
from knowledge.tariff import Tariff
from knowledge.vehicles import Vehicles
from remote import Service
from router.contain import contained
from router.desk import Desk, DeskRecords, Engines
from router.local import Example, LocalClassifier
from router.retrain import retrain
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

log = structlog.get_logger()
RETENTION_EVERY_S = 3600.0
_PROMPTS, _BUILT_IN, _CACHE = ROOT / "prompts", ROOT / "knowledge", ROOT / "var"


class LiveKnowledge:
    """The newest index of the company's articles, behind one name. `seen` is how the folder looked before reading.

    Args:
        folder: Where the articles are.
        meaning: Finds passages by meaning too; None: by their words only.
        stored: Finds passages by their words in the database, once they are there and while it answers; None: in memory.
    """

    def __init__(
        self, folder: Path, meaning: "Meaning | None" = None, stored: StoredKnowledge | None = None
    ) -> None:
        self.folder = folder
        self._meaning = meaning
        self._stored = stored
        self._index = KnowledgeIndex({}, ())
        self.reload()
        self.announce()

    @property
    def hosts(self) -> frozenset[str]:
        """The hosts of the articles' addresses."""
        return frozenset(urlsplit(article.url).netloc.lower() for article in self._index.articles)

    @property
    def passages(self) -> int:
        """How many passages there are."""
        return self._index.passages

    async def search(self, query: str, language: str, limit: int) -> tuple[Passage, ...]:
        """The best passages, best first; empty when nothing fits."""
        by_words = await self._by_words(query, language, limit)
        if self._meaning is None:
            return by_words
        return fuse((by_words, await self._meaning.search(query, language, limit)), limit)

    async def _by_words(self, query: str, language: str, limit: int) -> tuple[Passage, ...]:
        if self._stored is not None and self._stored.is_ready:
            with suppress(Unavailable):
                return await self._stored.search(query, language, limit)
        return self._index.search(query, language, limit)

    @property
    def searched_in(self) -> str:
        """Where passages are looked up by their words: `database`, or `memory`."""
        return "database" if self._stored is not None and self._stored.is_ready else "memory"

    @property
    def by_meaning(self) -> str:
        """How the search by meaning is: `off`, `ok`, `learning`, or the code of what is wrong."""
        return "off" if self._meaning is None else self._meaning.state

    def announce(self) -> None:
        """Tell the other searches which passages there are; in the event loop, after `reload`."""
        if self._stored is not None:
            self._stored.take(self._index)
        if self._meaning is not None:
            self._meaning.take([passage for article in self._index.articles for _, passage in article.parts])

    async def learn(self) -> None:
        """Keep the other searches up to date, until cancelled."""
        async with asyncio.TaskGroup() as group:
            for other in (self._stored, self._meaning):
                if other is not None:
                    group.create_task(other.run())

    def reload(self) -> None:
        """Read the folder again. An article that cannot be read is left out and told to the log."""
        self.seen: Look = look(self.folder)
        self._index = KnowledgeIndex.load(self.folder, self._index)
        passages = (passage.text for article in self._index.articles for _, passage in article.parts)
        self.contacts: Contacts = contacts_in(passages)
        for reason in self._index.rejected:
            log.error("article.rejected", code="kb_rejected_doc", reason=reason)
        if not self._index.articles:
            log.warning("knowledge.emptied", code="kb_empty", folder=str(self.folder))


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


class DeskKeeper:
    """Holds the current desk, and replaces it when prompts change.

    `stale` says why the prompts in the folder are not those that are served; None when they are.
    """

    def __init__(
        self,
        settings: Settings,
        parts: Parts,
        engines: Engines,
        records: DeskRecords,
        account_of: Callable[[str], Account],
        look_every_s: float = LOOK_EVERY_S,
    ) -> None:
        self._settings = settings
        self._look_every_s = look_every_s
        self._cache = cache_of(settings)
        self.parts = parts
        self.stale: str | None = None
        self._seen: Look = look(settings.prompts)
        catalogue = load_prompts(settings, parts)
        self._learned = _lessons(catalogue)
        self._desk = Desk(
            catalogue=catalogue,
            classifier=train(catalogue, self._cache),
            toolbox=parts.toolbox,
            guards=parts.guards,
            screen=parts.screen,
            engines=engines,
            records=records,
            read_slots=partial(read_slots, vehicles=parts.vehicles),
            account_of=account_of,
            mode=settings.router,
            speculate=settings.speculate == "on",
            second_look=settings.second_look == "on",
            utcnow=lambda: datetime.now(UTC),
        )

    def current(self) -> Desk:
        """The desk for the next turn."""
        return replace(self._desk, toolbox=self.parts.tools()) if self.parts.lent else self._desk

    async def watch(self) -> None:
        """Follow changes of the prompts and the articles until cancelled."""
        await self._warm(self._desk.classifier)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._watch_prompts(group))
            group.create_task(self._watch_knowledge())
            group.create_task(self.parts.knowledge.learn())

    async def _watch_prompts(self, group: asyncio.TaskGroup) -> None:
        """New prompts serve at once, and the classifier trained from them as soon as it is there."""
        learning: asyncio.Task[None] | None = None
        async with aclosing(changes(self._settings.prompts, self._seen, self._look_every_s)) as seen:
            async for now in seen:
                catalogue = await self._reload(now)
                if catalogue is not None:
                    if learning is not None:
                        learning.cancel()
                    learning = group.create_task(self._learn(catalogue))

    async def _reload(self, seen: Look) -> Catalogue | None:
        """Take over what the folder holds; None when it is refused, or was written to meanwhile (told again then)."""
        try:
            catalogue = await asyncio.to_thread(
                load_prompts, self._settings, self.parts, self._desk.catalogue
            )
        except ConfigError as exc:
            self.stale = str(exc)
            log.error("prompt.rejected", code="prompt_rejected", **_where(exc))  # noqa: TRY400 - a typing error has no trace
            return None
        if await asyncio.to_thread(look, self._settings.prompts) != seen:
            return None
        self._desk = replace(self._desk, catalogue=catalogue)
        self.stale = None
        log.info("prompt.loaded", version=catalogue.version, intents=list(catalogue.intents))
        return catalogue

    async def _learn(self, catalogue: Catalogue) -> None:
        """Train, unless the classifier has learned just this already."""
        lessons = _lessons(catalogue)
        if lessons == self._learned:
            return
        classifier = await retrain(examples_of(catalogue), catalogue.lexicon, self._cache)
        await self._warm(classifier)
        self._desk, self._learned = replace(self._desk, classifier=classifier), lessons
        log.info("classifier.trained", intents=list(classifier.intents))

    async def _warm(self, classifier: LocalClassifier) -> None:
        """Index the lines that Claude is shown as examples, before a customer has to wait for it."""
        if self._desk.engines.label is not None:
            await asyncio.to_thread(classifier.closest, "hello", 1)

    async def _watch_knowledge(self) -> None:
        knowledge = self.parts.knowledge
        async with aclosing(changes(knowledge.folder, knowledge.seen, self._look_every_s)) as seen:
            async for _ in seen:
                await asyncio.to_thread(knowledge.reload)
                knowledge.announce()
                log.info("knowledge.loaded", passages=knowledge.passages)


def cache_of(settings: Settings) -> Path:
    """Where the trained classifier is kept; trials with other prompts do not push out the desk's own."""
    return _CACHE if settings.prompts.resolve() == _PROMPTS.resolve() else _CACHE / "other-prompts"


def _lessons(catalogue: Catalogue) -> tuple[list[Example], Mapping[str, tuple[str, ...]]]:
    """All that the local classifier learns from."""
    return examples_of(catalogue), catalogue.lexicon.phrases


def _where(error: ConfigError) -> dict[str, str | int]:
    if isinstance(error, PromptError):
        return {"file": error.file, "line": error.line, "reason": error.reason}
    return {"reason": str(error)}
