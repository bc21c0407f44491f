"""Keep a trained classifier in a file, and take back only what is whole and meant for us.

Why: training takes seconds, reading a file does not. The file is plain JSON (never pickle: reading it cannot run
anything), checked in full before use; a cut, changed or foreign file is refused and the caller trains anew.
"""

import hashlib
import os
import tempfile
from pathlib import Path
from typing import Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    FiniteFloat,
    NonNegativeInt,
    ValidationError,
    model_validator,
)

from router.features import Kind
from router.vocabulary import KINDS

FORMAT: Literal[3] = 3
"""Raise it whenever features, training or this file change: files of other formats are then trained anew."""


class ModelFileError(ValueError):
    """The file is missing, cut, changed, of another format or not a model."""


class ModelFile(BaseModel):
    """All that a classifier is made of.

    Attributes:
        format: Number of the format.
        key: Fingerprint of what it was trained from.
        intents: Classes, in the order of the weights.
        examples: Training lines: text, intent, detail awaited.
        lexicon: Concept -> phrases.
        features: Kind -> features, in the order of their ids; ids go on from kind to kind.
        lines: Training lines with a feature, by id.
        weights: By intent, then by id.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    format: Literal[3] = FORMAT
    key: str
    intents: list[str] = Field(min_length=2)
    examples: list[tuple[str, str, str | None]]
    lexicon: dict[str, list[str]]
    features: dict[Kind, list[str]]
    lines: list[NonNegativeInt]
    weights: list[list[FiniteFloat]]

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        size = sum(map(len, self.features.values()))
        if len(self.features) != len(KINDS) or len(self.lines) != size:
            raise ValueError("features and lines do not agree")
        if [len(column) for column in self.weights] != [size] * len(self.intents):
            raise ValueError("features and weights do not agree")
        return self

    def write(self, path: Path) -> None:
        """Write the file in one step: a reader sees the old one or the new one, never half of one.

        Raises:
            OSError: The folder cannot be written to.
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        body = self.model_dump_json().encode()
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(_digest(body) + b"\n" + body)
            Path(name).replace(path)
        except OSError:
            Path(name).unlink(missing_ok=True)
            raise

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a file that `write` wrote.

        Raises:
            ModelFileError: It is missing, cut, changed, of another format or not a model.
        """
        try:
            digest, _, body = path.read_bytes().partition(b"\n")
        except OSError as exc:
            raise ModelFileError(f"{path.name}: cannot be read: {exc.strerror}") from exc
        if digest != _digest(body):
            raise ModelFileError(f"{path.name}: is cut or was changed; delete it, it is made anew")
        try:
            return cls.model_validate_json(body)
        except ValidationError as exc:
            raise ModelFileError(f"{path.name}: is not a model of format {FORMAT}") from exc


def _digest(body: bytes) -> bytes:
    return hashlib.sha256(body).hexdigest().encode()
