"""Stop an answer that runs away: after the limit it ends at the last sentence end."""

from guards.stream import Guard, Segment

LIMIT_CHARACTERS = 6_000
_ENDS = ".!?。！？"


class _Length:
    """Let text through up to the limit, then up to the end of that sentence, at most `slack` further."""

    def __init__(self, limit: int, slack: int) -> None:
        self._left = limit
        self._slack = slack
        self._before = ""

    def push(self, text: str) -> list[Segment]:
        """Everything before the limit passes at once; after it, up to the next sentence end."""
        if self._left <= -self._slack:
            return []
        free = max(0, min(self._left, len(text)))
        self._left -= free
        self._before = text[free - 1 : free] or self._before
        for position in range(free, len(text)):
            at_end = text[position] == "\n" or (text[position].isspace() and self._before in _ENDS)
            self._left -= 1
            self._before = text[position]
            if at_end or self._left <= -self._slack:
                self._left = -self._slack
                return [Segment(text[:position], "answer_cut")]
        return [Segment(text)]

    def end(self) -> list[Segment]:
        """Nothing is ever held back."""
        return []


def length_guard(limit: int = LIMIT_CHARACTERS, slack: int = 400) -> Guard:
    """The guard with this limit in characters; `slack` is how much longer it waits for a sentence to end."""
    return Guard(
        "length", "An answer ends at a sentence after 6,000 characters.", lambda: _Length(limit, slack)
    )
