"""Read the prompts folder: every file checked against the others, and against the tools and guards there are.

Why: what is served must be consistent with itself. One wrong file refuses the whole folder, with file, line, value and
remedy; at start the desk then does not open, later the last good catalogue serves on.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from agents import promptfile
from agents.catalogue import Catalogue, Classifier, SecondLook, Specialist, ToolFacts
from agents.front import ClassifierFront, SecondLookFront, SharedFront, SpecialistFront
from agents.lexiconfile import read_lexicon
from agents.localreplies import LOCAL_REPLIES, read_replies
from agents.promptfile import PromptError, PromptFile
from engine.base import Replies
from engine.models import refusal
from errors import ConfigError
from guards.private import KINDS
from knowledge.lexicon import Lexicon

FACTS = frozenset(
    {"today", "language", "customer_name", "open_quote", "preview", "quotes", "also", "offer_person"}
)
_REPLY_VALUES = frozenset({"choices", "sentences", "questions", "question", "limit", "language", "articles"})
_PROSE = ("Role", "Task", "Examples")
_CACHEABLE = "; variables belong in `# This turn`, so that the text before it can be cached"
_LEXICON, _NOTICES, _CLASSIFIER, _SECOND_LOOK = "_lexicon", "_notices", "classifier", "second_look"
_LEAST_INTENTS = 2


def load_catalogue(
    folder: Path, tools: ToolFacts, guards: frozenset[str], before: Catalogue | None = None
) -> Catalogue:
    """Read every prompt file of `folder`; files whose name begins with a dot are left alone.

    Args:
        before: What the desk serves now. A file of it that is gone, or that has lost the line break at its end
            (so was hardly saved whole), is refused.

    Raises:
        ConfigError: The folder, or something in a file, is wrong: file, line, value, remedy.
    """
    paths = [path for path in sorted(folder.glob("*.md")) if not path.name.startswith(".")]
    if not any(path.stem == _CLASSIFIER for path in paths):
        raise ConfigError(
            f"{folder}: no classifier.md here; FRONTDESK_PROMPTS must name a folder of prompt files"
        )
    files: dict[str, PromptFile] = {}
    phrases: Mapping[str, tuple[str, ...]] = {}
    for path in paths:
        if path.stem == _LEXICON:
            files[path.stem], phrases = read_lexicon(path)
        else:
            files[path.stem] = promptfile.read_prompt_file(path)
    if before is not None:
        _check_whole(folder, files, before)
    reader = _Reader(_shared(files), tools, guards, frozenset(phrases))
    specialists = {name: reader.specialist(file) for name, file in files.items() if _is_intent(name)}
    if len(specialists) < _LEAST_INTENTS:
        raise ConfigError(
            f"{folder}: {len(specialists)} intents here; a desk needs two files such as greeting.md"
        )
    notices = reader.replies(files[_NOTICES]) if _NOTICES in files else Replies({})
    return Catalogue(
        specialists=specialists,
        classifier=_classifier(files[_CLASSIFIER], specialists),
        notices=notices,
        lexicon=Lexicon(phrases),
        files={name: file.size if file.is_closed else 0 for name, file in files.items()},
        version=_hash(f"{name} {file.digest}" for name, file in files.items()),
        second_look=_second_look(files[_SECOND_LOOK], notices) if _SECOND_LOOK in files else None,
    )


def _is_intent(name: str) -> bool:
    return not name.startswith("_") and name not in {_CLASSIFIER, _SECOND_LOOK}


def _check_whole(folder: Path, files: Mapping[str, PromptFile], before: Catalogue) -> None:
    for name, closed_size in before.files.items():
        file = files.get(name)
        if file is None:
            message = "the file is gone; put it back, or restart the desk to go on without it"
            raise PromptError(f"{folder.absolute().name}/{name}.md", 1, message)
        if file.size < closed_size and not file.is_closed:
            raise file.refuse(
                "the file is shorter than before and its last line is open, so it may have been cut; "
                "save it again with a line break at its end"
            )


def _shared(files: Mapping[str, PromptFile]) -> Mapping[str, PromptFile]:
    """The shared parts, checked. Only the notices have replies, and nothing but replies."""
    shared = {name: file for name, file in files.items() if name.startswith("_") and name != _LEXICON}
    for name, file in shared.items():
        promptfile.front_matter(file, SharedFront)
        if name == _NOTICES:
            promptfile.check_sections(file, (LOCAL_REPLIES,), ())
        else:
            promptfile.check_sections(file, (), _PROSE)
            _check_prose(file)
    return shared


@dataclass(frozen=True, slots=True)
class _Reader:
    """What a specialist's file is checked against."""

    shared: Mapping[str, PromptFile]
    tools: ToolFacts
    guards: frozenset[str]
    concepts: frozenset[str]

    def replies(self, file: PromptFile) -> Replies:
        return read_replies(file, self.concepts, _REPLY_VALUES | self.tools.slots | self.tools.values)

    def specialist(self, file: PromptFile) -> Specialist:
        front = promptfile.front_matter(file, SpecialistFront)
        promptfile.check_sections(file, (*_PROSE, "Utterances"), ("This turn", LOCAL_REPLIES))
        _check_prose(file)
        self._check_front(file, front)
        system = tuple(block for block in (self._extended(front), _prose(file)) if block)
        turn, replies = _turn(file), self.replies(file)
        shape = front.model_dump_json(exclude={"label", "description", "triggers", "act_at", "speculate"})
        return Specialist(
            **front.model_dump(exclude={"extends", "tools", "guards", "says_back", "triggers"}),
            tools=tuple(front.tools),
            lead=self.tools.leads[front.tools[0]] if front.tools else "none",
            guards=tuple(front.guards),
            says_back=frozenset(front.says_back),
            triggers=tuple(frozenset(trigger) for trigger in front.triggers),
            system=system,
            turn=turn,
            replies=replies,
            utterances=promptfile.utterances(file, self.tools.slots | {"person"}),
            version=_hash([*system, turn, shape, _spelled(replies)]),
            told=self._told(file, front),
            fixed=self._fixed(replies),
        )

    def _told(self, file: PromptFile, front: SpecialistFront) -> str:
        files = [*(self.shared[name] for name in front.extends), file]
        return "\n\n".join(_block(part, title) for part in files for title in ("Role", "Task"))

    def _fixed(self, replies: Replies) -> str:
        notices = self.replies(self.shared[_NOTICES]) if _NOTICES in self.shared else Replies({})
        texts = [
            text
            for said in (replies, notices)
            for by_language in said.texts.values()
            for text in by_language.values()
        ]
        return "\n\n".join(texts)

    def _check_front(self, file: PromptFile, front: SpecialistFront) -> None:
        if front.intent != file.name:
            message = f'intent "{front.intent}" must be the file\'s name, "{file.name}"'
            raise file.refuse(message, key="intent")
        _check_names(file, "tools", front.tools, self.tools.leads)
        _check_names(file, "guards", front.guards, self.guards)
        _check_names(file, "says_back", front.says_back, KINDS)
        _check_names(file, "extends", front.extends, self.shared.keys() - {_NOTICES})
        for trigger in front.triggers:
            _check_names(file, "triggers", trigger, self.concepts)
        _check_model(file, front)
        if "en" not in front.label:
            message = 'key "label" needs at least an English text: `label: {en: a price for my car}`'
            raise file.refuse(message, key="label")
        if "{{" in front.description:
            raise file.refuse('key "description": variables are not filled in here', key="description")

    def _extended(self, front: SpecialistFront) -> str:
        return "\n\n".join(_prose(self.shared[name]) for name in front.extends)


def _turn(file: PromptFile) -> str:
    section = file.sections.get("This turn")
    if section is None:
        return ""
    promptfile.check_variables(file, section, FACTS)
    return section.text


def _classifier(file: PromptFile, specialists: Mapping[str, Specialist]) -> Classifier:
    front = promptfile.front_matter(file, ClassifierFront)
    promptfile.check_sections(file, ("Role", "Task"), ("Examples",))
    _check_prose(file)
    _check_model(file, front)
    if front.safest not in specialists:
        message = f'intent "{front.safest}" is unknown; known: {", ".join(sorted(specialists))}'
        raise file.refuse(message, key="safest")
    if front.screened not in specialists or specialists[front.screened].tools:
        known = ", ".join(sorted(name for name, item in specialists.items() if not item.tools)) or "none"
        message = f'intent "{front.screened}" must be one without tools; known: {known}'
        raise file.refuse(message, key="screened")
    listed = "\n\n".join(f"## {name}\n{item.description}" for name, item in sorted(specialists.items()))
    blocks = [_block(file, "Role"), _block(file, "Task"), f"# Intents\n{listed}", _block(file, "Examples")]
    system = "\n\n".join(block for block in blocks if block)
    return Classifier(front, system, _hash([system, front.model_dump_json()]))


def _second_look(file: PromptFile, notices: Replies) -> SecondLook:
    front = promptfile.front_matter(file, SecondLookFront)
    promptfile.check_sections(file, ("Role", "Task"), ("Examples",))
    _check_prose(file)
    _check_model(file, front)
    if notices.text(_SECOND_LOOK, "en") is None:
        raise file.refuse(
            f'what customers read is missing; put a text "## {_SECOND_LOOK}" into {_NOTICES}.md', key="kind"
        )
    system = _prose(file)
    return SecondLook(front, system, _hash([system, front.model_dump_json()]))


def _check_model(file: PromptFile, front: SpecialistFront | ClassifierFront | SecondLookFront) -> None:
    reason = refusal(front.model, front.thinking, front.effort)
    if reason is not None:
        keys = ("model",) if reason.startswith("model") else ("thinking", "effort", "model")
        raise file.refuse(reason, key=next(key for key in keys if key in file.key_lines))


def _check_prose(file: PromptFile) -> None:
    for title in _PROSE:
        section = file.sections.get(title)
        if section is not None:
            promptfile.check_variables(file, section, frozenset(), _CACHEABLE)


def _check_names(file: PromptFile, key: str, names: list[str], known: Iterable[str]) -> None:
    kind = {"extends": "shared part", "triggers": "concept", "says_back": "kind of personal data"}.get(
        key, key.removesuffix("s")
    )
    known = sorted(known)
    for at, name in enumerate(names):
        if name not in known:
            raise file.refuse(f'{kind} "{name}" is unknown; known: {", ".join(known) or "none"}', key=key)
        if name in names[:at]:
            raise file.refuse(f'{kind} "{name}" stands twice in "{key}"', key=key)


def _block(file: PromptFile, title: str) -> str:
    section = file.sections.get(title)
    return f"# {title}\n{section.text}" if section is not None and section.text else ""


def _prose(file: PromptFile) -> str:
    return "\n\n".join(block for block in (_block(file, title) for title in _PROSE) if block)


def _spelled(replies: Replies) -> str:
    """All of them, the same in every process: the order of a set is not."""
    return repr((replies.texts, [(key, sorted(concepts)) for key, concepts in replies.triggers]))


def _hash(parts: Iterable[str]) -> str:
    return hashlib.sha256(json.dumps(list(parts), ensure_ascii=False).encode()).hexdigest()[:12]


__all__ = ["Catalogue", "Classifier", "PromptError", "Specialist", "ToolFacts", "load_catalogue"]
