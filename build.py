"""Put the parts together from the settings; keep the desk up to date while it runs.

Called by server.py and cli.py, the only places that build things. Raises ConfigError when something in the
prompts, the knowledge or the settings is wrong at start; later a broken file is refused and the last good
desk serves on.
"""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import structlog

from agents.reload import Look, changes, look
from agents.specialist import Catalogue, ToolFacts, load_catalogue
from engine.failover import Failover, Resilient
from engine.local import Local
from errors import ConfigError
from guards.length import length_guard
from guards.stream import Guard
from knowledge.index import KnowledgeIndex
from knowledge.passages import Passage
from knowledge.slots import read_slots
from knowledge.tariff import Tariff
from knowledge.vehicles import Vehicles
from router.desk import Desk, DeskRecords, Engines
from router.local import Example, LocalClassifier
from settings import ROOT, Settings
from tools.handoff import handoff_tool
from tools.quote import TariffPrices, quote_tool
from tools.registry import Toolbox
from tools.search import search_tool

log = structlog.get_logger()
GUARDS: Mapping[str, Guard] = {guard.name: guard for guard in (length_guard(),)}
CACHE = ROOT / "var"


class LiveKnowledge:
    """The newest index of the company's articles, behind one name."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._index = KnowledgeIndex.load(folder)

    @property
    def passages(self) -> int:
        """How many passages there are."""
        return sum(len(article.parts) for article in self._index.articles)

    def search(self, query: str, language: str, limit: int) -> tuple[Passage, ...]:
        """The best passages, best first; empty when nothing fits."""
        return self._index.search(query, language, limit)

    def reload(self) -> None:
        """Read the folder again.

        Raises:
            ConfigError: An article cannot be read; the last good index serves on.
        """
        self._index = KnowledgeIndex.load(self.folder)


@dataclass(frozen=True, slots=True)
class Parts:
    """What does not change while the server runs."""

    toolbox: Toolbox
    vehicles: Vehicles
    knowledge: LiveKnowledge
    facts: ToolFacts


def build_parts(settings: Settings) -> Parts:
    """Tools and what they stand on.

    Raises:
        ConfigError: The tariff, the vehicles or an article is wrong.
    """
    data = settings.knowledge.parent
    vehicles = Vehicles.load(data / "vehicles.toml")
    tariff = Tariff.load(data / "tariff.toml")
    tariff.check_rates(vehicles)
    knowledge = LiveKnowledge(settings.knowledge)
    toolbox = Toolbox.of(quote_tool(TariffPrices(tariff, vehicles)), search_tool(knowledge), handoff_tool())
    facts = ToolFacts(leads=toolbox.leads, slots=toolbox.slots, values=toolbox.values)
    return Parts(toolbox, vehicles, knowledge, facts)


def load_prompts(settings: Settings, parts: Parts) -> Catalogue:
    """The prompt files.

    Raises:
        ConfigError: A file is wrong: file, line, value, remedy.
    """
    return load_catalogue(settings.prompts, parts.facts, frozenset(GUARDS))


def train(catalogue: Catalogue) -> LocalClassifier:
    """The local classifier for these prompts, from the cache when nothing it learns from has changed."""
    return LocalClassifier.load_or_train(examples_of(catalogue), catalogue.lexicon, CACHE)


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
        )


class DeskKeeper:
    """Holds the current desk, and replaces it when prompts change."""

    def __init__(self, settings: Settings, parts: Parts, engines: Engines, records: DeskRecords) -> None:
        self._settings = settings
        self.parts = parts
        self.stale: str | None = None
        self._seen: Look = look(settings.prompts)
        catalogue = load_prompts(settings, parts)
        self._desk = Desk(
            catalogue=catalogue,
            classifier=train(catalogue),
            toolbox=parts.toolbox,
            guards=GUARDS,
            engines=engines,
            records=records,
            read_slots=partial(read_slots, vehicles=parts.vehicles),
            mode=settings.router,
            speculate=settings.speculate == "on",
            utcnow=lambda: datetime.now(UTC),
        )

    def current(self) -> Desk:
        """The desk for the next turn."""
        return self._desk

    async def watch(self) -> None:
        """Follow changes of the prompts and the articles until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._watch_prompts())
            group.create_task(self._watch_knowledge())

    async def _watch_prompts(self) -> None:
        async with aclosing(changes(self._settings.prompts, self._seen)) as seen:
            async for _ in seen:
                try:
                    await self._take_over(await asyncio.to_thread(load_prompts, self._settings, self.parts))
                except ConfigError as exc:
                    self.stale = str(exc)
                    log.error("prompt.rejected", reason=str(exc))  # noqa: TRY400 - a person's typing error has no trace

    async def _take_over(self, catalogue: Catalogue) -> None:
        """Serve the new prompts at once, and the classifier trained from them as soon as it is there."""
        if set(self._desk.classifier.intents) <= set(catalogue.specialists):
            self._desk = replace(self._desk, catalogue=catalogue)
        classifier = await asyncio.to_thread(train, catalogue)
        self._desk = replace(self._desk, catalogue=catalogue, classifier=classifier)
        self.stale = None
        log.info("prompt.loaded", version=catalogue.version, intents=list(catalogue.intents))

    async def _watch_knowledge(self) -> None:
        folder = self.parts.knowledge.folder
        async with aclosing(changes(folder, look(folder))) as seen:
            async for _ in seen:
                try:
                    await asyncio.to_thread(self.parts.knowledge.reload)
                    log.info("knowledge.loaded", passages=self.parts.knowledge.passages)
                except ConfigError as exc:
                    log.error("knowledge.rejected", reason=str(exc))  # noqa: TRY400 - as above
