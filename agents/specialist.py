"""A specialist is data: one prompt file, checked and assembled. The catalogue is all of them.

Why: a new intent is a new file and no code (design.md, section 1). The classifier's choices, the local
classifier's classes, the route table and the parametrised tests are all made from the catalogue.
Made by `load_catalogue`, replaced as a whole when a file changes; turns under way keep the one they began with.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from agents import promptfile
from agents.promptfile import PromptError, PromptFile, Utterance
from engine.base import Replies
from engine.models import refusal
from errors import ConfigError
from knowledge.lexicon import Lexicon

FACTS = frozenset({"today", "language", "customer_name", "open_quote", "quotes", "also", "offer_person"})
_NOTICE_VALUES = frozenset({"choices", "sentences", "questions", "question", "limit"})
_PROSE = ("Role", "Task", "Examples")
_CACHEABLE = "; variables belong in `# This turn`, so that the text before it can be cached"

Effort = Literal["low", "medium", "high", "xhigh", "max"]
Thinking = Literal["disabled", "between_tools", "adaptive"]
Lead = Literal["form", "search", "handoff", "none"]
Intent = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{1,31}$")]
Share = Annotated[float, Field(ge=0, le=1)]


class _Front(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SpecialistFront(_Front):
    """Front matter of an intent's file."""

    intent: Intent
    description: Annotated[str, StringConstraints(min_length=20, max_length=2000)]
    label: dict[str, str]
    model: str
    max_tokens: Annotated[int, Field(ge=64, le=20_000)]
    effort: Effort = "low"
    thinking: Thinking = "disabled"
    tools: list[str] = []
    guards: list[str] = []
    speculate: bool = True
    extends: list[str] = []
    act_at: Share = 0.5
    triggers: list[list[str]] = []


class SharedFront(_Front):
    """Front matter of a shared part."""

    kind: Literal["shared"]


class ClassifierFront(_Front):
    """Front matter of classifier.md: the model, its deadline, and the thresholds of routing.

    Thresholds are confidences, 0 to 1. `safest` is the intent taken when nothing else is certain.
    """

    kind: Literal["classifier"]
    model: str
    max_tokens: Annotated[int, Field(ge=32, le=2000)]
    effort: Effort = "low"
    thinking: Thinking = "disabled"
    deadline_s: Annotated[float, Field(gt=0, le=10)] = 2.0
    speculate_at: Share = 0.6
    cascade_at: Share = 0.92
    clarify_below: Share = 0.5
    offer_person_at: Share = 0.25
    safest: Intent


@dataclass(frozen=True, slots=True)
class ToolFacts:
    """What prompt files may say about tools: their names with what the local engine does with each,
    the slots they ask for, the values they return.
    """

    leads: Mapping[str, Lead]
    slots: frozenset[str] = frozenset()
    values: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Specialist:
    """Prompt, tools, model and guards of one intent. `version` is the hash of all that shapes its answers.

    `lead` is what its first tool is for; the local engine and the router go by it.
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


@dataclass(frozen=True, slots=True)
class Classifier:
    """The classifier's prompt and thresholds; `system` ends with the list of intents."""

    settings: ClassifierFront
    system: str
    version: str


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Everything in the prompts folder, consistent with itself."""

    specialists: Mapping[str, Specialist]
    classifier: Classifier
    notices: Replies
    lexicon: Lexicon
    version: str

    def leading(self, lead: Lead) -> Specialist | None:
        """The first specialist (by name) whose first tool is for this."""
        return next((item for _, item in sorted(self.specialists.items()) if item.lead == lead), None)

    @property
    def intents(self) -> tuple[str, ...]:
        """All intents, sorted."""
        return tuple(sorted(self.specialists))


def load_catalogue(folder: Path, tools: ToolFacts, guards: frozenset[str]) -> Catalogue:
    """Read every prompt file of `folder`.

    Raises:
        ConfigError: The folder, or something in a file, is wrong: file, line, value, remedy.
    """
    if not (folder / "classifier.md").is_file():
        raise ConfigError(
            f"{folder}: no classifier.md here; FRONTDESK_PROMPTS must name a folder of prompt files"
        )
    lexicon_file = folder / "_lexicon.md"
    phrases = promptfile.lexicon(lexicon_file) if lexicon_file.is_file() else {}
    concepts = frozenset(phrases)
    files = [
        promptfile.read_prompt_file(path) for path in sorted(folder.glob("*.md")) if path != lexicon_file
    ]
    shared = {file.name: file for file in files if file.name.startswith("_")}
    for part in shared.values():
        promptfile.front_matter(part, SharedFront)
        promptfile.check_sections(part, (), (*_PROSE, "Local replies"))
        _check_prose(part)
    reader = _Reader(shared, tools, guards, concepts)
    intents = [file for file in files if file.name not in shared and file.name != "classifier"]
    specialists = {found.intent: found for found in map(reader.specialist, intents)}
    if not specialists:
        raise ConfigError(f"{folder}: no intent here; add a file such as greeting.md")
    classifier = _classifier(next(file for file in files if file.name == "classifier"), specialists)
    notices = reader.replies(shared["_notices"]) if "_notices" in shared else Replies({})
    seal = [item.version for item in specialists.values()] + [
        classifier.version,
        repr(sorted(phrases.items())),
    ]
    return Catalogue(specialists, classifier, notices, Lexicon(phrases), _hash(seal))


@dataclass(frozen=True, slots=True)
class _Reader:
    """What a specialist's file is checked against."""

    shared: Mapping[str, PromptFile]
    tools: ToolFacts
    guards: frozenset[str]
    concepts: frozenset[str]

    def replies(self, file: PromptFile) -> Replies:
        return promptfile.replies(file, self.concepts, _NOTICE_VALUES | self.tools.slots | self.tools.values)

    def specialist(self, file: PromptFile) -> Specialist:
        front = promptfile.front_matter(file, SpecialistFront)
        if front.intent != file.name:
            raise file.refuse(
                f'intent "{front.intent}" must be the file\'s name, "{file.name}"', key="intent"
            )
        promptfile.check_sections(file, (*_PROSE, "Utterances"), ("This turn", "Local replies"))
        _check_prose(file)
        _known(file, "tools", front.tools, frozenset(self.tools.leads))
        _known(file, "guards", front.guards, self.guards)
        _known(file, "extends", front.extends, frozenset(self.shared))
        for trigger in front.triggers:
            _known(file, "triggers", trigger, self.concepts)
        _check_model(file, front.model, front.thinking, front.effort)
        if "en" not in front.label:
            raise file.refuse(
                'key "label" needs at least an English text: `label: {en: a price for my car}`', key="label"
            )
        turn = file.sections.get("This turn")
        if turn is not None:
            promptfile.check_variables(file, turn, FACTS, "")
        system = (
            "\n\n".join(_prose(self.shared[name]) for name in front.extends),
            _prose(file),
        )
        system = tuple(block for block in system if block)
        shape = front.model_dump_json(exclude={"label", "description", "triggers", "act_at", "speculate"})
        return Specialist(
            **front.model_dump(exclude={"extends", "tools", "guards", "triggers"}),
            tools=tuple(front.tools),
            lead=self.tools.leads[front.tools[0]] if front.tools else "none",
            guards=tuple(front.guards),
            triggers=tuple(frozenset(trigger) for trigger in front.triggers),
            system=system,
            turn=turn.text if turn else "",
            replies=self.replies(file),
            utterances=promptfile.utterances(file, self.tools.slots | {"person"}),
            version=_hash([*system, turn.text if turn else "", shape]),
        )


def _classifier(file: PromptFile, specialists: Mapping[str, Specialist]) -> Classifier:
    front = promptfile.front_matter(file, ClassifierFront)
    promptfile.check_sections(file, ("Role", "Task"), ("Examples",))
    _check_prose(file)
    _check_model(file, front.model, front.thinking, front.effort)
    if front.safest not in specialists:
        raise file.refuse(
            f'intent "{front.safest}" is unknown; known: {", ".join(sorted(specialists))}', key="safest"
        )
    listed = "\n\n".join(
        f"## {name}\n{item.description.strip()}" for name, item in sorted(specialists.items())
    )
    blocks = [_block(file, "Role"), _block(file, "Task"), f"# Intents\n{listed}", _block(file, "Examples")]
    system = "\n\n".join(block for block in blocks if block)
    return Classifier(front, system, _hash([system, front.model_dump_json()]))


def _check_model(file: PromptFile, model: str, thinking: str, effort: str) -> None:
    reason = refusal(model, thinking, effort)
    if reason is not None:
        raise file.refuse(reason, key="model" if reason.startswith("model") else "thinking")


def _check_prose(file: PromptFile) -> None:
    for title in _PROSE:
        section = file.sections.get(title)
        if section is not None:
            promptfile.check_variables(file, section, frozenset(), _CACHEABLE)


def _known(file: PromptFile, key: str, names: Iterable[str], known: frozenset[str]) -> None:
    for name in names:
        if name not in known:
            kind = {"extends": "shared part", "triggers": "concept"}.get(key, key.removesuffix("s"))
            raise file.refuse(f'{kind} "{name}" is unknown; known: {", ".join(sorted(known))}', key=key)


def _block(file: PromptFile, title: str) -> str:
    section = file.sections.get(title)
    return f"# {title}\n{section.text}" if section is not None and section.text else ""


def _prose(file: PromptFile) -> str:
    return "\n\n".join(block for block in (_block(file, title) for title in _PROSE) if block)


def _hash(parts: Iterable[str]) -> str:
    return hashlib.sha256(json.dumps(list(parts), ensure_ascii=False).encode()).hexdigest()[:12]


__all__ = ["Catalogue", "Classifier", "PromptError", "Specialist", "ToolFacts", "load_catalogue"]
