"""Look a quotation up again in the article it was taken from: does it still stand there?

Why: months later somebody asks where an answer came from. The proof names file, version and place; this reads the
file as it is now.
"""

from pathlib import Path
from typing import Literal

from errors import ConfigError
from events import Proof
from knowledge.corpus_files import read_text
from knowledge.markup import words_at

State = Literal["ok", "stale"]


def state_of(proof: Proof, folder: Path) -> State:
    """`ok` while the file has the same bytes, and the words at that place hold the quote; else `stale`."""
    try:
        text, version = read_text(folder / proof.file, proof.file)
    except ConfigError:
        return "stale"
    is_there = version == proof.version and proof.quote in words_at(text, proof.start, proof.end)
    return "ok" if is_there else "stale"
