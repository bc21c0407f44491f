"""A passage: 1 to 3 sentences of an article, small enough that a citation points at words."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Passage:
    """Retrieved text. `source` is its id (article's url, "#", number in the article from 1), `text` its words as published.

    Attributes:
        file: The article's file, below the folder of articles.
        version: Hash of the file's bytes.
        start, end: Where the passage stands in the file's text, in characters.
        before, after: The neighbouring passages' text; "" at the article's ends.
        before_span, after_span: Where the neighbours stand in the file's text: start and end.
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
    before_span: tuple[int, int] = (0, 0)
    after_span: tuple[int, int] = (0, 0)

    @property
    def number(self) -> int:
        """Which passage of its article it is, from 1."""
        return int(self.source.rpartition("#")[2])
