"""Read one Markdown prompt file: front matter, sections, replies, utterances.

Why: a prompt engineer edits one file per intent and must be unable to break the live desk. So reading is strict:
what is not known is refused with file, line, and the list of what is known.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from engine.base import Replies
from errors import ConfigError
from templates import VARIABLE

MAX_FILE_BYTES = 512_000
Front = TypeVar("Front", bound=BaseModel)
_HEADING = re.compile(r"^# +(\S.*?) *$")
_REPLY = re.compile(r"^## +([a-z][a-z0-9_]*)(?: +\[([a-z0-9_, ]+)\])? *$")
_LANGUAGE = re.compile(r"^### +([a-z]{2,3}) *$")
_AWAITING = re.compile(r"^awaiting=([a-z_]+) *\| *(.+)$")


class PromptError(ConfigError):
    """A prompt file is refused; the text names file, line, value and remedy."""

    def __init__(self, file: str, line: int, message: str) -> None:
        super().__init__(f"{file}:{line}: {message}")
        self.file = file
        self.line = line
        self.reason = message


@dataclass(frozen=True, slots=True)
class Section:
    """One `# Heading` with its lines; `line` is where the heading stands (from 1)."""

    title: str
    line: int
    lines: tuple[str, ...]

    @property
    def text(self) -> str:
        """The section's text without blank lines around it."""
        return "\n".join(self.lines).strip()


@dataclass(frozen=True, slots=True)
class Utterance:
    """One customer message that belongs to the intent; `awaiting` is the slot it answers, if any."""

    text: str
    awaiting: str | None


@dataclass(frozen=True, slots=True)
class PromptFile:
    """A file split into its parts, not yet understood. `key_lines` maps front matter keys to lines."""

    name: str
    file: str
    front: Mapping[str, object]
    key_lines: Mapping[str, int]
    sections: Mapping[str, Section]

    def refuse(self, message: str, *, key: str | None = None, line: int | None = None) -> PromptError:
        """The error to raise about this file, pointing at a key or a line."""
        return PromptError(self.file, line or self.key_lines.get(key or "", 1), message)


def read_prompt_file(path: Path) -> PromptFile:
    """Split the file at `path`.

    Raises:
        PromptError: Not UTF-8, empty, over 512,000 bytes, no front matter, or broken headings.
    """
    file = f"{path.parent.name}/{path.name}"
    raw = path.read_bytes()
    if len(raw) > MAX_FILE_BYTES:
        raise PromptError(file, 1, f"{len(raw)} bytes is too large; at most {MAX_FILE_BYTES}")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        line = raw[: exc.start].count(b"\n") + 1
        raise PromptError(file, line, "this is not UTF-8; save the file as UTF-8") from exc
    lines = text.splitlines()
    if not lines or lines[0].strip() != "---":
        raise PromptError(file, 1, 'the file must begin with front matter between two "---" lines')
    end = next((n for n, line in enumerate(lines[1:], start=1) if line.strip() == "---"), None)
    if end is None:
        raise PromptError(file, 1, 'the front matter is not closed; put a line "---" after it')
    front, key_lines = _front_matter(file, "\n".join(lines[1:end]))
    return PromptFile(path.stem, file, front, key_lines, _sections(file, lines, end + 1))


def _front_matter(file: str, text: str) -> tuple[Mapping[str, object], Mapping[str, int]]:
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        values = yaml.safe_load(text)
    except yaml.YAMLError as exc:
        mark = getattr(exc, "problem_mark", None)
        line = mark.line + 2 if mark is not None else 1
        raise PromptError(
            file, line, f"the front matter is not YAML: {getattr(exc, 'problem', exc)}"
        ) from exc
    if not isinstance(values, dict) or not isinstance(node, yaml.MappingNode):
        raise PromptError(file, 1, "the front matter must be lines of the form `key: value`")
    key_lines: dict[str, int] = {}
    for key, _ in node.value:
        if key.value in key_lines:
            raise PromptError(file, key.start_mark.line + 2, f'key "{key.value}" stands twice')
        key_lines[key.value] = key.start_mark.line + 2
    return {str(key): value for key, value in values.items()}, key_lines


def _sections(file: str, lines: list[str], start: int) -> Mapping[str, Section]:
    found: dict[str, Section] = {}
    title, title_line, body = "", start, list[str]()
    fenced = False

    def close() -> None:
        if title:
            if title in found:
                raise PromptError(file, title_line, f'section "# {title}" stands twice')
            found[title] = Section(title, title_line, tuple(body))
        elif any(line.strip() for line in body):
            raise PromptError(
                file, start + 1, "text before the first section; begin with a heading such as `# Role`"
            )

    for number, line in enumerate(lines[start:], start=start + 1):
        fenced ^= line.lstrip().startswith("```")
        heading = None if fenced else _HEADING.match(line)
        if heading:
            close()
            title, title_line, body = heading.group(1), number, []
        else:
            body.append(line)
    close()
    return found


def front_matter(file: PromptFile, model: type[Front]) -> Front:
    """The front matter as a typed value.

    Raises:
        PromptError: Unknown key (the known ones are listed), missing key, or a value of the wrong kind.
    """
    unknown = [key for key in file.front if key not in model.model_fields]
    if unknown:
        known = ", ".join(model.model_fields)
        raise file.refuse(f'unknown key "{unknown[0]}"; known: {known}', key=unknown[0])
    try:
        return model.model_validate(file.front)
    except ValidationError as exc:
        first = exc.errors()[0]
        key = str(first["loc"][0]) if first["loc"] else ""
        given = "" if first["type"] == "missing" else f", not {first['input']!r}"
        raise file.refuse(f'key "{key}": {first["msg"]}{given}', key=key) from exc


def check_sections(file: PromptFile, required: tuple[str, ...], optional: tuple[str, ...]) -> None:
    """Refuse unknown, missing and empty sections."""
    known = required + optional
    for title, section in file.sections.items():
        if title not in known:
            names = ", ".join(f"# {name}" for name in known)
            raise file.refuse(f'unknown section "# {title}"; known: {names}', line=section.line)
    for title in required:
        section_found = file.sections.get(title)
        if section_found is None or not section_found.text:
            raise file.refuse(
                f'section "# {title}" is missing or empty', line=section_found.line if section_found else 1
            )


def check_variables(file: PromptFile, section: Section, known: frozenset[str], remedy: str) -> None:
    """Refuse `{{name}}` unless the name is known."""
    for offset, line in enumerate(section.lines, start=1):
        for match in VARIABLE.finditer(line):
            if match.group(1) not in known:
                names = ", ".join(sorted(known)) or "none"
                message = f"variable {match.group(0)} is not declared; known here: {names}{remedy}"
                raise file.refuse(message, line=section.line + offset)


def utterances(file: PromptFile, slots: frozenset[str]) -> tuple[Utterance, ...]:
    """The `# Utterances` section: one message a line, blank lines skipped.

    Raises:
        PromptError: `awaiting=` names a slot that no tool asks for.
    """
    section = file.sections.get("Utterances")
    if section is None:
        return ()
    found: list[Utterance] = []
    for offset, line in enumerate(section.lines, start=1):
        text = line.strip()
        if not text:
            continue
        match = _AWAITING.match(text)
        if match and match.group(1) not in slots:
            message = f'slot "{match.group(1)}" is unknown; known: {", ".join(sorted(slots))}'
            raise file.refuse(message, line=section.line + offset)
        found.append(Utterance(match.group(2), match.group(1)) if match else Utterance(text, None))
    return tuple(found)


def replies(file: PromptFile, concepts: frozenset[str], variables: frozenset[str]) -> Replies:
    """The `# Local replies` section.

    Raises:
        PromptError: Unknown concept or variable, text outside a language heading, no English text.
    """
    section = file.sections.get("Local replies")
    if section is None:
        return Replies({})
    check_variables(file, section, variables, "")
    texts: dict[str, dict[str, list[str]]] = {}
    triggers: list[tuple[str, frozenset[str]]] = []
    key = language = ""
    for offset, line in enumerate(section.lines, start=1):
        at = section.line + offset
        if head := _REPLY.match(line):
            key, language = head.group(1), ""
            if key in texts:
                raise file.refuse(f'reply "{key}" stands twice', line=at)
            texts[key] = {}
            if head.group(2):
                triggers.append((key, _concepts(file, at, head.group(2), concepts)))
        elif tongue := _LANGUAGE.match(line):
            language = tongue.group(1)
            texts.setdefault(key, {})[language] = []
        elif line.startswith("#"):
            raise file.refuse(
                f"cannot read {line!r}; a reply is `## key [concept]` and then `### en`", line=at
            )
        elif key and language:
            texts[key][language].append(line)
        elif line.strip():
            raise file.refuse("text before `## key` and `### language`", line=at)
    for name, by_language in texts.items():
        if not by_language:
            raise file.refuse(f'reply "{name}" has no text; add `### en`', line=section.line)
    joined = {k: {lang: "\n".join(body).strip() for lang, body in v.items()} for k, v in texts.items()}
    return Replies(joined, tuple(triggers))


def _concepts(file: PromptFile, line: int, names: str, known: frozenset[str]) -> frozenset[str]:
    wanted = frozenset(name.strip() for name in names.split(",") if name.strip())
    for name in sorted(wanted - known):
        raise file.refuse(
            f'concept "{name}" is not in _lexicon.md; known: {", ".join(sorted(known))}', line=line
        )
    return wanted


def lexicon(path: Path) -> Mapping[str, tuple[str, ...]]:
    """Concepts and their phrases from `_lexicon.md`, all languages together.

    Raises:
        PromptError: The file cannot be read, or a line is not `language: word, word`.
    """
    file = f"{path.parent.name}/{path.name}"
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as exc:
        raise PromptError(file, 1, "this is not UTF-8; save the file as UTF-8") from exc
    found: dict[str, list[str]] = {}
    concept = ""
    for number, line in enumerate(lines, start=1):
        if head := re.match(r"^## +([a-z][a-z0-9_]*) *$", line):
            concept = head.group(1)
            found.setdefault(concept, [])
        elif entry := re.match(r"^([a-z]{2,3}): *(.+)$", line):
            if not concept:
                raise PromptError(file, number, "words before the first `## concept`")
            found[concept] += [word.strip() for word in entry.group(2).split(",") if word.strip()]
        elif concept and line.strip() and not line.startswith("#"):
            raise PromptError(file, number, f"cannot read {line!r}; a line is `en: word, two words, stem*`")
    return {name: tuple(words) for name, words in found.items()}
