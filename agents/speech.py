"""One answer on its way to the customer: through the guards, word by word, with what it leans on.

Made by run_specialist, one for each run. Law: what the customer reads does not depend on how the engine cut its
text into pieces.
"""

from collections.abc import Iterable

from agents.run import Emit
from engine.base import Cited
from events import Citation, GuardFired, TextDelta, TextEnded, TextStarted
from guards.stream import Chain, Fired
from knowledge.passages import Passage

_PARAGRAPH = "\n\n"
_SENTENCE_ENDS = ".!?…:)\"'*”»。！？"


class Speech:
    """What one specialist says in one turn."""

    def __init__(self, chain: Chain, emit: Emit, message_id: str) -> None:
        self.said = False
        self.citations: list[Citation] = []
        self._chain = chain
        self._emit = emit
        self._message_id = message_id
        self._passages: dict[str, Passage] = {}
        self._has_words = False
        self._break_due = False
        self._last_character = ""

    def say(self, text: str) -> None:
        """Words of the engine; after a pause they begin a new paragraph."""
        if self._break_due or not self._has_words:
            text = text.lstrip()
        if not text:
            return
        if self._break_due:
            text, self._break_due = _PARAGRAPH + text, False
        self._has_words = True
        safe, fired = self._chain.push(text)
        self._note(fired)
        self._speak(safe)

    def pause(self) -> None:
        """The engine's message is over; another one may follow after a tool."""
        self._break_due = self._has_words

    def learn(self, passages: Iterable[Passage]) -> None:
        """Passages that were found in this turn, which the answer may cite."""
        self._passages |= {passage.source: passage for passage in passages}

    def cite(self, cited: Cited) -> bool:
        """Keep a citation; false when it does not point at words of a passage that was found in this turn."""
        passage, quote = self._passages.get(cited.source), cited.quote.strip()
        if passage is None or not quote or quote not in passage.text:
            return False
        citation = Citation(title=passage.title, url=passage.url, quote=quote)
        if citation not in self.citations:
            self.citations.append(citation)
        return True

    def end(self, *, notice: str = "", is_unfinished: bool = False) -> None:
        """Give out what the guards held back, and close the answer.

        Args:
            notice: What is said below an answer that broke off.
            is_unfinished: The engine stopped in the middle; a sentence that is cut gets an ellipsis.
        """
        rest, fired = self._chain.end()
        self._note(fired)
        self._speak(rest)
        if is_unfinished and self.said and self._last_character not in _SENTENCE_ENDS:
            self._speak("…")
        if notice:
            self._speak(_PARAGRAPH + notice)
        if self.said:
            self._emit(TextEnded(message_id=self._message_id, citations=tuple(self.citations)))

    def _speak(self, text: str) -> None:
        if not self.said:
            text = text.lstrip()
        if not text:
            return
        if not self.said:
            self.said = True
            self._emit(TextStarted(message_id=self._message_id))
        self._last_character = text.rstrip()[-1:] or self._last_character
        self._emit(TextDelta(message_id=self._message_id, text=text))

    def _note(self, fired: Iterable[Fired]) -> None:
        for item in fired:
            self._emit(GuardFired(guard=item.guard, what=item.what))
