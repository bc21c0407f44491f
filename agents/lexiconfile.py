"""Read `_lexicon.md`: concepts and the words that customers use for them, language by language.

`## concept`, below it lines `en: word, two words, stem*`. What the words do is knowledge/lexicon.py's business.
"""

import re
from collections.abc import Mapping
from pathlib import Path

from agents.front import LexiconFront
from agents.promptfile import PromptFile, check_sections, front_matter, read_prompt_file
from knowledge.lexicon import fold, words

_SECTION = "Lexicon"
_CONCEPT = re.compile(r"^## +([a-z][a-z0-9_]*)\s*$")
_ENTRY = re.compile(r"^([a-z]{2,3}): *(\S.*)$")
_FORM = "a concept is `## name`, and below it lines such as `en: word, two words, stem*`"


def read_lexicon(path: Path) -> tuple[PromptFile, Mapping[str, tuple[str, ...]]]:
    """The file, and its concepts with their phrases, all languages together.

    Raises:
        PromptError: The file cannot be read, a concept stands twice or has no words, or a line is not understood.
    """
    file = read_prompt_file(path)
    front_matter(file, LexiconFront)
    check_sections(file, (_SECTION,), ())
    found: dict[str, list[str]] = {}
    lines: dict[str, int] = {}
    concept = ""
    for number, line in file.sections[_SECTION].numbered():
        if head := _CONCEPT.match(line):
            concept = head.group(1)
            if concept in found:
                message = f'concept "{concept}" stands twice; it began in line {lines[concept]} already'
                raise file.refuse(message, line=number)
            found[concept], lines[concept] = [], number
        elif concept and (entry := _ENTRY.match(line)):
            found[concept] += _phrases(file, number, entry.group(2))
        elif line.strip():
            raise file.refuse(f"cannot read {line!r}; {_FORM}", line=number)
    for name, phrases in found.items():
        if not phrases:
            raise file.refuse(f'concept "{name}" has no words; add a line `en: ...`', line=lines[name])
    return file, {name: tuple(phrases) for name, phrases in found.items()}


def _phrases(file: PromptFile, number: int, text: str) -> list[str]:
    phrases = [phrase.strip() for phrase in text.split(",") if phrase.strip()]
    for phrase in phrases:
        if not words(fold(phrase)):
            raise file.refuse(f'phrase "{phrase}" holds no word; take it out', line=number)
    return phrases
