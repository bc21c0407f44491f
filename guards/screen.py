"""Screen what a customer writes for attempts to steer the assistant, before anybody answers it.

Why: a message that tells a model to forget its rules should not reach a model at all, however it is dressed up. What
is certain is acted on (the message goes to the specialist that leads back), what is only likely is noted. Precision
comes first: an honest customer must never be taken for an attacker.
Made once from the files of patterns, shared by all turns; looking at a text changes nothing and takes time that
grows with its length only.
"""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from guards.screen_codes import decoded
from guards.screen_rulefile import load_rules
from guards.screen_rules import Hit, Level, Rules
from guards.screen_shapes import shapes
from guards.screen_words import Words, bare, only_letters, pieces, rot13, spelt_out, undressed
from knowledge.invisible import carriers, is_reordered, readable

BUILT_IN = Path(__file__).with_name("screen.toml")
IN_THREAD_FROM = 1_000
"""Characters from which looking may take over 5 ms: then it is done in a thread."""
_CODES_DEEP = 3
_PLAIN = "plain"


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found. `how` tells how the text had to be read for it; `words` are the customer's: never log them."""

    kind: str
    level: Level
    how: str
    pattern: str
    words: str

    @property
    def what(self) -> str:
        """The class for events: "override", or "override:base64" when it was disguised."""
        return self.kind if self.how == _PLAIN else f"{self.kind}:{self.how}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the screen says of a message: what models may read of it, and what was found."""

    text: str
    findings: tuple[Finding, ...] = ()

    @property
    def acts(self) -> bool:
        """Whether it is certain enough to act on: one certain sign, or two different likely ones."""
        kinds = {finding.kind for finding in self.findings if finding.level == "note"}
        return len(kinds) > 1 or any(finding.level == "act" for finding in self.findings)


class Screen:
    """The screen with its patterns."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules

    @classmethod
    def load(cls, *more: Path) -> "Screen":
        """The built-in patterns, and those of more files.

        Raises:
            ConfigError: A file is wrong: which, where, what is known.
        """
        return cls(load_rules(BUILT_IN, *more))

    async def look(self, text: str) -> Verdict:
        """The verdict, without stalling others."""
        if len(text) < IN_THREAD_FROM:
            return self.judge(text)
        return await asyncio.to_thread(self.judge, text)

    def judge(self, text: str) -> Verdict:
        """The verdict on this text."""
        seen = readable(text)
        found = [
            Finding("hidden_text", "act", name, "letters that nobody sees", "") for name in carriers(text)
        ]
        if is_reordered(text):
            found.append(Finding("hidden_text", "note", "reordered", "a text that runs backwards", ""))
        for how, hit in self._hits(seen, _PLAIN, _CODES_DEEP):
            if all((hit.kind, hit.level) != (other.kind, other.level) for other in found):
                found.append(Finding(hit.kind, hit.level, how, hit.pattern, hit.words))
        return Verdict(seen, tuple(found))

    def _hits(self, text: str, how: str, deep: int) -> Iterator[tuple[str, Hit]]:
        """What is in the text, and in what it says in code."""
        plainly = undressed(text)
        yield from ((how, hit) for hit in shapes(plainly))
        bared = bare(plainly)
        plain = pieces(bared)
        yield from ((how, hit) for hit in self._rules.hits(plain))
        for way, reading in self._disguised(text, bared, plain):
            yield from ((way, hit) for hit in self._rules.hits(reading))
        if deep:
            for name, inner in decoded(text):
                yield from self._hits(inner, name, deep - 1)

    def _disguised(self, text: str, bared: str, plain: Words) -> Iterator[tuple[str, Words]]:
        """Other ways to read the text, where its letters seem to hold known words that are not among its words."""
        words = self._rules.vocabulary
        joined = spelt_out(bared)
        if joined != bared:
            yield "spacing", pieces(joined)
        letters = only_letters(plain)
        for way in words.hides(letters, plain.words):
            match way:
                case "spacing":
                    yield way, words.cut(letters)
                case "reversed":
                    yield way, pieces(bared[::-1])
                    yield way, replace(plain, words=tuple(word[::-1] for word in plain.words))
                    yield way, words.cut(letters[::-1])
                case _:
                    yield way, pieces(bare(undressed(rot13(text))))
