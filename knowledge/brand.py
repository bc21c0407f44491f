"""What the company's own face allows: which names are never said, where links may lead, how the company is reached.

Why: guards need a company's lists, and another company brings its own file. Read once at start from `brand.toml`
beside the articles; a wrong file stops the start.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from knowledge.tables import read_table

Name = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=2, max_length=60, pattern=r"[^\W\d_]")
]
Host = Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]+(\.[a-z0-9-]+)+$", max_length=253)]


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Competitor(_Row):
    """Another company that is never named.

    Attributes:
        name: As it is written.
        aliases: Other names of it.
        everyday: Whether its names are ordinary words too ("progressive"): then they count only where a company is meant.
    """

    name: Name
    aliases: Sequence[Name] = ()
    everyday: bool = False


class Commitment(_Row):
    """More that is never promised.

    Attributes:
        kind: Its class, as events name it; what stands instead is the notice `promise_<kind>`.
        find: Patterns of words, as in guards/promises.toml.
    """

    kind: Annotated[str, StringConstraints(pattern="^[a-z][a-z_]{2,30}$")]
    find: Annotated[Sequence[str], Field(min_length=1)]


class Commitments(_Row):
    """What the assistant may and may not promise, besides what guards/promises.toml says.

    Attributes:
        we_are: Names by which the company speaks of itself, each one word.
        sayable: Phrases that sound like a promise and are none, such as a product's name.
        never: More patterns of what is never promised.
    """

    we_are: Sequence[Name] = ()
    sayable: Sequence[Name] = ()
    never: Sequence[Commitment] = ()


class Brand(_Row):
    """The lists of one company.

    Attributes:
        hosts: Where links in answers may lead; their subdomains are not included.
        contacts: The company's own phone numbers and e-mail addresses, which may always be said.
        competitor: The companies that are never named.
        promises: What the assistant may and may not promise.
    """

    hosts: Sequence[Host] = ()
    contacts: Sequence[str] = ()
    competitor: Sequence[Competitor] = ()
    promises: Commitments = Commitments()

    @classmethod
    def load(cls, path: Path) -> Self:
        """The lists of a file.

        Raises:
            ConfigError: Unreadable, not TOML, or a key is unknown or wrong; names file, key and remedy.
        """
        return read_table(path, cls)
