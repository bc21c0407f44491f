"""Find the passages that mean what a question means, although it may be in other words.

Life: one Meaning per server, made at start when a key is set. `run` asks for the vectors of passages that it does not
know yet; until they are there, and whenever the vendor fails, nothing is found here and the words alone decide.
Law: a question that is like no passage finds nothing. No failure ends in an exception: ops see the code
`embedding_failed` in the log and in /readyz.
"""

import asyncio
import time
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, Self

import numpy as np
import structlog

from errors import RemoteError
from knowledge.language import detect_language
from knowledge.passages import Passage
from knowledge.vectorfile import key_of, read_vectors, write_vectors
from knowledge.voyage import BATCH, Vectors, Voyage

log = structlog.get_logger()
During = Literal["load", "search"]
FAILED: Literal["embedding_failed"] = "embedding_failed"
PAUSE_S = 10.0
LEARN_AGAIN_S = 60.0
_KEPT_QUESTIONS = 256
_DEFAULT_LANGUAGE = "en"


@dataclass(frozen=True, slots=True)
class _Known:
    """Passages of one language whose vectors are there, a row each."""

    passages: tuple[Passage, ...]
    rows: Vectors

    def nearest(self, asked: Vectors, limit: int, floor: float) -> tuple[Passage, ...]:
        """Those most like what is asked, best first."""
        alike = self.rows @ asked
        best = np.argsort(-alike, kind="stable")[:limit]
        return tuple(replace(self.passages[at], score=float(alike[at])) for at in best if alike[at] >= floor)


class Meaning:
    """Passages by meaning. Use as an async context manager; leaving it closes the connections.

    Args:
        voyage: Who knows vectors.
        folder: Where those of passages are kept.
        floor: How like a passage must be (cosine, 0 to 1) to be found at all.
        clock: Monotonic seconds.
    """

    def __init__(
        self, voyage: Voyage, folder: Path, floor: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._voyage = voyage
        self._path = folder / f"{voyage.model}.npz"
        self._floor = floor
        self._clock = clock
        self._silent_until_s = 0.0
        self._questions: OrderedDict[str, Vectors] = OrderedDict()
        self._wanted: tuple[Passage, ...] = ()
        self._has_news = asyncio.Event()
        self._known: dict[str, _Known] = {}
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
        self._wanted = tuple(passages)
        self._has_news.set()

    async def run(self) -> None:
        """Learn the passages that were taken, until cancelled."""
        wait_s: float | None = None
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await self._has_news.wait()
            self._has_news.clear()
            wait_s = None if await self._learn(self._wanted) else LEARN_AGAIN_S

    async def search(self, query: str, language: str, limit: int) -> tuple[Passage, ...]:
        """The passages most alike in meaning, best first; none when none is, or it cannot be told in time."""
        candidates = (detect_language(query, hint=language), language, _DEFAULT_LANGUAGE)
        known = next((self._known[code] for code in candidates if code in self._known), None)
        if known is None or self._clock() < self._silent_until_s:
            return ()
        try:
            asked = await self._vector(query, known.rows.shape[1])
        except RemoteError as exc:
            self._silent_until_s = self._clock() + PAUSE_S
            self._note("search", exc)
            return ()
        self._note("search")
        return await asyncio.to_thread(known.nearest, asked, limit, self._floor)

    async def _vector(self, query: str, size: int) -> Vectors:
        """The question's vector, from memory if it was asked lately.

        Raises:
            RemoteError: There is none, or it does not fit the passages'.
        """
        if query not in self._questions or self._questions[query].size != size:
            vector = await self._voyage.of_question(query)
            if vector.size != size:
                raise RemoteError(
                    f"embeddings: {vector.size} numbers instead of {size}; if the vendor changed them, delete {self._path}",
                    kind="invalid",
                )
            self._questions[query] = vector
            if len(self._questions) > _KEPT_QUESTIONS:
                self._questions.popitem(last=False)
        self._questions.move_to_end(query)
        return self._questions[query]

    async def _learn(self, passages: tuple[Passage, ...]) -> bool:
        """Know these passages; false when some are still unknown, and it is to be tried again."""
        keys = {text: key_of(text) for text in map(_text, passages)}
        kept = await asyncio.to_thread(read_vectors, self._path)
        vectors = {key: kept[key] for key in keys.values() if key in kept}
        unknown = [text for text, key in keys.items() if key not in vectors]
        self._is_learning = bool(unknown)
        error: RemoteError | None = None
        for start in range(0, len(unknown), BATCH):
            batch = unknown[start : start + BATCH]
            try:
                found = await self._voyage.of_passages(batch)
            except RemoteError as exc:
                error = exc
                break
            # The vendor may change the size of what it gives; then older vectors are of no use.
            vectors = {key: row for key, row in vectors.items() if row.size == found.shape[1]}
            vectors |= {keys[text]: row for text, row in zip(batch, found, strict=True)}
        self._known = _arrange(passages, vectors)
        if unknown and vectors:
            await asyncio.to_thread(write_vectors, self._path, vectors)
        self._note("load", error)
        self._is_learning = len(vectors) < len(keys)
        log.info("embeddings.loaded", known=len(vectors), unknown=len(keys) - len(vectors))
        return not self._is_learning

    def _note(self, during: During, error: RemoteError | None = None) -> None:
        """Keep in mind whether it fails; tell ops when it begins to."""
        if error is None:
            self._failing.discard(during)
        elif during not in self._failing:
            self._failing.add(during)
            log.warning("embedding.failed", code=FAILED, kind=error.kind, reason=str(error), during=during)


def _text(passage: Passage) -> str:
    """What of a passage is given a vector: its title tells what a short one is about."""
    return f"{passage.title}\n{passage.text}"


def _arrange(passages: Sequence[Passage], vectors: Mapping[bytes, Vectors]) -> dict[str, _Known]:
    """Those with a vector, by language."""
    found: defaultdict[str, list[tuple[Passage, Vectors]]] = defaultdict(list)
    for passage in passages:
        row = vectors.get(key_of(_text(passage)))
        if row is not None:
            found[passage.language].append((passage, row))
    return {
        language: _Known(tuple(passage for passage, _ in own), np.stack([row for _, row in own]))
        for language, own in found.items()
    }
