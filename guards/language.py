"""Answer in the language of the turn: an answer that begins in another one is asked for again, before a word is shown.

Why: a customer who writes Spanish and reads English has no answer. Only the beginning is looked at, and nearly every one is
right: it is shown as soon as its first letters can only be of a word in the right language. Where they say nothing, or
speak against it, it is held until words have told. A wrong one costs the customer a moment of waiting and not the answer: the
engine is asked once more. Only if that is not possible, or the second answer is no better, it is shown with a line of
apology above it: an answer in another language still helps more than none.

Precision comes first: short texts, names, quotations, articles in another language, customers who mix two languages or ask
for another one all pass, and so does the engine without a model, which says itself that it has English only.
Law: all is decided at the first letters that tell, or at the ends of words, so the output does not depend on how the
input was cut.
"""

import re
from collections.abc import Mapping, Sequence

from guards.stream import Guard, Scene, Segment
from knowledge.language import (
    are_alike,
    knows_language,
    language_votes,
    languages_named,
    telling_beginnings,
)
from knowledge.lexicon import fold

NOTICE = "other_language"
LIMIT_WORDS, LIMIT_CHARACTERS = 24, 200
# Words by which the right language leads when it is right, and words it takes to say so.
_SURE_BY, _SURE_WORDS = 0.9, 2
# Words by which another language leads before letters tell no more.
_DOUBT = 0.35
# Words of a wrong one, its lead, and how much of it the right one may have.
_LEAST, _LEADS_BY, _SHARE = 3.5, 3.0, 0.34
_ALIKE_LEADS_BY = 5.0
_SAME_SIGNS = frozenset({"ja", "zh"})  # a Japanese sentence may begin with Chinese signs only
_MIXES_FROM = 1.7  # words in another language that show a customer who mixes
_LEAST_WORDS = 4
_WORD_END = re.compile(r"[^\W_](?=[\W_])|[\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff]")
_LAST_WORD = re.compile(r"(?<![^\W_])[^\W\d_]+(?:['’·][^\W\d_]*)*\Z")
_ASIDE = re.compile(
    r"`[^`]*(?:`|\Z)|“[^”]*(?:”|\Z)|«[^»]*(?:»|\Z)|\"[^\"]*(?:\"|\Z)|\[[^\]]*(?:\]|\Z)|\([^)]*(?:\)|\Z)|https?://\S*|^>.*$",
    re.MULTILINE,
)
_CAPITAL = r"[A-ZÁÉÍÓÚÑÄÖÜ][\w'’-]*"
_NAMES = re.compile(
    rf"{_CAPITAL}(?:\s+(?:(?:de|del|la|las|los|el|y|da|do|dos|di|van|von|and)\s+){{0,2}}{_CAPITAL})+"
)


def language_guard() -> Guard:
    """The guard."""
    purpose = "The answer is in the language of the turn: a wrong one is asked for again before its first word is shown."
    return Guard("language", purpose, _Ear)


class _Ear:
    """One answer, heard until its language is clear."""

    trims = False

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._text = ""
        self._heard = 0
        self._words = 0
        self._telling = telling_beginnings(scene.language)
        self._is_in_doubt = False
        self._is_open = not knows_language(scene.language)
        self._is_refused = False

    @property
    def held(self) -> str:
        """The beginning, while it is not known."""
        return self._text

    @property
    def is_free(self) -> bool:
        """Whether all passes from here on."""
        return self._is_open

    def take_back(self) -> None:
        """Nothing is held back while this step is free."""

    def unread(self, _text: str) -> bool:
        """What passes is not looked at."""
        return True

    def begin(self) -> None:
        """All passes."""

    def passing(self, words: Sequence[str], _coming: str) -> int | None:
        """All of the words."""
        return len(words)

    def skip(self, text: str) -> None:
        """What passes is not looked at."""

    def push(self, text: str) -> list[Segment]:
        """Hold the beginning; everything behind it flows."""
        if self._is_open:
            return [Segment(text)]
        if self._is_refused:
            return []
        self._text += text
        if self._scene.is_fixed():
            return self._let()
        for found in _WORD_END.finditer(self._text, self._heard):
            if self._tells(found.end()) or found.end() - self._heard > LIMIT_CHARACTERS:
                return self._let()
            self._heard = found.end()
            self._words += 1
            if (out := self._judge(self._heard)) is not None:
                return out
        end = len(self._text)
        return self._let() if end - self._heard > LIMIT_CHARACTERS or self._tells(end) else []

    def end(self) -> list[Segment]:
        """A short answer is in no language in particular."""
        held, self._text = self._text, ""
        return [Segment(held)] if held and not self._is_open and not self._is_refused else []

    def _tells(self, end: int) -> bool:
        """Whether the word that ends here, or is still coming, can only be of the right language."""
        spoken = None if self._is_in_doubt else _LAST_WORD.search(_spoken(self._text[:end]))
        if spoken is None or not self._text.endswith(spoken.group(), 0, end):
            return False
        word = spoken.group().casefold().replace("’", "'")
        if end < len(self._text) and self._text[end] not in "'’·":
            word += " "
        return any(word[:letters] in self._telling for letters in range(1, len(word) + 1))

    def _judge(self, end: int) -> list[Segment] | None:
        """What to do after these words; None: hear more."""
        votes = language_votes(_spoken(self._text[:end]))
        mine = votes.get(self._scene.language, 0.0)
        other = max(
            (code for code in votes if code != self._scene.language), key=votes.__getitem__, default=""
        )
        lead = votes.get(other, 0.0) - mine
        self._is_in_doubt = self._is_in_doubt or lead > _DOUBT
        is_long = self._words >= LIMIT_WORDS or end >= LIMIT_CHARACTERS
        if votes and -lead >= _SURE_BY and self._words >= _SURE_WORDS:
            return self._let()
        if self._words >= _LEAST_WORDS and self._is_wrong(other, votes, mine):
            return self._let() if self._is_right_after_all(other, self._text[:end]) else self._refuse()
        return self._let() if is_long else None

    def _is_wrong(self, other: str, votes: Mapping[str, float], mine: float) -> bool:
        if {other, self._scene.language} == _SAME_SIGNS:
            return False
        is_same_script = self._scene.language in votes
        theirs = votes.get(other, 0.0) if is_same_script else sum(votes.values())
        leads_by = _ALIKE_LEADS_BY if are_alike(other, self._scene.language) else _LEADS_BY
        return theirs >= _LEAST and theirs - mine >= leads_by and mine <= _SHARE * theirs

    def _is_right_after_all(self, other: str, text: str) -> bool:
        """Whether the customer writes or wishes it so, or an article is said as it is."""
        asked = next(
            (ground.text for ground in reversed(self._scene.grounds) if ground.kind == "customer"), ""
        )
        if other in languages_named(asked) or language_votes(asked).get(other, 0.0) >= _MIXES_FROM:
            return True
        said = " ".join(fold(text).split())
        return any(
            said in " ".join(fold(ground.text).split())
            for ground in self._scene.grounds
            if ground.kind == "passage"
        )

    def _let(self) -> list[Segment]:
        held, self._text, self._is_open = self._text, "", True
        return [Segment(held)]

    def _refuse(self) -> list[Segment]:
        if self._scene.may_retake:
            self._is_refused = True
            return [Segment("", "asked_again", wants_retake=True)]
        apology = self._scene.notice(NOTICE)
        before = [Segment(f"{apology}\n\n" if apology else "", "wrong_language")]
        return before + self._let()


def _spoken(text: str) -> str:
    """The text without what is quoted, linked or a name."""
    return _NAMES.sub(" ", _ASIDE.sub(" ", text))
