"""Keep the vectors of passages in a file and compare them in memory, so that a restart asks for nothing.

A vector is kept under the hash of its text. The file is written whole or not at all; one that cannot be read counts
as empty, because everything in it can be asked for again.
"""

import asyncio
import os
import tempfile
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from errors import RemoteError
from knowledge.meaning import Alike, Wanted
from knowledge.voyage import Vectors


@dataclass(frozen=True, slots=True)
class _Known:
    """Passages of one language whose vectors are there, a row each."""

    wanted: tuple[Wanted, ...]
    rows: Vectors

    def nearest(self, asked: Vectors, limit: int) -> list[Alike]:
        """Those most like what is asked, best first."""
        alike = self.rows @ asked
        best = np.argsort(-alike, kind="stable")[:limit]
        return [Alike(self.wanted[at], float(alike[at])) for at in best]


class VectorFile:
    """The shelf of one server (see Shelf in knowledge/meaning.py)."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._wanted: Sequence[Wanted] = ()
        self._vectors: dict[bytes, Vectors] = {}
        self._known: Mapping[str, _Known] = {}

    @property
    def languages(self) -> Collection[str]:
        """Languages in which some passage is known."""
        return self._known.keys()

    async def arrange(self, wanted: Sequence[Wanted]) -> list[Wanted]:
        """These are wanted from now on; those that are not known come back."""
        kept = await asyncio.to_thread(read_vectors, self._path)
        self._wanted = wanted
        self._vectors = {each.key: kept[each.key] for each in wanted if each.key in kept}
        self._known = self._arranged()
        return [each for each in wanted if each.key not in kept]

    async def add(self, wanted: Sequence[Wanted], vectors: Vectors) -> None:
        """These are known now; older ones of another size are of no use any more."""
        same = {key: row for key, row in self._vectors.items() if row.size == vectors.shape[1]}
        self._vectors = same | {each.key: row for each, row in zip(wanted, vectors, strict=True)}

    async def keep(self) -> int:
        """Make what was added findable, and keep it; returns how many wanted ones are not known."""
        self._known = self._arranged()
        if self._vectors:
            await asyncio.to_thread(write_vectors, self._path, self._vectors)
        return sum(each.key not in self._vectors for each in self._wanted)

    async def nearest(self, asked: Vectors, language: str, limit: int) -> list[Alike]:
        """The passages of this language most like what is asked, best first.

        Raises:
            RemoteError: The vector is of another size than theirs.
        """
        known = self._known[language]
        if known.rows.shape[1] != asked.size:
            raise RemoteError(
                f"embeddings: {asked.size} numbers instead of {known.rows.shape[1]}; if the vendor changed them, delete {self._path}",
                kind="invalid",
            )
        return await asyncio.to_thread(known.nearest, asked, limit)

    def _arranged(self) -> dict[str, _Known]:
        found: defaultdict[str, list[Wanted]] = defaultdict(list)
        for each in self._wanted:
            if each.key in self._vectors:
                found[each.passage.language].append(each)
        return {
            language: _Known(tuple(own), np.stack([self._vectors[each.key] for each in own]))
            for language, own in found.items()
        }


def read_vectors(path: Path) -> dict[bytes, Vectors]:
    """The vectors in the file, by key."""
    try:
        with path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
            keys, rows = file["keys"], file["vectors"]
            return {key.tobytes(): row for key, row in zip(keys, rows, strict=True)}
    except (OSError, ValueError, KeyError, EOFError, BadZipFile):
        return {}


def write_vectors(path: Path, vectors: Mapping[bytes, Vectors]) -> None:
    """Replace what is in the file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    keys = np.frombuffer(b"".join(vectors), dtype=np.uint8).reshape(len(vectors), -1)
    descriptor, name = tempfile.mkstemp(dir=path.parent, suffix=".npz")
    try:
        with open(descriptor, "wb") as file:  # noqa: PTH123 - a descriptor is no path
            np.savez(file, keys=keys, vectors=np.stack(list(vectors.values())))
        os.replace(name, path)  # noqa: PTH105 - as above, a name
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
