"""Read `# Local replies`: the texts that a specialist has for the engine that runs without Claude.

`## key` or `## key [concept, concept]`, below it `### en`, `### es` ... with the text. Strict as promptfile.py is:
a reply that nobody would ever see the text of is refused, with file and line.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from agents.promptfile import PromptFile, Section, check_variables
from engine.base import Replies

LOCAL_REPLIES = "Local replies"
_FALLBACK = "en"
_REPLY = re.compile(r"^## +([a-z][a-z0-9_]*)(?: +\[ *([a-z][a-z0-9_, ]*)\])?\s*$")
_LANGUAGE = re.compile(r"^### +([a-z]{2,3})\s*$")
_FORM = "a reply is `## key` or `## key [concept]`, and below it `### en` with its text"


@dataclass(slots=True)
class _Reply:
    """One reply as it is read; `concepts` None means that no concept chooses it."""

    key: str
    line: int
    concepts: frozenset[str] | None
    texts: dict[str, list[str]] = field(default_factory=dict)


def read_replies(file: PromptFile, concepts: frozenset[str], variables: frozenset[str]) -> Replies:
    """The `# Local replies` section; none when the file has no such section.

    Raises:
        PromptError: Unknown concept or variable, a key or language twice, a text outside a language, no English text.
    """
    section = file.sections.get(LOCAL_REPLIES)
    if section is None:
        return Replies({})
    check_variables(file, section, variables)
    found: dict[str, _Reply] = {}
    for reply in _split(file, section, concepts):
        if reply.key in found:
            message = f'reply "{reply.key}" stands twice; it began in line {found[reply.key].line} already'
            raise file.refuse(message, line=reply.line)
        found[reply.key] = reply
    texts = {key: _texts(file, reply) for key, reply in found.items()}
    chosen = tuple((key, reply.concepts) for key, reply in found.items() if reply.concepts is not None)
    return Replies(texts, chosen)


def _split(file: PromptFile, section: Section, concepts: frozenset[str]) -> Iterator[_Reply]:
    reply: _Reply | None = None
    body: list[str] | None = None
    for number, line in section.numbered():
        if head := _REPLY.match(line):
            if reply is not None:
                yield reply
            reply, body = (
                _Reply(head.group(1), number, _concepts(file, number, head.group(2), concepts)),
                None,
            )
        elif reply is not None and (tongue := _LANGUAGE.match(line)):
            if tongue.group(1) in reply.texts:
                message = f'reply "{reply.key}" has "### {tongue.group(1)}" twice'
                raise file.refuse(message, line=number)
            body = reply.texts[tongue.group(1)] = []
        elif line.startswith("#") or (body is None and line.strip()):
            raise file.refuse(f"cannot read {line!r}; {_FORM}", line=number)
        elif body is not None:
            body.append(line)
    if reply is not None:
        yield reply


def _texts(file: PromptFile, reply: _Reply) -> dict[str, str]:
    texts = {language: "\n".join(body).strip() for language, body in reply.texts.items()}
    if not texts.get(_FALLBACK):
        message = f'reply "{reply.key}" has no English text; add `### en` and the text below it'
        raise file.refuse(message, line=reply.line)
    for language, text in texts.items():
        if not text:
            message = (
                f'reply "{reply.key}" has no text below "### {language}"; write it or take the heading out'
            )
            raise file.refuse(message, line=reply.line)
    return texts


def _concepts(file: PromptFile, line: int, names: str | None, known: frozenset[str]) -> frozenset[str] | None:
    if names is None:
        return None
    wanted = frozenset(name.strip() for name in names.split(",") if name.strip())
    for name in sorted(wanted - known):
        message = f'concept "{name}" is not in _lexicon.md; known: {", ".join(sorted(known))}'
        raise file.refuse(message, line=line)
    return wanted
