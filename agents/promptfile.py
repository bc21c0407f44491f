"""Read one Markdown prompt file: front matter, sections, variables, utterances.

Why: a prompt engineer edits one file per intent and must be unable to break the live desk. So reading is strict:
what is not known is refused with file, line, and the list of what is known.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from agents.frontmatter import FrontMatterError, read_front_matter
from errors import ConfigError
from templates import BRACES, VARIABLE

MAX_FILE_BYTES = 512_000
Front = TypeVar("Front", bound=BaseModel)
_UTTERANCES = "Utterances"
_HEADING = re.compile(r"^# +(\S.*?)\s*$")
_AWAITING = re.compile(r"^awaiting=([a-z_]+) *\| *(.+)$")
_LIKE_AWAITING = re.compile(r"^awaiting\s*=", re.IGNORECASE)
_LONGEST_SHOWN = 80


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

    def numbered(self) -> Iterator[tuple[int, str]]:
        """The lines with their numbers in the file."""
        return enumerate(self.lines, start=self.line + 1)


@dataclass(frozen=True, slots=True)
class Utterance:
    """One customer message that belongs to the intent; `awaiting` is the slot it answers, if any."""

    text: str
    awaiting: str | None


@dataclass(frozen=True, slots=True)
class PromptFile:
    """A file split into its parts, not yet understood.

    Attributes:
        name: The file's name without ".md".
        file: Folder and file, as errors show it.
        front: Front matter: key -> value.
        key_lines: Front matter: key -> line.
        sections: Title -> section.
        digest: Hash of the file's bytes.
        size: Length in bytes.
        is_closed: Whether the last line ends with a line break, as editors leave it.
    """

    name: str
    file: str
    front: Mapping[str, object]
    key_lines: Mapping[str, int]
    sections: Mapping[str, Section]
    digest: str
    size: int
    is_closed: bool

    def refuse(self, message: str, *, key: str | None = None, line: int | None = None) -> PromptError:
        """The error to raise about this file, pointing at a key or a line."""
        return PromptError(self.file, line or self.key_lines.get(key or "", 1), message)


def read_prompt_file(path: Path) -> PromptFile:
    """Split the file at `path`.

    Raises:
        PromptError: Cannot be read, not UTF-8, empty, over 512,000 bytes, no front matter, or broken headings.
    """
    file = f"{path.absolute().parent.name}/{path.name}"
    raw = _bytes(path, file)
    lines = _text(raw, file).replace("\r\n", "\n").replace("\r", "\n").split("\n")
    if lines[0].strip() != "---":
        raise PromptError(file, 1, 'the file must begin with front matter between two "---" lines')
    end = next((n for n, line in enumerate(lines[1:], start=1) if line.strip() == "---"), None)
    if end is None:
        raise PromptError(file, 1, 'the front matter is not closed; put a line "---" after it')
    try:
        front, key_lines = read_front_matter("\n".join(lines[1:end]), first_line=2)
    except FrontMatterError as exc:
        raise PromptError(file, exc.line, exc.reason) from exc
    digest = hashlib.sha256(raw).hexdigest()
    sections = _sections(file, lines, end + 1)
    return PromptFile(
        path.stem, file, front, key_lines, sections, digest, len(raw), is_closed=raw.endswith(b"\n")
    )


def _bytes(path: Path, file: str) -> bytes:
    try:
        raw = path.read_bytes()
    except OSError as exc:
        raise PromptError(file, 1, f"the file cannot be read: {exc.strerror}") from exc
    if len(raw) > MAX_FILE_BYTES:
        raise PromptError(file, 1, f"{len(raw)} bytes is too large; at most {MAX_FILE_BYTES}")
    if not raw.strip():
        raise PromptError(file, 1, "the file is empty; it must begin with front matter")
    return raw


def _text(raw: bytes, file: str) -> str:
    if (zero := raw.find(b"\0")) >= 0:
        line = raw[:zero].count(b"\n") + 1
        raise PromptError(file, line, "a zero byte stands here; the file was not saved whole, save it again")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        line = raw[: exc.start].count(b"\n") + 1
        raise PromptError(file, line, "this is not UTF-8; save the file as UTF-8") from exc


def _sections(file: str, lines: list[str], start: int) -> Mapping[str, Section]:
    """The sections of `lines` from index `start` on."""
    heads = list(_headings(file, lines, start))
    end = len(lines) + 1
    first = heads[0][0] if heads else end
    for number in range(start + 1, first):
        if lines[number - 1].strip():
            message = "text before the first section; begin with a heading such as `# Role`"
            raise PromptError(file, number, message)
    found: dict[str, Section] = {}
    for (number, title), (following, _) in pairwise([*heads, (end, "")]):
        if title in found:
            message = f'section "# {title}" stands twice; it began in line {found[title].line} already'
            raise PromptError(file, number, message)
        found[title] = Section(title, number, tuple(lines[number : following - 1]))
    return found


def _headings(file: str, lines: list[str], start: int) -> Iterator[tuple[int, str]]:
    """Line and title of each `# Heading`; inside a code fence there is none. Customers' messages open no fences."""
    title, fence = "", 0
    for number, line in enumerate(lines[start:], start=start + 1):
        if title != _UTTERANCES and line.lstrip().startswith("```"):
            fence = 0 if fence else number
        elif not fence and (heading := _HEADING.match(line)):
            title = heading.group(1)
            yield number, title
    if fence:
        raise PromptError(file, fence, "the code fence that begins here is not closed; add a line ```")


def front_matter(file: PromptFile, model: type[Front]) -> Front:
    """The front matter as a typed value.

    Raises:
        PromptError: Unknown key (the known ones are listed), missing key, or a value of the wrong kind.
    """
    known = model.model_fields
    for key in file.front:
        if key not in known:
            raise file.refuse(f'unknown key "{key}"; known: {", ".join(known)}', key=key)
    try:
        return model.model_validate(file.front)
    except ValidationError as exc:
        first = exc.errors()[0]
        key = str(first["loc"][0]) if first["loc"] else ""
        if first["type"] == "missing":
            needed = ", ".join(name for name, field in known.items() if field.is_required())
            raise file.refuse(f'key "{key}" is missing; needed: {needed}', key=key) from exc
        raise file.refuse(f'key "{key}": {first["msg"]}, not {_shown(first["input"])}', key=key) from exc


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}..."


def check_sections(file: PromptFile, required: tuple[str, ...], optional: tuple[str, ...]) -> None:
    """Refuse unknown, missing and empty sections.

    Raises:
        PromptError: As said; the known sections are listed.
    """
    known = ", ".join(f"# {name}" for name in required + optional)
    for title, section in file.sections.items():
        if title not in required + optional:
            raise file.refuse(f'unknown section "# {title}"; known: {known}', line=section.line)
    for title in required:
        found = file.sections.get(title)
        if found is None or not found.text:
            needed = ", ".join(f"# {name}" for name in required)
            line = found.line if found else None
            raise file.refuse(f'section "# {title}" is missing or empty; needed: {needed}', line=line)


def check_variables(file: PromptFile, section: Section, known: frozenset[str], remedy: str = "") -> None:
    """Refuse whatever looks like a variable and is none that is known here.

    Raises:
        PromptError: As said; the known variables are listed.
    """
    for number, line in section.numbered():
        for braces in BRACES.findall(line):
            variable = VARIABLE.fullmatch(braces)
            if variable is None or variable.group(1) not in known:
                names = ", ".join(sorted(known)) or "none"
                message = f"variable {braces} is not declared; known here: {names}{remedy}"
                raise file.refuse(message, line=number)


def utterances(file: PromptFile, slots: frozenset[str]) -> tuple[Utterance, ...]:
    """The `# Utterances` section: one message a line, blank lines skipped.

    Raises:
        PromptError: `awaiting=` is not written as it should be, or names a slot that no tool asks for.
    """
    section = file.sections.get(_UTTERANCES)
    lines = section.numbered() if section is not None else ()
    return tuple(_utterance(file, number, line.strip(), slots) for number, line in lines if line.strip())


def _utterance(file: PromptFile, number: int, text: str, slots: frozenset[str]) -> Utterance:
    match = _AWAITING.match(text)
    if match is None:
        if _LIKE_AWAITING.match(text):
            message = f"cannot read {_shown(text)}; an answer inside a quote is `awaiting=year | 2019`"
            raise file.refuse(message, line=number)
        return Utterance(text, None)
    if match.group(1) not in slots:
        message = f'slot "{match.group(1)}" is unknown; known: {", ".join(sorted(slots))}'
        raise file.refuse(message, line=number)
    return Utterance(match.group(2), match.group(1))
