"""The desk as a turn sees it: prompts, classifier, tools, guards and engines that belong together.

Replaced as a whole when a prompt file changes; a turn under way keeps the one it began with.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal, Protocol

from agents.specialist import Catalogue
from engine.base import Engine
from events import Quote, Slots
from guards.screen import Screen
from guards.stream import Guard
from knowledge.slots import Reading
from router.local import LocalClassifier
from router.offenders import Offenders
from tools.account import Account
from tools.registry import Records, Toolbox

RouterMode = Literal["haiku", "cascade", "local"]


class DeskRecords(Records, Protocol):
    """The tools' records, and the prices given so far."""

    async def quotes_of(self, conversation_id: str) -> tuple[Quote, ...]:
        """Prices given in this conversation, oldest first."""
        ...


class ReadSlots(Protocol):
    """Reads the details of a form out of one message."""

    def __call__(self, text: str, *, awaiting: str | None, known: Slots, today: date) -> Reading:
        """What the message says about the form."""
        ...


@dataclass(frozen=True, slots=True)
class Engines:
    """Who answers, and who labels (None: only the local classifier does).

    `states` are those of the models' breakers, `faults` what keeps a model away, `retries_left` what is left of the
    budget for retries.
    """

    answer: Engine
    label: Engine | None
    expects_claude: bool
    states: Callable[[], Mapping[str, str]] = dict
    faults: Callable[[], Mapping[str, str]] = dict
    retries_left: Callable[[], float] | None = None


@dataclass(frozen=True, slots=True)
class Desk:
    """Everything a turn works with. `account_of` opens the account of a signed-in customer, by the id in their token.

    `second_look`: Claude's answers are held against the articles before they end, where there is a prompt for that.
    """

    catalogue: Catalogue
    classifier: LocalClassifier
    toolbox: Toolbox
    guards: Mapping[str, Guard]
    screen: Screen
    engines: Engines
    records: DeskRecords
    read_slots: ReadSlots
    account_of: Callable[[str], Account]
    mode: RouterMode = "haiku"
    speculate: bool = True
    second_look: bool = False
    first_piece_s: float = 8.0
    offenders: Offenders = field(default_factory=Offenders)
    utcnow: Callable[[], datetime] = datetime.now
