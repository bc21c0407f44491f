"""One answer on its way to the customer: through the guards, word by word, with what it leans on.

Made by run_specialist, one for each run. Law: what the customer reads does not depend on how the engine cut its
text into pieces.
"""

from collections.abc import Callable, Iterable

from agents.run import Emit
from agents.sources import Sources, citations_of
from engine.base import Cited
from events import Citation, CitationsProved, GuardFired, TextDelta, TextEnded, TextStarted
from guards.chain import Chain, Fired
from knowledge.passages import Passage

_PARAGRAPH = "\n\n"
_SENTENCE_ENDS = ".!?…:)\"'*”»。！？"


class Speech:
    """What one specialist says in one turn: `text` so far, and once it has ended the `citations` that go with it.

    `sources`: what it may lean on.

    Args:
        retake: Makes the guards for a second attempt, of whom none wants a third; None: there is only one.
    """

    def __init__(
        self, chain: Chain, emit: Emit, message_id: str, retake: Callable[[], Chain] | None = None
    ) -> None:
        self.text = ""
        self.citations: tuple[Citation, ...] = ()
        self._chain = chain
        self._retake = retake
        self._emit = emit
        self._message_id = message_id
        self.sources = Sources()
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

    @property
    def wants_retake(self) -> bool:
        """Whether a guard wants another answer instead of this one, of which nothing has been shown."""
        return self._chain.wants_retake and self._retake is not None

    def begin_again(self) -> bool:
        """Forget what was said and not shown, if a guard wants that; what the engine says next is the answer then."""
        if not self.wants_retake or self._retake is None:
            return False
        self._chain, self._retake = self._retake(), None
        self._has_words = self._break_due = False
        return True

    def pause(self) -> None:
        """The engine's message is over; another one may follow after a tool."""
        self._break_due = self._has_words

    def learn(self, passages: Iterable[Passage]) -> None:
        """Passages that were found in this turn, which the answer may cite."""
        self.sources.learn(passages)

    def cite(self, cited: Cited) -> bool:
        """Keep a citation; false when it does not point at words that were found in this turn."""
        return self.sources.cite(cited)

    def give_out(self, *, is_unfinished: bool = False) -> None:
        """Show what the guards held back: the answer is complete, and only a notice may follow.

        Args:
            is_unfinished: The engine stopped in the middle; a sentence that is cut gets an ellipsis.
        """
        rest, fired = self._chain.end()
        self._note(fired)
        self._speak(rest)
        if is_unfinished and self.said and self._last_character not in _SENTENCE_ENDS:
            self._speak("…")

    def end(self, *, notice: str = "") -> None:
        """Close an answer that was given out; the notice is said below it."""
        if notice:
            self._speak(_PARAGRAPH + notice)
        if self.said:
            self._close()

    @property
    def said(self) -> bool:
        """Whether the customer reads anything."""
        return bool(self.text)

    def _close(self) -> None:
        """A citation whose sentence a guard took away is not shown either."""
        proofs = self.sources.proofs(self.text)
        self.citations = citations_of(proofs)
        if proofs:
            self._emit(CitationsProved(message_id=self._message_id, proofs=proofs))
        self._emit(TextEnded(message_id=self._message_id, citations=self.citations))

    def _speak(self, text: str) -> None:
        if not self.said:
            text = text.lstrip()
        if not text:
            return
        if not self.said:
            self._emit(TextStarted(message_id=self._message_id))
        self.text += text
        self._last_character = text.rstrip()[-1:] or self._last_character
        self._emit(TextDelta(message_id=self._message_id, text=text))

    def _note(self, fired: Iterable[Fired]) -> None:
        for item in fired:
            self._emit(GuardFired(guard=item.guard, what=item.what))
