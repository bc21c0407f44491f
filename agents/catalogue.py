"""A specialist is data: one prompt file, checked and assembled. The catalogue is all of them.

Why: a new intent is a new file and no code (design.md, section 1). The classifier's choices, the local
classifier's classes, the route table and the parametrised tests are all made from the catalogue.
Made by agents/specialist.py, replaced as a whole when a file changes; turns under way keep the one they began with.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from agents.front import ClassifierFront, SecondLookFront
from agents.promptfile import Utterance
from engine.base import Replies
from knowledge.lexicon import Lexicon
from tools.registry import Lead


@dataclass(frozen=True, slots=True)
class ToolFacts:
    """What prompt files may say about tools.

    Attributes:
        leads: Names of the tools, and what the local engine does with each.
        slots: Details that forms ask for.
        values: Names of what tools return to reply templates.
    """

    leads: Mapping[str, Lead]
    slots: frozenset[str] = frozenset()
    values: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Specialist:
    """Prompt, tools, model and guards of one intent.

    Attributes:
        lead: What its first tool is for; the local engine and the router go by it.
        system: The cacheable text, shared parts first.
        turn: The template of what holds for one turn only.
        version: Hash of all that shapes its answers: texts, tools, model, guards, local replies.
        told: Role and task, with the shared parts: true, but for the assistant only. Not the examples: their figures are
            invented.
        says_back: The kinds of personal data that a customer may be told again when they are their own.
        fixed: The company's fixed texts, which customers may read as they are: local replies, notices.
    """

    intent: str
    description: str
    label: Mapping[str, str]
    model: str
    max_tokens: int
    effort: str
    thinking: str
    tools: tuple[str, ...]
    lead: Lead
    guards: tuple[str, ...]
    speculate: bool
    act_at: float
    triggers: tuple[frozenset[str], ...]
    system: tuple[str, ...]
    turn: str
    replies: Replies
    utterances: tuple[Utterance, ...]
    version: str
    told: str = ""
    fixed: str = ""
    says_back: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Classifier:
    """The classifier's prompt and thresholds; `system` holds the list of intents."""

    settings: ClassifierFront
    system: str
    version: str


@dataclass(frozen=True, slots=True)
class SecondLook:
    """What a model is told that reads finished answers against the articles."""

    settings: SecondLookFront
    system: str
    version: str


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Everything in the prompts folder, consistent with itself.

    Attributes:
        files: Every file that was read, with its size in bytes; 0 when its last line is open.
        version: Hash of the bytes of all files.
        second_look: None: the folder has no second_look.md.
    """

    specialists: Mapping[str, Specialist]
    classifier: Classifier
    notices: Replies
    lexicon: Lexicon
    files: Mapping[str, int]
    version: str
    second_look: SecondLook | None = None

    def leading(self, lead: Lead) -> Specialist | None:
        """The first specialist (by name) whose first tool is for this."""
        return next((item for _, item in sorted(self.specialists.items()) if item.lead == lead), None)

    @property
    def intents(self) -> tuple[str, ...]:
        """All intents, sorted."""
        return tuple(sorted(self.specialists))
