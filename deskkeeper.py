"""Keep the desk up to date while it runs: new prompts serve at once, new articles too, and the classifier learns.

Made by server.py. A broken file is refused, and the last good desk serves on.
"""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import aclosing
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial

import structlog

from agents.reload import LOOK_EVERY_S, Look, changes, look
from agents.specialist import Catalogue, PromptError
from build import Parts, cache_of, examples_of, load_prompts, train
from errors import ConfigError
from knowledge.slots import read_slots
from router.desk import Desk, DeskRecords, Engines
from router.local import Example, LocalClassifier
from router.retrain import retrain
from settings import Settings
from tools.account import Account

log = structlog.get_logger()


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


def _lessons(catalogue: Catalogue) -> tuple[list[Example], Mapping[str, tuple[str, ...]]]:
    """All that the local classifier learns from."""
    return examples_of(catalogue), catalogue.lexicon.phrases


def _where(error: ConfigError) -> dict[str, str | int]:
    if isinstance(error, PromptError):
        return {"file": error.file, "line": error.line, "reason": error.reason}
    return {"reason": str(error)}
