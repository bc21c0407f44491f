"""The words of an article without its Markdown, and where in the file each of them stands.

Why: a quotation is word for word what the article says, without stars, brackets and notes; and who doubts it later
must find these words in the file. So every character keeps its place while the markup around it goes.
Place: number of characters before it in the file's text.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

_SENTENCES = 3
_LINK = re.compile(r"!?\[([^\]]+)\]\([^)]*\)")
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_EMPHASIS = re.compile(r"\*\*|__|`")
_ITEM = re.compile(r"\s*(?:[-*+]|\d+[.)]|\|)\s")
_HEADING = re.compile(r"#{1,6}\s+(.*?)\s*#*$")
_SENTENCE_END = re.compile(r"(?<=[.!?…])\s+(?=[^\sa-z])")


@dataclass(frozen=True, slots=True)
class Words:
    """Text without markup; `at` has the place of each of its characters."""

    text: str
    at: Sequence[int]

    @property
    def start(self) -> int:
        """Place of the first character; there must be one."""
        return self.at[0]

    @property
    def end(self) -> int:
        """Place behind the last character; there must be one."""
        return self.at[-1] + 1

    def part(self, start: int, end: int) -> "Words":
        """These characters of it, without blanks around them."""
        text = self.text[start:end]
        start += len(text) - len(text.lstrip())
        text = text.strip()
        return Words(text, self.at[start : start + len(text)])

    def between(self, start: int, end: int) -> str:
        """Those of its characters that stand between these places of the file."""
        return "".join(
            letter for letter, place in zip(self.text, self.at, strict=True) if start <= place < end
        )


@dataclass(frozen=True, slots=True)
class Block:
    """A heading, a paragraph, or a list or table line by line."""

    kind: Literal["heading", "paragraph", "list"]
    words: Words

    def passages(self) -> Iterator[Words]:
        """A list or table whole; a paragraph in pieces of up to three sentences, about equally long."""
        text = self.words.text
        ends = _SENTENCE_END.finditer(text) if self.kind == "paragraph" else ()
        starts = [0, *(found.end() for found in ends)]
        pieces = -(-len(starts) // _SENTENCES)
        borders = [starts[number * len(starts) // pieces] for number in range(pieces)]
        yield from (self.words.part(start, end) for start, end in pairwise([*borders, len(text)]))


def read_blocks(text: str, start: int = 0) -> Iterator[Block]:
    """The blocks of the file's text from this place on; those without a word are left out."""
    for lines in _grouped(list(_lines(read_body(text, start)))):
        block = _block(lines)
        if block.words.text:
            yield block


def read_body(text: str, start: int = 0) -> Words:
    """The file's text from this place on without comments, but with its other markup."""
    return _without(_COMMENT, Words(text[start:], range(start, len(text))))


def words_at(text: str, start: int, end: int) -> str:
    """The words that stand between these places of the file's text, without markup."""
    return "\n".join(block.words.between(start, end) for block in read_blocks(text))


def _lines(body: Words) -> Iterator[Words]:
    end = 0
    for line in body.text.splitlines(keepends=True):
        start, end = end, end + len(line)
        yield Words(line.rstrip(), body.at[start : start + len(line.rstrip())])


def _grouped(lines: list[Words]) -> Iterator[list[Words]]:
    """Paragraphs, lists and headings, as the lines they were written in."""
    group: list[Words] = []
    for line in lines:
        is_heading = _HEADING.match(line.text) is not None
        if line.text.strip() and not is_heading:
            group.append(line)
            continue
        if group:
            yield group
            group = []
        if is_heading:
            yield [line]
    if group:
        yield group


def _block(lines: list[Words]) -> Block:
    if heading := _HEADING.match(lines[0].text):
        return Block("heading", _plain(lines[0].part(*heading.span(1))))
    plain = [_plain(line) for line in lines]
    if any(_ITEM.match(line.text) for line in lines):
        return Block("list", _joined("\n", plain))
    return Block("paragraph", _joined(" ", plain))


def _joined(joint: str, lines: list[Words]) -> Words:
    """One text of these lines; the joint stands where the line before it ends."""
    text, at = "", list[int]()
    for line in lines:
        if text and line.text:
            text += joint
            at.append(at[-1] + 1)
        text += line.text
        at.extend(line.at)
    return Words(text, at)


def _plain(line: Words) -> Words:
    words = _without(_EMPHASIS, _without(_LINK, line))
    return words.part(0, len(words.text))


def _without(markup: re.Pattern[str], words: Words) -> Words:
    """The words without what the pattern finds, but for its group."""
    text, at, last = "", list[int](), 0
    for found in markup.finditer(words.text):
        kept = found.span(1) if markup.groups else (0, 0)
        for start, end in ((last, found.start()), kept):
            text += words.text[start:end]
            at.extend(words.at[start:end])
        last = found.end()
    if not last:
        return words
    return Words(text + words.text[last:], [*at, *words.at[last:]])
