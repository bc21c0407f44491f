"""Stop an answer that runs away: after the limit it ends at the next sentence end."""

from collections.abc import Sequence

from guards.stream import Guard, Segment

LIMIT_CHARACTERS = 6_000
SLACK_CHARACTERS = 400
_ENDS = ".!?…"
_ENDS_WITHOUT_BLANK = "。！？"
_CLOSERS = "\"'”’»」』）)]*_`"


class _Length:
    """Let text through up to the limit, then up to the end of that sentence, at most `slack` further."""

    trims = False

    def __init__(self, limit: int, slack: int) -> None:
        self._left = limit
        self._slack = slack
        self._last = " "
        self._is_shut = False
        self._ahead = 0  # what is left behind the words that pass unread

    @property
    def held(self) -> str:
        """Nothing is ever held back."""
        return ""

    @property
    def is_free(self) -> bool:
        """Whether the limit has not been reached."""
        return self._left > 0

    def take_back(self) -> None:
        """Nothing is ever held back."""

    def unread(self, text: str) -> bool:
        """What has been counted counts no more."""
        self._left += len(text)
        return True

    def begin(self) -> None:
        """What passes counts from here on."""
        self._ahead = self._left

    def passing(self, words: Sequence[str], _coming: str) -> int | None:
        """All of the words; None when the limit is near: those that a later step does not let pass count twice."""
        self._ahead -= sum(map(len, words))
        return len(words) if self._ahead > 0 else None

    def skip(self, text: str) -> None:
        """Count text that is shown already."""
        self.push(text)

    def push(self, text: str) -> list[Segment]:
        """Everything before the limit passes at once; after it, up to the next sentence end."""
        if self._left > len(text):
            self._left -= len(text)
            self._read(text)
            return [Segment(text)]
        if self._is_shut:
            return []
        free = max(0, min(self._left, len(text)))
        self._left -= free
        self._read(text[:free])
        for position, character in enumerate(text[free:], start=free):
            if self._ends_before(character):
                return self._shut(text[:position])
            if self._left <= -self._slack:
                return self._shut(f"{text[:position]}…")
            self._left -= 1
            self._read(character)
        return [Segment(text)]

    def end(self) -> list[Segment]:
        """Nothing is ever held back."""
        return []

    def _read(self, text: str) -> None:
        """Note the last character, but for quotation marks and brackets that close behind a sentence."""
        self._last = text.rstrip(_CLOSERS)[-1:] or self._last

    def _ends_before(self, character: str) -> bool:
        if character == "\n" or (self._last in _ENDS and character.isspace()):
            return True
        return self._last in _ENDS_WITHOUT_BLANK and character not in _CLOSERS

    def _shut(self, last: str) -> list[Segment]:
        self._is_shut = True
        return [Segment(last, "answer_cut")]


def length_guard(limit: int = LIMIT_CHARACTERS, slack: int = SLACK_CHARACTERS) -> Guard:
    """The guard with this limit in characters; `slack` is how much longer it waits for a sentence to end."""
    purpose = f"An answer ends at a sentence after {limit:,} characters."
    return Guard("length", purpose, lambda _scene: _Length(limit, slack))
