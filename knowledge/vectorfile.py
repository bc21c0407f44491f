"""Keep the vectors of passages in a file, so that a restart asks for nothing.

A vector is kept under the hash of its text. The file is written whole or not at all; one that cannot be read counts
as empty, because everything in it can be asked for again.
"""

import hashlib
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from knowledge.voyage import Vectors


def key_of(text: str) -> bytes:
    """Under which key the text's vector is kept."""
    return hashlib.sha256(text.encode()).digest()


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
