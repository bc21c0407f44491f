"""The newest index of the company's articles, behind one name: read again when they change, searched in one or more ways.

Made by build.py, kept up to date by deskkeeper.py. A search that fails elsewhere falls back to the one in memory.
"""

import asyncio
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import structlog

from agents.reload import Look, look
from errors import Unavailable
from guards.private import Contacts, contacts_in
from knowledge.fusion import fuse
from knowledge.index import KnowledgeIndex
from knowledge.passages import Passage
from store.knowledge import StoredKnowledge

if TYPE_CHECKING:
    from knowledge.meaning import Meaning

log = structlog.get_logger()


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
        self.hosts = frozenset(urlsplit(article.url).netloc.lower() for article in self._index.articles)
        for reason in self._index.rejected:
            log.error("article.rejected", code="kb_rejected_doc", reason=reason)
        if not self._index.articles:
            log.warning("knowledge.emptied", code="kb_empty", folder=str(self.folder))
