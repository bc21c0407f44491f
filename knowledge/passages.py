"""A passage: 1 to 3 sentences of an article, small enough that a citation points at words."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Passage:
    """Retrieved text. `source` is its id (article#number), `text` its words as published.

    Attributes:
        file: The article's file, below the folder of articles.
        version: Hash of the file's bytes.
        start, end: Where the passage stands in the file, in characters.
        before, after: The neighbouring passages' text; "" at the article's ends.
    """

    source: str
    title: str
    url: str
    language: str
    text: str
    score: float = 0.0
    file: str = ""
    version: str = ""
    start: int = 0
    end: int = 0
    before: str = ""
    after: str = ""
