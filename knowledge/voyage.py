"""Ask Voyage, by plain HTTP, what texts mean, as vectors.

Why: a customer who writes "juice for my car" means charging, and shares no word with the article. The vendor has a
model for that; its answer is data until it fits. What customers search for leaves the house on this way, so it is off
unless a key is set. Source of the format: https://docs.voyageai.com/reference/embeddings-api
"""

import base64
import binascii
from collections.abc import Sequence
from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel

from errors import RemoteError
from remote import Service

Vectors = NDArray[np.float32]
BATCH = 64
LOAD_WITHIN_S = 30.0
SEARCH_WITHIN_S = 0.4
_NAME = "embeddings"


class _Embedding(BaseModel):
    index: int
    embedding: str


class _Answer(BaseModel):
    data: list[_Embedding]


class Voyage:
    """The vendor's service. Use as an async context manager; leaving it closes the connections.

    Args:
        base_url: Where it is, for example https://api.voyageai.com/v1.
        key: The company's key.
        model: Whose vectors; those of different models have nothing to do with each other.
    """

    def __init__(self, base_url: str, key: str, model: str) -> None:
        self.model = model
        self._for_passages = Service(_NAME, base_url, key, LOAD_WITHIN_S)
        self._for_questions = Service(_NAME, base_url, key, SEARCH_WITHIN_S)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._for_passages.__aexit__()
        await self._for_questions.__aexit__()

    async def of_passages(self, texts: Sequence[str]) -> Vectors:
        """One vector of length 1 for each of these texts, of which there are at most BATCH.

        Raises:
            RemoteError: None within LOAD_WITHIN_S, or none that fit.
        """
        return await self._ask(self._for_passages, texts, "document")

    async def of_question(self, text: str) -> Vectors:
        """The vector of this question.

        Raises:
            RemoteError: None within SEARCH_WITHIN_S, or none that fits.
        """
        [vector] = await self._ask(self._for_questions, [text], "query")
        return np.asarray(vector)

    async def _ask(
        self, service: Service, texts: Sequence[str], kind: Literal["document", "query"]
    ) -> Vectors:
        body = {"input": list(texts), "model": self.model, "input_type": kind, "encoding_format": "base64"}
        answer = await service.ask("POST", "embeddings", _Answer, body=body)
        found = {item.index: item.embedding for item in answer.data}
        if sorted(found) != list(range(len(texts))):
            raise RemoteError(f"{_NAME}: {len(texts)} vectors wanted, {len(found)} given", kind="invalid")
        return _unit([_decode(found[number]) for number in range(len(texts))])


def _decode(encoded: str) -> Vectors:
    """The vector in base64: 32-bit floats, little-endian."""
    try:
        return np.frombuffer(base64.b64decode(encoded, validate=True), dtype="<f4")
    except (binascii.Error, ValueError) as exc:
        raise RemoteError(f"{_NAME}: a vector cannot be read", kind="invalid") from exc


def _unit(vectors: Sequence[Vectors]) -> Vectors:
    """The vectors with length 1."""
    if len({vector.size for vector in vectors}) != 1:
        raise RemoteError(f"{_NAME}: vectors of different dimensions", kind="invalid")
    rows = np.stack(vectors)
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    if not (np.isfinite(lengths).all() and lengths.all()):
        raise RemoteError(f"{_NAME}: a vector without direction", kind="invalid")
    return np.asarray(rows / lengths, dtype=np.float32)
