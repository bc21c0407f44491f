"""Find the passages that mean what a question means, although it may be in other words.

Life: one Meaning per server, made at start when a key is set. `run` asks for the vectors of passages that it does not
know yet; until they are there, and whenever the vendor fails, nothing is found here and the words alone decide.
Law: a question that is like no passage finds nothing. No failure ends in an exception: ops see the code
`embedding_failed` in the log and in /readyz.
"""

import asyncio
import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Literal, Protocol, Self

import structlog

from errors import RemoteError, Unavailable
from knowledge.language import detect_language
from knowledge.passages import Passage
from knowledge.voyage import BATCH, Vectors, Voyage

log = structlog.get_logger()
During = Literal["load", "search"]
FAILED: Literal["embedding_failed"] = "embedding_failed"
PAUSE_S = 10.0
LEARN_AGAIN_S = 60.0
_KEPT_QUESTIONS = 256
_DEFAULT_LANGUAGE = "en"


@dataclass(frozen=True, slots=True)
class Wanted:
    """A passage that is to have a vector. `key` is a hash of what the vector is made of."""

    passage: Passage
    text: str
    key: bytes

    @classmethod
    def of(cls, passage: Passage) -> Self:
        """The passage with its title, which tells what a short one is about."""
        text = f"{passage.title}\n{passage.text}"
        return cls(passage, text, hashlib.sha256(text.encode()).digest())


@dataclass(frozen=True, slots=True)
class Alike:
    """A passage, and how like what was asked it is (cosine, -1 to 1)."""

    wanted: Wanted
    cosine: float


class Shelf(Protocol):
    """Keeps the vectors of passages, and compares them.

    Raises:
        Unavailable: It cannot be reached now.
    """

    @property
    def languages(self) -> Collection[str]:
        """Languages in which some passage is known."""
        ...

    async def arrange(self, wanted: Sequence[Wanted]) -> list[Wanted]:
        """These are wanted from now on; those that are not known come back."""
        ...

    async def add(self, wanted: Sequence[Wanted], vectors: Vectors) -> None:
        """These are known now; older ones of another size are of no use any more."""
        ...

    async def keep(self) -> int:
        """Make what was added findable, and keep it; returns how many wanted ones are not known."""
        ...

    async def nearest(self, asked: Vectors, language: str, limit: int) -> list[Alike]:
        """The passages of this language most like what is asked, best first.

        Raises:
            RemoteError: The vector is of another size than theirs.
        """
        ...


class Meaning:
    """Passages by meaning. Use as an async context manager; leaving it closes the connections.

    Args:
        voyage: Who knows vectors.
        shelf: Where those of the passages are.
        floor: How like a passage must be (cosine, 0 to 1) to be found at all.
        clock: Monotonic seconds.
    """

    def __init__(
        self, voyage: Voyage, shelf: Shelf, floor: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._voyage = voyage
        self._shelf = shelf
        self._floor = floor
        self._clock = clock
        self._silent_until_s = 0.0
        self._questions: OrderedDict[str, Vectors] = OrderedDict()
        self._passages: tuple[Passage, ...] = ()
        self._has_news = asyncio.Event()
        self._is_learning = True
        self._failing: set[During] = set()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._voyage.__aexit__()

    @property
    def state(self) -> Literal["ok", "learning", "embedding_failed"]:
        """How it is, for ops."""
        if "load" in self._failing or self._clock() < self._silent_until_s:
            return FAILED
        return "learning" if self._is_learning else "ok"

    def take(self, passages: Sequence[Passage]) -> None:
        """These are the passages from now on; they are found as soon as `run` has their vectors."""
        self._passages = tuple(passages)
        self._has_news.set()

    async def run(self) -> None:
        """Learn the passages that were taken, until cancelled."""
        wait_s: float | None = None
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await self._has_news.wait()
            self._has_news.clear()
            wait_s = None if await self._learn(self._passages) else LEARN_AGAIN_S

    async def search(self, query: str, language: str, limit: int) -> tuple[Passage, ...]:
        """The passages most alike in meaning, best first; none when none is, or it cannot be told in time."""
        candidates = (detect_language(query, hint=language), language, _DEFAULT_LANGUAGE)
        spoken = next((code for code in candidates if code in self._shelf.languages), None)
        if spoken is None or self._clock() < self._silent_until_s:
            return ()
        try:
            alike = await self._shelf.nearest(await self._vector(query), spoken, limit)
        except (RemoteError, Unavailable) as exc:
            self._silent_until_s = self._clock() + PAUSE_S
            self._questions.pop(query, None)
            self._note("search", exc)
            return ()
        self._note("search")
        return tuple(
            replace(each.wanted.passage, score=each.cosine) for each in alike if each.cosine >= self._floor
        )

    async def _vector(self, query: str) -> Vectors:
        """The question's vector, from memory if it was asked lately."""
        if query not in self._questions:
            self._questions[query] = await self._voyage.of_question(query)
            if len(self._questions) > _KEPT_QUESTIONS:
                self._questions.popitem(last=False)
        self._questions.move_to_end(query)
        return self._questions[query]

    async def _learn(self, passages: tuple[Passage, ...]) -> bool:
        """Know these passages; false when some are still unknown, and it is to be tried again."""
        wanted = [Wanted.of(passage) for passage in passages]
        try:
            unknown = list({each.key: each for each in await self._shelf.arrange(wanted)}.values())
            self._is_learning = bool(unknown)
            missing = await self._ask(unknown)
        except Unavailable as exc:
            self._note("load", exc)
            return False
        self._is_learning = missing > 0
        log.info("embeddings.loaded", passages=len(wanted), asked=len(unknown), missing=missing)
        return missing == 0

    async def _ask(self, unknown: Sequence[Wanted]) -> int:
        """Ask for these as far as the vendor answers; returns how many are still unknown."""
        try:
            for start in range(0, len(unknown), BATCH):
                batch = unknown[start : start + BATCH]
                await self._shelf.add(batch, await self._voyage.of_passages([each.text for each in batch]))
            self._note("load")
        except RemoteError as exc:
            self._note("load", exc)
        return await self._shelf.keep() if unknown else 0

    def _note(self, during: During, error: RemoteError | Unavailable | None = None) -> None:
        """Keep in mind whether it fails; tell ops when it begins to."""
        if error is None:
            self._failing.discard(during)
        elif during not in self._failing:
            self._failing.add(during)
            log.warning("embedding.failed", code=FAILED, reason=str(error), during=during)
