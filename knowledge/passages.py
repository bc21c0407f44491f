"""A passage: 1 to 3 sentences of an article, small enough that a citation points at words."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Passage:
    """Retrieved text. `source` is its id (article#number), `text` its words as published."""

    source: str
    title: str
    url: str
    language: str
    text: str
    score: float = 0.0
